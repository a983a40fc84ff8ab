"""Requests and responses through an ambassador of the protocol http."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from typing import Any

import pytest

from tests.ambassador.conftest import Start
from tests.ambassador.http_peers import GET, Asked, Client, ok, serving
from tests.ambassador.upstreams import read_all
from tests.ports import free_port


def test_one_connection_both_ways_serves_many_requests(http: Any) -> None:
    seen: list[Asked] = []
    client, server, ambassador = http(serving(lambda asked: ok(asked.target), seen))
    for number in range(5):
        got = client.get(f"/{number}")
        assert (got.status, got.body) == (200, f"/{number}".encode())
    assert len(server.connections) == 1
    label = f"127.0.0.1:{server.port}"
    assert {value for asked in seen for value in asked.values(b"host")} == {label.encode()}
    name = "podweave_ambassador_http_requests_total"
    assert ambassador.metric(name, profile="dev", code="200") == 5
    seconds = "podweave_ambassador_http_request_seconds_count"
    assert ambassador.metric(seconds, profile="dev") == 5
    idle = "podweave_ambassador_http_upstream_connections_idle"
    assert ambassador.metric(idle, profile="dev", upstream=label) == 1


def test_pipelined_requests_are_answered_in_order(http: Any) -> None:
    client, server, _ = http(serving(lambda asked: ok(asked.target)))
    heads = [f"GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for number in range(200)]
    client.send(b"".join(heads))
    assert [client.read().body for _ in heads] == [f"/{number}".encode() for number in range(200)]
    assert len(server.connections) == 1


def test_pipelined_requests_that_fail_are_all_answered(start: Start) -> None:
    nobody: list[object] = ["127.0.0.1", free_port(), 1]
    policy = {"breaker": {"failures": 1, "seconds": 600.0}}
    profile = {"upstreams": [nobody], "http": policy}
    ambassador = start(
        dev=[nobody],
        settings={"protocol": "http", "profiles": {"dev": profile}, "connect_timeout": 0.1},
    )
    with ambassador.dial() as sock:
        client = Client(sock)
        client.send(GET * 2000)
        statuses = [client.read() for _ in range(2000)]
    assert {got.status for got in statuses} == {503}
    assert b"connection_refused" in statuses[0].headers["proxy-status"].encode()
    assert "circuit_open" in statuses[-1].headers["proxy-status"]
    assert int(statuses[-1].headers["retry-after"]) > 0


@pytest.mark.parametrize("chunked", [False, True])
def test_content_of_a_request(http: Any, chunked: bool) -> None:
    seen: list[Asked] = []
    client, _, _ = http(serving(lambda asked: ok(str(len(asked.body)).encode()), seen))
    body = bytes(range(256)) * 1000
    if chunked:
        head = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        parts = [b"%x;a=b\r\n%b\r\n" % (1000, body[at : at + 1000])
                 for at in range(0, len(body), 1000)]  # fmt: skip
        message = head + b"".join(parts) + b"0\r\nX-Sum: 1\r\n\r\n"
    else:
        message = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    for _ in range(2):
        assert client.ask(message).body == str(len(body)).encode()
    assert [asked.body for asked in seen] == [body, body]


def test_no_requests_content_gets_into_the_next_one(http: Any) -> None:
    """All orders of requests with and without content, known and new, alone and pipelined."""
    seen: list[Asked] = []
    client, server, _ = http(serving(lambda asked: ok(asked.body), seen))
    kinds = [
        b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
        b"POST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        b"PUT /4 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    ]
    orders = list(itertools.product(range(4), repeat=3))
    for order in orders:
        for kind in order:
            assert client.ask(kinds[kind]).body == (b"", b"hi", b"x", b"")[kind]
    for order in orders:
        client.send(b"".join(kinds[kind] for kind in order))
        for kind in order:
            assert client.read().body == (b"", b"hi", b"x", b"")[kind]
    expected = [f"/{kind + 1}".encode() for order in orders * 2 for kind in order]
    assert [asked.target for asked in seen] == expected
    assert len(server.connections) == 1


def test_chunks_and_trailers_of_a_response(http: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
    answer = head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Sum: 7\r\n\r\n"
    client, server, _ = http(serving(lambda asked: answer))
    for _ in range(2):
        got = client.get()
        assert (got.body, got.trailers) == (b"abcde", {"x-sum": "7"})
    assert len(server.connections) == 1


def test_content_until_the_close_comes_in_chunks(http: Any) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100_000)

    client, server, _ = http(serve)
    for _ in range(2):
        got = client.get()
        assert got.body == b"x" * 100_000
        assert got.headers["transfer-encoding"] == "chunked"
    assert len(server.connections) == 2


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        (
            b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        (GET, b"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 5\r\n\r\n"),
        (GET, b"HTTP/1.1 204 No Content\r\n\r\n"),
        (GET, b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_responses_without_content(http: Any, request_: bytes, answer: bytes) -> None:
    client, server, _ = http(serving(lambda asked: answer))
    for _ in range(3):
        got = client.ask(request_)
        assert got.body == b""
    assert got.headers.get("content-length") == ("5" if b": 5" in answer else None)
    assert len(server.connections) == 1


def test_head_and_get_of_one_resource_are_not_mixed_up(http: Any) -> None:
    answer = ok(b"hello")
    client, _, _ = http(
        serving(lambda asked: answer if asked.method == b"GET" else answer[: -len(b"hello")])
    )
    head = b"HEAD / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"
    for _ in range(3):
        assert client.ask(GET).body == b"hello"
        assert client.ask(head).body == b""


def test_100_continue_comes_from_the_upstream(http: Any) -> None:
    client, _, _ = http(serving(lambda asked: ok(asked.body)))
    client.send(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
    assert client.sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.send(b"late")
    assert client.read().body == b"late"


def test_a_refusal_in_place_of_100_continue(http: Any) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        while connection.recv(65536):
            pass

    client, _, _ = http(serve)
    got = client.ask(
        b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    )
    assert (got.status, got.body, got.headers["connection"]) == (413, b"no", "close")
    assert client.ended()


def test_an_answer_before_the_request_is_complete(http: Any) -> None:
    """A server that refuses an upload, and hangs up while the client is still sending."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")

    client, _, _ = http(serve)
    client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
    sender = threading.Thread(target=_send_until_refused, args=(client.sock,))
    sender.start()
    got = client.read()
    assert got.status in (413, 502)
    client.sock.close()
    sender.join(20)


def _send_until_refused(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for _ in range(1000):
            sock.sendall(b"x" * 100_000)


def test_interim_responses_are_passed_on(http: Any) -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    client, _, _ = http(serving(lambda asked: hints + hints + ok()))
    got = client.get()
    assert (got.interim, got.body) == ([103, 103], b"ok")


def test_hop_by_hop_fields_end_here(http: Any) -> None:
    seen: list[Asked] = []
    fields = ("Connection: x-hop, keep-alive", "X-Hop: 1", "Keep-Alive: timeout=5", "X-End: 2")
    client, _, _ = http(serving(lambda asked: ok(b"", *fields), seen))
    got = client.ask(
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x-mine, Host, Authorization, Cookie\r\n"
        b"X-Mine: 1\r\nAuthorization: secret\r\nCookie: c\r\nKeep-Alive: 1\r\nTE: trailers\r\n"
        b"Proxy-Connection: close\r\nX-Forwarded-For: 10.0.0.1\r\nAccept: */*\r\n\r\n"
    )
    names = [name for name, _ in seen[0].headers]
    assert sorted(names) == [b"accept", b"authorization", b"cookie", b"host", b"x-forwarded-for"]
    assert got.headers == {"content-length": "0", "x-end": "2"}


def test_an_http_1_0_client(http: Any) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n"
    hints = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    seen: list[Asked] = []
    client, server, _ = http(serving(lambda asked: hints + chunked, seen))
    client.send(b"GET /a HTTP/1.0\r\n\r\n")
    assert read_all(client.sock) == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok"
    assert seen[0].values(b"host") == [f"127.0.0.1:{server.port}".encode()]


def test_an_http_1_0_client_that_keeps_its_connection(http: Any) -> None:
    client, _, _ = http(serving(lambda asked: ok()))
    for _ in range(3):
        got = client.ask(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert (got.body, got.headers["connection"]) == (b"ok", "keep-alive")


def test_a_client_that_wants_to_close(http: Any) -> None:
    client, server, _ = http(serving(lambda asked: ok()))
    got = client.get(Connection="close")
    assert got.headers["connection"] == "close"
    assert client.ended()
    assert len(server.connections) == 1


def test_a_client_that_has_said_all_is_answered(http: Any) -> None:
    client, _, _ = http(serving(lambda asked: ok()))
    client.send(GET + GET)
    client.sock.shutdown(socket.SHUT_WR)
    assert read_all(client.sock).count(b"HTTP/1.1 200 OK") == 2
