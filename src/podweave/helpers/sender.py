"""The sending side of a non-blocking socket: what the socket hasn't taken yet, and its end.

    put ──> sent as far as the socket takes it ──> the rest waits ──> flush, when it is writable
    end ──> said at once, or by the flush after which nothing waits any more

A base class: connections are what most memory and most instructions go to, and so they have no
object for it, and no call more. The limit is set by who puts: whoever reads no more for it while
there is something `unsent` holds no more than one read. Many large pieces go without being joined
by `pieces`.
"""

from __future__ import annotations

from os import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Sender:
    """Watch for WRITE, and call `flush` then, while it `waits`.

    Written by descriptor, for which CPython takes a quarter fewer instructions than for send(2).
    A socket with TLS writes in a way of its own: after BlockingIOError it is offered the same
    bytes again.
    """

    __slots__ = ("_fd", "_write", "ended", "ending", "unsent")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._write: Callable[[int, bytes | memoryview], int] = write
        self.unsent = b""
        self.ending = False
        """The end is still to be said."""
        self.ended = False

    def _shutdown(self) -> None:
        """Say the end to the socket; BlockingIOError means later."""
        raise NotImplementedError

    def _send_blocked(self) -> None:
        """Something waits from now on."""

    def _drained(self) -> None:
        """After a flush: nothing waits any more, and where the end was to be said, it is."""

    def _send_failed(self, error: OSError) -> None:
        """The connection takes no more, and nothing waits."""
        raise NotImplementedError

    @property
    def waits(self) -> bool:
        """For the socket to take more."""
        return self.ending or bool(self.unsent)

    def put(self, data: bytes | memoryview) -> bool:
        """Send `data` behind what waits. What isn't sent is a copy. False when that failed."""
        if self.unsent:
            self.unsent += data
            return True
        try:
            sent = self._write(self._fd, data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.drop_unsent()
            self._send_failed(error)
            return False
        if sent != len(data):
            self.unsent = bytes(data[sent:])
            self._send_blocked()
        return True

    def flush(self) -> None:
        """Go on with what waits."""
        try:
            if self.unsent:
                self.unsent = self.unsent[self._write(self._fd, self.unsent) :]
                if self.unsent:
                    return
            if self.ending:
                self._say_end()
        except BlockingIOError:
            return
        except OSError as error:
            self.drop_unsent()
            self._send_failed(error)
            return
        self._drained()

    def end(self) -> None:
        """Say that no more comes, after what waits. `ended` tells whether that is done."""
        self.ending = True
        if self.unsent:
            return
        try:
            self._say_end()
        except BlockingIOError:
            self._send_blocked()
        except OSError as error:
            self.drop_unsent()
            self._send_failed(error)

    def drop_unsent(self) -> None:
        """Nobody wants what waits any more."""
        self.unsent = b""
        self.ending = False

    def leave(self) -> None:
        """The socket is closed, or somebody else's: sending fails from now on (EBADF). The number
        of its descriptor may be another connection's next, whose bytes these would be."""
        self._fd = -1

    def _say_end(self) -> None:
        self._shutdown()
        self.ending = False
        self.ended = True
