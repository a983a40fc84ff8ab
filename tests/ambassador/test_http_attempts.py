"""What is asked again, and whom nothing is asked for a while."""

from __future__ import annotations

import socket
import threading
from typing import Any

from tests.ambassador.http_peers import Asked, ok, requests, serving
from tests.waiting import wait_until


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
