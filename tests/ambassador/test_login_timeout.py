"""A client that connects and says nothing, or stops in the middle of its login, is let go."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from podweave.helpers.wire import mysql, postgres
from podweave.helpers.wire.mysql_packets import Packets, packet
from podweave.helpers.wire.postgres import Startup, error_fields
from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.secrets import Secret
from tests.ambassador.test_mysql_conversation import GREETING, OK, RESPONSE
from tests.ambassador.upstreams import Serve, read_all, silent, upstream
from tests.waiting import wait_until

STARTUP = Startup(0, {b"user": b"app"}).encode()
ASK_PASSWORD = b"R\0\0\0\x08\0\0\0\x03"
ANSWER = packet(1, RESPONSE.render())
REFUSED = "podweave_ambassador_clients_refused_total"


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    return Secret(tmp_path / "secret", "stage", "secret")


def begin(start: Start, protocol: str, server: list[object], **more: Any) -> Ambassador:
    profile = {"upstreams": [server], **more.pop("profile", {})}
    return start(dev=profile, settings={"protocol": protocol, "login_timeout": 0.3, **more})


def timed_out(ambassador: Ambassador) -> float:
    return ambassador.metric(REFUSED, reason="LOGIN_TIMEOUT")


def asks_for_a_password(connection: socket.socket) -> None:
    connection.recv(4096)
    connection.sendall(ASK_PASSWORD)
    while connection.recv(4096):
        pass


def greets(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.sendall(packet(0, GREETING.render()))
        while connection.recv(4096):
            pass


@pytest.mark.parametrize("said", [b"", postgres.encryption_request(), STARTUP[:-3]])
def test_postgres_start_up(start: Start, said: bytes) -> None:
    with upstream(silent) as server:
        ambassador = begin(start, "postgres", server.config)
        with ambassador.dial() as client:
            client.sendall(said)
            answer = read_all(client)
        fields = error_fields(answer.removeprefix(b"N"))
        assert fields["C"] == "57014"
        assert fields["M"] == "the client has not logged in within 0.3 s"
        assert timed_out(ambassador) == 1
        assert not server.connections


def test_postgres_password(start: Start) -> None:
    """It is the client who says nothing: the upstream isn't blamed, and gets rid of it as well."""
    with upstream(asks_for_a_password) as server:
        ambassador = begin(start, "postgres", server.config)
        before = ambassador.open_descriptors()
        with ambassador.dial() as client:
            client.sendall(STARTUP)
            answer = read_all(client)
        assert answer.startswith(ASK_PASSWORD)
        assert error_fields(answer.removeprefix(ASK_PASSWORD))["C"] == "57014"
        assert timed_out(ambassador) == 1
        assert "dial_failures_total{" not in ambassador.admin("GET", "/metrics")[1]
        wait_until(lambda: ambassador.open_descriptors() <= before, 20, "all is closed")


@pytest.mark.parametrize("said", [b"", ANSWER[:-3]])
def test_mysql_handshake_response(start: Start, secret: Secret, said: bytes) -> None:
    with upstream(greets) as server:
        login = {"credentials": secret.config}
        ambassador = begin(start, "mysql", server.config, profile=login)
        with ambassador.dial() as client:
            client.sendall(said)
            packets = Packets()
            packets.receive(read_all(client))
        assert packets.next_packet()
        taken = packets.next_packet()
        assert taken is not None
        assert mysql.parse_err(taken[1])[0] == 1159
        assert timed_out(ambassador) == 1
        assert "dial_failures_total{" not in ambassador.admin("GET", "/metrics")[1]


def test_an_upstream_that_tires_first_is_not_blamed(start: Start, secret: Secret) -> None:
    """MySQL's own connect_timeout is 10 s: five silent clients would eject a good server."""

    def tired(connection: socket.socket) -> None:
        connection.sendall(packet(0, GREETING.render()))
        connection.shutdown(socket.SHUT_RDWR)

    with upstream(tired) as server:
        login = {"credentials": secret.config}
        ambassador = begin(start, "mysql", server.config, profile=login, login_timeout=60.0)
        with ambassador.dial() as client:
            assert b"closed the connection" in read_all(client)
        assert "dial_failures_total{" not in ambassador.admin("GET", "/metrics")[1]


def after_a_thought(start: Start, secret: Secret, serve: Serve) -> bytes:
    """What a client hears that has taken longer for its answer than the connect timeout."""
    with upstream(serve) as server:
        login = {"credentials": secret.config}
        times = {"login_timeout": 60.0, "connect_timeout": 0.2}
        ambassador = begin(start, "mysql", server.config, profile=login, **times)
        with ambassador.dial() as client:
            assert client.recv(4096)
            # Time is what this is about.
            thought = time.monotonic() + 0.3
            wait_until(lambda: time.monotonic() > thought, 20, "the client has thought")
            client.sendall(ANSWER)
            return client.recv(4096)


def test_the_clients_time_is_not_the_upstreams(start: Start, secret: Secret) -> None:
    def accepts(connection: socket.socket) -> None:
        connection.sendall(packet(0, GREETING.render()))
        connection.recv(4096)
        connection.sendall(packet(2, OK))
        connection.recv(4096)

    packets = Packets()
    packets.receive(after_a_thought(start, secret, accepts))
    taken = packets.next_packet()
    assert taken is not None
    assert taken[1][0] != mysql.ERR


def test_a_stalled_upstream_is_found_after_the_client_took_its_time(
    start: Start, secret: Secret
) -> None:
    assert b"has not answered in 0.2 s" in after_a_thought(start, secret, greets)


def test_who_has_logged_in_may_be_silent(start: Start) -> None:
    def ready(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I")
        if data := connection.recv(100):
            connection.sendall(data)

    with upstream(ready) as server:
        ambassador = begin(start, "postgres", server.config)
        with ambassador.dial() as client, ambassador.dial() as other:
            client.sendall(STARTUP)
            assert client.recv(4096)
            assert read_all(other)
            client.sendall(b"still here")
            assert client.recv(100)[-10:] == b"still here"
            assert timed_out(ambassador) == 1
