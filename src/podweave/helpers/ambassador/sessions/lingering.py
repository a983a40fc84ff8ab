"""Last words: sent, and given time to be read, before the client's connection is closed.

A socket that is closed while there is something unread in it sends a reset, and the client's
kernel may throw away what has just arrived. So the output is shut down, and what the client still
says is read and dropped until it has closed its side, or for as long as a client may take.
"""

from __future__ import annotations

import socket

from podweave.helpers.dialing.socket_options import reset
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.sender import Sender

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.loop import Loop

SECONDS = 2.0


class LingeringClose(Sender):
    """Owns the socket from now on. `closed(self)` is called once, never from the constructor."""

    __slots__ = ("_closed", "_loop", "_sock", "_timer")

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        data: bytes,
        closed: Callable[[LingeringClose], object],
    ) -> None:
        super().__init__(sock.fileno())
        self._loop = loop
        self._sock = sock
        self.unsent = data
        self.ending = True
        self._closed = closed
        self._timer = loop.call_later(SECONDS, self.close)
        loop.add(sock.fileno(), WRITE, self._ready)

    def close(self) -> None:
        self._finish(reset if self.unsent else socket.socket.close)

    def _finish(self, close: Callable[[socket.socket], object]) -> None:
        self._timer.cancel()
        self._loop.remove(self._fd)
        self.leave()
        close(self._sock)
        self._closed(self)

    def _ready(self, events: int) -> None:
        if self.waits:
            self.flush()
            return
        try:
            if self._sock.recv(65536):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._finish(socket.socket.close)

    def _shutdown(self) -> None:
        self._sock.shutdown(socket.SHUT_WR)

    def _drained(self) -> None:
        self._loop.modify(self._fd, READ)

    def _send_failed(self, error: OSError) -> None:
        self._finish(socket.socket.close)
