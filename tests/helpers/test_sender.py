"""Whatever a socket takes at a time: the same bytes come, and the end only after all of them."""

from __future__ import annotations

import errno
import os
import socket

from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.sender import Sender

BLOCKED = None
BROKEN = ConnectionResetError()
FLUSH = b""


class Taker:
    """A socket that takes of each call what it is told to, and all once it is told no more."""

    def __init__(self, takes: list[int | OSError | None] | None = None) -> None:
        self.takes = takes or []
        self.taken = b""
        self.offered = b""
        """What is to be offered again: a socket with TLS has encrypted it."""
        self.ends = 0

    def write(self, fd: int, data: bytes | memoryview) -> int:
        assert fd == 7
        assert not self.ends
        assert data
        assert bytes(data).startswith(self.offered)
        take = self._next(len(data))
        self.offered = bytes(data) if take is BLOCKED else b""
        if take is BLOCKED:
            raise BlockingIOError
        self.taken += data[:take]
        return min(take, len(data))

    def shutdown(self) -> None:
        if self._next(0) is BLOCKED:
            raise BlockingIOError
        self.ends += 1

    def _next(self, otherwise: int) -> int | None:
        take = self.takes.pop(0) if self.takes else otherwise
        if isinstance(take, OSError):
            raise take
        return take


class Saying(Sender):
    """Notes what it is told."""

    def __init__(self, taker: Taker) -> None:
        super().__init__(7)
        self._write = taker.write
        self._taker = taker
        self.errors: list[OSError] = []
        self.blocked = 0
        self.drained = 0

    def _shutdown(self) -> None:
        self._taker.shutdown()

    def _send_blocked(self) -> None:
        assert self.waits
        self.blocked += 1

    def _drained(self) -> None:
        assert not self.waits
        self.drained += 1

    def _send_failed(self, error: OSError) -> None:
        assert not self.waits
        self.errors.append(error)


takes = st.lists(st.one_of(st.just(BLOCKED), st.integers(0, 9)), max_size=20)
messages = st.lists(st.one_of(st.binary(min_size=1, max_size=20), st.just(FLUSH)), max_size=10)


@given(takes, messages, st.booleans())
def test_any_partial_sends_give_the_same_bytes_and_then_the_end(
    takes: list[int | OSError | None], messages: list[bytes], views: bool
) -> None:
    taker = Taker(takes)
    sender = Saying(taker)
    said = b""
    for message in messages:
        waited, blocked, drained = sender.waits, sender.blocked, sender.drained
        if message == FLUSH:
            sender.flush()
            assert sender.drained == drained + (not sender.waits)
        else:
            said += message
            lent = bytearray(message)
            assert sender.put(memoryview(lent) if views else message)
            lent[:] = bytes(len(lent))
            assert sender.blocked == blocked + (sender.waits and not waited)
        assert taker.taken + sender.unsent == said
    sender.end()
    while not sender.ended:
        assert sender.ending
        assert sender.waits
        sender.flush()
    assert taker.taken == said
    assert taker.ends == 1
    assert not sender.waits
    assert not sender.errors


@given(takes, st.binary(min_size=1, max_size=40))
def test_nothing_waits_on_a_broken_connection(
    takes: list[int | OSError | None], data: bytes
) -> None:
    taker = Taker([*takes, BROKEN])
    sender = Saying(taker)
    sent = sender.put(data)
    assert sent is not bool(sender.errors)
    if sent:
        sender.end()
    while sender.waits:
        sender.flush()
    # It may break too late to be noticed.
    assert sender.ended is not bool(sender.errors)
    assert sender.errors in ([], [BROKEN])
    assert data.startswith(taker.taken)


def test_more_goes_behind_what_waits() -> None:
    taker = Taker([2, BLOCKED])
    sender = Saying(taker)
    sender.put(b"one")
    sender.put(b"two")
    assert (taker.taken, sender.unsent, sender.blocked) == (b"on", b"etwo", 1)
    sender.flush()
    assert sender.waits
    sender.flush()
    assert (taker.taken, sender.drained) == (b"onetwo", 1)
    assert not taker.ends


def test_what_is_dropped_is_neither_sent_nor_ended() -> None:
    taker = Taker([BLOCKED])
    sender = Saying(taker)
    sender.put(b"one")
    sender.end()
    sender.drop_unsent()
    sender.flush()
    assert not taker.taken
    assert not sender.ended


def test_an_end_waits_for_the_socket_as_bytes_do() -> None:
    taker = Taker([BLOCKED, BLOCKED])
    sender = Saying(taker)
    sender.end()
    assert sender.waits
    assert sender.blocked == 1
    sender.flush()
    assert sender.waits
    sender.flush()
    assert (sender.ended, taker.ends, sender.drained) == (True, 1, 1)


def test_an_end_with_nothing_before_it_is_said_at_once() -> None:
    taker = Taker()
    sender = Saying(taker)
    sender.end()
    assert (sender.ended, sender.ending, taker.ends, sender.drained) == (True, False, 1, 0)


def test_after_a_socket_has_been_left_nothing_goes_to_the_next_with_its_number() -> None:
    class OnSocket(Saying):
        def __init__(self, sock: socket.socket) -> None:
            super().__init__(Taker())
            self._fd = sock.fileno()
            self._write = os.write

    ours, peer = socket.socketpair()
    another, its_peer = socket.socketpair()
    sender = OnSocket(ours)
    assert sender.put(b"ours")
    number = ours.fileno()
    sender.leave()
    ours.close()
    os.dup2(another.fileno(), number)
    another.close()
    try:
        assert not sender.put(b"late")
        assert [error.errno for error in sender.errors] == [errno.EBADF]
        assert peer.recv(100) == b"ours"
    finally:
        os.close(number)
    with peer, its_peer:
        assert its_peer.recv(100) == b""
