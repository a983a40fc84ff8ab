"""One of the two sockets of a relayed connection: its input, and the output that waits for it.

Any kind of socket, and bytes that somebody may want to see: `_pass_on` is theirs to change.
"""

from __future__ import annotations

import socket

from podweave.helpers.ambassador.read_buffer import buffer as _buffer
from podweave.helpers.ambassador.read_buffer import view as _view
from podweave.helpers.loop import ERROR, READ, WRITE
from podweave.helpers.sender import Sender

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.ambassador.relay import Relay
    from podweave.helpers.loop import Loop


class Leg(Sender):
    __slots__ = (
        "_broken",
        "_input_open",
        "_loop",
        "_mask",
        "_recv_into",
        "_relay",
        "_watched",
        "peer",
        "received",
        "sock",
    )

    peer: Leg

    def __init__(self, loop: Loop, sock: socket.socket, relay: Relay) -> None:
        super().__init__(sock.fileno())
        self.sock = sock
        self.received = 0
        self._loop = loop
        self._relay = relay
        self._recv_into: Callable[[bytearray], int] = sock.recv_into
        self._input_open = True
        self._broken = False
        self._mask = READ
        self._watched = False

    @property
    def both_ways_open(self) -> bool:
        return self._input_open and not self.ended and not self._broken

    @property
    def passed_on(self) -> bool:
        """Its input has ended, and the other end has been told."""
        return not self._input_open and self.peer.ended

    def begin(self, first: bytes) -> None:
        """`first` goes out first, and as with all that waits, the peer isn't read until then."""
        if first:
            self.unsent = first
            self.peer.received += len(first)
            self.peer._update()
        self._update()
        if not self._watched:
            self.watch()

    def watch(self) -> None:
        self._loop.add(self._fd, self._mask, self.ready)
        self._watched = True

    def unwatch(self) -> None:
        if self._watched:
            self._loop.remove(self._fd)
            self._watched = False

    def forget(self) -> None:
        """Before its socket is closed."""
        if self._watched:
            self._loop.forget(self._fd)
            self._watched = False
        self.leave()

    def ready(self, events: int) -> None:
        if events & WRITE:
            self.flush()
            if not events & READ or not self._relay.open or not self._mask & READ:
                return
        if events & READ:
            self._forward()
        elif events & ERROR and (not self._input_open or self is self._relay.client):
            # An application that is gone wants nothing delivered, but its query ended.
            self._relay.reset()
        elif not self._mask:
            # The end of this leg while the other one can't take more: without end it would be
            # reported, and it is seen again when the leg is watched again. Where something is
            # wanted by now, this event is older than the wish, and the next one will serve it.
            self.unwatch()

    def _forward(self) -> None:
        try:
            count = self._recv_into(_buffer)
        except BlockingIOError:
            return
        except OSError:
            self._relay.reset()
            return
        if count:
            self.received += count
            self._pass_on(_view[:count])
        else:
            self._input_ended()

    def _pass_on(self, data: memoryview) -> None:
        """`data` is there until this returns."""
        self.peer.put(data)

    def _input_ended(self) -> None:
        self._input_open = False
        if self._broken:
            self._relay.reset()
            return
        self.peer._end_output()
        if self._relay.open:
            self._update()

    def _end_output(self) -> None:
        if self.peer.ended and not self.unsent:
            # The end of this one is in the closing of both.
            self._relay.end()
        else:
            self.end()

    def _shutdown(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def _send_blocked(self) -> None:
        """The other leg isn't read until all has gone."""
        self._update()
        self.peer._update()

    def _drained(self) -> None:
        if self.ended and self.peer.ended:
            self._relay.end()
        else:
            self._update()
            self.peer._update()

    def _send_failed(self, error: OSError) -> None:
        if not self._input_open or not self._relay.open:
            self._relay.reset()
            return
        self._broken = True
        # Where this leg's input goes is still there; where its output came from is done.
        self.peer._input_open = False
        self._update()
        self.peer._update()

    def _update(self) -> None:
        """Watch for what is wanted now."""
        mask = self._wanted()
        if mask == self._mask:
            return
        self._mask = mask
        if self._watched:
            self._loop.modify(self._fd, mask)
        elif mask:
            self.watch()

    def _wanted(self) -> int:
        mask = READ if self._input_open and not self.peer.unsent else 0
        return mask | WRITE if self.unsent or self.ending else mask
