"""The order, the times and the back-off of a dial, on a clock that the test turns."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from podweave.helpers.ambassador.dial import LAST_PAUSE, Dial
from podweave.helpers.ambassador.profiles import Profile, Upstream
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.loop import Loop

Result = socket.socket | DialError
REFUSED = DialError("ECONNREFUSED", "no")


class Attempt:
    def __init__(
        self, host: str, timeout: float, done: Callable[[Result], object], time: float
    ) -> None:
        self.host = host
        self.timeout = timeout
        self.done = done
        self.time = time
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Play:
    """A dial with everything around it in the test's hands."""

    def __init__(self, upstreams: list[Upstream], timeout: float = 10.0) -> None:
        self.time = 0.0
        self.loop = Loop(lambda: self.time)
        self.attempts: list[Attempt] = []
        self.results: list[Result] = []
        self.failures: list[str] = []
        self.dial = Dial(
            self.loop,
            self,
            Profile("dev", upstreams),
            timeout,
            self.results.append,
            lambda upstream, error: self.failures.append(upstream.host) if error else None,
            random=lambda: 0.5,
        )

    def connect(
        self, host: str, port: int, timeout: float, done: Callable[[Result], object]
    ) -> Attempt:
        self.attempts.append(Attempt(host, timeout, done, self.time))
        return self.attempts[-1]

    def fail(self, after: float = 0.0) -> None:
        """The attempt of now fails, `after` so many seconds."""
        self.time += after
        self.attempts[-1].done(REFUSED)

    def until_next(self) -> None:
        """Let time pass until the next attempt or the end."""
        known = len(self.attempts)
        for _ in range(10_000):
            if len(self.attempts) > known or self.results:
                return
            self.time += 0.001
            self.loop.step(0)
        raise AssertionError("nothing happened in ten seconds")


A, B = Upstream("a", 1), Upstream("b", 1)


@pytest.fixture
def play() -> Iterator[Callable[..., Play]]:
    plays: list[Play] = []

    def start(*upstreams: Upstream, timeout: float = 10.0) -> Play:
        plays.append(Play(list(upstreams), timeout))
        return plays[-1]

    yield start
    for each in plays:
        each.loop.close()


def test_success_is_handed_on(play: Callable[..., Play]) -> None:
    it = play(A)
    with socket.socket() as sock:
        it.attempts[0].done(sock)
        assert it.results == [sock]
    assert it.failures == []


def test_the_other_upstream_follows_at_once_with_the_rest_of_the_time(
    play: Callable[..., Play],
) -> None:
    it = play(A, B, timeout=2.5)
    assert it.attempts[0].timeout == 1.25
    it.fail(after=1.0)
    assert {attempt.host for attempt in it.attempts} == {"a", "b"}
    assert it.attempts[1].timeout == 1.5


def test_a_black_hole_leaves_time_for_another_round(play: Callable[..., Play]) -> None:
    """By then its name may lead to where the server has gone."""
    it = play(A)
    while not it.results:
        it.fail(after=it.attempts[-1].timeout)
        it.until_next()
    assert [round(attempt.timeout) for attempt in it.attempts] == [5, 2, 1, 1]
    assert it.time == pytest.approx(10.0)
    it = play(A, B, timeout=12.0)
    it.fail(after=4.0)
    it.fail(after=4.0)
    assert [attempt.timeout for attempt in it.attempts] == [4.0, 4.0]
    it.until_next()
    assert it.attempts[2].timeout > 1.0


def test_rounds_back_off_up_to_a_limit(play: Callable[..., Play]) -> None:
    it = play(A)
    for _ in range(12):
        it.fail()
        it.until_next()
    pauses = [b.time - a.time for a, b in zip(it.attempts, it.attempts[1:], strict=False)]
    expected = [min(0.05 * 2**n, LAST_PAUSE) * 0.75 for n in range(len(pauses))]
    assert pauses == pytest.approx(expected, abs=0.0021)


def test_at_the_deadline_the_last_error_is_handed_on(play: Callable[..., Play]) -> None:
    it = play(A, timeout=1.0)
    while not it.results:
        it.fail()
        it.until_next()
    assert it.results == [REFUSED]
    assert 0.9 < it.time <= 1.0
    assert set(it.failures) == {"a"}


def test_an_attempt_that_the_deadline_cuts_short_says_nothing(play: Callable[..., Play]) -> None:
    late = DialError("ETIMEDOUT", "no answer within 0.0 s")
    short = play(A, timeout=1.0)
    short.time = 0.97
    short.fail()
    short.until_next()
    short.attempts[-1].done(late)
    assert short.results == [REFUSED]
    long = play(A, timeout=1.0)
    long.fail()
    long.until_next()
    long.time = 1.0
    long.attempts[-1].done(late)
    assert long.results == [late]


def test_an_attempt_that_takes_all_the_time_is_the_last(play: Callable[..., Play]) -> None:
    it = play(A, timeout=1.0)
    it.fail(after=1.0)
    assert it.results == [REFUSED]


def test_cancelling_reaches_the_attempt_and_the_pause(play: Callable[..., Play]) -> None:
    it = play(A)
    it.dial.cancel()
    assert it.attempts[0].cancelled
    it = play(A)
    it.fail()
    it.dial.cancel()
    it.time += 100
    it.loop.step(0)
    assert len(it.attempts) == 1
    assert it.results == []


def test_weights_decide_who_is_first() -> None:
    profile = Profile("dev", [Upstream("a", 1, 3), Upstream("b", 1, 1)])
    chance = random.Random(1).random
    first = Counter(profile.order(chance)[0].host for _ in range(4000))
    assert 2800 < first["a"] < 3200
    assert sorted(upstream.host for upstream in profile.order(lambda: 0.3)) == ["a", "b"]
