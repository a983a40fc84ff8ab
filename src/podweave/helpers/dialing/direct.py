"""Connects by itself: resolves the name and dials its addresses from this network namespace.

Addresses are tried in turn; one that doesn't answer for a quarter of a second gets company from
the next (the idea of RFC 8305), and the first that connects wins. IPv4 goes first: it is the
family that Pods always have, and a black-holed IPv6 would cost each dial that quarter second.
"""

from __future__ import annotations

import errno
import socket

from podweave.helpers.dialing.connector import DialError, address_family, from_errno, is_loopback
from podweave.helpers.dialing.socket_options import set_options
from podweave.helpers.loop import WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.dialing.connector import Done
    from podweave.helpers.dialing.resolver import Question, Resolver
    from podweave.helpers.loop import Loop, Timer

STAGGER_SECONDS = 0.25

_MOST_FIXED = 1024


class DirectConnector:
    def __init__(self, loop: Loop, resolver: Resolver) -> None:
        self._loop = loop
        self._resolver = resolver
        self._fixed: dict[str, list[str]] = {}
        """Addresses of the hosts that the resolver need not be asked for."""

    def connect(self, host: str, port: int, timeout: float, done: Done) -> DirectDial:
        addresses = self._fixed.get(host) or self._fix(host)
        return DirectDial(self._loop, self._resolver, (host, port), addresses, timeout, done)

    def _fix(self, host: str) -> list[str]:
        """Empty where the resolver must be asked."""
        if address_family(host) is not None:
            addresses = [host]
        elif is_loopback(host):
            addresses = ["127.0.0.1", "::1"]
        else:
            return []
        if len(self._fixed) < _MOST_FIXED:
            self._fixed[host] = addresses
        return addresses


class DirectDial:
    __slots__ = (
        "_addresses",
        "_deadline",
        "_dialled",
        "_done",
        "_failure",
        "_host",
        "_loop",
        "_port",
        "_question",
        "_resolver",
        "_stagger",
        "_timeout",
    )

    def __init__(
        self,
        loop: Loop,
        resolver: Resolver,
        upstream: tuple[str, int],
        addresses: list[str],
        timeout: float,
        done: Done,
    ) -> None:
        """Without `addresses` the resolver is asked."""
        self._loop = loop
        self._resolver = resolver
        self._host, self._port = upstream
        self._timeout = timeout
        self._done = done
        self._question: Question | None = None
        self._addresses: list[str] = []
        self._dialled: dict[int, socket.socket] = {}
        self._stagger: Timer | None = None
        self._failure: DialError | None = None
        """Of the last address."""
        self._deadline = loop.call_later(timeout, self._out_of_time)
        if addresses:
            self._start(addresses)
        else:
            self._question = resolver.resolve(self._host, self._resolved)

    def cancel(self) -> None:
        self._deadline.cancel()
        if self._stagger is not None:
            self._stagger.cancel()
        if self._question is not None:
            self._question.cancel()
        for fd, sock in self._dialled.items():
            self._loop.remove(fd)
            sock.close()
        self._dialled.clear()

    def _resolved(self, result: list[str] | DialError) -> None:
        if isinstance(result, DialError):
            self._failure = result
            self._fail()
        else:
            self._start(result)

    def _start(self, addresses: list[str]) -> None:
        self._addresses = list(addresses)
        self._dial_next()

    def _dial_next(self) -> None:
        while self._addresses:
            address = self._addresses.pop(0)
            try:
                self._dial(address)
            except OSError as error:
                self._failure = from_errno(error.errno or 0, self._operation(address))
                continue
            if self._addresses:
                self._stagger = self._loop.call_later(STAGGER_SECONDS, self._dial_next)
            return
        if not self._dialled:
            # Not from here: this may still be within the caller's connect().
            self._deadline.cancel()
            self._deadline = self._loop.call_later(0, self._fail)

    def _dial(self, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            set_options(sock)
            outcome = sock.connect_ex((address, self._port))
            if outcome not in (0, errno.EINPROGRESS):
                raise OSError(outcome, "connect")
        except OSError:
            sock.close()
            raise
        fd = sock.fileno()
        self._dialled[fd] = sock
        self._loop.add(fd, WRITE, lambda events: self._decided(fd, address))

    def _decided(self, fd: int, address: str) -> None:
        sock = self._dialled.pop(fd)
        self._loop.remove(fd)
        outcome = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if not outcome and _is_connected_to_itself(sock, self._port):
            outcome = errno.ECONNREFUSED
        if not outcome:
            self.cancel()
            self._done(sock)
            return
        sock.close()
        self._failure = from_errno(outcome, self._operation(address))
        if self._stagger is not None:
            self._stagger.cancel()
        self._dial_next()

    def _out_of_time(self) -> None:
        """Unless it is connected: after a hold-up of this machine the deadline may be heard of
        before that."""
        for fd, sock in self._dialled.items():
            if _is_connected(sock):
                del self._dialled[fd]
                self._loop.remove(fd)
                self.cancel()
                self._done(sock)
                return
        self._fail()

    def _operation(self, address: str) -> str:
        """For messages: which of a name's addresses."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        found = "" if address == self._host else f" ({address})"
        return f"connect to {host}:{self._port}{found}"

    def _fail(self) -> None:
        self.cancel()
        if self._question is not None:
            self._resolver.doubt(self._host)
        self._done(self._failure or self._late())

    def _late(self) -> DialError:
        return DialError("ETIMEDOUT", f"{self._host}: no answer within {self._timeout:.1f} s")


def _is_connected(sock: socket.socket) -> bool:
    """To somebody else."""
    try:
        return bool(sock.getpeername() != sock.getsockname())
    except OSError:
        return False


def _is_connected_to_itself(sock: socket.socket, port: int) -> bool:
    """TCP lets a socket that dials a port nobody listens on be given that port and meet itself."""
    own = sock.getsockname()
    try:
        return bool(own[1] == port and own == sock.getpeername())
    except OSError:
        return False  # it has been reset meanwhile, and so it was somebody else
