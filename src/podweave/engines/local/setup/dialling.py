"""Dialling on behalf of others: a connection asked for by name, handed over as a descriptor.

The broker protocol, on a SOCK_SEQPACKET Unix socket, one connection a dial:

    → {"connect": ["db.example", 5432], "timeout": 9.5}
    ← {"ok": true, "address": "10.0.0.3:5432"}   with the connected socket as SCM_RIGHTS
    ← {"ok": false, "error": "ECONNREFUSED", "message": "…"}

Dials run side by side on one epoll; names are resolved in threads, so none waits for DNS.
Where a name has several addresses they are tried in turn within the one timeout.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable

Addresses = list[tuple[int, tuple[str, int]]]
"""(address family, (IP, port))"""

Names = Callable[[str, int], Addresses]
"""Resolves a host name; may block, raises OSError (socket.gaierror)."""

_MAX_TIMEOUT = 60.0
_MAX_DIALS = 1024


class DialError(Exception):
    """Why a dial failed: `code` is an errno name or EAI_…"""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def parse_request(data: bytes) -> tuple[str, int, float]:
    """Read a request: host, port and how many seconds it may take."""
    try:
        request = json.loads(data)
        host, port = request["connect"]
        timeout = request.get("timeout", 10.0)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DialError("EBADMSG", 'not a request: {"connect": [HOST, PORT]}') from error
    if not isinstance(host, str) or not host or "\0" in host:
        raise DialError("EBADMSG", "the host is not a name or an address")
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
        raise DialError("EBADMSG", "the port is not a number from 1 to 65535")
    if not isinstance(timeout, (int, float)) or isinstance(timeout, bool) or not timeout > 0:
        raise DialError("EBADMSG", "the timeout is not a number of seconds")
    return host, port, min(float(timeout), _MAX_TIMEOUT)


def literal(host: str, port: int) -> Addresses:
    """The address when `host` is an IP already; none when it is a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [(family, (host, port))]
    return []


_NO_WAY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.ENETUNREACH)
"""As a machine without IPv6 says of each of its addresses."""


class _Dial:
    """One request on its way."""

    def __init__(self, client: socket.socket) -> None:
        self.client = client
        self.addresses: deque[tuple[int, tuple[str, int]]] = deque()
        self.upstream: socket.socket | None = None
        self.address = ("", 0)
        """Of `upstream`."""
        self.deadline = time.monotonic() + _MAX_TIMEOUT
        self.asked = False
        self.failure = DialError("EHOSTUNREACH", "the name has no address")
        self.closed = False
        self._told = False

    def failed(self, address: tuple[str, int], code: int) -> None:
        """What the client is told when no other address answers: where one was refused, that, and
        not that this machine has no way to another."""
        if self._told and code in _NO_WAY:
            return
        self._told = True
        host = f"[{address[0]}]" if ":" in address[0] else address[0]
        name = errno.errorcode.get(code, str(code))
        self.failure = DialError(name, f"{host}:{address[1]}: {os.strerror(code)}")


class DialServer:
    """Serves the protocol on a listening socket until its lifeline ends."""

    def __init__(
        self,
        listener: socket.socket,
        *,
        names: Names | None,
        refuse: Callable[[str], str | None] = lambda host: None,
        lifeline: socket.socket | None = None,
    ) -> None:
        """`names` resolves what is no IP address; None knows `localhost` alone. `refuse` may
        give a reason not to dial a host. The server ends when `lifeline` does."""
        self._listener = listener
        self._names = names
        self._refuse = refuse
        self._lifeline = lifeline
        self._epoll = select.epoll()
        self._dials: dict[int, _Dial] = {}
        self._resolved: deque[tuple[_Dial, Addresses | DialError]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def run(self) -> None:
        self._listener.setblocking(False)
        self._epoll.register(self._listener.fileno(), select.EPOLLIN)
        self._epoll.register(self._wake, select.EPOLLIN)
        if self._lifeline is not None:
            self._epoll.register(self._lifeline.fileno(), select.EPOLLIN)
        while True:
            for number, _ in self._epoll.poll(self._patience()):
                if number == self._listener.fileno():
                    self._accept()
                elif number == self._wake:
                    self._take_resolved()
                elif self._lifeline is not None and number == self._lifeline.fileno():
                    return
                elif number in self._dials:
                    self._progress(number, self._dials[number])
            self._expire()

    def _patience(self) -> float:
        if not self._dials:
            return -1
        soonest = min(dial.deadline for dial in self._dials.values())
        return max(0.0, soonest - time.monotonic())

    def _accept(self) -> None:
        while len(self._dials) < _MAX_DIALS:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setblocking(False)
            self._dials[client.fileno()] = _Dial(client)
            self._epoll.register(client.fileno(), select.EPOLLIN)

    def _progress(self, number: int, dial: _Dial) -> None:
        if dial.upstream is not None and number == dial.upstream.fileno():
            self._connected(dial)
        elif dial.asked:
            self._finish(dial)  # the client gave up
        else:
            self._request(dial)

    def _request(self, dial: _Dial) -> None:
        try:
            data = dial.client.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._finish(dial)
            return
        dial.asked = True
        try:
            host, port, timeout = parse_request(data)
            reason = self._refuse(host)
            if reason is not None:
                raise DialError("EACCES", reason)
            dial.deadline = time.monotonic() + timeout
            addresses = literal(host, port) or (self._localhost(host, port))
            if addresses:
                self._dial(dial, addresses)
            elif self._names is None:
                raise DialError("EAI_NONAME", f"{host} is a name: only addresses are dialled here")
            else:
                self._resolve(dial, self._names, host, port)
        except DialError as error:
            self._fail(dial, error)

    @staticmethod
    def _localhost(host: str, port: int) -> Addresses:
        if host.lower().rstrip(".") != "localhost":
            return []
        return [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))]

    def _resolve(self, dial: _Dial, names: Names, host: str, port: int) -> None:
        def look_up() -> None:
            answer: Addresses | DialError
            try:
                answer = names(host, port)
            except socket.gaierror as error:
                answer = DialError(_gai_name(error.errno), f"{host}: {error.strerror}")
            except (OSError, UnicodeError) as error:
                answer = DialError("EAI_FAIL", f"{host}: {error}")
            self._resolved.append((dial, answer))
            os.eventfd_write(self._wake, 1)

        threading.Thread(target=look_up, daemon=True).start()

    def _take_resolved(self) -> None:
        try:
            os.eventfd_read(self._wake)
        except BlockingIOError:
            pass
        while self._resolved:
            dial, answer = self._resolved.popleft()
            if dial.closed:
                continue
            if isinstance(answer, DialError):
                self._fail(dial, answer)
            else:
                self._dial(dial, answer)

    def _dial(self, dial: _Dial, addresses: Addresses) -> None:
        dial.addresses.extend(addresses)
        self._next_address(dial)

    def _next_address(self, dial: _Dial) -> None:
        while dial.addresses:
            family, address = dial.addresses.popleft()
            try:
                upstream = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            except OSError as error:  # a kernel without IPv6
                dial.failed(address, error.errno or errno.EAFNOSUPPORT)
                continue
            code = upstream.connect_ex(address)
            if code in (0, errno.EINPROGRESS):
                dial.upstream, dial.address = upstream, address
                self._dials[upstream.fileno()] = dial
                self._epoll.register(upstream.fileno(), select.EPOLLOUT)
                return
            upstream.close()
            dial.failed(address, code)
        self._fail(dial, dial.failure)

    def _connected(self, dial: _Dial) -> None:
        upstream = dial.upstream
        assert upstream is not None
        self._forget(upstream)
        dial.upstream = None
        code = upstream.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        try:
            peer = upstream.getpeername()
        except OSError as error:
            code = code or error.errno or errno.ENOTCONN
        if code:
            dial.failed(dial.address, code)
            upstream.close()
            self._next_address(dial)
            return
        host = f"[{peer[0]}]" if upstream.family == socket.AF_INET6 else peer[0]
        answer = json.dumps({"ok": True, "address": f"{host}:{peer[1]}"}).encode()
        try:
            socket.send_fds(dial.client, [answer], [upstream.fileno()])
        except OSError:
            pass  # the client gave up
        upstream.close()
        self._finish(dial)

    def _fail(self, dial: _Dial, error: DialError) -> None:
        answer = {"ok": False, "error": error.code, "message": str(error)}
        try:
            dial.client.send(json.dumps(answer).encode())
        except OSError:
            pass
        self._finish(dial)

    def _finish(self, dial: _Dial) -> None:
        if dial.closed:
            return
        dial.closed = True
        if dial.upstream is not None:
            self._forget(dial.upstream)
            dial.upstream.close()
        self._forget(dial.client)
        dial.client.close()
        # Room for those that waited in the listener's queue.
        self._accept()

    def _forget(self, connection: socket.socket) -> None:
        self._epoll.unregister(connection.fileno())
        del self._dials[connection.fileno()]

    def _expire(self) -> None:
        now = time.monotonic()
        for dial in [dial for dial in self._dials.values() if dial.deadline <= now]:
            if dial.closed:
                continue
            if dial.asked:
                self._fail(dial, DialError("ETIMEDOUT", "no connection within the timeout"))
            else:
                self._finish(dial)


def _gai_name(code: int | None) -> str:
    for name in ("EAI_NONAME", "EAI_AGAIN", "EAI_FAIL", "EAI_FAMILY", "EAI_NODATA", "EAI_MEMORY"):
        if getattr(socket, name, None) == code:
            return name
    return "EAI_FAIL"
