"""Dialling directly: the addresses of a name, one of them good."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from podweave.helpers.dialing.broker import BrokerConnector
from podweave.helpers.dialing.connector import DialError, is_loopback
from podweave.helpers.dialing.direct import DirectConnector
from podweave.helpers.dialing.resolver import Resolver
from podweave.helpers.loop import Loop
from tests.black_holes import black_hole
from tests.helpers.driving import drive

Result = socket.socket | DialError


@pytest.fixture
def connector(loop: Loop, tmp_path: Path) -> Iterator[DirectConnector]:
    hosts = str(tmp_path / "hosts")
    resolver = Resolver(loop, resolv_conf="/nonexistent", hosts=hosts, port=1)
    yield DirectConnector(loop, resolver)
    resolver.close()


def dial(
    loop: Loop, connector: DirectConnector, host: str, port: int, timeout: float = 10.0
) -> Result:
    results: list[Result] = []
    connector.connect(host, port, timeout, results.append)
    assert results == [], "called back from within connect()"
    drive(loop, lambda: results, 20, "an outcome")
    return results[0]


def connected_to(result: Result) -> tuple[str, int]:
    assert isinstance(result, socket.socket), result
    with result:
        assert not result.getblocking()
        assert result.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert result.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        host, port = result.getpeername()[:2]
        return str(host), int(port)


def test_an_address_and_loopback_by_name(loop: Loop, connector: DirectConnector) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        port = server.getsockname()[1]
        assert connected_to(dial(loop, connector, "::1", port)) == ("::1", port)
        assert connected_to(dial(loop, connector, "localhost", port)) == ("::1", port)


@pytest.mark.parametrize("bad", ["refusing", "black hole", "no route"])
def test_a_bad_address_gives_way_to_the_next(
    loop: Loop, connector: DirectConnector, tmp_path: Path, bad: str
) -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.3", 0)))
        port = server.getsockname()[1]
        first = "127.0.0.2"
        if bad == "black hole":
            stack.enter_context(black_hole(first, port))
        elif bad == "no route":
            first = "255.255.255.255"
        (tmp_path / "hosts").write_text(f"{first} db.example\n127.0.0.3 db.example\n")
        assert connected_to(dial(loop, connector, "db.example", port)) == ("127.0.0.3", port)


def test_the_last_reason_is_given_when_all_fail(
    loop: Loop, connector: DirectConnector, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (tmp_path / "hosts").write_text("127.0.0.2 db.example\n127.0.0.3 db.example\n")
    result = dial(loop, connector, "db.example", port)
    assert isinstance(result, DialError)
    assert result.reason == "ECONNREFUSED"
    assert "127.0.0.3" in result.message


def test_the_timeout_ends_a_black_hole(loop: Loop, connector: DirectConnector) -> None:
    with black_hole() as port:
        result = dial(loop, connector, "127.0.0.1", port, timeout=0.2)
    assert isinstance(result, DialError)
    assert result.reason == "ETIMEDOUT"


def test_who_is_connected_when_the_deadline_is_seen_is_not_late(tmp_path: Path) -> None:
    """After a hold-up of the machine: more is ready than one turn of the loop takes."""
    late = 0.0
    loop = Loop(lambda: late)
    connector = DirectConnector(loop, Resolver(loop, hosts=str(tmp_path / "hosts")))
    results: list[Result] = []
    with socket.create_server(("127.0.0.1", 0), backlog=256) as server:
        for _ in range(200):
            connector.connect("127.0.0.1", server.getsockname()[1], 1.0, results.append)
        late = 5.0
        drive(loop, lambda: len(results) == 200, 20, "all outcomes")
        assert [each for each in results if isinstance(each, DialError)] == []
    for each in results:
        assert isinstance(each, socket.socket)
        each.close()
    loop.close()


def test_a_cancelled_dial_calls_nobody(loop: Loop, connector: DirectConnector) -> None:
    results: list[Result] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        for host in ("127.0.0.1", "localhost", "db.example"):
            connector.connect(host, server.getsockname()[1], 1.0, results.append).cancel()
        waited = []
        loop.call_later(0.3, lambda: waited.append(1))
        drive(loop, lambda: waited, 20, "time passes")
    assert results == []


def test_the_broker_is_given_some_time_where_hardly_any_is_left(
    loop: Loop, connector: DirectConnector, tmp_path: Path
) -> None:
    """It takes a request without any for a mistake."""
    path = str(tmp_path / "broker.sock")
    results: list[Result] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()
        dial = BrokerConnector(loop, path, connector).connect("db", 5432, 0.0001, results.append)
        accepted, _ = listener.accept()
        with accepted:
            assert json.loads(accepted.recv(1000)) == {"connect": ["db", 5432], "timeout": 0.001}
        dial.cancel()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("db.localhost", True),
        ("128.0.0.1", False),
        ("::2", False),
        ("::ffff:10.0.0.1", False),
        ("127.example", False),
        ("mylocalhost", False),
        ("host.podweave.internal", False),
    ],
)
def test_what_is_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
