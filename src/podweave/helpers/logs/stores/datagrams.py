"""Datagrams to a server, which nobody acknowledges. A name is looked up anew as its TTL says."""

from __future__ import annotations

import errno
import socket

from podweave.helpers.dialing.connector import DialError, address_family, is_loopback
from podweave.helpers.dialing.resolver import Resolver
from podweave.helpers.loop import WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.dialing.resolver import Question
    from podweave.helpers.logs.stores.interface import Context
    from podweave.helpers.loop import Timer

    Done = Callable[[str], object]

MOST_BYTES = 65507
"""Of a datagram over IPv4; what is longer can't be sent (EMSGSIZE)."""


class Datagrams:
    """`send` gives them all to the network, in order; `done("")` then, or what went wrong."""

    def __init__(self, context: Context, host: str, port: int, timeout: float) -> None:
        self.sent_bytes = 0
        self._loop = context.loop
        self._resolver = Resolver(context.loop)
        self._host = host
        self._port = port
        self._timeout = timeout
        self._sock: socket.socket | None = None
        self._address = ""
        self._question: Question | None = None
        self._unsent: list[bytes] = []
        self._done: Done | None = None
        self._deadline: Timer | None = None

    def send(self, datagrams: Sequence[bytes], done: Done) -> None:
        self._unsent = list(datagrams)
        self._unsent.reverse()
        self._done = done
        self._deadline = self._loop.call_later(
            self._timeout, lambda: self._end(f"not sent within {self._timeout:g} s")
        )
        if address_family(self._host) is not None:
            self._use(self._host)
        elif is_loopback(self._host):
            self._use("127.0.0.1")
        else:
            self._question = self._resolver.resolve(self._host, self._resolved)

    def close(self) -> None:
        self._done = None
        if self._deadline is not None:
            self._deadline.cancel()
        if self._question is not None:
            self._question.cancel()
        self._resolver.close()
        self._drop()

    def _resolved(self, result: list[str] | DialError) -> None:
        self._question = None
        if isinstance(result, DialError):
            self._end(result.message)
        else:
            self._use(result[0])

    def _use(self, address: str) -> None:
        if address != self._address:
            self._drop()
        try:
            if self._sock is None:
                family = socket.AF_INET6 if ":" in address else socket.AF_INET
                sock = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
                self._sock = sock
                # Connected, the socket hears of a port that nobody listens on (ECONNREFUSED).
                sock.connect((address, self._port))
                self._loop.add(sock.fileno(), 0, self._ready)
                self._address = address
        except OSError as error:
            self._end(error.strerror or str(error))
            return
        self._write()

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self._write()
        elif self._sock is not None:
            # An error of earlier datagrams: it would be reported for ever.
            self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    def _write(self) -> None:
        sock = self._sock
        assert sock is not None
        try:
            while self._unsent:
                self.sent_bytes += sock.send(self._unsent[-1])
                self._unsent.pop()
        except BlockingIOError:
            self._loop.modify(sock.fileno(), WRITE)
            return
        except OSError as error:
            if error.errno == errno.EMSGSIZE:
                self._unsent.pop()
                self._write()
                return
            self._end(error.strerror or str(error))
            return
        self._loop.modify(sock.fileno(), 0)
        self._end("")

    def _end(self, problem: str) -> None:
        done, self._done = self._done, None
        self._unsent = []
        if self._deadline is not None:
            self._deadline.cancel()
        if problem:
            self._drop()
            problem = f"{self._host}:{self._port}: {problem}"
        if done is not None:
            done(problem)

    def _drop(self) -> None:
        if self._sock is not None:
            if self._address:
                self._loop.remove(self._sock.fileno())
            self._sock.close()
            self._sock = None
            self._address = ""
