"""Connections under a limit: never more than allowed, first come first served, none forgotten."""

from __future__ import annotations

import socket
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.ambassador.profiles import Profile, Upstream
from podweave.helpers.ambassador.turns import CONNECTION_LIMIT, Slots, Turn
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.loop import Loop

Result = socket.socket | DialError


class Attempt:
    def __init__(self, done: Callable[[Result], object]) -> None:
        self.done = done
        self.open = True

    def cancel(self) -> None:
        self.open = False


class Play:
    """Turns of one profile, with the network and the clock in the test's hands."""

    def __init__(self, limit: int) -> None:
        self.time = 0.0
        self.loop = Loop(lambda: self.time)
        self.slots = Slots()
        self.slots.set_limit(limit)
        self.upstream = Upstream("a", 1)
        self.profile = Profile("dev", [self.upstream])
        self.attempts: list[Attempt] = []
        self.turns: list[Turn] = []
        self.results: dict[int, Result] = {}
        self.connection = socket.socket()

    def connect(
        self, host: str, port: int, timeout: float, done: Callable[[Result], object]
    ) -> Attempt:
        self.attempts.append(Attempt(done))
        return self.attempts[-1]

    def want(self, seconds: float = 10.0) -> Turn:
        number = len(self.turns)
        turn = Turn(
            self.loop,
            self,
            self.slots,
            self.profile,
            self.time + seconds,
            lambda result: self.results.__setitem__(number, result),
            lambda upstream, error: None,
        )
        self.turns.append(turn)
        return turn

    def dialling(self) -> list[Attempt]:
        return [attempt for attempt in self.attempts if attempt.open]

    def decide(self, attempt: Attempt, result: Result) -> None:
        attempt.open = False
        attempt.done(result)

    def wait(self, seconds: float) -> None:
        self.time += seconds
        self.loop.step(0)

    def close(self) -> None:
        self.loop.close()
        self.connection.close()


def test_turns_are_taken_in_the_order_of_asking() -> None:
    play = Play(limit=1)
    first, second, third = play.want(), play.want(), play.want()
    assert len(play.attempts) == 1
    play.decide(play.attempts[0], play.connection)
    assert list(play.results) == [0]
    second.end()
    first.end()
    assert len(play.attempts) == 2
    play.decide(play.attempts[1], play.connection)
    assert list(play.results) == [0, 2]
    third.end()
    assert play.slots.used == 0
    play.close()


def test_the_time_of_waiting_counts() -> None:
    play = Play(limit=1)
    play.want()
    play.decide(play.attempts[0], play.connection)
    play.want(seconds=5.0)
    play.wait(4.9)
    assert 1 not in play.results
    play.wait(0.2)
    error = play.results[1]
    assert isinstance(error, DialError)
    assert (error.reason, "1 connections are open" in error.message) == (CONNECTION_LIMIT, True)
    play.close()


def test_a_limit_that_is_lifted_admits_who_waits() -> None:
    play = Play(limit=1)
    for _ in range(4):
        play.want()
    play.slots.set_limit(3)
    assert len(play.dialling()) == 3
    play.slots.set_limit(0)
    assert len(play.dialling()) == 4
    play.close()


def test_a_limit_that_is_lowered_sends_nobody_away() -> None:
    play = Play(limit=0)
    turns = [play.want() for _ in range(3)]
    for attempt in play.dialling():
        play.decide(attempt, play.connection)
    play.slots.set_limit(1)
    play.want()
    assert play.slots.used == 3
    turns[0].end()
    turns[1].end()
    assert not play.dialling()
    turns[2].end()
    assert len(play.dialling()) == 1
    play.close()


steps = st.lists(
    st.tuples(
        st.sampled_from(["want", "connect", "fail", "end", "wait", "limit"]), st.integers(0, 9)
    ),
    max_size=60,
)


@given(steps, st.integers(0, 4))
def test_nothing_is_forgotten_whatever_happens(
    happenings: list[tuple[str, int]], limit: int
) -> None:
    play = Play(limit)
    most = limit
    for happening, number in happenings:
        if happening == "want":
            play.want(seconds=number + 0.5)
        elif happening in ("connect", "fail") and play.dialling():
            attempt = play.dialling()[number % len(play.dialling())]
            ok = happening == "connect"
            play.decide(attempt, play.connection if ok else DialError("ECONNREFUSED", "no"))
        elif happening == "end" and play.turns:
            play.turns[number % len(play.turns)].end()
        elif happening == "wait":
            play.wait(number / 3)
        elif happening == "limit":
            most = max(number % 4, play.slots.used) if number % 4 else 0
            play.slots.set_limit(number % 4)
        for index, result in play.results.items():
            if isinstance(result, DialError):
                play.turns[index].end()
        if play.slots.limit:
            assert play.slots.used <= max(most, play.slots.limit)
            assert not play.slots.waiting or play.slots.used >= play.slots.limit
        else:
            assert not play.slots.waiting
        assert len(play.slots.connected) <= play.slots.used
        assert play.upstream.state.open >= len(play.slots.connected)
    for turn in play.turns:
        turn.end()
        turn.end()
    assert (play.slots.used, len(play.slots.waiting), len(play.slots.connected)) == (0, 0, 0)
    assert play.upstream.state.open == 0
    assert not play.dialling()
    play.close()
