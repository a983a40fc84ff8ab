"""What every start-up conversation has from its driver: last words, ends, limits, the login."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from podweave.helpers.ambassador.sessions.credentials import Credentials, CredentialsError, Login
from podweave.helpers.ambassador.sessions.interface import Conversation, Refuse, Target
from podweave.helpers.ambassador.sessions.lingering import LingeringClose
from podweave.helpers.ambassador.sessions.mysql import MysqlConversation
from podweave.helpers.ambassador.sessions.redis import RedisConversation
from podweave.helpers.loop import Loop
from podweave.helpers.wire import postgres
from podweave.helpers.wire.postgres import Startup, error_fields
from tests.ambassador.certificates import Authority
from tests.ambassador.conftest import Start
from tests.ambassador.postgres_clients import profile, start_with
from tests.ambassador.upstreams import echo, read_all, silent, upstream
from tests.ports import free_port
from tests.waiting import wait_until

STARTUP = Startup(0, {b"user": b"app"}).encode()
LOGGED_IN = b"R\0\0\0\x08\0\0\0\0" + b"Z\0\0\0\x05I"
RESET = struct.pack("ii", 1, 0)


def test_the_last_words_are_read_whatever_the_client_has_sent(start: Start) -> None:
    """A socket closed with something unread in it sends a reset, which would take them away."""
    refusing = profile(["127.0.0.1", free_port(), 1])
    ambassador = start_with(start, connect_timeout=0.5, dev=refusing)
    for _ in range(5):
        with ambassador.dial() as client:
            client.sendall(STARTUP + b"x" * 100_000)
            answer = read_all(client)
            assert error_fields(answer)["C"] == "08001"


@pytest.mark.parametrize("farewell", [b"", b"last words"])
def test_who_is_closed_in_order_sees_the_end_at_once(farewell: bytes) -> None:
    """Not when the time to read is over: after a cancel request, for one, clients wait for it."""
    loop = Loop(clock=lambda: 0.0)
    ours, theirs = socket.socketpair()
    ended: list[LingeringClose] = []
    with theirs:
        ours.setblocking(False)
        lingering = LingeringClose(loop, ours, farewell, ended.append)
        loop.step(20)
        assert read_all(theirs) == farewell
        assert not ended
        theirs.close()
        loop.step(20)
        assert ended == [lingering]
    loop.close()


@pytest.mark.parametrize("conversation", [MysqlConversation(), RedisConversation()])
def test_who_breaks_a_protocol_is_counted_under_one_reason(conversation: Conversation) -> None:
    """Whichever it is: the reason is a label of the metrics, EPROTO in PostgreSQL's, too."""
    conversation.begin()
    conversation.connected(Target("db:1", tls=False, login=Login("app", b"x"), database=""))
    (command,) = conversation.from_upstream(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert isinstance(command, Refuse)
    assert command.error.reason == "EPROTO"


def test_a_client_that_goes_away_takes_its_upstream_along(start: Start) -> None:
    with upstream(silent) as server:
        ambassador = start_with(start, connect_timeout=60.0, dev=profile(server.config))
        before = ambassador.open_descriptors()
        clients = [ambassador.dial() for _ in range(10)]
        for client in clients:
            client.sendall(STARTUP)
        wait_until(lambda: len(server.connections) == 10, 20, "the upstream is there")
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            client.close()
        wait_until(lambda: ambassador.open_descriptors() <= before, 20, "all is closed")
        assert ambassador.metric("podweave_ambassador_clients_gone_total") == 10
        assert ambassador.metric("podweave_ambassador_clients_held") == 0


def test_a_client_that_says_nothing_is_let_go_when_it_leaves(start: Start) -> None:
    """A TCP probe of the port, for instance: no upstream is dialled for it."""
    with upstream(silent) as server:
        ambassador = start_with(start, dev=profile(server.config))
        before = ambassador.open_descriptors()
        for _ in range(5):
            ambassador.dial().close()
        wait_until(
            lambda: ambassador.metric("podweave_ambassador_clients_accepted_total") == 5,
            20,
            "they were there",
        )
        wait_until(lambda: ambassador.open_descriptors() <= before, 20, "all is closed")
        assert not server.connections


def test_conversations_count_among_the_connections_of_a_profile(
    start: Start, authority: Authority
) -> None:
    context = authority.server_context("127.0.0.1")

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
            while data := tls.recv(100):
                tls.sendall(data)

    with upstream(serve) as server:
        limited = {"tls": {"mode": "require"}, "limits": {"connections": 1}}
        dev = profile(server.config, **limited)
        ambassador = start(dev=dev, settings={"connect_timeout": 20.0})
        with ambassador.dial() as first, ambassador.dial() as second:
            first.sendall(b"first")
            assert first.recv(100) == b"first"
            second.sendall(b"second")
            assert len(server.connections) == 1
            first.close()
            assert second.recv(100) == b"second"


def test_the_end_of_the_ambassador_is_the_end_of_conversations(start: Start) -> None:
    with upstream(echo) as server:
        settings = {"drain": 0.0, "protocol": "postgres"}
        ambassador = start(dev=[server.config], settings=settings)
        with ambassador.dial() as client:
            client.sendall(b"\0")
            wait_until(
                lambda: ambassador.metric("podweave_ambassador_clients_held") == 1, 20, "held"
            )
            ambassador.terminate()
            assert ambassador.wait() == 0
            with pytest.raises(ConnectionResetError):
                read_all(client)


def test_a_login_is_read_from_files(tmp_path: Path) -> None:
    username, password = tmp_path / "username", tmp_path / "password"
    files = Credentials(str(username), str(password))
    with pytest.raises(CredentialsError, match="password"):
        files.read()
    password.write_bytes(b" p\xc3\xa4ss\r\n")
    assert files.read() == Login("", " päss".encode())
    username.write_text("stage\n")
    assert files.read() == Login("stage", " päss".encode())
    password.unlink()
    assert files.read() == Login("stage", None)
    username.write_bytes(b"\xff")
    with pytest.raises(CredentialsError, match="UTF-8"):
        files.read()
    username.write_bytes(b"a\0b")
    with pytest.raises(CredentialsError, match="NUL"):
        files.read()
    username.unlink()
    username.mkdir()
    with pytest.raises(CredentialsError, match="directory"):
        files.read()


def test_an_error_response_has_no_more_than_its_fields() -> None:
    whole = postgres.error_response("08001", "no\0connection", hint="")
    assert error_fields(whole) == {
        "S": "FATAL",
        "V": "FATAL",
        "C": "08001",
        "M": "noconnection",
    }
    assert error_fields(postgres.with_field(whole, "D", "why"))["D"] == "why"


HANG_UPS: dict[str, Callable[[socket.socket], object]] = {
    "closes": lambda connection: connection.shutdown(socket.SHUT_RDWR),
    "resets": lambda connection: connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET),
}


def hangs_up(kind: str, then: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    """Hangs up on its first two clients without a word, as a load balancer without a server."""
    seen: list[socket.socket] = []

    def serve(connection: socket.socket) -> None:
        seen.append(connection)
        if len(seen) > 2:
            then(connection)
            return
        HANG_UPS[kind](connection)
        connection.close()

    return serve


@pytest.mark.parametrize("kind", sorted(HANG_UPS))
def test_an_upstream_that_hangs_up_without_a_word_is_asked_again(start: Start, kind: str) -> None:
    def log_in(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(LOGGED_IN)

    with upstream(hangs_up(kind, log_in)) as server:
        ambassador = start_with(start, connect_timeout=30.0, dev=profile(server.config))
        with ambassador.dial() as client:
            client.sendall(STARTUP)
            client.settimeout(30)
            assert client.recv(1000) == LOGGED_IN
        assert len(server.connections) == 3
        assert ambassador.event("upstream-failing")["reason"] in ("ECONNRESET", "EPIPE")


def test_an_upstream_that_never_says_a_word_is_told_of_at_the_deadline(start: Start) -> None:
    with upstream(lambda connection: connection.close()) as server:
        ambassador = start_with(start, connect_timeout=1.5, dev=profile(server.config))
        with ambassador.dial() as client:
            client.sendall(STARTUP)
            fields = error_fields(read_all(client))
        assert fields["C"] == "08006"
        assert f"127.0.0.1:{server.port}" in fields["M"]
        assert len(server.connections) > 1


def test_an_upstream_that_hangs_up_in_the_middle_is_not_asked_again(start: Start) -> None:
    """The login may have been what it didn't like."""

    def begin(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(LOGGED_IN[:5])
        connection.close()

    with upstream(begin) as server:
        ambassador = start_with(start, connect_timeout=30.0, dev=profile(server.config))
        with ambassador.dial() as client:
            client.sendall(STARTUP)
            client.settimeout(30)
            assert error_fields(read_all(client))["C"] == "08006"
        assert len(server.connections) == 1
