"""A connection that a store writes to, opened when it is first needed and kept.

For protocols without acknowledgement, `send` is done when the other machine's TCP has
acknowledged every byte: what was only in this machine's buffers when a connection broke is sent
again. That doesn't say what the program over there did with it.

For the others, a `reader` is given what comes until it says that it has all it wants.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import termios

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.pieces import send_some

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.configuration import Section
    from podweave.helpers.dialing.connector import Cancellable
    from podweave.helpers.dialing.tls import TlsOptions
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.logs.stores.interface import Context
    from podweave.helpers.loop import Timer

    Done = Callable[[str], object]
    """Told what went wrong; "" for nothing."""
    Reader = Callable[[bytes], str | None]
    """Takes what has come. "" when that was all, None when more must come, else what is wrong."""

_READ = 65536
_FIRST_LOOK = 0.0005
_LAST_LOOK = 0.02
"""Seconds between two looks at what TCP hasn't acknowledged."""


def host_and_port(section: Section, key: str) -> tuple[str, int]:
    """ "HOST:PORT" or "[IPv6]:PORT"."""
    text = section.text(key)
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    if not colon or not host or not (port.isascii() and port.isdigit()):
        raise ConfigurationError(section.at(key), f"must be HOST:PORT, not {text!r}")
    if not 1 <= int(port) <= 65535:
        raise ConfigurationError(section.at(key), f"has the port {port}; 1 to 65535 are ports")
    return host, int(port)


class Link:
    """One exchange at a time. `sent_bytes` counts what was given to the network."""

    def __init__(
        self, context: Context, host: str, port: int, tls: TlsOptions | None, timeout: float
    ) -> None:
        self.sent_bytes = 0
        self._context = context
        self._loop = context.loop
        self._host = host
        self._port = port
        self._tls = tls if tls is not None and tls.enabled else None
        self._timeout = timeout
        self._sock: socket.socket | TlsSocket | None = None
        self._mask = 0
        self._opening: Cancellable | None = None
        self._unsent: list[memoryview] = []
        self._reader: Reader | None = None
        self._done: Done | None = None
        self._deadline: Timer | None = None
        self._look: Timer | None = None
        self._pause = _FIRST_LOOK

    @property
    def connected(self) -> bool:
        return self._sock is not None

    def open(self, done: Done) -> None:
        """Connect, with TLS where it is configured. Once, and nothing else before `done`."""
        self._begin(done)
        self._opening = self._context.connector.connect(
            self._host, self._port, self._timeout, self._dialled
        )

    def send(
        self, pieces: Sequence[bytes | memoryview], done: Done, reader: Reader | None = None
    ) -> None:
        """Send on the open connection. After anything but "" it is closed."""
        assert self._sock is not None
        self._begin(done)
        self._reader = reader
        self._unsent = [memoryview(piece) for piece in pieces if piece]
        self._write()

    def receive(self, done: Done, reader: Reader) -> None:
        """Wait for what the other side says by itself."""
        self.send((), done, reader)

    def close(self) -> None:
        """`done` isn't called any more."""
        self._done = None
        self._reader = None
        self._unsent = []
        for timer in (self._deadline, self._look):
            if timer is not None:
                timer.cancel()
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._sock is not None:
            self._loop.remove(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _begin(self, done: Done) -> None:
        self._done = done
        self._deadline = self._loop.call_later(
            self._timeout, lambda: self._fail(f"no answer within {self._timeout:g} s")
        )

    def _end(self, problem: str) -> None:
        done, self._done = self._done, None
        self._reader = None
        if self._deadline is not None:
            self._deadline.cancel()
        if problem:
            self.close()
            problem = f"{self._host}:{self._port}: {problem}"
        else:
            self._watch(READ)
        if done is not None:
            done(problem)

    def _fail(self, problem: str) -> None:
        self._end(problem)

    def _dialled(self, result: socket.socket | DialError) -> None:
        self._opening = None
        if isinstance(result, DialError):
            self._end(result.message)
        elif self._tls is None:
            self._opened(result)
        else:
            from podweave.helpers.dialing.tls import Handshake

            name = self._tls.name_for(self._host)
            self._opening = Handshake(
                self._loop, result, self._tls, name, self._timeout, self._secured
            )

    def _secured(self, result: TlsSocket | DialError) -> None:
        self._opening = None
        if isinstance(result, DialError):
            self._end(result.message)
        else:
            self._opened(result)

    def _opened(self, sock: socket.socket | TlsSocket) -> None:
        self._sock = sock
        self._mask = READ
        self._loop.add(sock.fileno(), READ, self._ready)
        self._end("")

    def _ready(self, events: int) -> None:
        if events & WRITE and self._unsent:
            self._write()
        if self._sock is not None and events & ~WRITE:
            self._read()

    def _write(self) -> None:
        sock = self._sock
        assert sock is not None
        try:
            self.sent_bytes += send_some(sock, self._unsent)
        except OSError as error:
            self._fail(error.strerror or str(error))
            return
        if self._unsent:
            self._watch(READ | WRITE)
            return
        self._watch(READ)
        if self._reader is None:
            self._pause = _FIRST_LOOK
            self._look_again()

    def _look_again(self) -> None:
        """Whether the other machine has it all: SIOCOUTQ, tcp(7)."""
        assert self._sock is not None
        if not _unacknowledged(self._sock.fileno()):
            self._end("")
            return
        self._look = self._loop.call_later(self._pause, self._look_again)
        self._pause = min(self._pause * 2, _LAST_LOOK)

    def _read(self) -> None:
        sock = self._sock
        while sock is not None and sock is self._sock:
            try:
                data = sock.recv(_READ)
            except BlockingIOError:
                return
            except OSError as error:
                self._lost(error.strerror or str(error))
                return
            if not data:
                self._lost("the connection was closed")
                return
            if self._reader is not None:
                problem = self._reader(data)
                if problem is not None:
                    self._end(problem)

    def _lost(self, problem: str) -> None:
        if self._done is not None:
            self._fail(problem)
        else:
            self.close()

    def _watch(self, mask: int) -> None:
        if self._sock is not None and mask != self._mask:
            self._mask = mask
            self._loop.modify(self._sock.fileno(), mask)


def _unacknowledged(descriptor: int) -> int:
    answer = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
    count: int = struct.unpack("=i", answer)[0]
    return count
