"""The loop's promises: descriptors within a batch, timers in order, signals, loud errors."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.loop import ERROR, HANGUP, READ, WRITE, Loop

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    pairs = [socket.socketpair() for _ in range(3)]
    for left, right in pairs:
        left.setblocking(False)
        right.setblocking(False)
    yield pairs
    for left, right in pairs:
        left.close()
        right.close()


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def calling(callback: Callable[[int], None], fd: int, events: int) -> None:
    callback(fd)


def test_calls_back_with_what_is_there(loop: Loop, pairs: list[Pair]) -> None:
    left, right = pairs[0]
    seen: list[int] = []
    loop.add(left.fileno(), READ | WRITE, seen.append)
    loop.step()
    right.send(b"x")
    loop.step()
    loop.modify(left.fileno(), READ)
    loop.step()
    assert seen == [WRITE, READ | WRITE, READ]


def test_reports_a_hangup_that_was_not_asked_for(loop: Loop, pairs: list[Pair]) -> None:
    left, right = pairs[0]
    seen: list[int] = []
    loop.add(left.fileno(), 0, seen.append)
    loop.step(0)
    assert seen == []
    right.close()
    loop.step(0)
    assert seen[0] & (HANGUP | ERROR)


def test_a_descriptor_removed_within_the_batch_is_not_called(loop: Loop, pairs: list[Pair]) -> None:
    ready = [left for left, right in pairs if right.send(b"x")]
    called: list[int] = []

    def remove_all_others(fd: int) -> None:
        called.append(fd)
        for sock in ready:
            if sock.fileno() != fd:
                loop.remove(sock.fileno())

    for sock in ready:
        fd = sock.fileno()
        loop.add(fd, READ, partial(calling, remove_all_others, fd))
    loop.step()
    assert len(called) == 1


def test_a_number_used_again_within_the_batch_gets_only_its_own_events(
    loop: Loop, pairs: list[Pair]
) -> None:
    """Closing a descriptor and opening another one gives the same number: its event is old."""
    called: list[str] = []
    opened: list[socket.socket] = []
    victims = [pair[0] for pair in pairs]
    for _, right in pairs:
        right.send(b"x")

    def replace_the_others(own: int) -> None:
        called.append("first")
        loop.remove(own)
        for sock in victims:
            number = sock.fileno()
            if number == own:
                continue
            loop.remove(number)
            sock.close()
            # Two new sockets, so that each number that has become free is taken.
            for fresh in socket.socketpair():
                opened.append(fresh)
                loop.add(fresh.fileno(), READ, lambda events: called.append("stale"))

    numbers = {sock.fileno() for sock in victims}
    for sock in victims:
        number = sock.fileno()
        loop.add(number, READ, partial(calling, replace_the_others, number))
    loop.step()
    assert called == ["first"]
    assert numbers & {sock.fileno() for sock in opened}, "no number was used again"
    loop.step(0)
    assert "stale" not in called
    for sock in opened:
        sock.close()


def test_what_is_added_within_a_batch_is_called_by_the_next(loop: Loop, pairs: list[Pair]) -> None:
    (first, first_peer), (second, second_peer), _ = pairs
    first_peer.send(b"x")
    second_peer.send(b"x")
    called: list[str] = []

    def add_second(events: int) -> None:
        first.recv(1)
        loop.add(second.fileno(), READ, lambda events: called.append("second"))

    loop.add(first.fileno(), READ, add_second)
    loop.step()
    assert called == []
    loop.step()
    assert called == ["second"]


def test_a_regular_file_cannot_be_waited_for(loop: Loop) -> None:
    with open(__file__) as stream, pytest.raises(PermissionError):
        loop.add(stream.fileno(), READ, lambda events: None)


def test_an_exception_ends_the_loop_loudly(loop: Loop) -> None:
    def fail() -> None:
        raise ZeroDivisionError

    loop.call_later(0, fail)
    with pytest.raises(ZeroDivisionError):
        loop.run()


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=40))
def test_timers_are_called_in_order_of_time_and_then_of_asking(
    wanted: list[tuple[int, bool]],
) -> None:
    clock = Clock()
    loop = Loop(clock)
    called: list[tuple[int, int]] = []
    timers = []
    for index, (when, cancelled) in enumerate(wanted):
        entry = (when, index)
        timers.append((loop.call_at(when, partial(called.append, entry)), cancelled))
    for timer, cancelled in timers:
        if cancelled:
            timer.cancel()
            timer.cancel()
    for now in (5, 10, 20):
        clock.now = now
        loop.step(0)
        expected = [
            (when, index)
            for index, (when, cancelled) in enumerate(wanted)
            if not cancelled and when <= now
        ]
        assert called == sorted(expected)
    loop.close()


def test_a_timer_that_sets_itself_again_leaves_room_for_descriptors(
    loop: Loop, pairs: list[Pair]
) -> None:
    left, right = pairs[0]
    right.send(b"x")
    turns = 0

    def again() -> None:
        nonlocal turns
        turns += 1
        loop.call_later(0, again)

    again()
    loop.add(left.fileno(), READ, lambda events: loop.stop())
    loop.run()
    assert turns <= 3


def test_a_descriptor_that_is_always_ready_leaves_room_for_timers(
    loop: Loop, pairs: list[Pair]
) -> None:
    left, right = pairs[0]
    right.send(b"x")
    seen: list[int] = []
    loop.add(left.fileno(), READ, seen.append)
    loop.call_later(0.001, loop.stop)
    loop.run()
    assert seen


def test_what_is_ready_comes_before_a_deadline_that_is_over(loop: Loop) -> None:
    """More than one batch, as after a hold-up of the machine."""
    pairs = [socket.socketpair() for _ in range(200)]
    called: dict[int, int] = {}
    due: list[int] = []

    def count(fd: int, events: int) -> None:
        # Nothing is read: it is ready for ever.
        called[fd] = called.get(fd, 0) + 1

    for left, right in pairs:
        loop.add(left.fileno(), READ, partial(count, left.fileno()))
        right.send(b"x")
    loop.call_later(0, lambda: due.append(len(called)))
    for _ in range(100):
        if not due:
            loop.step()
    assert due == [200]
    assert max(called.values()) < 20, "they are not waited for for ever"
    for left, right in pairs:
        loop.remove(left.fileno())
        left.close()
        right.close()


def test_a_timer_that_becomes_due_within_a_batch_is_called_by_the_next(pairs: list[Pair]) -> None:
    clock = Clock()
    loop = Loop(clock)
    left, right = pairs[0]
    right.send(b"x")
    called: list[str] = []

    def advance(events: int) -> None:
        called.append("descriptor")
        left.recv(1)
        clock.now = 10.0

    loop.add(left.fileno(), READ, advance)
    loop.call_at(5.0, lambda: called.append("timer"))
    loop.step()
    assert called == ["descriptor"]
    loop.step()
    assert called == ["descriptor", "timer"]
    loop.close()


def test_cancelled_timers_are_swept() -> None:
    loop = Loop()
    kept = [loop.call_later(1000, lambda: None) for _ in range(10)]
    for _ in range(5000):
        loop.call_later(1000, lambda: None).cancel()
    assert len(loop._timers) < 1500
    assert all(timer.pending for timer in kept)
    loop.close()


def test_a_signal_is_called_back_from_the_loop(loop: Loop) -> None:
    seen: list[str] = []
    loop.on_signal(signal.SIGUSR1, lambda: seen.append("usr1"))
    loop.on_signal(signal.SIGTERM, loop.stop)
    os.kill(os.getpid(), signal.SIGUSR1)
    assert seen == []
    loop.step()
    assert seen == ["usr1"]
    loop.call_later(0, lambda: os.kill(os.getpid(), signal.SIGTERM))
    loop.run()
