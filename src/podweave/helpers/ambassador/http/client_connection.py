"""The socket of a client: in which phase it is, what it hasn't taken yet, how it ends.

IDLE       waits for a request's head; what has come of it is in `input`
HELD       the request is understood; a connection to an upstream is awaited
SENDING    the request's content is passed on as it comes
AWAITING   all of the request is passed on; its response comes, or is awaited
FLUSHING   the response is complete, and the client hasn't taken all of it
LINGERING  the last response is sent; what the client still sends is read away, so that
           no reset eats the response
CLOSED
"""

from __future__ import annotations

import socket

from podweave.helpers.ambassador.read_buffer import buffer as _buffer
from podweave.helpers.ambassador.read_buffer import view as _view
from podweave.helpers.dialing.socket_options import reset
from podweave.helpers.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.ambassador.http.front import Front
    from podweave.helpers.ambassador.http.group import Dialling
    from podweave.helpers.ambassador.http.upstream_connection import UpstreamConnection

IDLE, HELD, SENDING, AWAITING, FLUSHING, LINGERING, CLOSED = range(7)


class ClientConnection:
    """`Incoming` makes requests of what is read, and says what becomes of them."""

    __slots__ = (
        "_ended",
        "_fd",
        "_front",
        "_mask",
        "_recv_into",
        "_send",
        "_started",
        "active_at",
        "dialling",
        "input",
        "outgoing",
        "pending",
        "phase",
        "since",
        "sock",
    )

    def __init__(self, front: Front, sock: socket.socket) -> None:
        self._front = front
        self.sock = sock
        self._fd = sock.fileno()
        self._recv_into = sock.recv_into
        self._send = sock.send
        self.phase = IDLE
        self.input = b""
        """Read, and no part of a request that has begun."""
        self.pending = b""
        """What the client hasn't taken yet."""
        self.outgoing: UpstreamConnection | None = None
        self.dialling: Dialling | None = None
        self.since = 0.0
        """When the request came, or the end began."""
        self.active_at = 0.0
        """When content last moved."""
        self._started = False
        """Something of the response to the request of now has been sent."""
        self._ended = False
        """The client sends no more."""
        self._mask = READ
        front.loop.add(self._fd, READ, self.ready)

    def ready(self, events: int) -> None:
        """The loop's call."""
        raise NotImplementedError

    def gone(self) -> None:
        """It is closed, and nobody needs to know it any more."""
        raise NotImplementedError

    def responded(self) -> None:
        """All of the response has been sent."""
        raise NotImplementedError

    def watch(self) -> None:
        """Watch for what is wanted now."""
        phase = self.phase
        mask = 0
        if not self._ended:
            if phase is SENDING:
                if self.outgoing is not None and not self.outgoing.blocked:
                    mask = READ
            elif phase in (IDLE, LINGERING) or not self.input:
                mask = READ
        if self.pending:
            mask |= WRITE
        if mask != self._mask and phase is not CLOSED:
            self._mask = mask
            self._front.loop.modify(self._fd, mask)

    def deliver(self, data: bytes) -> bool:
        """A part of the response. False when the client has gone."""
        self._started = True
        if self.pending:
            self.pending += data
            return True
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.abort()
            return False
        if sent != len(data):
            self.pending = data[sent:]
            self.watch()
        return True

    @property
    def open(self) -> bool:
        return self.phase is not CLOSED

    @property
    def half_closed(self) -> bool:
        """The client sends no more, or it isn't read just now; and it waits for a response."""
        return bool(self._ended or self.input) and self.phase in (HELD, AWAITING, FLUSHING)

    @property
    def client_socket(self) -> socket.socket:
        return self.sock

    @property
    def upstream_socket(self) -> socket.socket | None:
        if self.outgoing is None:
            return None
        sock = self.outgoing.sock
        return sock if isinstance(sock, socket.socket) else sock.raw

    def abandon(self) -> None:
        """The client isn't there any more: its request ends."""
        self.abort()

    def reset(self) -> None:
        self.cut()

    def abort(self) -> None:
        """The client has gone, or has to."""
        self._close(lambda sock: sock.close())

    def cut(self) -> None:
        """End it in a way that no client takes for orderly."""
        self._close(reset)

    def close(self) -> None:
        """The ambassador ends."""
        self.cut()

    def _read(self) -> bytes | None:
        """What has come; b"" at its end, None for nothing, or when the client has gone."""
        try:
            count = self._recv_into(_buffer)
        except BlockingIOError:
            return None
        except OSError:
            self.abort()
            return None
        return bytes(_view[:count])

    def _flush(self) -> None:
        try:
            sent = self._send(self.pending)
        except BlockingIOError:
            return
        except OSError:
            self.abort()
            return
        self.active_at = self._front.now()
        self.pending = self.pending[sent:]
        if self.pending:
            return
        if self.phase is FLUSHING:
            self.responded()
        elif self.outgoing is not None:
            self.watch()
            self.outgoing.resume()
        else:
            self.watch()

    def _linger(self) -> None:
        self.phase = LINGERING
        self.input = b""
        self.since = self._front.now()
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.abort()
            return
        if self._ended:
            self.abort()
        else:
            self._front.began()
            self.watch()

    def _stop_waiting(self) -> None:
        if self.dialling is not None:
            self.dialling.cancel()
            self.dialling = None

    def _close(self, close: Callable[[socket.socket], object]) -> None:
        if self.phase is CLOSED:
            return
        self._stop_waiting()
        self.phase = CLOSED
        outgoing = self.outgoing
        if outgoing is not None:
            outgoing.close()
        self._front.loop.remove(self._fd)
        self.gone()
        close(self.sock)
