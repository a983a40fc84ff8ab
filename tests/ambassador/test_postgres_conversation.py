"""PostgreSQL's conversation by itself: playbooks of what comes and what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import scramp  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.ambassador.sessions.cancel_keys import CancelKeys
from podweave.helpers.ambassador.sessions.credentials import Login
from podweave.helpers.ambassador.sessions.interface import (
    Close,
    Command,
    Dial,
    Refuse,
    Rejected,
    Relay,
    Secure,
    Target,
    ToClient,
    ToUpstream,
    Unready,
)
from podweave.helpers.ambassador.sessions.postgres import PostgresConversation
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.wire import postgres
from podweave.helpers.wire.postgres import Startup, error_fields, error_response, message
from podweave.helpers.wire.scram import salted_password

SSL = postgres.encryption_request()
GSS = b"\0\0\0\x08" + postgres.GSS_REQUEST.to_bytes(4, "big")
STARTUP = Startup(0, {b"user": b"app", b"database": b"orders", b"_pq_.x": b"1"})
OK = b"R\0\0\0\x08\0\0\0\0"
SETTING = message(b"S", b"server_version\0" + b"15\0")
READY = message(b"Z", b"I")
LONG_KEY = bytes(range(4)) + bytes(256)
STAGE = Login("stage", b"secret")


def authentication(code: int, body: bytes = b"") -> bytes:
    return message(b"R", code.to_bytes(4, "big") + body)


def target(**more: Any) -> Target:
    return Target("db:5432", **{"profile": "dev", "address": ("10.0.0.1", 5432), **more})


def begin(keys: CancelKeys | None = None) -> PostgresConversation:
    return PostgresConversation(keys if keys is not None else CancelKeys(), salted_password)


def shown(commands: Sequence[Command]) -> list[Any]:
    """Bytes where there are some, else the command's name."""
    told: list[Any] = []
    for command in commands:
        if isinstance(command, ToClient | ToUpstream):
            told.append((type(command).__name__, command.data))
        elif isinstance(command, Refuse):
            told.append((type(command).__name__, error_fields(command.farewell)))
        else:
            told.append(type(command).__name__)
    return told


def dialling(startup: Startup = STARTUP, keys: CancelKeys | None = None) -> PostgresConversation:
    conversation = begin(keys)
    assert shown(conversation.from_client(startup.encode())) == ["Dial"]
    return conversation


def test_encryption_is_declined_in_either_order() -> None:
    for requests in ([SSL, GSS], [GSS, SSL], [SSL], [GSS], []):
        conversation = begin()
        for request in requests:
            assert shown(conversation.from_client(request)) == [("ToClient", b"N")]
        assert shown(conversation.from_client(STARTUP.encode())) == ["Dial"]
        assert not conversation.wants_client


def test_encryption_is_asked_for_once_only() -> None:
    conversation = begin()
    conversation.from_client(SSL)
    [refuse] = conversation.from_client(SSL)
    assert isinstance(refuse, Refuse)
    assert error_fields(refuse.farewell)["C"] == "0A000"


def test_an_upstream_without_tls_and_login_is_listened_to_until_it_is_ready() -> None:
    keys = CancelKeys()
    conversation = dialling(keys=keys)
    assert shown(conversation.connected(target())) == [("ToUpstream", STARTUP.encode())]
    asked = authentication(10, b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")
    stripped = authentication(10, b"SCRAM-SHA-256\0\0")
    assert conversation.timed
    assert shown(conversation.from_upstream(asked)) == [("ToClient", stripped)]
    assert not conversation.timed
    assert shown(conversation.from_client(b"p...")) == [("ToUpstream", b"p...")]
    key = message(b"K", LONG_KEY)
    commands = conversation.from_upstream(OK + SETTING + key + READY + b"and more")
    assert shown(commands) == [
        *(("ToClient", each) for each in (OK, SETTING, key, READY)),
        "Relay",
    ]
    relay = commands[-1]
    assert isinstance(relay, Relay)
    assert relay.to_client == b"and more"
    assert len(keys) == 1
    assert relay.closed is not None
    relay.closed()
    assert len(keys) == 0


def test_what_the_client_sends_ahead_is_kept_for_the_upstream() -> None:
    early = message(b"Q", b"SELECT 1\0")
    conversation = begin()
    conversation.from_client(STARTUP.encode() + early)
    conversation.connected(target())
    commands = conversation.from_upstream(OK + READY)
    assert shown(commands)[1] == ("ToUpstream", early)

    conversation = begin()
    conversation.from_client(STARTUP.encode() + early)
    conversation.connected(target(login=Login("stage", None)))
    relay = conversation.from_upstream(OK + READY)[-1]
    assert isinstance(relay, Relay)
    assert relay.to_upstream == early


def test_tls_upstream_is_asked_for_first() -> None:
    conversation = dialling()
    assert shown(conversation.connected(target(tls=True))) == [("ToUpstream", SSL)]
    assert shown(conversation.from_upstream(b"S")) == ["Secure"]
    assert shown(conversation.secured(None)) == [("ToUpstream", STARTUP.encode())]


@pytest.mark.parametrize(
    ("answer", "code"),
    [(b"N", "08001"), (b"SR\0\0\0\x08\0\0\0\0", "08P01"), (b"H", "08P01")],
)
def test_no_tls_upstream_is_no_connection(answer: bytes, code: str) -> None:
    """Bytes ahead of the handshake are what somebody in between would add (CVE-2021-23222)."""
    conversation = dialling()
    conversation.connected(target(tls=True))
    [refuse] = conversation.from_upstream(answer)
    assert isinstance(refuse, Refuse)
    assert error_fields(refuse.farewell)["C"] == code


def test_a_server_that_cannot_start_a_process_says_why_ahead_of_tls() -> None:
    conversation = dialling()
    conversation.connected(target(tls=True))
    [(kind, data), closed] = shown(conversation.from_upstream(b"Ecould not fork\n\0"))
    assert (kind, closed) == ("ToClient", "Close")
    assert error_fields(data)["M"] == "could not fork"


def test_the_login_is_replaced() -> None:
    for startup, configured, database in (
        (STARTUP, "orders_stage", b"orders_stage"),
        (STARTUP, "", b"orders"),
        (Startup(0, {b"user": b"app"}), "", b"app"),
    ):
        conversation = dialling(startup)
        [command] = conversation.connected(target(login=STAGE, database=configured))
        assert isinstance(command, ToUpstream)
        wanted = dict(startup.parameters) | {b"user": b"stage", b"database": database}
        assert command.data == Startup(0, wanted).encode()


def test_a_password_alone_keeps_the_applications_user() -> None:
    conversation = dialling(Startup(0, {b"user": b"app"}))
    [command] = conversation.connected(target(login=Login("", b"secret")))
    assert shown([command]) == [("ToUpstream", Startup(0, {b"user": b"app"}).encode())]


def logged_in(conversation: PostgresConversation) -> None:
    assert shown(conversation.from_upstream(OK + READY)) == [
        ("ToClient", OK),
        ("ToClient", READY),
        "Relay",
    ]


def test_scram_upstream_is_unseen_by_the_client() -> None:
    mechanism = scramp.ScramMechanism("SCRAM-SHA-256")
    verifier = mechanism.make_auth_info("secret", iteration_count=4096)
    server = mechanism.make_server(lambda user: verifier)
    conversation = dialling()
    conversation.connected(target(login=STAGE))
    first = upstream_gets(conversation, authentication(10, b"SCRAM-SHA-256\0\0"))
    name, _, rest = first.partition(b"\0")
    assert name == b"SCRAM-SHA-256"
    server.set_client_first(rest[4:].decode())
    final = upstream_gets(conversation, authentication(11, server.get_server_first().encode()))
    server.set_client_final(final.decode())
    proof = authentication(12, server.get_server_final().encode())
    assert shown(conversation.from_upstream(proof)) == []
    logged_in(conversation)


def upstream_gets(conversation: PostgresConversation, data: bytes) -> bytes:
    [command] = conversation.from_upstream(data)
    assert isinstance(command, ToUpstream), shown([command])
    assert command.data[:1] == b"p"
    return command.data[5:]


def test_md5_upstream() -> None:
    conversation = dialling()
    conversation.connected(target(login=STAGE))
    # printf 'secretstage' | md5sum, then with the salt 01020304 behind it.
    answer = upstream_gets(conversation, authentication(5, b"\1\2\3\4"))
    assert answer == b"md5ed4a3bab37f08d765b7693cc3843a63a\0"
    logged_in(conversation)


def test_a_password_in_clear_text_is_for_tls_and_loopback_only() -> None:
    for more in ({"tls": True}, {"loopback": True}):
        conversation = dialling()
        conversation.connected(target(login=STAGE, **more))
        if "tls" in more:
            conversation.from_upstream(b"S")
            conversation.secured(None)
        assert upstream_gets(conversation, authentication(3)) == b"secret\0"
        logged_in(conversation)
    conversation = dialling()
    conversation.connected(target(login=STAGE))
    [refuse] = conversation.from_upstream(authentication(3))
    assert isinstance(refuse, Rejected)
    assert "without TLS" in error_fields(refuse.farewell)["M"]


@pytest.mark.parametrize(
    "messages",
    [
        [authentication(10, b"SCRAM-SHA-256\0\0"), OK],
        [authentication(3), authentication(3)],
        [authentication(11, b"r=x,s=eA==,i=1")],
        [authentication(12, b"v=eA==")],
        [authentication(7)],
        [authentication(10, b"SCRAM-SHA-512\0\0")],
        [authentication(10, b"SCRAM-SHA-256-PLUS\0\0")],
        [authentication(10, b"SCRAM-SHA-256\0\0"), authentication(11, b"r=mine,s=eA==,i=1")],
        [authentication(99)],
        [b"R\0\0\0\x04"],
    ],
)
def test_a_login_out_of_turn_is_no_login(messages: list[bytes]) -> None:
    """Above all: AuthenticationOk doesn't stand in for the server's proof."""
    conversation = dialling()
    conversation.connected(target(login=STAGE, loopback=True))
    commands: Sequence[Command] = ()
    for each in messages:
        commands = conversation.from_upstream(each)
    [refuse] = commands
    assert isinstance(refuse, Refuse)
    assert error_fields(refuse.farewell)["S"] == "FATAL"


def test_a_refused_login_may_be_tried_once_more() -> None:
    conversation = dialling()
    conversation.connected(target(login=STAGE))
    refused = error_response("28P01", "password authentication failed")
    [(kind, fields)] = shown(conversation.from_upstream(refused))
    assert kind == "Rejected"
    assert fields["C"] == "28P01"
    # The driver has read another password.
    assert len(conversation.connected(target(login=Login("stage", b"other")))) == 1
    logged_in(conversation)


def test_a_server_that_is_starting_is_asked_again() -> None:
    for login in (None, STAGE):
        conversation = dialling()
        conversation.connected(target(login=login))
        [command] = conversation.from_upstream(error_response("57P03", "starting up"))
        assert isinstance(command, Unready)
        assert not conversation.committed
        conversation.connected(target(login=login))
        assert shown(conversation.from_upstream(OK + READY))[-1] == "Relay"


def test_negotiation_of_the_protocols_version_is_passed_on() -> None:
    """Protocol 3.2: the server knows less than the client asks for, and says so."""
    startup = Startup(2, {b"user": b"app", b"_pq_.feature": b"on"})
    negotiate = message(b"v", (3 << 16).to_bytes(4, "big") + b"\0\0\0\1_pq_.feature\0")
    for login in (None, Login("", None)):
        conversation = dialling(startup)
        [command] = conversation.connected(target(login=login))
        assert isinstance(command, ToUpstream)
        assert command.data == startup.encode()
        commands = conversation.from_upstream(negotiate + OK + READY)
        assert b"".join(each.data for each in commands if isinstance(each, ToClient)) == (
            negotiate + OK + READY
        )


@pytest.mark.parametrize("secret", [b"\0" * 4, b"\1" * 32, b"\2" * 256])
def test_a_cancel_request_goes_to_whoever_gave_out_the_key(secret: bytes) -> None:
    keys = CancelKeys()
    conversation = dialling(keys=keys)
    conversation.connected(target(login=Login("", None), tls=False))
    key = b"\0\0\1\2" + secret
    relay = conversation.from_upstream(OK + message(b"K", key) + READY)[-1]
    assert isinstance(relay, Relay)

    canceller = begin(keys)
    canceller.from_client(SSL)
    [dial] = canceller.from_client(postgres.cancel_request(key))
    assert isinstance(dial, Dial)
    assert dial.place is not None
    assert dial.place.address == ("10.0.0.1", 5432)
    assert dial.place.login is None
    commands = canceller.connected(dial.place)
    assert shown(commands) == [("ToUpstream", postgres.cancel_request(key))]
    assert shown(canceller.from_upstream(b"anything")) == []
    assert shown(canceller.failed(DialError("ECONNRESET", "closed"))) == ["Close"]


def test_a_cancel_request_is_as_safe_as_its_connection() -> None:
    keys = CancelKeys()
    conversation = dialling(keys=keys)
    conversation.connected(target(tls=True))
    conversation.from_upstream(b"S")
    conversation.secured(None)
    conversation.from_upstream(OK + message(b"K", b"12345678") + READY)
    canceller = begin(keys)
    [dial] = canceller.from_client(postgres.cancel_request(b"12345678"))
    assert isinstance(dial, Dial)
    assert dial.place is not None
    assert shown(canceller.connected(dial.place)) == [("ToUpstream", SSL)]
    assert shown(canceller.from_upstream(b"N")) == ["Close"]


def test_an_unknown_key_goes_where_connections_go() -> None:
    canceller = begin()
    [dial] = canceller.from_client(postgres.cancel_request(b"12345678"))
    assert isinstance(dial, Dial)
    assert dial.place is None


def test_direct_tls_is_answered_in_tls() -> None:
    [refuse] = begin().from_client(b"\x16\x03\x01\x02\x00")
    assert isinstance(refuse, Refuse)
    assert refuse.farewell[:1] == b"\x15"


@pytest.mark.parametrize(
    "packet",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\0\0\0\x07\0\3\0\0",
        b"\0\0\x27\x11",
        b"\0\0\0\x08\0\2\0\0",
        b"\0\0\0\x09\0\3\0\0x",
        b"\0\0\0\x0d\0\3\0\0user\0",
        b"\0\0\0\x0b\x04\xd2\x16\x2e\0\0\0",
        postgres.cancel_request(bytes(261)),
    ],
)
def test_what_is_no_start_up_is_refused(packet: bytes) -> None:
    [refuse] = begin().from_client(packet)
    assert isinstance(refuse, Refuse)
    assert error_fields(refuse.farewell)["C"] in ("08P01", "0A000")


def test_failures_are_told_by_their_sqlstate() -> None:
    for reason, code in (
        ("EAI_NONAME", "08001"),
        ("ECONNREFUSED", "08001"),
        ("ETIMEDOUT", "08001"),
        ("TLS_VERIFY", "08001"),
        ("CREDENTIALS", "28000"),
        ("CONNECTION_LIMIT", "53300"),
    ):
        [refuse] = dialling().failed(DialError(reason, "what is wrong"))
        assert isinstance(refuse, Refuse)
        fields = error_fields(refuse.farewell)
        assert (fields["S"], fields["C"]) == ("FATAL", code)
        assert "what is wrong" in fields["M"]
    conversation = dialling()
    conversation.connected(target())
    [refuse] = conversation.failed(DialError("ECONNRESET", "gone"))
    assert isinstance(refuse, Refuse)
    assert error_fields(refuse.farewell)["C"] == "08006"


def feed(conversation: PostgresConversation, upstream: bool, data: bytes) -> list[Command]:
    give = conversation.from_upstream if upstream else conversation.from_client
    return list(give(data))


def collapsed(commands: Sequence[Command]) -> list[Any]:
    """What went where, in order, whatever the pieces."""
    whole: list[Any] = []
    for each in commands:
        if isinstance(each, ToClient | ToUpstream):
            kind = type(each)
            if whole and whole[-1][0] is kind:
                whole[-1] = (kind, whole[-1][1] + each.data)
            else:
                whole.append((kind, each.data))
        elif isinstance(each, Relay):
            whole.append((Relay, each.to_client, each.to_upstream))
        else:
            whole.append((type(each),))
    return whole


@given(st.lists(st.integers(1, 12)), st.sampled_from([None, STAGE]))
def test_any_pieces_give_the_same_answers(sizes: list[int], login: Login | None) -> None:
    def run(sizes: list[int]) -> list[Any]:
        conversation = begin()
        commands: list[Command] = []
        script = [(False, SSL + GSS + STARTUP.encode()), (True, b"S")]
        greeting = OK + SETTING + message(b"K", b"12345678") + READY
        pieces = list(sizes)
        for upstream, data in script:
            while data:
                size = pieces.pop() if pieces else len(data)
                commands += feed(conversation, upstream, data[:size])
                data = data[size:]
            if not upstream:
                commands += conversation.connected(target(tls=True, login=login))
        commands += conversation.secured(None)
        while greeting:
            size = pieces.pop() if pieces else len(greeting)
            commands += feed(conversation, True, greeting[:size])
            greeting = greeting[size:]
        assert any(isinstance(each, Secure) for each in commands)
        return collapsed(commands)

    assert run(sizes) == run([])


FRAGMENTS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [SSL, GSS, STARTUP.encode(), b"S", b"N", OK, READY, SETTING, authentication(3),
         authentication(5, b"1234"), authentication(10, b"SCRAM-SHA-256\0\0"),
         authentication(11, b"r=x,s=eA==,i=1"), authentication(12, b"v=eA=="),
         error_response("57P03", "not now"), error_response("28P01", "no"), b"E", b"\xff" * 9]
    ),
)  # fmt: skip
ENDS = (Refuse, Relay, Close)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), FRAGMENTS), max_size=12),
    st.booleans(),
    st.sampled_from([None, STAGE]),
)
def test_no_bytes_of_anybody_raise_anything(
    script: list[tuple[bool, bytes]], tls: bool, login: Login | None
) -> None:
    conversation = begin()
    is_connected = False
    for upstream, data in script:
        if (
            not data
            or (upstream and not is_connected)
            or not (upstream or conversation.wants_client)
        ):
            continue
        commands = feed(conversation, upstream, data)
        while commands:
            last = commands[-1]
            if isinstance(last, ENDS):
                return
            commands = []
            if isinstance(last, Dial):
                is_connected = True
                commands = list(conversation.connected(target(tls=tls, login=login)))
            elif isinstance(last, Secure):
                commands = list(conversation.secured(b"no certificate"))
