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

A leg from which whole buffers come one after the other goes by splice(2) until its input pauses.
"""

from __future__ import annotations

import errno
import os
import socket
import sys

from podweave.helpers.ambassador.pipes import PIPE_SIZE, Pipes
from podweave.helpers.dialing.socket_options import reset
from podweave.helpers.loop import ERROR, READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.ambassador.inspection import Inspector
    from podweave.helpers.ambassador.pipes import Pipe
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Loop

BUFFER_SIZE = 65536

# One for all: it is empty again before the loop turns.
_buffer = bytearray(BUFFER_SIZE)
_view = memoryview(_buffer)

_pipes = Pipes()
_FULL_READS = 4
"""Whole buffers in a row, after which a transfer counts as bulk."""
_SPLICES = 4
"""Of one leg in one turn of the loop: others wait meanwhile."""


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

    @property
    def half_closed(self) -> bool:
        """The client sends no more, and the upstream has been told."""
        return self.open and not self.client._input_open and not self.upstream._output_open

    @property
    def client_socket(self) -> socket.socket:
        return self.client.sock

    @property
    def upstream_socket(self) -> socket.socket:
        return self.upstream.sock

    def abandon(self) -> None:
        """The client isn't there any more: nobody waits for what the upstream still says."""
        self.end()

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
            leg.forget()
            leg.release_pipe()
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
        "_full_reads",
        "_input_open",
        "_loop",
        "_mask",
        "_output_open",
        "_pending",
        "_pipe",
        "_recv_into",
        "_relay",
        "_send",
        "_watched",
        "peer",
        "received",
        "sock",
    )

    peer: Leg
    may_splice = True
    """Its bytes are those of its socket."""

    def __init__(self, loop: Loop, sock: socket.socket, relay: Relay) -> None:
        self.sock = sock
        self.received = 0
        self._loop = loop
        self._relay = relay
        self._fd = sock.fileno()
        self._recv_into: Callable[[bytearray], int] = sock.recv_into
        self._send: Callable[[bytes | memoryview], int] = sock.send
        self._pending = b""
        self._full_reads = 0
        self._pipe: Pipe | None = None
        """What this leg's input goes through, while it is bulk."""
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

    def forget(self) -> None:
        """Before its socket is closed."""
        if self._watched:
            self._loop.forget(self._fd)
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

    def release_pipe(self) -> None:
        if self._pipe is not None:
            _pipes.give_back(self._pipe)
            self._pipe = None
            self._full_reads = 0

    def _forward(self) -> None:
        if self._pipe is not None:
            self._splice(self._pipe)
            return
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
        elif count == BUFFER_SIZE:
            self._full_reads += 1
            if self._full_reads >= _FULL_READS and self.may_splice and peer.may_splice:
                self._pipe = _pipes.take()

    def _splice(self, pipe: Pipe) -> None:
        for _ in range(_SPLICES):
            try:
                count = os.splice(self._fd, pipe.writer, PIPE_SIZE)
            except BlockingIOError:
                self.release_pipe()
                return
            except OSError as error:
                if error.errno == errno.EINVAL:
                    self._copy_from_now_on()
                else:
                    self._relay.reset()
                return
            if not count:
                self.release_pipe()
                self._input_ended()
                return
            self.received += count
            pipe.held = count
            self.peer._empty(pipe)
            if pipe.held or not self._relay.open or self._pipe is not pipe:
                return

    def _empty(self, pipe: Pipe) -> None:
        """Send what is in the pipe of the other leg."""
        peer = self.peer
        try:
            while pipe.held:
                pipe.held -= os.splice(pipe.reader, self._fd, pipe.held)
        except BlockingIOError:
            self._update()
            peer._update()
            return
        except OSError as error:
            if error.errno == errno.EINVAL:
                self._pending = os.read(pipe.reader, pipe.held)
                pipe.held = 0
                peer._copy_from_now_on()
                self._update()
                peer._update()
                return
            peer.release_pipe()
            self._output_failed()

    def _copy_from_now_on(self) -> None:
        """This system's sockets can't be spliced, as in some sandboxes."""
        self.release_pipe()
        self._full_reads = -sys.maxsize

    def _send_pending(self) -> None:
        pipe = self.peer._pipe
        if pipe is not None and pipe.held:
            self._empty(pipe)
            if not pipe.held and self._relay.open:
                self.peer._update()
                self._update()
            return
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
        if not self.peer._output_open:
            # The end of this one is in the closing of both.
            self._relay.end()
            return
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._output_failed()
            return
        self._output_open = False

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
        own, others = self._pipe, self.peer._pipe
        held = own is not None and own.held
        mask = READ if self._input_open and not self.peer._pending and not held else 0
        waiting = self._pending or (others is not None and others.held)
        return mask | WRITE if waiting else mask
