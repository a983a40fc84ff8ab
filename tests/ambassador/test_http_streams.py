"""Whole conversations, cut in any way on both sides: the same answers in the same order."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ambassador.configurations import configuration
from tests.ambassador.conftest import Ambassador
from tests.ambassador.http_peers import Asked, Client, ending, requests
from tests.ambassador.upstreams import upstream

ROUNDS = int(os.environ.get("PODWEAVE_HTTP_ROUNDS", "40"))


def in_pieces(connection: socket.socket, data: bytes, chance: random.Random) -> None:
    """Send in pieces that mostly arrive one by one."""
    at = 0
    while at < len(data):
        size = chance.choice((1, 2, 7, 50, 1000, 70_000))
        connection.sendall(data[at : at + size])
        at += size


def echo_in_any_form(connection: socket.socket) -> None:
    """Answers with the request's content, framed and cut by the seed in the target."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for asked in requests(connection):
        chance = random.Random(asked.target)
        kind = chance.choice(("length", "chunks", "close", "interim", "empty"))
        in_pieces(connection, response(asked, kind, chance), chance)
        if kind == "close":
            return


def response(asked: Asked, kind: str, chance: random.Random) -> bytes:
    body = b"%b %b\n" % (asked.method, asked.target) + asked.body
    if asked.method == b"HEAD":
        # Whoever hangs up without a word may do so under the next request.
        last = b"Connection: close\r\n" if kind == "close" else b""
        return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (last, len(body))
    if kind == "empty":
        return b"HTTP/1.1 204 No Content\r\nX-Seen: %d\r\n\r\n" % len(asked.body)
    if kind == "close":
        return b"HTTP/1.1 200 OK\r\nX-Seen: %d\r\n\r\n" % len(asked.body) + body
    if kind == "chunks":
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        parts = []
        at = 0
        while at < len(body):
            size = chance.randint(1, 3000)
            piece = body[at : at + size]
            parts.append(b"%x;a=b\r\n%b\r\n" % (len(piece), piece))
            at += size
        return head + b"".join(parts) + b"0\r\nX-Sum: 1\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    return (b"HTTP/1.1 103 Early Hints\r\n\r\n" if kind == "interim" else b"") + head + body


def request(method: bytes, number: int, body: bytes, chunk: int) -> bytes:
    head = b"%b /%d HTTP/1.1\r\nHost: a\r\n" % (method, number)
    if method in (b"GET", b"HEAD"):
        return head + b"\r\n"
    if not chunk:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    parts = [body[at : at + chunk] for at in range(0, len(body), chunk)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


@pytest.fixture(scope="module")
def ambassador(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ambassador]:
    directory: Path = tmp_path_factory.mktemp("ambassador")
    with upstream(ending(echo_in_any_form)) as server:
        config = configuration({"dev": {"upstreams": [server.config]}}, protocol="http")
        with Ambassador(config, directory) as process:
            process.event("listening")
            yield process


asked = st.tuples(
    st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT"]),
    st.integers(0, 10_000),
    st.sampled_from([0, 1, 100, 5000, 200_000]),
    st.sampled_from([0, 1, 900]),
)


@settings(
    max_examples=ROUNDS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(asked, min_size=1, max_size=6), st.integers(0, 1 << 30))
def test_any_conversation_in_any_pieces(
    ambassador: Ambassador, conversation: list[tuple[bytes, int, int, int]], seed: int
) -> None:
    chance = random.Random(seed)
    expected = []
    data = b""
    for method, number, size, chunk in conversation:
        # Chunks of one byte are for small content only: they are about cuts, not about bulk.
        body = bytes(chance.randrange(256) for _ in range(min(size, 5000 if chunk == 1 else size)))
        data += request(method, number, body, chunk)
        echoed = body if method in (b"POST", b"PUT") else b""
        kind = random.Random(b"/%d" % number).choice(
            ("length", "chunks", "close", "interim", "empty")
        )
        empty = method == b"HEAD" or kind == "empty"
        expected.append(b"" if empty else b"%b /%d\n" % (method, number) + echoed)
    with ambassador.dial() as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock)

        def send() -> None:
            with contextlib.suppress(OSError):
                in_pieces(sock, data, chance)

        sender = threading.Thread(target=send)
        sender.start()
        got = [client.read(method).body for method, _, _, _ in conversation]
        sender.join(30)
    assert got == expected
