"""Whatever clients and upstreams say: the ambassador goes on, and a response is whole or none."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ambassador.configurations import configuration
from tests.ambassador.conftest import Ambassador
from tests.ambassador.http_peers import Client, ok
from tests.ambassador.test_http_differential import mangled, mutated
from tests.ambassador.upstreams import upstream

ROUNDS = int(os.environ.get("PODWEAVE_HTTP_ROUNDS", "60"))

PIECES = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 204 x\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 100 x\r\n",
    b"HTTP/1.1 101 x\r\nUpgrade: x\r\n", b"Content-Length: 3\r\n", b"Content-Length: 4\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"X: y\r\n", b"X : y\r\n", b"\r\n",
    b"\n", b"\x00", b"abc", b"3\r\nabc\r\n", b"0\r\n\r\n", b"0\r\n", b"ffffffffffffffffff\r\n",
]  # fmt: skip
responses = st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join) | st.binary(max_size=60)


class Upstream:
    """Answers the first request of a connection with `says`, and ends; others with 200."""

    says = b""

    def serve(self, connection: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received:
            data = connection.recv(65536)
            if not data:
                break
            received += data
        with contextlib.suppress(OSError):
            connection.sendall(self.says if b" /odd " in received else ok())
            connection.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ambassador, Upstream]]:
    directory: Path = tmp_path_factory.mktemp("ambassador")
    odd = Upstream()
    with upstream(odd.serve) as server:
        profile = {"upstreams": [server.config], "http": {"retries": {"attempts": 0}}}
        with Ambassador(configuration({"dev": profile}, protocol="http"), directory) as process:
            process.event("listening")
            yield process, odd


def still_there(ambassador: Ambassador) -> None:
    with ambassador.dial() as sock:
        assert Client(sock).get(Connection="close").status == 200


@settings(max_examples=ROUNDS, deadline=None)
@given(mangled | mutated() | st.binary(max_size=60))
def test_whatever_a_client_says(running: tuple[Ambassador, Upstream], data: bytes) -> None:
    ambassador, _ = running
    with ambassador.dial() as sock, contextlib.suppress(OSError):
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    still_there(ambassador)


@settings(max_examples=ROUNDS, deadline=None)
@given(responses)
def test_whatever_an_upstream_says(running: tuple[Ambassador, Upstream], data: bytes) -> None:
    ambassador, odd = running
    odd.says = data
    with ambassador.dial() as sock:
        client = Client(sock)
        try:
            got = client.get("/odd")
        except (h11.RemoteProtocolError, ConnectionResetError):
            got = None
    if got is not None and got.status == 200:
        # Nobody takes a part for the whole: h11 reads the upstream's own bytes the same way.
        direct = h11.Connection(h11.CLIENT)
        direct.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
        direct.send(h11.EndOfMessage())
        direct.receive_data(data)
        direct.receive_data(b"")
        body = b""
        while not isinstance(event := direct.next_event(), h11.EndOfMessage):
            assert event is not h11.NEED_DATA
            if isinstance(event, h11.Data):
                body += bytes(event.data)
        assert got.body == body
    still_there(ambassador)
