"""The socket of a client: in which phase it is, what is sent on it, how it ends.

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
from os import read

from podweave.helpers.ambassador.read_buffer import BUFFER_SIZE
from podweave.helpers.dialing.socket_options import reset
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.sender import Sender

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.ambassador.http.front import Front
    from podweave.helpers.ambassador.http.group import Dialling
    from podweave.helpers.ambassador.http.upstream_connection import UpstreamConnection

IDLE, HELD, SENDING, AWAITING, FLUSHING, LINGERING, CLOSED = range(7)


class ClientConnection(Sender):
    """`Incoming` makes requests of what is read, and says what becomes of them."""

    __slots__ = (
        "_ended",
        "_front",
        "_mask",
        "active_at",
        "dialling",
        "input",
        "outgoing",
        "phase",
        "since",
        "sock",
        "started",
    )

    def __init__(self, front: Front, sock: socket.socket) -> None:
        super().__init__(sock.fileno())
        self._front = front
        self.sock = sock
        self.phase = IDLE
        self.input = b""
        """Read, and no part of a request that has begun."""
        self.outgoing: UpstreamConnection | None = None
        self.dialling: Dialling | None = None
        self.since = 0.0
        """When the request came, or the end began."""
        self.active_at = 0.0
        """When content last moved."""
        self.started = False
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
        if self.unsent:
            mask |= WRITE
        if mask != self._mask and phase is not CLOSED:
            self._mask = mask
            self._front.loop.modify(self._fd, mask)

    def deliver(self, data: bytes) -> bool:
        """A part of the response. False when the client has gone."""
        self.started = True
        return self.put(data)

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
            return read(self._fd, BUFFER_SIZE)
        except BlockingIOError:
            return None
        except OSError:
            self.abort()
            return None

    def _send_blocked(self) -> None:
        self.watch()

    def _drained(self) -> None:
        if self.phase is FLUSHING:
            self.responded()
        elif self.outgoing is not None:
            self.watch()
            self.outgoing.resume()
        else:
            self.watch()

    def _send_failed(self, error: OSError) -> None:
        self.abort()

    def _shutdown(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)

    def _linger(self) -> None:
        self.phase = LINGERING
        self.input = b""
        self.since = self._front.now()
        self._front.began()
        self.end()
        if self._ended:
            self.abort()

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
        self.leave()
        self.gone()
        close(self.sock)
