"""Active health checks: who is asked, what an answer means, when an upstream is down."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.ambassador.health import HealthChecks, judge
from podweave.helpers.ambassador.metrics import Metrics
from podweave.helpers.ambassador.policies import HealthCheck
from podweave.helpers.ambassador.profiles import Profile, Upstream
from podweave.helpers.ambassador.reports import Reports
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.journal import Journal
from podweave.helpers.loop import Loop
from tests.ambassador.certificates import Authority
from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.upstreams import named, upstream
from tests.ports import free_port
from tests.waiting import wait_until

QUICK = {"interval": 0.05, "timeout": 1.0, "unhealthy_after": 2, "healthy_after": 2}


def state_of(ambassador: Ambassador, port: int) -> str:
    state = json.loads(ambassador.admin("GET", "/state")[1])
    return next(
        str(each["state"]) for each in state["upstreams"] if each["address"].endswith(f":{port}")
    )


def becomes(ambassador: Ambassador, port: int, wanted: str) -> None:
    wait_until(lambda: state_of(ambassador, port) == wanted, 20, f"the upstream is {wanted}")


def config(*upstreams: list[object], **check: object) -> dict[str, Any]:
    profile = {"upstreams": list(upstreams), "health_check": {**QUICK, **check}}
    return {"profile": "dev", "profiles": {"dev": profile}}


class Web:
    """Answers each request with `status`, and notes its first lines."""

    def __init__(self, status: str = "200 OK") -> None:
        self.status = status
        self.requests: list[bytes] = []

    def __call__(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            data = connection.recv(1000)
            if not data:
                return
            head += data
        self.requests.append(head)
        connection.sendall(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\n\r\n".encode())


def test_an_upstream_that_refuses_goes_down_and_comes_up_again(start: Start) -> None:
    port = free_port()
    with upstream(named(b"other")) as other:
        ambassador = start(settings=config(["127.0.0.1", port], [other.host, other.port]))
        becomes(ambassador, port, "down")
        becomes(ambassador, other.port, "up")
        assert ambassador.event("upstream-down")["reason"] == "ECONNREFUSED"
        for _ in range(10):
            with ambassador.dial() as client:
                assert client.recv(100) == b"other\n"
        place = {"profile": "dev", "upstream": f"127.0.0.1:{port}"}
        assert ambassador.metric("podweave_ambassador_upstream_up", **place) == 0
        with upstream(named(b"back"), port=port):
            becomes(ambassador, port, "up")
            assert ambassador.metric("podweave_ambassador_upstream_up", **place) == 1
            ambassador.event("upstream-up")


def test_checks_leave_no_connection_behind(start: Start) -> None:
    with upstream(named(b"up")) as server:
        ambassador = start(settings=config(server.config))
        wait_until(lambda: len(server.connections) > 10, 20, "it has been asked")
        before = ambassador.open_descriptors()
        wait_until(lambda: len(server.connections) > 30, 20, "it is asked on")
        assert ambassador.open_descriptors() <= before + 1
        assert state_of(ambassador, server.port) == "up"


def test_a_bad_status_is_bad_and_a_redirect_is_not(start: Start) -> None:
    web = Web("302 Found")
    with upstream(web) as server:
        check = {"path": "/healthz?deep", "host": "db.example"}
        ambassador = start(settings=config(server.config, http=check))
        becomes(ambassador, server.port, "up")
        assert web.requests[0].startswith(b"GET /healthz?deep HTTP/1.1\r\nHost: db.example\r\n")
        web.status = "503 Service Unavailable"
        becomes(ambassador, server.port, "down")
        event = ambassador.event("upstream-down")
        assert (event["reason"], event["message"].endswith("answered with 503")) == (
            "HTTP_503",
            True,
        )
        web.status = "204 No Content"
        becomes(ambassador, server.port, "up")


def silence(connection: socket.socket) -> None:
    connection.recv(10000)
    connection.recv(1)


def garbage(connection: socket.socket) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9\r\n")
    connection.recv(10000)


def flood(connection: socket.socket) -> None:
    connection.recv(10000)
    connection.sendall(b"x" * 100_000)


@pytest.mark.parametrize(
    ("serve", "reason"),
    [
        (silence, "ETIMEDOUT"),
        (garbage, "EPROTO"),
        (flood, "EPROTO"),
        (lambda connection: connection.shutdown(socket.SHUT_RDWR), "EPROTO"),
    ],
    ids=["silence", "garbage", "flood", "end"],
)
def test_who_does_not_answer_in_http_is_down(
    start: Start, serve: Callable[[socket.socket], None], reason: str
) -> None:
    with upstream(serve) as server:
        settings = config(server.config, http={"path": "/"}, timeout=0.2)
        ambassador = start(settings=settings)
        becomes(ambassador, server.port, "down")
        reasons = {reason, "ECONNRESET"} if reason == "EPROTO" else {reason}
        assert ambassador.event("upstream-down")["reason"] in reasons


def test_health_may_be_asked_at_another_port(start: Start) -> None:
    web = Web()
    with upstream(web) as health, upstream(named(b"main")) as server:
        check = {"path": "/", "port": health.port}
        ambassador = start(settings=config(server.config, http=check))
        becomes(ambassador, server.port, "up")
        assert web.requests[0].split(b"\r\n")[1] == f"Host: 127.0.0.1:{server.port}".encode()
        assert server.connections == []


def test_health_is_asked_over_tls_where_the_upstream_speaks_it(
    start: Start, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    context = authority.server_context("db.example")
    web = Web()

    def secured(connection: socket.socket) -> None:
        with context.wrap_socket(connection.dup(), server_side=True) as tls:
            web(tls)

    with upstream(secured) as server:
        settings = config(server.config, http={"path": "/"})
        tls = {"mode": "verify-full", "server_name": "db.example", "ca": str(authority.file)}
        settings["profiles"]["dev"]["tls"] = tls
        ambassador = start(settings=settings)
        becomes(ambassador, server.port, "up")
        assert web.requests
    with upstream(secured) as server:
        settings = config(server.config, http={"path": "/"})
        settings["profiles"]["dev"]["tls"] = tls | {"server_name": "other.example"}
        ambassador = start(settings=settings)
        becomes(ambassador, server.port, "down")
        assert ambassador.event("upstream-down")["reason"] == "TLS_VERIFY"


def test_only_the_profile_in_use_is_asked(start: Start) -> None:
    with upstream(named(b"x")) as dev, upstream(named(b"x")) as qa:
        ambassador = start(
            settings={
                "profile": "dev",
                "profiles": {
                    "dev": {"upstreams": [dev.config], "health_check": QUICK},
                    "qa": {"upstreams": [qa.config], "health_check": QUICK},
                },
            }
        )
        wait_until(lambda: len(dev.connections) > 3, 20, "dev is asked")
        assert qa.connections == []
        ambassador.switch("qa")
        wait_until(lambda: len(qa.connections) > 3, 20, "qa is asked")
        asked = len(dev.connections)
        wait_until(lambda: len(qa.connections) > 8, 20, "qa is asked on")
        assert len(dev.connections) <= asked + 1


def test_all_down_is_no_reason_to_give_up(start: Start) -> None:
    """A check may be wrong; a client is still held and tried."""
    port = free_port()
    ambassador = start(settings=config(["127.0.0.1", port], interval=60.0, unhealthy_after=1))
    becomes(ambassador, port, "down")
    with ambassador.dial() as client, upstream(named(b"there"), port=port):
        assert client.recv(100) == b"there\n"


def test_who_is_down_stays_so_with_a_changed_configuration(start: Start) -> None:
    port = free_port()
    with upstream(named(b"up")) as server:
        settings = config(["127.0.0.1", port], server.config, interval=0.2)
        ambassador = start(settings=settings)
        becomes(ambassador, port, "down")
        changed = json.loads(ambassador.config_file.read_text())
        changed["drain"] = 5.0
        changed["profiles"]["dev"]["health_check"]["interval"] = 3600.0
        ambassador.config_file.write_text(json.dumps(changed))
        ambassador.process.send_signal(signal.SIGHUP)
        ambassador.event("configuration-applied")
        assert state_of(ambassador, port) == "down"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"HTTP/1.1 200 OK\r", None),
        (b"HTTP/1.0 399", None),
        (b"HTTP/1.1 400 Bad", "HTTP_400"),
        (b"HTTP/1.1 199 x", "HTTP_199"),
        (b"HTTP/2 200", "EPROTO"),
        (b"HTTP/1.1 20", "EPROTO"),
        (b"HTTP/1.1 2000 OK\r", "EPROTO"),
        (b"HTTP/1.1 abc", "EPROTO"),
        (b"", "EPROTO"),
    ],
)
def test_what_a_status_line_means(line: bytes, reason: str | None) -> None:
    error = judge(line, "db:1")
    assert (error.reason if error else None) == reason


@given(st.binary())
def test_any_line_is_judged(line: bytes) -> None:
    error = judge(line, "db:1")
    assert error is None or error.message.startswith("db:1: ")


class WithoutDescriptors:
    """Connects to nobody, as a process does that may open nothing more."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.dials = 0

    def connect(self, host: str, port: int, timeout: float, done: Callable[..., object]) -> Any:
        self.dials += 1
        error = DialError("EMFILE", "connect to db:1: Too many open files")
        return self._loop.call_later(0, lambda: done(error))


def test_a_shortage_of_our_own_is_nothing_against_an_upstream() -> None:
    loop = Loop()
    connector = WithoutDescriptors(loop)
    metrics = Metrics()
    reports = Reports(loop, metrics, Journal("ambassador", "db"))
    upstream = Upstream("db", 1)
    check = HealthCheck(interval=0.001, unhealthy_after=1)
    profile = Profile("dev", [upstream, Upstream("other", 1)], health_check=check)
    checks = HealthChecks(loop, connector, reports.checked)
    checks.watch(profile)
    while connector.dials < 10:
        loop.step(20)
    for _ in range(10):
        reports.attempted(upstream, DialError("EMFILE", "connect to db:1: Too many open files"))
    assert upstream.usable(loop.now())
    assert upstream.state.up is None
    assert upstream.state.failures == 0
    assert b'dial_failures_total{profile="dev",upstream="db:1",reason="EMFILE"} 10' in (
        metrics.registry.render()
    )
    loop.close()
