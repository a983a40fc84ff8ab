"""Whatever fails or takes too long is told in the client's own protocol."""

from __future__ import annotations

import socket
from typing import Any

import h11
import pytest

from tests.ambassador.conftest import Start
from tests.ambassador.http_peers import GET, Client, deaf, ok, requests, serving
from tests.ambassador.upstreams import read_all
from tests.ports import free_port


def test_each_failure_is_told_in_the_clients_own_protocol(http: Any) -> None:
    answers = {
        b"/broken": b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"/twice": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"/smuggled": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"/folded": b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        b"/no-http": b"SSH-2.0-OpenSSH\r\n\r\n",
        b"/huge": b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000,
        b"/silent-end": b"",
    }
    client, _, ambassador = http(serving(lambda asked: answers.get(asked.target, ok())))
    for target in answers:
        got = client.get(target.decode())
        assert got.status == 502, target
        assert got.body.startswith(b"502: ambassador db: 127.0.0.1:")
        assert "error=" in got.headers["proxy-status"]
        assert client.get("/fine").status == 200
    name = "podweave_ambassador_http_failures_total"
    assert ambassador.metric(name, profile="dev", reason="http_protocol_error") == 6
    assert ambassador.metric(name, profile="dev", reason="connection_terminated") == 1
    assert ambassador.event("request-failed")["profile"] == "dev"


@pytest.mark.parametrize(
    ("host", "status", "word"),
    [("127.0.0.1", 503, b"ECONNREFUSED"), ("nowhere.invalid", 503, b"EAI_")],
)
def test_no_upstream(start: Start, host: str, status: int, word: bytes) -> None:
    nobody: list[object] = [host, free_port(), 1]
    ambassador = start(dev=[nobody], settings={"protocol": "http", "connect_timeout": 0.3})
    with ambassador.dial() as sock:
        client = Client(sock)
        for _ in range(2):
            got = client.get()
            assert got.status == status
            assert word in got.body
            assert b"profile dev" in got.body
        head = client.ask(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert head.status == status
        assert head.body == b""


def test_an_upstream_that_never_answers(http: Any) -> None:
    client, _, _ = http(deaf, {"timeouts": {"response": 0.2}})
    got = client.get()
    assert got.status == 504
    assert b"no response within 0.2 s" in got.body
    assert client.get().status == 504


def test_a_request_that_takes_too_long_in_all(http: Any) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        connection.recv(65536)

    client, _, _ = http(serve, {"timeouts": {"request": 0.2}})
    client.send(GET)
    with pytest.raises(h11.RemoteProtocolError):
        client.read()


def test_content_that_stops_coming(http: Any) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        connection.recv(65536)

    client, _, _ = http(serve, {"timeouts": {"idle": 0.2}})
    client.send(GET)
    with pytest.raises(h11.RemoteProtocolError):
        client.read()


RESPONSE = b"HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"


def test_an_upstream_that_dies_at_any_point(http: Any) -> None:
    """The client never takes a part for the whole, and the next request is served."""
    head_ends = RESPONSE.index(b"\r\n\r\n") + 4

    def serve(connection: socket.socket) -> None:
        for asked in requests(connection):
            connection.sendall(RESPONSE[: int(asked.target[1:])])
            if int(asked.target[1:]) < len(RESPONSE):
                return

    _, _, ambassador = http(serve, {"retries": {"attempts": 0}})
    for length in range(len(RESPONSE) + 1):
        with ambassador.dial() as sock:
            client = Client(sock)
            client.send(f"GET /{length} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            if length == len(RESPONSE):
                assert client.read().body == b"hello"
            elif length < head_ends:
                got = client.read()
                assert got.status == 502
                assert client.get(f"/{len(RESPONSE)}").body == b"hello"
            else:
                with pytest.raises(h11.RemoteProtocolError):
                    client.read()


def test_a_truncated_response_to_an_http_1_0_client_is_a_reset(http: Any) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(RESPONSE[:-5])

    client, _, _ = http(serve)
    client.send(b"GET / HTTP/1.0\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        read_all(client.sock)


def test_a_head_that_never_comes_to_an_end(http: Any) -> None:
    client, _, _ = http(serving(lambda asked: ok()))
    got = client.ask(b"GET / HTTP/1.1\r\n" + b"A: " + b"b" * 70_000)
    assert got.status == 431
    assert client.ended()


def test_another_protocol_is_told_so(http: Any) -> None:
    _, _, ambassador = http(serving(lambda asked: ok()))
    for data, word in ((b"\x16\x03\x01\x02\x00", b"http://"), (b"\x00\x00\x00\x08", b"HTTP/1.1")):
        with ambassador.dial() as sock:
            client = Client(sock)
            client.send(data)
            got = client.read()
            assert got.status == 400
            assert word in got.body
            assert client.ended()
