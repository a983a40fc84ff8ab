"""Connections of HTTP: how many, for how long, and what becomes of them at the end."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from typing import Any

import pytest

from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.http_peers import GET, Asked, Client, ok, serving
from tests.ambassador.upstreams import Upstream, silent, upstream
from tests.waiting import wait_until


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


def test_an_upstream_says_how_long_it_keeps_a_connection(http: Any) -> None:
    """As Node.js does; a request isn't put on a connection that is about to be closed."""
    client, server, ambassador = http(serving(lambda asked: ok(b"", "Keep-Alive: timeout=1")))
    got = client.get()
    assert "keep-alive" not in got.headers
    assert metric_idle(ambassador, server) == 1
    wait_until(lambda: metric_idle(ambassador, server) == 0, 10, "it is closed first")
