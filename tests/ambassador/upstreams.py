"""Servers to dial in the tests: real sockets on loopback, one thread a connection."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Serve = Callable[[socket.socket], None]


class Upstream:
    """A TCP server. `connections` are all it has accepted, in order."""

    def __init__(self, serve: Serve, host: str = "127.0.0.1", port: int = 0) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((host, port))
        self._listener.listen(1024)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self.connections: list[socket.socket] = []
        self._serve = serve
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def config(self) -> list[object]:
        return [self.host, self.port, 1]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._threads[0].join(20)
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(20)
        for connection in self.connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            thread = threading.Thread(target=self._run, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _run(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            self._serve(connection)


@contextlib.contextmanager
def upstream(serve: Serve, host: str = "127.0.0.1", port: int = 0) -> Iterator[Upstream]:
    server = Upstream(serve, host, port)
    try:
        yield server
    finally:
        server.close()


def echo(connection: socket.socket) -> None:
    """Send back what comes, and end when the client has."""
    while data := connection.recv(65536):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def echoed(client: socket.socket, data: bytes) -> bool:
    """Whether `echo` is at the client's other end: what is said comes back."""
    client.sendall(data)
    return client.recv(len(data)) == data


def named(name: bytes) -> Serve:
    """Says its name first, as MySQL and SMTP do; then echoes, each line with its name."""

    def serve(connection: socket.socket) -> None:
        connection.sendall(name + b"\n")
        with connection.makefile("rb") as lines:
            for line in lines:
                connection.sendall(name + b" " + line)
        connection.shutdown(socket.SHUT_WR)

    return serve


def silent(connection: socket.socket) -> None:
    """Accepts, and neither reads nor writes."""


def read_all(connection: socket.socket) -> bytes:
    """Everything until the end of input; an error when that is not orderly."""
    parts = []
    while data := connection.recv(65536):
        parts.append(data)
    return b"".join(parts)
