"""In which order a new connection tries the upstreams, and who is left out for how long."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.ambassador.policies import Ejection
from podweave.helpers.ambassador.profiles import LEAST_CONNECTIONS, Profile, Upstream


def hosts(profile: Profile, now: float = 0.0) -> list[str]:
    return [each.host for each in profile.order(random.Random(1).random, now)]


def fail(profile: Profile, upstream: Upstream, times: int, now: float = 0.0) -> float:
    return [profile.failed(upstream, now) for _ in range(times)][-1]


def test_a_lower_priority_number_always_goes_first() -> None:
    backup, main = Upstream("backup", 1, 1000, priority=1), Upstream("main", 1, 1, priority=0)
    profile = Profile("dev", [backup, main])
    chance = random.Random(1).random
    assert {profile.order(chance)[0].host for _ in range(200)} == {"main"}
    assert hosts(profile) == ["main", "backup"]
    main.state.down = True
    assert hosts(profile) == ["backup"]
    backup.state.down = True
    assert hosts(profile) == ["main", "backup"], "nobody is up: one may as well try"


def test_the_fewest_connections_for_the_weight_go_first() -> None:
    a, b = Upstream("a", 1, 3), Upstream("b", 1, 1)
    profile = Profile("dev", [a, b], balance=LEAST_CONNECTIONS)
    chance = random.Random(1).random
    for _ in range(400):
        profile.order(chance)[0].state.open += 1
    assert (a.state.open, b.state.open) == (300, 100)
    a.state.open = 0
    assert profile.order(chance)[0] is a


def test_equals_share_by_chance() -> None:
    a, b = Upstream("a", 1), Upstream("b", 1)
    profile = Profile("dev", [a, b], balance=LEAST_CONNECTIONS)
    chance = random.Random(1).random
    first = Counter(profile.order(chance)[0].host for _ in range(1000))
    assert 400 < first["a"] < 600


def test_failures_in_a_row_eject_for_longer_each_time() -> None:
    a, b = Upstream("a", 1), Upstream("b", 1)
    profile = Profile("dev", [a, b], ejection=Ejection(failures=3, seconds=10.0))
    assert fail(profile, a, 2) == 0.0
    profile.succeeded(a)
    assert fail(profile, a, 2) == 0.0, "a success in between ends the row"
    assert fail(profile, a, 1) == 10.0
    assert hosts(profile, 9.9) == ["b"]
    assert sorted(hosts(profile, 10.0)) == ["a", "b"]
    assert fail(profile, a, 1, now=10.0) == 20.0, "back on probation: the first failure counts"
    assert fail(profile, a, 1, now=30.0) == 30.0
    profile.succeeded(a)
    assert fail(profile, a, 3, now=60.0) == 10.0


def test_an_ejection_lasts_at_most_ten_times_as_long() -> None:
    a, b = Upstream("a", 1), Upstream("b", 1)
    profile = Profile("dev", [a, b], ejection=Ejection(failures=1, seconds=10.0))
    now = 0.0
    for _ in range(30):
        now += fail(profile, a, 1, now)
    assert fail(profile, a, 1, now) == 100.0


def test_failures_while_ejected_change_nothing() -> None:
    """A client that was dialling already may still fail there."""
    a, b = Upstream("a", 1), Upstream("b", 1)
    profile = Profile("dev", [a, b], ejection=Ejection(failures=1, seconds=10.0))
    assert fail(profile, a, 1) == 10.0
    assert fail(profile, a, 5, now=5.0) == 0.0
    assert a.state.ejected_until == 10.0


def test_nothing_is_ejected_where_it_is_switched_off() -> None:
    a, b = Upstream("a", 1), Upstream("b", 1)
    profile = Profile("dev", [a, b], ejection=Ejection(failures=0))
    assert fail(profile, a, 1000) == 0.0


def test_what_is_known_outlives_a_new_configuration() -> None:
    old = Profile("dev", [Upstream("a", 1), Upstream("b", 1)])
    fail(old, old.upstreams[0], 5)
    old.upstreams[1].state.open = 7
    new = Profile("dev", [Upstream("b", 1, 5), Upstream("c", 1), Upstream("a", 1)])
    new.adopt(old.upstreams)
    assert sorted(hosts(new)) == ["b", "c"]
    assert new.upstreams[0].state.open == 7


steps = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["fail", "succeed", "wait", "down", "up"])),
    max_size=80,
)


@given(steps, st.integers(1, 3))
def test_somebody_is_always_left(happenings: list[tuple[int, str]], failures: int) -> None:
    """Whatever happens, ejection alone never leaves nobody, and an order is never empty."""
    upstreams = [Upstream(f"h{index}", 1, priority=index % 2) for index in range(4)]
    profile = Profile("dev", upstreams, ejection=Ejection(failures, 10.0))
    now = 0.0
    for index, happening in happenings:
        upstream = upstreams[index]
        if happening == "fail":
            profile.failed(upstream, now)
        elif happening == "succeed":
            profile.succeeded(upstream)
        elif happening == "wait":
            now += 7.0
        else:
            upstream.state.down = happening == "down"
        order = profile.order(lambda: 0.5, now)
        assert order
        assert len(order) == len(set(order))
        usable = [each for each in upstreams if each.usable(now)]
        if all(not each.state.down for each in upstreams):
            assert usable
        if usable:
            assert set(order) == set(usable)
            assert [each.priority for each in order] == sorted(each.priority for each in order)
