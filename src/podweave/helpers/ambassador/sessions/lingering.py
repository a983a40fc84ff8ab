"""Last words: sent, and given time to be read, before the client's connection is closed.

A socket that is closed while there is something unread in it sends a reset, and the client's
kernel may throw away what has just arrived. So the output is shut down, and what the client still
says is read and dropped until it has closed its side, or for as long as a client may take.
"""

from __future__ import annotations

import socket

from podweave.helpers.dialing.socket_options import reset
from podweave.helpers.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.loop import Loop

SECONDS = 2.0


class LingeringClose:
    """Owns the socket from now on. `closed(self)` is called once, never from the constructor."""

    __slots__ = ("_closed", "_data", "_loop", "_sock", "_timer")

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        data: bytes,
        closed: Callable[[LingeringClose], object],
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._data: bytes | None = data
        """None: all is said, and the output is shut down."""
        self._closed = closed
        self._timer = loop.call_later(SECONDS, self.close)
        loop.add(sock.fileno(), WRITE, self._ready)

    def close(self) -> None:
        self._end(reset if self._data else socket.socket.close)

    def _end(self, close: Callable[[socket.socket], object]) -> None:
        self._timer.cancel()
        self._loop.remove(self._sock.fileno())
        close(self._sock)
        self._closed(self)

    def _ready(self, events: int) -> None:
        try:
            if self._data is not None:
                if self._data:
                    self._data = self._data[self._sock.send(self._data) :]
                if self._data:
                    return
                self._data = None
                self._sock.shutdown(socket.SHUT_WR)
                self._loop.modify(self._sock.fileno(), READ)
                return
            if self._sock.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end(socket.socket.close)
