"""Bytes both ways between a client and its upstream, and nothing else.

Each connection has two legs. Bytes read from one are sent to the other at once; what it doesn't
take is kept, at most one buffer of it, and the first leg is not read until that has gone: a slow
reader slows its sender down and costs no memory.

What happens to one leg is done to the other as if there were no relay:

    end of input   the other's output is shut down, after what is kept; the opposite direction
                   goes on (half-close); both ended: closed
    reset, error   the other is reset, too: a client never takes a broken upstream for an
                   orderly end
    output fails   the leg's last input is still delivered (an error message, as a rule), then
                   the other is reset
"""

from __future__ import annotations

import socket

from podweave.helpers.dialing.socket_options import reset
from podweave.helpers.loop import ERROR, READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.ambassador.inspection import Inspector
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Loop

BUFFER_SIZE = 65536

# One for all: it is empty again before the loop turns.
_buffer = bytearray(BUFFER_SIZE)
_view = memoryview(_buffer)


class Relay:
    """Two connected non-blocking sockets. `closed(relay)` is called once, when both are gone.

    `to_client` and `to_upstream` are bytes that somebody has read before: they go first. An
    inspector is shown what comes after them.
    """

    __slots__ = ("_closed", "client", "inspector", "profile", "upstream")

    def __init__(
        self,
        loop: Loop,
        client: socket.socket,
        upstream: socket.socket | TlsSocket,
        profile: str,
        closed: Callable[[Relay], object],
        to_client: bytes = b"",
        to_upstream: bytes = b"",
        inspector: Inspector | None = None,
    ) -> None:
        self.profile = profile
        self.inspector = inspector
        self._closed: Callable[[Relay], object] | None = closed
        if inspector is not None:
            from podweave.helpers.ambassador.inspection import inspected_legs

            self.client, self.upstream = inspected_legs(loop, client, upstream, self)
        else:
            self.client = Leg(loop, client, self)
            self.upstream = _leg(loop, upstream, self)
        self.client.peer = self.upstream
        self.upstream.peer = self.client
        self.client.begin(to_client)
        self.upstream.begin(to_upstream)

    @property
    def open(self) -> bool:
        return self._closed is not None

    def end(self) -> None:
        """Both directions have ended in order."""
        self._close(lambda sock: sock.close())

    def reset(self) -> None:
        self._close(reset)

    def _close(self, close: Callable[[socket.socket], object]) -> None:
        closed, self._closed = self._closed, None
        if closed is None:
            return
        for leg in (self.client, self.upstream):
            leg.unwatch()
            close(leg.sock)
        closed(self)


def _leg(loop: Loop, upstream: socket.socket | TlsSocket, relay: Relay) -> Leg:
    if isinstance(upstream, socket.socket):
        return Leg(loop, upstream, relay)
    from podweave.helpers.ambassador.tls_leg import TlsLeg

    return TlsLeg(loop, upstream, relay)


class Leg:
    """One of the two sockets: its input, and the output that waits for it."""

    __slots__ = (
        "_broken",
        "_fd",
        "_input_open",
        "_loop",
        "_mask",
        "_output_open",
        "_pending",
        "_recv_into",
        "_relay",
        "_send",
        "_watched",
        "peer",
        "received",
        "sock",
    )

    peer: Leg

    def __init__(self, loop: Loop, sock: socket.socket, relay: Relay) -> None:
        self.sock = sock
        self.received = 0
        self._loop = loop
        self._relay = relay
        self._fd = sock.fileno()
        self._recv_into: Callable[[bytearray], int] = sock.recv_into
        self._send: Callable[[bytes | memoryview], int] = sock.send
        self._pending = b""
        self._input_open = True
        self._output_open = True
        self._broken = False
        self._mask = READ
        self._watched = False

    @property
    def both_ways_open(self) -> bool:
        return self._input_open and self._output_open and not self._broken

    def begin(self, pending: bytes) -> None:
        """`pending` goes out first, and as with all that waits, the peer isn't read until then."""
        if pending:
            self._pending = pending
            self.peer.received += len(pending)
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

    def ready(self, events: int) -> None:
        if events & WRITE:
            self._send_pending()
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
        if not count:
            self._input_ended()
            return
        self.received += count
        peer = self.peer
        try:
            sent = peer._send(_view[:count])
        except BlockingIOError:
            sent = 0
        except OSError:
            peer._output_failed()
            return
        if sent != count:
            peer._pending = bytes(_view[sent:count])
            peer._update()
            self._update()

    def _send_pending(self) -> None:
        try:
            sent = self._send(self._pending)
        except BlockingIOError:
            return
        except OSError:
            self._output_failed()
            return
        self._pending = self._pending[sent:]
        if self._pending:
            return
        if not self.peer._input_open:
            self._shut_output()
        if self._relay.open:
            self.peer._update()
            self._update()

    def _input_ended(self) -> None:
        self._input_open = False
        if self._broken:
            self._relay.reset()
            return
        if not self.peer._pending:
            self.peer._shut_output()
        if self._relay.open:
            self._update()

    def _shut_output(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._output_failed()
            return
        self._output_open = False
        if not self.peer._output_open:
            self._relay.end()

    def _output_failed(self) -> None:
        if not self._input_open:
            self._relay.reset()
            return
        self._broken = True
        self._pending = b""
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
        mask = READ if self._input_open and not self.peer._pending else 0
        return mask | WRITE if self._pending else mask
