"""Requests and responses through an ambassador of the protocol http."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import h11
import pytest

from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.http_peers import Asked, Client, ending, ok, requests, serving
from tests.ambassador.upstreams import Serve, Upstream, read_all, silent, upstream
from tests.ports import free_port
from tests.waiting import wait_until

GET = b"GET / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n"


@pytest.fixture
def http(start: Start) -> Iterator[Any]:
    """`http(serve, {...}) -> (Client, Upstream, Ambassador)`: one upstream, and the policy."""
    with contextlib.ExitStack() as stack:

        def begin(serve: Serve, policy: dict[str, Any] | None = None, **settings: Any) -> Any:
            server = stack.enter_context(upstream(ending(serve)))
            profile = {"upstreams": [server.config], **({"http": policy} if policy else {})}
            ambassador = start(
                dev=[server.config],
                settings={"protocol": "http", "profiles": {"dev": profile}, **settings},
            )
            client = Client(stack.enter_context(ambassador.dial()))
            return client, server, ambassador

        yield begin


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


# Upgrades.

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: x\r\n\r\n"
)
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: y\r\n\r\n"
)


def websocket(connection: socket.socket) -> None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    assert b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" in head
    connection.sendall(SWITCHED + b"first")
    while data := connection.recv(65536):
        connection.sendall(data.upper())
    connection.shutdown(socket.SHUT_WR)


def test_a_websocket_is_relayed_after_the_101(http: Any) -> None:
    client, _, ambassador = http(websocket)
    client.send(UPGRADE)
    received = b""
    while not received.endswith(b"first"):
        received += client.sock.recv(65536)
    head, _, rest = received.partition(b"\r\n\r\n")
    assert b"Sec-WebSocket-Accept: y" in head
    assert b"Connection: Upgrade" in head
    assert rest == b"first"
    client.send(b"\x81\x00GET / HTTP/1.1\r\n\r\n")
    assert client.sock.recv(100) == b"\x81\x00GET / HTTP/1.1\r\n\r\n"
    client.sock.shutdown(socket.SHUT_WR)
    assert client.sock.recv(100) == b""
    assert ambassador.metric("podweave_ambassador_http_upgrades_total") == 1


def test_an_upgrade_that_is_refused_is_a_response_like_any(http: Any) -> None:
    client, server, _ = http(serving(lambda asked: ok(asked.target)))
    assert client.ask(UPGRADE).body == b"/ws"
    assert client.get("/next").body == b"/next"
    assert len(server.connections) == 1


@pytest.mark.parametrize(
    "request_",
    [
        UPGRADE.replace(b"websocket", b"h2c"),
        UPGRADE.replace(b"websocket", b"websocket, h2c"),
        UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0"),
        UPGRADE.replace(b"keep-alive, Upgrade", b"keep-alive"),
        UPGRADE.replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\nx"),
    ],
)
def test_upgrades_that_are_not_offered_to_the_upstream(http: Any, request_: bytes) -> None:
    seen: list[Asked] = []
    client, _, _ = http(serving(lambda asked: ok(), seen))
    assert client.ask(request_).status == 200
    assert seen[0].values(b"upgrade") == []


def test_a_101_that_nobody_asked_for_is_no_tunnel(http: Any) -> None:
    client, _, _ = http(serving(lambda asked: SWITCHED))
    got = client.get()
    assert got.status == 502
    assert b"wasn't asked for" in got.body


# Failures.


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


def test_a_connection_that_went_stale_is_replaced_without_a_word(http: Any) -> None:
    """Servers close idle connections; a request that just then is on its way is sent again."""
    served: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        for asked in requests(connection):
            if asked.target == b"/again" and len(served) < 2:
                return
            served.append(asked.target)
            connection.sendall(ok(asked.target))

    client, server, ambassador = http(serve, {"retries": {"attempts": 0}})
    assert client.get("/one").status == 200
    served.clear()
    served.append(b"x")
    # The second request finds the connection that ends when it comes; the third a new one.
    got = client.get("/again")
    assert got.status == 502, "a fresh connection would have ended the same way"
    assert ambassador.metric("podweave_ambassador_http_retries_total", reason="stale") == 1
    assert len(server.connections) == 2


def test_only_what_may_be_repeated_is_repeated(http: Any) -> None:
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        for asked in requests(connection):
            seen.append(asked.method)
            if len(seen) % 2:
                return
            connection.sendall(ok(asked.body))

    client, _, ambassador = http(serve)
    put = client.ask(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
    assert (put.status, put.body) == (200, b"hi")
    assert ambassador.metric("podweave_ambassador_http_retries_total", reason="failed") == 1
    post = client.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
    assert post.status == 502
    assert seen == [b"PUT", b"PUT", b"POST"]


def test_statuses_that_are_worth_another_attempt(http: Any) -> None:
    seen: list[bytes] = []

    def answer(asked: Asked) -> bytes:
        seen.append(asked.target)
        if len(seen) < 3:
            return b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
        return ok()

    client, _, _ = http(serving(answer), {"retries": {"attempts": 2, "statuses": [503]}})
    assert client.get().status == 200
    assert len(seen) == 3


def test_the_last_attempts_response_is_passed_on(http: Any) -> None:
    busy = b"HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy"
    client, _, _ = http(
        serving(lambda asked: busy), {"retries": {"attempts": 1, "statuses": [503]}}
    )
    got = client.get()
    assert (got.status, got.body) == (503, b"busy")


def test_the_circuit_breaker(http: Any) -> None:
    failing = [True]
    seen: list[bytes] = []

    def answer(asked: Asked) -> bytes:
        seen.append(asked.target)
        return b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" if failing[0] else ok()

    client, _, ambassador = http(serving(answer), {"breaker": {"failures": 3, "seconds": 0.3}})
    assert [client.get().status for _ in range(3)] == [500] * 3
    got = client.get()
    assert got.status == 503
    assert b"circuit breaker" in got.body
    assert len(seen) == 3
    assert ambassador.event("breaker-opened")["profile"] == "dev"
    failing[0] = False
    wait_until(lambda: client.get().status == 200, 10, "the breaker lets a request through")
    assert [client.get().status for _ in range(3)] == [200] * 3
    assert ambassador.event("breaker-closed")


# Streams.


def test_large_content_both_ways_with_slow_readers(http: Any) -> None:
    size = 20_000_000

    def serve(connection: socket.socket) -> None:
        for asked in requests(connection):
            connection.sendall(ok(asked.body))

    client, _, ambassador = http(serve)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
    body = bytes(range(251)) * (size // 251 + 1)
    sender = threading.Thread(target=client.sock.sendall, args=(head + body[:size],))
    sender.start()
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.sock.recv(1)
    content = bytearray()
    while len(content) < size:
        content += client.sock.recv(30_000)
    sender.join(30)
    assert content == body[:size]
    assert ambassador.rss_kib() < 24 * 1024, "what isn't read yet waits at its sender"


def test_a_slow_client_holds_its_upstream_up_and_nobody_else(http: Any) -> None:
    sent = []

    def serve(connection: socket.socket) -> None:
        for asked in requests(connection):
            if asked.target == b"/small":
                connection.sendall(ok())
                continue
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n")
            for _ in range(4000):
                connection.sendall(b"x" * 100_000)
                sent.append(1)

    slow, _, ambassador = http(serve)
    slow.send(GET)
    slow.sock.recv(100)
    with ambassador.dial() as sock:
        quick = Client(sock)
        for _ in range(100):
            assert quick.get("/small").body == b"ok"
    assert len(sent) < 4000
    assert ambassador.rss_kib() < 24 * 1024


def test_events_come_as_they_are_sent(http: Any) -> None:
    """Nothing is held back: each part is there before the next one is sent."""
    turns = threading.Semaphore(0)

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            assert turns.acquire(timeout=20)
            connection.sendall(b"8\r\ndata: %d\n\r\n" % number)
        assert turns.acquire(timeout=20)
        connection.sendall(b"0\r\n\r\n")

    client, _, _ = http(serve)
    client.send(GET)
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        received += client.sock.recv(1000)
    for number in range(5):
        turns.release()
        part = b""
        while not part.endswith(b"data: %d\n\r\n" % number):
            part += client.sock.recv(1000)
    turns.release()
    assert client.sock.recv(100) == b"0\r\n\r\n"


# Switching.


def test_a_switch_moves_the_next_request_and_not_the_one_under_way(start: Start) -> None:
    waiting = threading.Event()
    go_on = threading.Event()

    def dev(connection: socket.socket) -> None:
        for asked in requests(connection):
            if asked.target == b"/wait":
                waiting.set()
                assert go_on.wait(20)
            connection.sendall(ok(b"dev"))

    with upstream(dev) as one, upstream(serving(lambda asked: ok(b"qa"))) as two:
        ambassador = start(dev=[one.config], qa=[two.config], settings={"protocol": "http"})
        with ambassador.dial() as first, ambassador.dial() as second:
            busy, idle = Client(first), Client(second)
            assert idle.get().body == b"dev"
            busy.send(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
            assert waiting.wait(20)
            assert ambassador.switch("qa")[0] == 200
            assert idle.get().body == b"qa"
            go_on.set()
            assert busy.read().body == b"dev"
            assert busy.get().body == b"qa"


def test_a_held_request_follows_a_switch(start: Start) -> None:
    nobody: list[object] = ["127.0.0.1", free_port(), 1]
    with upstream(serving(lambda asked: ok(b"qa"))) as server:
        ambassador = start(
            dev=[nobody], qa=[server.config], settings={"protocol": "http", "connect_timeout": 20}
        )
        with ambassador.dial() as sock:
            client = Client(sock)
            client.send(GET)
            wait_until(
                lambda: ambassador.metric("podweave_ambassador_clients_held") == 1, 10, "held"
            )
            ambassador.switch("qa")
            assert client.read().body == b"qa"


def test_a_switch_that_cuts_ends_what_is_under_way(start: Start) -> None:
    with upstream(silent) as one, upstream(serving(lambda asked: ok(b"qa"))) as two:
        settings = {"protocol": "http", "on_switch": {"existing": "cut"}}
        ambassador = start(dev=[one.config], qa=[two.config], settings=settings)
        with ambassador.dial() as first, ambassador.dial() as second:
            busy, idle = Client(first), Client(second)
            busy.send(GET)
            wait_until(lambda: one.connections, 10, "the request is under way")
            ambassador.switch("qa")
            with pytest.raises(ConnectionResetError):
                busy.sock.recv(100)
            assert idle.get().body == b"qa"


# Life.


def test_the_end_resets_whom_it_must(http: Any) -> None:
    client, _, ambassador = http(serving(lambda asked: ok()), drain=0.2)
    assert client.get().status == 200
    ambassador.terminate()
    assert ambassador.wait() == 0
    with contextlib.suppress(ConnectionResetError):
        assert client.sock.recv(10) == b""


def test_the_end_doesnt_wait_for_connections_that_are_nobodys(http: Any) -> None:
    client, _, ambassador = http(serving(lambda asked: ok()), drain=60.0)
    assert client.get().status == 200
    client.sock.close()
    wait_until(lambda: ambassador.metric("podweave_ambassador_http_clients") == 0, 10, "gone")
    ambassador.terminate()
    assert ambassador.wait(20) == 0


def test_nothing_is_left_of_many_clients(http: Any) -> None:
    client, _, ambassador = http(serving(lambda asked: ok()))
    assert client.get().status == 200
    before = ambassador.open_descriptors()
    for number in range(50):
        with ambassador.dial() as sock:
            if number % 2:
                assert Client(sock).get().status == 200
            else:
                sock.sendall(GET[: number % len(GET)])
    wait_until(lambda: ambassador.open_descriptors() <= before, 10, "descriptors are closed")


def deaf(connection: socket.socket) -> None:
    """Reads, and never answers."""
    while connection.recv(65536):
        pass


def limits(connections: int, waiting: int = 0) -> dict[str, Any]:
    return {"limits": {"connections": connections, "waiting": waiting}}


def test_requests_beyond_the_limit_wait_for_a_connection(start: Start) -> None:
    most = [0]
    running = [0]
    lock = threading.Lock()

    def answer(asked: Asked) -> bytes:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        threading.Event().wait(0.001)
        with lock:
            running[0] -= 1
        return ok()

    with upstream(serving(answer)) as server:
        profile = {"upstreams": [server.config], **limits(2)}
        ambassador = start(
            dev=[server.config], settings={"protocol": "http", "profiles": {"dev": profile}}
        )
        with contextlib.ExitStack() as stack:
            clients = [Client(stack.enter_context(ambassador.dial())) for _ in range(10)]
            for _ in range(5):
                for client in clients:
                    client.send(GET)
                for client in clients:
                    assert client.read().status == 200
        assert most[0] <= 2
        assert len(server.connections) == 2


def test_requests_beyond_those_that_may_wait_are_answered_at_once(start: Start) -> None:
    with upstream(silent) as server:
        profile = {"upstreams": [server.config], **limits(1, 1)}
        ambassador = start(
            dev=[server.config], settings={"protocol": "http", "profiles": {"dev": profile}}
        )
        with contextlib.ExitStack() as stack:
            clients = [Client(stack.enter_context(ambassador.dial())) for _ in range(3)]
            held = "podweave_ambassador_clients_held"
            clients[0].send(GET)
            label = f"127.0.0.1:{server.port}"
            active = "podweave_ambassador_http_requests_active"
            wait_until(
                lambda: ambassador.metric(active, profile="dev", upstream=label) == 1,
                10,
                "the first is under way",
            )
            clients[1].send(GET)
            wait_until(lambda: ambassador.metric(held) == 1, 10, "the second waits")
            got = clients[2].get()
            assert got.status == 503
            assert b"limits.waiting" in got.body


def metric_idle(ambassador: Ambassador, server: Upstream) -> float:
    name = "podweave_ambassador_http_upstream_connections_idle"
    return ambassador.metric(name, profile="dev", upstream=f"127.0.0.1:{server.port}")


def test_the_pool_is_bounded_and_comes_of_age(http: Any) -> None:
    client, server, ambassador = http(
        serving(lambda asked: ok()), {"pool": {"connections": 2, "idle": 0.3}}
    )
    with contextlib.ExitStack() as stack:
        clients = [Client(stack.enter_context(ambassador.dial())) for _ in range(6)]
        for each in clients:
            each.send(GET)
        for each in clients:
            assert each.read().status == 200
    assert metric_idle(ambassador, server) <= 2
    wait_until(lambda: metric_idle(ambassador, server) == 0, 10, "idle connections are closed")
    assert client.get().status == 200


def set_faults(ambassador: Ambassador, **faults: Any) -> None:
    content = json.dumps({"profile": "dev", **faults}).encode()
    assert ambassador.admin("POST", "/faults", content)[0] == 200


def test_faults_on_purpose(http: Any) -> None:
    client, _, ambassador = http(serving(lambda asked: ok()))
    assert client.get().status == 200
    set_faults(ambassador, latency=0.2)
    begun = time.monotonic()
    assert client.get().status == 200
    assert time.monotonic() - begun >= 0.2, "a connection that is kept"
    with ambassador.dial() as one, ambassador.dial() as two:
        begun = time.monotonic()
        for sock in (one, two):
            sock.sendall(GET)
        assert [Client(sock).read().status for sock in (one, two)] == [200, 200]
        assert time.monotonic() - begun >= 0.2, "and new ones"
    set_faults(ambassador, reset=1.0)
    client.send(GET)
    with pytest.raises(ConnectionResetError):
        client.sock.recv(100)
    set_faults(ambassador)
    with ambassador.dial() as sock:
        assert Client(sock).get().status == 200


def test_a_half_open_breaker_with_no_connection_left(http: Any) -> None:
    """The probe needs a connection of its own; and a probe that is given up is followed by one."""
    failing = [True]
    sent = threading.Semaphore(0)

    def serve(connection: socket.socket) -> None:
        for asked in requests(connection):
            if failing[0] and asked.target == b"/fail":
                return
            if asked.target == b"/wait":
                sent.release()
                connection.recv(100)
                return
            connection.sendall(ok())

    policy = {"breaker": {"failures": 1, "seconds": 0.1}, "retries": {"attempts": 0}}
    client, server, ambassador = http(serve, policy)
    assert client.get("/fail").status == 502
    assert client.get().status == 503
    wait_until(lambda: client.get("/fail").status == 502, 10, "a probe fails")
    assert client.get().status == 503, "and opens it for its whole time"
    failing[0] = False
    connections = len(server.connections)

    def wait_for_a_probe() -> bool:
        with ambassador.dial() as sock:
            sock.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
            return sent.acquire(timeout=0.05)

    wait_until(wait_for_a_probe, 10, "a probe is under way, and its client goes")
    assert len(server.connections) > connections
    wait_until(lambda: client.get().status == 200, 10, "the breaker is closed")


def test_an_upstream_says_how_long_it_keeps_a_connection(http: Any) -> None:
    """As Node.js does; a request isn't put on a connection that is about to be closed."""
    client, server, ambassador = http(serving(lambda asked: ok(b"", "Keep-Alive: timeout=1")))
    got = client.get()
    assert "keep-alive" not in got.headers
    assert metric_idle(ambassador, server) == 1
    wait_until(lambda: metric_idle(ambassador, server) == 0, 10, "it is closed first")


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


def test_a_changed_file_moves_the_next_request(start: Start) -> None:
    with upstream(serving(lambda asked: ok(asked.target))) as server:
        ambassador = start(dev=[server.config], settings={"protocol": "http"})
        with ambassador.dial() as sock:
            client = Client(sock)
            assert client.get("/a").body == b"/a"
            config = json.loads(ambassador.config_file.read_text())
            config["listen"] = [list(ambassador.address(0)), list(ambassador.address(1))]
            policy = {"routes": [{"path": "/a", "rewrite_path": "/b"}]}
            config["profiles"]["dev"]["http"] = policy
            new = ambassador.config_file.with_suffix(".new")
            new.write_text(json.dumps(config))
            new.replace(ambassador.config_file)
            wait_until(lambda: client.get("/a").body == b"/b", 20, "the new route is taken")


def test_no_request_fails_through_many_switches(start: Start) -> None:
    with (
        upstream(serving(lambda asked: ok(b"dev" + asked.body))) as one,
        upstream(serving(lambda asked: ok(b"qa" + asked.body))) as two,
    ):
        ambassador = start(dev=[one.config], qa=[two.config], settings={"protocol": "http"})
        over = threading.Event()
        wrong: list[Any] = []
        served = [0] * 8

        def run(index: int) -> None:
            with ambassador.dial() as sock:
                client = Client(sock)
                while not over.is_set():
                    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"
                    body = b"x" * (index * 20_000)
                    got = client.ask(head % len(body) + body)
                    if got.status != 200 or got.body not in (b"dev" + body, b"qa" + body):
                        wrong.append((got.status, got.body[:100]))
                    served[index] += 1

        threads = [threading.Thread(target=run, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for number in range(30):
            before = sum(served)
            assert ambassador.switch(("qa", "dev")[number % 2])[0] == 200
            wait_until(lambda before=before: sum(served) > before + 4, 20, "requests go on")  # type: ignore[misc]
        over.set()
        for thread in threads:
            thread.join(30)
        assert wrong == []
        assert len(one.connections) > 1
        assert len(two.connections) > 1
