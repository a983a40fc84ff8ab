"""An HTTP server for the tests of stores: it keeps what it gets, and answers or fails as told."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Received:
    """A request that came; `content` is decompressed, `fields` have names in lower case."""

    def __init__(
        self, method: str, target: str, fields: dict[str, str], content: bytes, packed: bytes
    ) -> None:
        self.method = method
        self.target = target
        self.fields = fields
        self.content = content
        self.packed = packed

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def rows(self) -> list[Any]:
        assert self.content.endswith(b"\n")
        return [json.loads(line) for line in self.content.splitlines()]


class Reply:
    def __init__(
        self, status: int, content: bytes | str | dict[str, Any] = b"", **fields: str
    ) -> None:
        self.status = status
        if isinstance(content, dict):
            content = json.dumps(content)
        self.content = content.encode() if isinstance(content, str) else content
        self.fields = {name.replace("_", "-"): value for name, value in fields.items()}


class Fault:
    """What becomes of a request that isn't answered."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


RESET = Fault("reset")
"""The connection is reset when the request is there."""
STALL = Fault("stall")
"""No answer ever comes."""
HALF = Fault("half")
"""The answer ends in its middle, and the connection with it."""
NONSENSE = Fault("nonsense")
"""The answer is not HTTP."""


class FaultyServer:
    """A server by its specification, once it has answered with the `faults` that it was told."""

    def __init__(self) -> None:
        self.faults: list[Reply | Fault] = []

    def answer(self, received: Received) -> Reply | Fault:
        return self.faults.pop(0) if self.faults else self.serve(received)

    def serve(self, received: Received) -> Reply | Fault:
        return Reply(204)


Answerer = Callable[[Received], Reply | Fault]


class HttpPeer:
    """`received` are all requests; `answer` is called for each, from a thread of its own."""

    def __init__(self, answer: Answerer, context: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.answer = answer
        self.connections = 0
        self.released = threading.Event()
        """Set at the end, so that stalled requests let go."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port: int = self._server.server_address[1]
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


@contextlib.contextmanager
def http_peer(answer: Answerer, context: ssl.SSLContext | None = None) -> Iterator[HttpPeer]:
    peer = HttpPeer(answer, context)
    try:
        yield peer
    finally:
        peer.close()


def _handler(peer: HttpPeer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def setup(self) -> None:
            super().setup()
            peer.connections += 1

        def handle_one_request(self) -> None:
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                super().handle_one_request()
                return
            self.close_connection = True

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            packed = self.rfile.read(length)
            if len(packed) < length:
                self.close_connection = True  # the sender went in the middle of it
                return
            content = packed
            if self.headers.get("Content-Encoding") == "gzip":
                content = gzip.decompress(packed)
            fields = {name.lower(): value for name, value in self.headers.items()}
            received = Received(self.command, self.path, fields, content, packed)
            peer.received.append(received)
            reply = peer.answer(received)
            if isinstance(reply, Fault):
                self.close_connection = True
                self._fail(reply)
                return
            self.send_response_only(reply.status)
            for name, value in reply.fields.items():
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.content)))
            self.end_headers()
            self.wfile.write(reply.content)

        do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

        def _fail(self, fault: Fault) -> None:
            if fault is RESET:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            elif fault is STALL:
                peer.released.wait(30)
            elif fault is HALF:
                self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"errors":')
            elif fault is NONSENSE:
                self.wfile.write(b"220 mail.example ESMTP\r\n\r\n")

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
