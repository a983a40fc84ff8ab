"""Redis through the ambassador, with a real Redis at the other end."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.ambassador.sessions.credentials import Login
from podweave.helpers.ambassador.sessions.redis_commands import RedisCommands, login_command
from podweave.helpers.wire.resp import CommandReader, RespError, command
from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.redis_server import PASSWORD, RedisServer, redis_server
from tests.ambassador.secrets import Secret
from tests.cutting import cut
from tests.ports import free_port


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with redis_server() as server:
        yield server


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    return Secret(tmp_path / "secret", "stage", PASSWORD)


def begin(start: Start, profile: dict[str, Any], timeout: float = 5.0, **more: Any) -> Ambassador:
    settings = {"protocol": "redis", "connect_timeout": timeout}
    return start(settings=settings, stage=profile, **more)


def through(ambassador: Ambassador, **more: Any) -> redis.Redis:
    return redis.Redis(port=ambassador.address()[1], socket_timeout=20, **more)


class Line:
    """A connection by hand: what is sent, what comes."""

    def __init__(self, ambassador: Ambassador) -> None:
        self.sock = ambassador.dial()
        self.file = self.sock.makefile("rb")

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.file.close()
        self.sock.close()

    def send(self, *commands: Sequence[bytes]) -> None:
        self.sock.sendall(b"".join(command(*words) for words in commands))

    def line(self) -> bytes:
        return self.file.readline()


@pytest.mark.parametrize("protocol", [2, 3])
@pytest.mark.parametrize("login", [{}, {"username": "app", "password": "old"}, {"password": "x"}])
def test_the_application_logs_in_with_whatever_it_has(
    start: Start, server: RedisServer, secret: Secret, protocol: int, login: dict[str, str]
) -> None:
    profile = {"upstreams": [server.config], "credentials": secret.config, "database": "3"}
    ambassador = begin(start, profile)
    with through(ambassador, protocol=protocol, client_name="orders", **login) as client:
        client.set("key", "value")
        assert client.get("key") == b"value"
        assert client.execute_command("ACL", "WHOAMI") == b"stage"
        mine = client.client_info()
        assert str(mine["db"]) == "3"
        assert mine["name"] == "orders"
        assert str(mine["resp"]) == str(protocol)
    # OpenSSL is for TLS only: it takes more memory than all the rest of the program.
    assert "libssl" not in Path(f"/proc/{ambassador.process.pid}/maps").read_text()
    with server.connect() as direct:
        direct.select(3)
        assert direct.get("key") == b"value"


def test_the_upstream_wants_tls_and_the_application_knows_none(
    start: Start, server: RedisServer, secret: Secret
) -> None:
    tls = {"mode": "verify-full", "ca": str(server.authority.file), "server_name": "db.example"}
    profile = {"upstreams": [server.tls_config], "credentials": secret.config, "tls": tls}
    ambassador = begin(start, profile)
    with through(ambassador, protocol=3) as client:
        client.set("big", b"x" * 3_000_000)
        assert client.get("big") == b"x" * 3_000_000


def test_without_a_login_the_clients_own_passes(start: Start, server: RedisServer) -> None:
    ambassador = begin(start, {"upstreams": [server.config]})
    with through(ambassador, username="stage", password=PASSWORD) as client:
        assert client.ping()
    with (
        through(ambassador, password="wrong") as client,
        pytest.raises(redis.exceptions.AuthenticationError),
    ):
        client.ping()


def test_logins_in_a_pipeline_keep_their_place(
    start: Start, server: RedisServer, secret: Secret
) -> None:
    ambassador = begin(start, {"upstreams": [server.config], "credentials": secret.config})
    with Line(ambassador) as line:
        line.send(
            (b"SET", b"a", b"1"),
            (b"AUTH", b"app", b"old"),
            (b"INCR", b"a"),
            (b"auth", b"old"),
            (b"ECHO", b"*2\r\n$4\r\nAUTH\r\n"),
            (b"HELLO", b"3", b"AUTH", b"app", b"old", b"SETNAME", b"me"),
        )
        assert [line.line() for _ in range(4)] == [b"+OK\r\n", b"+OK\r\n", b":2\r\n", b"+OK\r\n"]
        assert line.line() == b"$14\r\n"
        assert b"".join(line.line() for _ in range(4)) == b"*2\r\n$4\r\nAUTH\r\n\r\n"
        assert line.line().startswith(b"%")
        line.sock.sendall(b"AUTH inline words\r\nPING\r\n")
        rest = b""
        while not rest.endswith(b"+OK\r\n+PONG\r\n"):
            rest += line.line()


def test_a_reset_leaves_the_client_logged_in(
    start: Start, server: RedisServer, secret: Secret
) -> None:
    profile = {"upstreams": [server.config], "credentials": secret.config, "database": "5"}
    ambassador = begin(start, profile)
    with Line(ambassador) as line:
        line.send((b"PING",), (b"RESET",), (b"RESET",), (b"ACL", b"WHOAMI"), (b"PING",))
        expected = [
            b"+PONG\r\n",
            b"+RESET\r\n",
            b"+RESET\r\n",
            b"$5\r\n",
            b"stage\r\n",
            b"+PONG\r\n",
        ]
        assert [line.line() for _ in expected] == expected
        line.send((b"CLIENT", b"INFO"))
        line.line()
        assert b" db=5 " in line.line()


def test_subscriptions_and_blocking_commands_pass(
    start: Start, server: RedisServer, secret: Secret
) -> None:
    ambassador = begin(start, {"upstreams": [server.config], "credentials": secret.config})
    with through(ambassador) as client, through(ambassador) as other:
        subscription = client.pubsub()
        subscription.subscribe("orders")
        assert subscription.get_message(timeout=10)["type"] == "subscribe"
        other.publish("orders", "new")
        assert subscription.get_message(timeout=10)["data"] == b"new"
        subscription.close()


def test_a_thousand_pipelined_commands_in_order(
    start: Start, server: RedisServer, secret: Secret
) -> None:
    ambassador = begin(start, {"upstreams": [server.config], "credentials": secret.config})
    with through(ambassador) as client, client.pipeline(transaction=False) as pipeline:
        for number in range(5000):
            pipeline.set(f"k{number}", "v" * (number % 300))
            pipeline.strlen(f"k{number}")
        answers = pipeline.execute()
    assert answers[1::2] == [number % 300 for number in range(5000)]


def test_the_error_says_what_is_wrong(start: Start, server: RedisServer, tmp_path: Path) -> None:
    wrong = Secret(tmp_path / "wrong", "stage", "not the password")
    nobody = free_port()
    ambassador = begin(
        start,
        {"upstreams": [server.config], "credentials": wrong.config},
        timeout=1.0,
        nobody={"upstreams": [["127.0.0.1", nobody, 1]]},
        unresolvable={"upstreams": [["no-such-host.invalid", 6379, 1]]},
        no_secret={"upstreams": [server.config], "credentials": {"password": "/nonexistent/p"}},
        no_database={"upstreams": [server.config], "credentials": wrong.config, "database": "99"},
    )
    for profile, words in (
        ("stage", "refuses the login of the profile's Secret: WRONGPASS"),
        ("nobody", f"127.0.0.1:{nobody}: Connection refused"),
        ("unresolvable", "no-such-host.invalid"),
        ("no_secret", "/nonexistent/p"),
    ):
        ambassador.switch(profile)
        with Line(ambassador) as line:
            line.send((b"PING",))
            answer = line.line().decode()
            assert answer.startswith("-ERR "), profile
            assert words in answer
            assert line.line() == b""
    wrong.password.write_text(PASSWORD)
    ambassador.switch("no_database")
    with Line(ambassador) as line:
        assert line.line() == b"-ERR DB index is out of range\r\n"


def test_a_secret_that_has_changed_is_read_again(
    start: Start, server: RedisServer, secret: Secret
) -> None:
    with server.connect() as direct:
        direct.acl_setuser(
            "rotating", enabled=True, passwords="+first", categories=["+@all"], keys=["*"]
        )
        secret.username.write_text("rotating\n")
        secret.password.write_text("first\n")
        ambassador = begin(start, {"upstreams": [server.config], "credentials": secret.config})
        with through(ambassador) as client:
            assert client.ping()
        direct.acl_setuser("rotating", enabled=True, passwords=["-first", "+second"])
    secret.password.write_text("second\n")
    with through(ambassador) as client:
        assert client.ping()


# The reader of commands, by itself.

words = st.lists(st.binary(max_size=40), min_size=1, max_size=5)
named = st.builds(
    lambda name, more: [name, *more],
    st.sampled_from([b"AUTH", b"auth", b"Reset", b"HELLO"]),
    st.lists(st.binary(max_size=10), max_size=4),
)
NAMES = frozenset((b"AUTH", b"RESET", b"HELLO"))


@given(st.lists(words | named, max_size=10), st.lists(st.integers(1, 40), max_size=30))
def test_commands_are_found_in_any_pieces(commands: list[list[bytes]], sizes: list[int]) -> None:
    stream = b"".join(command(*each) for each in commands)
    reader = CommandReader(NAMES)
    found: list[bytes | list[bytes]] = []
    for piece in cut(stream, sizes):
        for part in reader.read(piece):
            if isinstance(part, bytes) and found and isinstance(found[-1], bytes):
                found[-1] += part
            else:
                found.append(part)
    assert reader.held == b""
    expected: list[bytes | list[bytes]] = []
    for each in commands:
        if each[0].upper() in NAMES:
            expected.append(each)
        elif expected and isinstance(expected[-1], bytes):
            expected[-1] += command(*each)
        else:
            expected.append(command(*each))
    assert found == expected


@pytest.mark.parametrize("nothing", [b"*0\r\n", b"*-1\r\n", b"\r\n"])
def test_what_is_no_command_hides_none_behind_it(
    start: Start, server: RedisServer, secret: Secret, nothing: bytes
) -> None:
    """Redis passes over it without an answer."""
    ambassador = begin(start, {"upstreams": [server.config], "credentials": secret.config})
    with ambassador.dial() as client:
        client.settimeout(20)
        client.sendall(nothing + command(b"AUTH", b"the application's"))
        assert client.recv(100) == b"+OK\r\n"


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_nonsense_is_passed_on_for_the_server_to_refuse(pieces: list[bytes]) -> None:
    inspector = RedisCommands(login_command(Login("", b"secret")))
    went = b""
    for piece in pieces:
        passed = inspector.from_client(piece)
        assert passed is not None
        went += passed[0]
    reader = CommandReader(NAMES)
    named = False
    try:
        for piece in pieces:
            named = named or any(isinstance(part, list) for part in reader.read(piece))
    except RespError:
        pass
    if not named:
        assert b"".join(pieces).startswith(went)


@given(st.binary(max_size=30), st.binary(max_size=30), st.lists(st.integers(1, 9), max_size=40))
def test_the_replies_to_a_reset_in_any_pieces(
    before: bytes, behind: bytes, sizes: list[int]
) -> None:
    inspector = RedisCommands(login_command(Login("stage", b"secret")), b"5")
    sent = inspector.from_client(command(b"RESET"))
    assert sent is not None
    token = sent[0][-34:-2]
    assert sent[0].endswith(command(b"ECHO", token))
    stream = before + b"+RESET\r\n+OK\r\n+OK\r\n$32\r\n" + token + b"\r\n" + behind
    got = b""
    for piece in cut(stream, sizes):
        passed = inspector.from_upstream(piece)
        assert passed is not None
        got += passed[0]
    assert got == before + b"+RESET\r\n" + behind


def test_a_socket_of_a_client_that_says_nothing_is_kept(
    start: Start, server: RedisServer, secret: Secret
) -> None:
    ambassador = begin(
        start, {"upstreams": [server.config], "credentials": secret.config}, timeout=0.2
    )
    with ambassador.dial() as client:
        client.settimeout(0.6)
        with pytest.raises(socket.timeout):
            client.recv(1)
        client.settimeout(20)
        client.sendall(command(b"PING"))
        assert client.recv(100) == b"+PONG\r\n"
