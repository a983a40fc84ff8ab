"""A client never sees that its upstream isn't there yet; it waits, up to a deadline."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import threading
import time
from pathlib import Path

import pytest

from podweave.helpers.wire.postgres import Startup, error_fields
from tests.ambassador.certificates import Authority
from tests.ambassador.conftest import Start
from tests.ambassador.upstreams import Upstream, echo, named, read_all, upstream
from tests.black_holes import black_hole
from tests.ports import free_port
from tests.waiting import wait_until


def expect_reset(client: socket.socket) -> None:
    with pytest.raises(ConnectionResetError):
        client.recv(100)


def test_a_client_that_comes_before_its_upstream_is_held(start: Start) -> None:
    port = free_port()
    ambassador = start(dev=[["127.0.0.1", port, 1]])
    with ambassador.dial() as client:
        client.sendall(b"early")
        wait_until(
            lambda: (
                ambassador.metric("podweave_ambassador_clients_held") == 1
                and "upstream-failing" in {event["event.action"] for event in ambassador.events}
            ),
            20,
            "the client is held",
        )
        with upstream(echo, port=port):
            assert client.recv(100) == b"early"
        ambassador.event("upstream-recovered")


@pytest.mark.parametrize("kind", ["refusing", "black hole", "unresolvable"])
def test_at_the_deadline_the_client_gets_a_reset(start: Start, kind: str) -> None:
    with contextlib.ExitStack() as stack:
        if kind == "refusing":
            address: list[object] = ["127.0.0.1", free_port(), 1]
            reasons = {"ECONNREFUSED"}
        elif kind == "black hole":
            address = ["127.0.0.1", stack.enter_context(black_hole()), 1]
            reasons = {"ETIMEDOUT"}
        else:
            address = ["no-such-name.invalid", 5432, 1]
            reasons = {"EAI_NONAME", "EAI_AGAIN", "ETIMEDOUT"}
        ambassador = start(dev=[address], settings={"connect_timeout": 0.6})
        begun = time.monotonic()
        with ambassador.dial() as client:
            expect_reset(client)
        assert time.monotonic() - begun >= 0.5, "the client was not held"
        refusal = ambassador.event("client-refused")
        reason = refusal["reason"]
        assert reason in reasons
        refused = ambassador.metric("podweave_ambassador_clients_refused_total", reason=reason)
        assert refused == 1
        # It goes on serving, and the next client is held again.
        with ambassador.dial() as client:
            expect_reset(client)


def test_the_next_upstream_is_tried_when_one_fails(start: Start) -> None:
    with upstream(named(b"good")) as good, black_hole() as hole:
        refusing: list[object] = ["127.0.0.1", free_port(), 1000]
        ambassador = start(
            dev=[refusing, ["127.0.0.1", hole, 1], good.config], settings={"connect_timeout": 3.0}
        )
        for _ in range(3):
            with ambassador.dial() as client:
                assert client.recv(100) == b"good\n"


def test_weights_share_out_connections(start: Start) -> None:
    with upstream(named(b"a")) as a, upstream(named(b"b")) as b:
        ambassador = start(dev=[[a.host, a.port, 3], [b.host, b.port, 1]])
        for _ in range(200):
            with ambassador.dial() as client:
                client.recv(100)
        # 150 and 50 are expected; eight standard deviations are allowed.
        assert 100 < len(a.connections) < 195
        assert len(a.connections) + len(b.connections) == 200


def test_a_burst_of_clients_is_held_without_slowing_each_other(start: Start) -> None:
    port = free_port()
    ambassador = start(dev=[["127.0.0.1", port, 1]])
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(ambassador.dial()) for _ in range(300)]
        wait_until(
            lambda: ambassador.metric("podweave_ambassador_clients_held") == 300,
            20,
            "all clients are held",
        )
        stack.enter_context(upstream(named(b"up"), port=port))
        for client in clients:
            assert client.recv(100) == b"up\n"


def test_a_client_that_goes_away_while_held_is_forgotten(start: Start) -> None:
    ambassador = start(dev=[["127.0.0.1", free_port(), 1]], settings={"connect_timeout": 60.0})
    client = ambassador.dial()
    wait_until(lambda: ambassador.metric("podweave_ambassador_clients_held") == 1, 20, "it is held")
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    client.close()
    wait_until(
        lambda: ambassador.metric("podweave_ambassador_clients_held") == 0, 20, "it is forgotten"
    )
    assert ambassador.metric("podweave_ambassador_clients_gone_total") == 1


def test_short_descriptors_make_clients_wait_and_nothing_spin(start: Start) -> None:
    limit = ("prlimit", "--nofile=40:40")
    with upstream(named(b"up")) as server:
        ambassador = start(dev=[server.config], prefix=limit, settings={"connect_timeout": 60.0})
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(ambassador.dial()) for _ in range(40)]
            wait_until(
                lambda: "accept-paused" in {event["event.action"] for event in ambassador.events},
                20,
                "accepting pauses",
            )
            for client in clients:
                assert client.recv(100) == b"up\n"
                client.close()


def test_short_descriptors_keep_nobody_but_clients_waiting(
    start: Start, authority: Authority
) -> None:
    """Who says nothing may take what clients may have; the admin endpoint answers, nothing falls,
    and when they go it is as before, with an upstream that nobody blames."""
    limit = ("prlimit", "--nofile=64:64")
    tls = {"mode": "verify-full", "server_name": "localhost", "ca": str(authority.file)}
    profiles = {"dev": {"upstreams": [["127.0.0.1", free_port(), 1]], "tls": tls}}
    settings = {"protocol": "postgres", "connect_timeout": 0.2, "profiles": profiles}
    ambassador = start(dev=[], prefix=limit, settings=settings)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(ambassador.dial()) for _ in range(80)]
        ambassador.event("accept-paused")
        for client in clients[:20]:
            client.sendall(Startup(0, {b"user": b"app"}).encode())
        for client in clients[:20]:
            assert error_fields(read_all(client))["C"] == "08001"
        assert ambassador.admin("GET", "/metrics")[0] == 200
    wait_until(
        lambda: ambassador.metric("podweave_ambassador_clients_accepted_total") == 80, 20, "taken"
    )
    wait_until(lambda: ambassador.metric("podweave_ambassador_clients_held") == 0, 20, "all gone")


def test_the_soft_descriptor_limit_is_raised(start: Start) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with upstream(echo) as server:
        ambassador = start(dev=[server.config], prefix=("prlimit", "--nofile=64:"))
        limits = Path(f"/proc/{ambassador.process.pid}/limits").read_text()
        line = next(line for line in limits.splitlines() if line.startswith("Max open files"))
        assert line.split()[3] == str(hard)


class Broker:
    """Speaks the broker's protocol: a real one, but with a table in place of DNS."""

    def __init__(self, path: str, names: dict[str, Upstream | dict[str, object]]) -> None:
        self._names = names
        self.requests: list[dict[str, object]] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(path)
        self._listener.listen(64)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(20)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                request = json.loads(connection.recv(65536))
                self.requests.append(request)
                answer = self._names[request["connect"][0]]
                if isinstance(answer, dict):
                    connection.send(json.dumps(answer).encode())
                    continue
                with socket.create_connection((answer.host, answer.port)) as dialled:
                    text = json.dumps({"ok": True, "address": f"{answer.host}:{answer.port}"})
                    socket.send_fds(connection, [text.encode()], [dialled.fileno()])


@pytest.fixture
def broker_path(tmp_path: Path) -> str:
    return str(tmp_path / "broker.sock")


def test_upstreams_are_reached_through_the_broker(start: Start, broker_path: str) -> None:
    environment = {**os.environ, "PODWEAVE_BROKER": broker_path}
    with upstream(named(b"far")) as far, upstream(named(b"near")) as near:
        broker = Broker(broker_path, {"db.example": far})
        try:
            ambassador = start(
                environment=environment,
                far=[["db.example", 5432, 1]],
                near=[["localhost", near.port, 1]],
            )
            with ambassador.dial() as client:
                assert client.recv(100) == b"far\n"
                client.sendall(b"x\n")
                assert client.recv(100) == b"far x\n"
            assert broker.requests[0]["connect"] == ["db.example", 5432]
            assert 4 < float(str(broker.requests[0]["timeout"])) <= 5, "half of all the time"
            ambassador.switch("near")
            with ambassador.dial() as client:
                assert client.recv(100) == b"near\n"
            assert len(broker.requests) == 1, "loopback is dialled in the Pod"
        finally:
            broker.close()


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"ok": False, "error": "ECONNREFUSED", "message": "no"}, "ECONNREFUSED"),
        ({"ok": False, "error": "EAI_NONAME", "message": "no"}, "EAI_NONAME"),
        ({"ok": False, "error": 'E"\nvil', "message": "no"}, "EPROTO"),
        ({"ok": True}, "EPROTO"),
        ({}, "EPROTO"),
    ],
)
def test_the_brokers_failures_are_named(
    start: Start, broker_path: str, answer: dict[str, object], reason: str
) -> None:
    environment = {**os.environ, "PODWEAVE_BROKER": broker_path}
    broker = Broker(broker_path, {"db.example": answer})
    try:
        ambassador = start(
            environment=environment,
            dev=[["db.example", 5432, 1]],
            settings={"connect_timeout": 0.2},
        )
        with ambassador.dial() as client:
            expect_reset(client)
        assert ambassador.event("client-refused")["reason"] == reason
    finally:
        broker.close()


def test_an_absent_broker_is_waited_for(start: Start, broker_path: str) -> None:
    environment = {**os.environ, "PODWEAVE_BROKER": broker_path}
    with upstream(named(b"far")) as far:
        ambassador = start(environment=environment, dev=[["db.example", 5432, 1]])
        with ambassador.dial() as client:
            ambassador.event("upstream-failing")
            broker = Broker(broker_path, {"db.example": far})
            try:
                assert client.recv(100) == b"far\n"
            finally:
                broker.close()
