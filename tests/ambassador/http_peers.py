"""HTTP for the tests: a client and upstreams made with h11, an implementation of its own."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import NamedTuple

import h11

from tests.ambassador.upstreams import Serve

GET = b"GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"


class Got(NamedTuple):
    """A response as h11 reads it."""

    status: int
    headers: dict[str, str]
    body: bytes
    trailers: dict[str, str]
    interim: list[int]


class Client:
    """Raw bytes out, responses in."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def ask(self, data: bytes) -> Got:
        self.send(data)
        return self.read(data.partition(b" ")[0])

    def get(self, path: str = "/", **headers: str) -> Got:
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return self.ask(f"GET {path} HTTP/1.1\r\nHost: localhost:8080\r\n{fields}\r\n".encode())

    def read(self, method: bytes = b"GET") -> Got:
        """One response, whole; h11.RemoteProtocolError when it is not."""
        connection = h11.Connection(h11.CLIENT)
        connection.send(h11.Request(method=method, target=b"/", headers=[(b"Host", b"a")]))
        connection.send(h11.EndOfMessage())
        if self._rest:
            connection.receive_data(self._rest)
            self._rest = b""
        interim: list[int] = []
        body = b""
        head: h11.Response | None = None
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(self.sock.recv(65536))
            elif isinstance(event, h11.InformationalResponse):
                interim.append(event.status_code)
                if event.status_code == 101:
                    self._rest = connection.trailing_data[0]
                    return Got(101, _plain(event.headers), b"", {}, interim)
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                self._rest = connection.trailing_data[0]
                return Got(
                    head.status_code, _plain(head.headers), body, _plain(event.headers), interim
                )
            else:
                raise h11.RemoteProtocolError(f"no response: {event!r}")

    def ended(self) -> bool:
        """Whether the ambassador has ended the connection, in order; waits for it."""
        assert not self._rest
        return self.sock.recv(1) == b""


class Asked(NamedTuple):
    """A request as an upstream's h11 reads it."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def values(self, name: bytes) -> list[bytes]:
        return [value for field, value in self.headers if field == name.lower()]


Answer = Callable[[Asked], bytes]
"""A request -> the bytes of its response. An empty answer ends the connection."""


def serving(answer: Answer, seen: list[Asked] | None = None) -> Serve:
    """An upstream that reads requests with h11 and answers what `answer` says."""

    def serve(connection: socket.socket) -> None:
        for request in requests(connection):
            if seen is not None:
                seen.append(request)
            data = answer(request)
            if not data:
                return
            connection.sendall(data)

    return serve


def deaf(connection: socket.socket) -> None:
    """Reads, and never answers."""
    while connection.recv(65536):
        pass


def ending(serve: Serve) -> Serve:
    """Ends the connection when `serve` returns."""

    def run(connection: socket.socket) -> None:
        try:
            serve(connection)
        finally:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    return run


def requests(connection: socket.socket) -> Iterator[Asked]:
    """The requests on a connection; ends with it. RemoteProtocolError for what h11 refuses."""
    rest = b""
    while True:
        parser = h11.Connection(h11.SERVER)
        if rest:
            parser.receive_data(rest)
        head: h11.Request | None = None
        parts: list[bytes] = []
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                if parser.they_are_waiting_for_100_continue:
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                parser.receive_data(connection.recv(65536))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                rest = parser.trailing_data[0]
                yield Asked(head.method, head.target, list(head.headers), b"".join(parts))
                break
            else:
                return


def ok(body: bytes = b"ok", *fields: str) -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def _plain(headers: object) -> dict[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in headers}  # type: ignore[attr-defined]
