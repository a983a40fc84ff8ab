"""The admin endpoint of a helper: health, metrics and commands over HTTP on loopback.

    admin = Admin(loop, ("127.0.0.1", 15901), {
        "GET /metrics": lambda content: Answer(200, registry.render(), prometheus.CONTENT_TYPE),
        "POST /profile": switch,
    })

A handler takes the request's content and answers at once. `GET /healthz` is there by itself:
200 while the loop turns. HEAD is answered where GET is.

A slow or garbage client costs one of few connections for a few seconds, and never keeps a
probe out: the oldest connection goes when there are too many. A command that a web page sends
(it has an Origin) is refused, for published ports are served on somebody's desktop.
"""

from __future__ import annotations

import socket

from podweave.helpers.loop import READ, WRITE
from podweave.helpers.wire.http1 import Data, End, ProtocolError, Request, RequestParser
from podweave.helpers.wire.http1_writing import response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from podweave.helpers.loop import Loop, Timer

CONNECTION_LIMIT = 32
CONTENT_LIMIT = 65536
REQUEST_SECONDS = 5.0
"""For a whole request, and for taking the response."""
IDLE_SECONDS = 30.0
PAUSE_SECONDS = 0.1


class Answer:
    """What a handler gives back."""

    __slots__ = ("content", "content_type", "status")

    def __init__(
        self, status: int, content: bytes, content_type: str = "text/plain; charset=utf-8"
    ) -> None:
        self.status = status
        self.content = content
        self.content_type = content_type


if TYPE_CHECKING:
    Handler = Callable[[bytes], Answer]


def _healthy(content: bytes) -> Answer:
    return Answer(200, b"ok\n")


class Admin:
    """Listens as soon as it is made; OSError when the address is not to be had."""

    def __init__(
        self, loop: Loop, address: tuple[str, int], handlers: Mapping[str, Handler]
    ) -> None:
        self._loop = loop
        self._handlers: dict[str, Handler] = {"GET /healthz": _healthy, **handlers}
        self._connections: dict[_Connection, None] = {}
        self._pause: Timer | None = None
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                # Its IPv4 twin is an address of its own.
                self._listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self._listener.bind(address)
            self._listener.listen(CONNECTION_LIMIT)
        except OSError:
            self._listener.close()
            raise
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        loop.add(self._listener.fileno(), READ, self._accept)

    def close(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
        if self._listener.fileno() >= 0:
            self._loop.remove(self._listener.fileno())
            self._listener.close()
        for connection in list(self._connections):
            connection.close()

    def answer(self, request: Request, content: bytes) -> bytes:
        """The response to a whole request."""
        head_only = request.method == "HEAD"
        method = "GET" if head_only else request.method
        path = request.target.partition("?")[0]
        handler = self._handlers.get(f"{method} {path}")
        if handler is None:
            return self._no_handler(request, path)
        if method != "GET" and request.values("origin"):
            answer = Answer(403, b"commands are not taken from web pages\n")
        else:
            answer = handler(content)
        return response(
            answer.status,
            answer.content,
            answer.content_type,
            keep_alive=request.keep_alive,
            head_only=head_only,
        )

    def _resume(self) -> None:
        self._loop.modify(self._listener.fileno(), READ)

    def _no_handler(self, request: Request, path: str) -> bytes:
        methods = [
            route.partition(" ")[0] for route in self._handlers if route.endswith(" " + path)
        ]
        if "GET" in methods:
            methods.append("HEAD")
        head_only = request.method == "HEAD"
        if methods:
            return response(
                405,
                b"method not allowed\n",
                fields=(("Allow", ", ".join(methods)),),
                keep_alive=request.keep_alive,
                head_only=head_only,
            )
        paths = sorted({route.partition(" ")[2] for route in self._handlers})
        content = f"not found; there is {', '.join(paths)}\n".encode()
        return response(404, content, keep_alive=request.keep_alive, head_only=head_only)

    def _accept(self, events: int) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            # The client is gone again, or descriptors are short: the oldest client's may go,
            # and without a pause the one that can't be accepted would be reported without end.
            if self._connections:
                next(iter(self._connections)).close()
            self._loop.modify(self._listener.fileno(), 0)
            self._pause = self._loop.call_later(PAUSE_SECONDS, self._resume)
            return
        if len(self._connections) >= CONNECTION_LIMIT:
            next(iter(self._connections)).close()
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[_Connection(self, self._loop, sock, self._connections)] = None


class _ClientGoneError(Exception):
    """The connection can't be used any more."""


class _Connection:
    """Reads a request, answers, and only then reads on: one response is all it holds."""

    def __init__(
        self, admin: Admin, loop: Loop, sock: socket.socket, registry: dict[_Connection, None]
    ) -> None:
        self._admin = admin
        self._loop = loop
        self._sock = sock
        self._registry = registry
        self._parser = RequestParser()
        self._request: Request | None = None
        self._content = b""
        self._output = b""
        self._last = False
        self._deadline = loop.call_later(REQUEST_SECONDS, self.close)
        loop.add(sock.fileno(), READ, self._ready)

    def close(self) -> None:
        if self._sock.fileno() >= 0:
            self._deadline.cancel()
            self._loop.remove(self._sock.fileno())
            self._sock.close()
        self._registry.pop(self, None)

    def _ready(self, events: int) -> None:
        try:
            if not self._output:
                self._read()
            elif self._flush():
                self._advance()
        except _ClientGoneError:
            self.close()

    def _read(self) -> None:
        try:
            data = self._sock.recv(16384)
        except BlockingIOError:
            return
        except OSError as error:
            raise _ClientGoneError from error
        if self._last:
            # Answered and half-closed: read to the end, so that no reset eats the response.
            if not data:
                self.close()
            return
        if self._parser.between_requests:
            if not data:
                self.close()
                return
            self._set_deadline(REQUEST_SECONDS)
        self._parser.receive(data)
        self._advance()

    def _advance(self) -> None:
        """Answer what has come, one request after the other."""
        while not self._last and self._answer_next():
            self._set_deadline(REQUEST_SECONDS)
            if not self._flush():
                return

    def _answer_next(self) -> bool:
        """Make the next response; False when more bytes are needed for it."""
        try:
            while True:
                event = self._parser.next_event()
                if event is None:
                    return False
                if isinstance(event, Request):
                    self._begin(event)
                elif isinstance(event, Data):
                    self._content += event.content
                    if len(self._content) > CONTENT_LIMIT:
                        raise ProtocolError(413, f"at most {CONTENT_LIMIT} bytes are taken")
                elif isinstance(event, End):
                    assert self._request is not None
                    self._output = self._admin.answer(self._request, self._content)
                    self._last = not self._request.keep_alive
                    return True
        except ProtocolError as error:
            self._output = response(error.status, f"{error.message}\n".encode(), keep_alive=False)
            self._last = True
            return True

    def _begin(self, request: Request) -> None:
        self._request = request
        self._content = b""
        expectations = [value.lower() for value in request.values("expect")]
        if expectations == ["100-continue"]:
            # 25 bytes into an empty send buffer: either all are taken, or the client is gone.
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        elif expectations:
            raise ProtocolError(417, "the only expectation known here is 100-continue")

    def _flush(self) -> bool:
        """Write what the socket takes. True when the next request may be answered."""
        self._output = self._output[self._send(self._output) :]
        self._loop.modify(self._sock.fileno(), WRITE if self._output else READ)
        if self._output:
            return False
        if self._last:
            try:
                self._sock.shutdown(socket.SHUT_WR)
            except OSError as error:
                raise _ClientGoneError from error
            return False
        self._set_deadline(IDLE_SECONDS)
        return True

    def _send(self, data: bytes) -> int:
        try:
            return self._sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise _ClientGoneError from error

    def _set_deadline(self, seconds: float) -> None:
        self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self.close)
