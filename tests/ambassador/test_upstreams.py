"""Several upstreams: who is dialled, who is left out, how many at once. With real processes."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.upstreams import Upstream, named, upstream
from tests.ports import free_port
from tests.waiting import wait_until


def greeting(ambassador: Ambassador) -> str:
    with ambassador.dial() as client:
        return client.recv(100).decode().strip()


def profile(*upstreams: list[object], **rest: object) -> dict[str, object]:
    return {"profile": "dev", "profiles": {"dev": {"upstreams": list(upstreams), **rest}}}


@contextlib.contextmanager
def two() -> Iterator[tuple[Upstream, Upstream]]:
    with upstream(named(b"a")) as a, upstream(named(b"b")) as b:
        yield a, b


def test_a_backup_is_used_only_while_the_others_are_away(start: Start) -> None:
    port = free_port()
    with upstream(named(b"backup")) as backup:
        main, spare = ["127.0.0.1", port, 1, 0], [backup.host, backup.port, 1, 1]
        settings = profile(main, spare, ejection={"failures": 1, "seconds": 0.2})
        ambassador = start(settings=settings)
        assert greeting(ambassador) == "backup"
        assert ambassador.event("upstream-ejected")["upstream"] == f"127.0.0.1:{port}"
        with upstream(named(b"main"), port=port):
            wait_until(lambda: greeting(ambassador) == "main", 20, "the first one is back in use")
            assert {greeting(ambassador) for _ in range(20)} == {"main"}
        assert greeting(ambassador) == "backup"


def test_the_least_connected_is_chosen(start: Start) -> None:
    with two() as (a, b), contextlib.ExitStack() as stack:
        settings = profile([a.host, a.port, 3], [b.host, b.port, 1], balance="least_connections")
        ambassador = start(settings=settings)
        clients = [stack.enter_context(ambassador.dial()) for _ in range(40)]
        names = [client.recv(100) for client in clients]
        assert (names.count(b"a\n"), names.count(b"b\n")) == (30, 10)
        place = {"profile": "dev", "upstream": f"{a.host}:{a.port}"}
        assert ambassador.metric("podweave_ambassador_upstream_connections", **place) == 30


def test_an_upstream_that_keeps_failing_is_left_out(start: Start) -> None:
    """Dials don't lose time there any more; the last one left is never left out."""
    gone = free_port()
    with upstream(named(b"good")) as good:
        settings = profile(
            ["127.0.0.1", gone, 1000], good.config, ejection={"failures": 3, "seconds": 60.0}
        )
        ambassador = start(settings=settings)
        for _ in range(30):
            assert greeting(ambassador) == "good"
        failures = ambassador.metric(
            "podweave_ambassador_dial_failures_total",
            profile="dev",
            upstream=f"127.0.0.1:{gone}",
            reason="ECONNREFUSED",
        )
        assert failures == 3
        place = {"profile": "dev", "upstream": f"127.0.0.1:{gone}"}
        assert ambassador.metric("podweave_ambassador_upstream_ejections_total", **place) == 1
        assert ambassador.metric("podweave_ambassador_upstream_usable", **place) == 0
        port = good.port
    with ambassador.dial() as client:
        wait_until(lambda: ambassador.metric("podweave_ambassador_clients_held") == 1, 20, "held")
        with upstream(named(b"again"), port=port):
            assert client.recv(100) == b"again\n"


def test_a_limit_of_connections_makes_clients_wait_their_turn(start: Start) -> None:
    with upstream(named(b"up")) as server, contextlib.ExitStack() as stack:
        settings = profile(server.config, limits={"connections": 3})
        ambassador = start(settings=settings | {"connect_timeout": 30.0})
        clients = [stack.enter_context(ambassador.dial()) for _ in range(10)]
        for client in clients[:3]:
            assert client.recv(100) == b"up\n"
        wait_until(lambda: ambassador.metric("podweave_ambassador_clients_held") == 7, 20, "7 wait")
        assert len(server.connections) == 3
        for ended, next_one in zip(clients, clients[3:], strict=False):
            ended.close()
            assert next_one.recv(100) == b"up\n", "in the order in which they came"
        for client in clients:
            client.close()
        wait_until(
            lambda: ambassador.metric("podweave_ambassador_connections_open", profile="dev") == 0,
            20,
            "all are closed",
        )
        assert len(server.connections) == 10


def test_who_waits_too_long_for_a_turn_is_told_apart(start: Start) -> None:
    with upstream(named(b"up")) as server:
        settings = profile(server.config, limits={"connections": 1}) | {"connect_timeout": 0.3}
        ambassador = start(settings=settings)
        with ambassador.dial() as first, ambassador.dial() as second:
            assert first.recv(100) == b"up\n"
            with pytest.raises(ConnectionResetError):
                second.recv(100)
            refused = "podweave_ambassador_clients_refused_total"
            assert ambassador.metric(refused, reason="CONNECTION_LIMIT") == 1
            event = ambassador.event("client-refused")
            assert "limits.connections allows no more" in event["message"]
            first.sendall(b"x\n")
            assert first.recv(100) == b"up x\n"


def test_a_client_that_gives_up_while_it_waits_takes_no_turn(start: Start) -> None:
    with upstream(named(b"up")) as server:
        settings = profile(server.config, limits={"connections": 1}) | {"connect_timeout": 30.0}
        ambassador = start(settings=settings)
        with ambassador.dial() as first, ambassador.dial() as last:
            assert first.recv(100) == b"up\n"
            gone = ambassador.dial()
            held = "podweave_ambassador_clients_held"
            wait_until(lambda: ambassador.metric(held) == 2, 20, "two wait")
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            gone.close()
            wait_until(lambda: ambassador.metric(held) == 1, 20, "one has gone")
            first.close()
            assert last.recv(100) == b"up\n"


def test_a_limit_of_waiting_refuses_at_once(start: Start) -> None:
    settings = profile(["127.0.0.1", free_port()], limits={"waiting": 2})
    ambassador = start(settings=settings | {"connect_timeout": 60.0})
    with ambassador.dial(), ambassador.dial():
        held = "podweave_ambassador_clients_held"
        wait_until(lambda: ambassador.metric(held) == 2, 20, "two wait")
        with pytest.raises(ConnectionResetError), ambassador.dial() as third:
            third.recv(1)
        refused = "podweave_ambassador_clients_refused_total"
        assert ambassador.metric(refused, reason="WAITING_LIMIT") == 1
        assert ambassador.metric(held) == 2


def test_who_is_refused_is_told_so_in_the_protocol(start: Start) -> None:
    settings = profile(["127.0.0.1", free_port()], limits={"waiting": 1})
    ambassador = start(settings=settings | {"protocol": "redis", "connect_timeout": 60.0})
    with ambassador.dial() as first, ambassador.dial() as second:
        first.sendall(b"PING\r\n")
        second.sendall(b"PING\r\n")
        second.settimeout(20)
        answer = second.recv(1000)
        assert answer.startswith(b"-")
        assert b"limits.waiting allows no more" in answer


def test_a_limit_is_of_a_profile_and_lifted_by_a_switch(start: Start) -> None:
    with two() as (a, b), contextlib.ExitStack() as stack:
        ambassador = start(
            settings={
                "profile": "dev",
                "profiles": {
                    "dev": {"upstreams": [a.config], "limits": {"connections": 1}},
                    "qa": {"upstreams": [b.config]},
                },
                "connect_timeout": 60.0,
            }
        )
        clients = [stack.enter_context(ambassador.dial()) for _ in range(3)]
        assert clients[0].recv(100) == b"a\n"
        held = "podweave_ambassador_clients_held"
        wait_until(lambda: ambassador.metric(held) == 2, 20, "two wait")
        assert ambassador.switch("qa")[0] == 200
        for client in clients[1:]:
            assert client.recv(100) == b"b\n"
