"""The circuit breaker, step by step."""

from __future__ import annotations

from podweave.helpers.ambassador.http.breaker import Breaker
from podweave.helpers.ambassador.http.policy import BreakerRules

RULES = BreakerRules(failures=3, seconds=10.0, statuses=frozenset((500, 503)))


def opened() -> Breaker:
    breaker = Breaker(RULES)
    assert [breaker.failed(100.0) for _ in range(3)] == [False, False, True]
    return breaker


def test_failures_in_a_row_open_it() -> None:
    breaker = Breaker(RULES)
    assert not breaker.failed(0.0)
    assert not breaker.failed(0.0)
    assert not breaker.succeeded()
    assert not breaker.failed(0.0)
    assert breaker.closed
    assert breaker.allows(0.0)
    assert not opened().closed


def test_nothing_goes_through_until_its_time_is_over() -> None:
    breaker = opened()
    assert not breaker.allows(109.9)
    assert breaker.seconds_left(104.0) == 6.0
    assert breaker.allows(110.0)


def test_one_probe_decides() -> None:
    breaker = opened()
    breaker.begin(110.0)
    assert not breaker.allows(110.0)
    assert breaker.succeeded()
    assert breaker.allows(110.0)
    assert not breaker.failed(110.0)

    breaker = opened()
    breaker.begin(110.0)
    assert not breaker.failed(111.0), "it was open already"
    assert not breaker.allows(120.9)
    assert breaker.allows(121.0)


def test_a_probe_that_is_given_up_or_takes_too_long() -> None:
    breaker = opened()
    breaker.begin(110.0)
    breaker.given_up()
    assert not breaker.closed
    assert breaker.allows(110.0)
    breaker.begin(110.0)
    assert breaker.allows(120.0)


def test_what_counts() -> None:
    assert Breaker(RULES).counts(503)
    assert not Breaker(RULES).counts(404)
