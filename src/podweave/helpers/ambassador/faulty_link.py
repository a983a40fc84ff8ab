"""A bad network between a relay and its upstream: bytes late, slow, or cut off.

The relay is given one end of a pair of sockets in place of the upstream's, and the link carries
the bytes between the other end and the upstream. So a relay without faults has nothing to do
with them, whatever it does with its sockets (TLS, splice).

Each way is a queue of pieces with the time at which each is due. It is bounded: a way that is full
isn't read, as with a network that is slow.
"""

from __future__ import annotations

import os
import socket
from collections import deque

from podweave.helpers.ambassador.dial import random_number
from podweave.helpers.dialing.socket_options import reset
from podweave.helpers.loop import ERROR, HANGUP, READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from podweave.helpers.ambassador.faults import Faults
    from podweave.helpers.loop import Loop, Timer

    Closed = Callable[["FaultyLink", bool], object]

    class Raw(Protocol):
        """A socket, or what stands for it."""

        def fileno(self) -> int: ...

    class Leg(Protocol):
        """A connection to an upstream, and whoever watches its socket."""

        @property
        def both_ways_open(self) -> bool: ...
        @property
        def sock(self) -> Raw: ...
        def watch(self) -> None: ...
        def unwatch(self) -> None: ...


_PIECE = 65536
_QUEUE_LIMIT = 1 << 20
_TICK = 0.02
"""Seconds: a piece of a limited way is what may pass in so much time."""


def insert(leg: Leg, loop: Loop, faults: Faults, closed: Closed) -> FaultyLink | None:
    """Put a link between a leg of a relay and its socket's peer, without the relay's knowing.

    None where one way has ended already: such a connection is nearly over. OSError when
    descriptors are short.
    """
    if not leg.both_ways_open:
        return None
    inner, outer = socket.socketpair()
    try:
        inner.setblocking(False)
        outer.setblocking(False)
        upstream = socket.socket(fileno=os.dup(leg.sock.fileno()))
    except OSError:
        inner.close()
        outer.close()
        raise
    upstream.setblocking(False)
    # epoll knows a descriptor by its number and its file: it must forget it before it changes.
    leg.unwatch()
    os.dup2(inner.fileno(), leg.sock.fileno(), inheritable=False)
    inner.close()
    leg.watch()
    return FaultyLink(loop, outer, upstream, faults, closed)


class FaultyLink:
    def __init__(
        self,
        loop: Loop,
        inner: socket.socket,
        upstream: socket.socket,
        faults: Faults,
        closed: Closed,
    ) -> None:
        """Owns both sockets. `closed(link, broken)` is called once; `broken` says that the
        upstream's end was reset, which the other end of a pair of sockets can't be told."""
        self.faults = faults
        self._closed = closed
        self._version = -1
        self.doomed = False
        """To be reset on purpose when the upstream next answers."""
        self.open = True
        self._inner = _End(loop, inner, self)
        self._upstream = _End(loop, upstream, self)
        self._to_upstream = _Way(loop, self._inner, self._upstream, faults, late=False)
        self._to_inner = _Way(loop, self._upstream, self._inner, faults, late=True)
        self._inner.input, self._inner.output = self._to_upstream, self._to_inner
        self._upstream.input, self._upstream.output = self._to_inner, self._to_upstream
        for end in (self._inner, self._upstream):
            end.update()

    def renew(self) -> None:
        """The faults have been changed."""
        for way in (self._to_inner, self._to_upstream):
            if self.open:
                way.renew()

    def arrived(self, end: _End) -> bool:
        """Bytes have come. False: the connection has just been reset on purpose."""
        if end is self._inner:
            return True
        if self._version != self.faults.version:
            self._version = self.faults.version
            self.doomed = bool(self.faults.reset) and random_number() < self.faults.reset
        if self.doomed:
            self.fail(end)
            return False
        return True

    def fail(self, end: _End) -> None:
        """One end is broken, and so the other will be."""
        if not self.open:
            return
        self._close()
        reset(self._upstream.sock)
        self._inner.sock.close()
        self._closed(self, end is self._upstream)

    def way_ended(self) -> None:
        if self.open and self._to_inner.ended and self._to_upstream.ended:
            self._end_in_order()

    def _end_in_order(self) -> None:
        if self.open:
            self._close()
            self._upstream.sock.close()
            self._inner.sock.close()
            self._closed(self, False)

    def _close(self) -> None:
        self.open = False
        for end in (self._inner, self._upstream):
            end.unwatch()
        for way in (self._to_inner, self._to_upstream):
            way.close()


class _End:
    """One socket: the way that it feeds, and the way that feeds it."""

    input: _Way
    output: _Way

    def __init__(self, loop: Loop, sock: socket.socket, link: FaultyLink) -> None:
        self.sock = sock
        self.link = link
        self._loop = loop
        self._mask: int | None = None

    def unwatch(self) -> None:
        if self._mask is not None:
            self._loop.remove(self.sock.fileno())
            self._mask = None

    def update(self) -> None:
        """Watch for what is wanted now; for nothing at all where nothing is."""
        mask = READ if self.input.wants_more else 0
        if self.output.blocked:
            mask |= WRITE
        if not mask:
            self.unwatch()
        elif self._mask is None:
            self._loop.add(self.sock.fileno(), mask, self._ready)
            self._mask = mask
        elif mask != self._mask:
            self._loop.modify(self.sock.fileno(), mask)
            self._mask = mask

    def _ready(self, events: int) -> None:
        link = self.link
        if events & WRITE:
            self.output.unblock()
        if not link.open:
            return
        over = events & (ERROR | HANGUP)
        if (events & READ or over) and self.input.wants_more:
            self._read(bool(over))
        elif over and self.input.read_to_end and not self.output.ended:
            link.fail(self)
        if link.open:
            self.update()

    def _read(self, over: bool) -> None:
        try:
            data = self.sock.recv(self.input.piece)
        except BlockingIOError:
            return
        except OSError:
            self.link.fail(self)
            return
        if not data and over and not self.output.ended:
            # No half-close: nobody is there any more to take what is still to come.
            self.link.fail(self)
        elif not data or self.link.arrived(self):
            self.input.put(data)


class _Way:
    """Pieces on their way from one end to the other; an empty piece is the end of them."""

    def __init__(
        self, loop: Loop, source: _End, target: _End, faults: Faults, *, late: bool
    ) -> None:
        self._loop = loop
        self._source = source
        self._target = target
        self._faults = faults
        self._late = late
        self._queue: deque[tuple[float, bytes]] = deque()
        self._size = 0
        self._free_at = 0.0
        self._last_due = 0.0
        self._timer: Timer | None = None
        self.read_to_end = False
        """The source sends nothing more."""
        self.blocked = False
        """The target's socket takes no more at the moment."""
        self.ended = False
        """All that came is through, and the target knows that nothing follows."""

    @property
    def wants_more(self) -> bool:
        return not self.read_to_end and self._size < _QUEUE_LIMIT

    @property
    def piece(self) -> int:
        """How much to read at once: what passes in one tick."""
        bandwidth = self._faults.bandwidth
        return max(min(_PIECE, int(bandwidth * _TICK)), 1) if bandwidth else _PIECE

    def put(self, data: bytes) -> None:
        due = self._loop.now()
        if self._late and self._faults.latency:
            due += self._faults.latency + self._faults.jitter * (random_number() * 2 - 1)
        self._last_due = due = max(due, self._last_due)
        self._queue.append((due, data))
        self._size += len(data)
        self.read_to_end |= not data
        self._deliver()

    def renew(self) -> None:
        """The faults are others now, and count for what is on its way, too."""
        now = self._loop.now()
        latest = now + (self._faults.latency + self._faults.jitter if self._late else 0.0)
        self._queue = deque((min(due, latest), data) for due, data in self._queue)
        self._last_due = min(self._last_due, latest)
        self._free_at = min(self._free_at, now)
        self.close()
        self._deliver()

    def unblock(self) -> None:
        self.blocked = False
        self._deliver()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        self._timer = None
        self._deliver()

    def _deliver(self) -> None:
        """Send what is due. May end the link."""
        while self._queue and not self.blocked and self._timer is None:
            now = self._loop.now()
            due, data = self._queue[0]
            when = max(due, self._free_at)
            if when > now:
                self._timer = self._loop.call_at(when, self._wake)
                break
            if not self._send(data, now):
                break
        if self._source.link.open:
            self._source.update()
            self._target.update()

    def _send(self, data: bytes, now: float) -> bool:
        """Send the first piece. False: not now, or never."""
        link = self._source.link
        try:
            if not data:
                self._target.sock.shutdown(socket.SHUT_WR)
                self._queue.clear()
                self.ended = True
                link.way_ended()
                return False
            sent = self._target.sock.send(data)
        except BlockingIOError:
            self.blocked = True
            return False
        except OSError:
            link.fail(self._target)
            return False
        self._size -= sent
        if self._faults.bandwidth:
            # An idle way has saved up nothing.
            self._free_at = max(self._free_at, now - _TICK) + sent / self._faults.bandwidth
        if sent == len(data):
            self._queue.popleft()
        else:
            self._queue[0] = (self._queue[0][0], data[sent:])
        return True
