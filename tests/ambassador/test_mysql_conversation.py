"""The MySQL conversation by itself: caching_sha2_password, pieces of any size, nonsense."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st
from pymysql import _auth as oracle

from podweave.helpers.ambassador.sessions.credentials import Login
from podweave.helpers.ambassador.sessions.interface import (
    Command,
    Dial,
    Refuse,
    Relay,
    Secure,
    Target,
    ToClient,
    ToUpstream,
)
from podweave.helpers.ambassador.sessions.mysql import MysqlConversation
from podweave.helpers.ambassador.sessions.mysql_commands import MysqlCommands
from podweave.helpers.ambassador.sessions.mysql_login import MysqlLogin
from podweave.helpers.wire import mysql, mysql_login
from podweave.helpers.wire.mysql import Greeting, HandshakeResponse
from podweave.helpers.wire.mysql_packets import MysqlError, Packets, packet
from tests.cutting import cut

NONCE = bytes(range(0x31, 0x31 + 20))
SERVER_CAPABILITIES = 0xDFFFFFFF
OK = b"\x00\x00\x00\x02\x00\x00\x00"
GREETING = Greeting(b"8.4.0", 7, NONCE, SERVER_CAPABILITIES, 255, 2, mysql_login.CACHING_SHA2)
CLIENT = (
    mysql.CLIENT_MYSQL
    | mysql.CLIENT_PROTOCOL_41
    | mysql.CLIENT_SECURE_CONNECTION
    | mysql.CLIENT_PLUGIN_AUTH
    | mysql.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA
    | mysql.CLIENT_CONNECT_WITH_DB
    | mysql.CLIENT_CONNECT_ATTRS
)
RESPONSE = HandshakeResponse(
    CLIENT,
    1 << 24,
    45,
    b"app",
    b"#" * 32,
    b"orders",
    mysql_login.CACHING_SHA2,
    b"\x04name\x03app",
)


def target(*, tls: bool = False, password: bytes = b"secret") -> Target:
    return Target("db:3306", tls=tls, login=Login("stage", password), database="orders_stage")


def sent(commands: Iterable[Command], kind: type[ToClient | ToUpstream]) -> bytes:
    return b"".join(command.data for command in commands if isinstance(command, kind))


def only_packet(data: bytes) -> tuple[int, bytes]:
    packets = Packets()
    packets.receive(data)
    taken = packets.next_packet()
    assert taken is not None
    assert packets.rest() == b""
    return taken


class Play:
    """A conversation up to where our login is sent."""

    def __init__(self, place: Target) -> None:
        self.conversation = MysqlConversation()
        assert [type(command) for command in self.conversation.begin()] == [Dial]
        assert not self.conversation.connected(place)
        greeted = self.conversation.from_upstream(packet(0, GREETING.render()))
        number, payload = only_packet(sent(greeted, ToClient))
        self.offered = mysql.parse_greeting(payload)
        assert number == 0
        commands = list(self.conversation.from_client(packet(1, RESPONSE.render())))
        if place.tls:
            request = only_packet(sent(commands, ToUpstream))
            assert request[0] == 1
            assert len(request[1]) == 32
            assert isinstance(commands[-1], Secure)
            commands = list(self.conversation.secured(None))
        self.number, payload = only_packet(sent(commands, ToUpstream))
        self.login = mysql.parse_handshake_response(
            payload if not place.tls else _without_tls(payload)
        )

    def upstream(self, number: int, payload: bytes) -> Sequence[Command]:
        return self.conversation.from_upstream(packet(number, payload))


def _without_tls(payload: bytes) -> bytes:
    capabilities = int.from_bytes(payload[:4], "little") & ~mysql.CLIENT_SSL
    return capabilities.to_bytes(4, "little") + payload[4:]


def test_a_cached_login_takes_one_round() -> None:
    play = Play(target())
    assert play.offered.nonce != NONCE
    assert play.offered.version == b"8.4.0"
    assert not play.offered.capabilities & mysql.NOT_OFFERED
    assert play.login.user == b"stage"
    assert play.login.database == b"orders_stage"
    assert play.login.attributes == RESPONSE.attributes
    assert play.login.auth == oracle.scramble_caching_sha2(b"secret", NONCE)
    assert not play.upstream(2, b"\x01\x03")
    (relay,) = play.upstream(3, OK)
    assert isinstance(relay, Relay)
    assert relay.to_client == packet(2, b"\x01\x03") + packet(3, OK)


def test_over_tls_the_whole_password_is_sent_where_it_is_asked_for() -> None:
    play = Play(target(tls=True))
    assert play.number == 2
    commands = play.upstream(3, b"\x01\x04")
    assert only_packet(sent(commands, ToUpstream)) == (4, b"secret\0")
    (relay,) = play.upstream(5, OK)
    assert isinstance(relay, Relay)


def test_without_tls_the_password_is_encrypted_with_the_servers_key() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    play = Play(target())
    assert only_packet(sent(play.upstream(2, b"\x01\x04"), ToUpstream)) == (3, b"\x02")
    number, payload = only_packet(sent(play.upstream(4, b"\x01" + pem), ToUpstream))
    assert number == 5
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
    hidden = key.decrypt(payload, oaep)
    assert bytes(a ^ b for a, b in zip(hidden, NONCE, strict=False)) == b"secret\0"
    (relay,) = play.upstream(6, OK)
    assert isinstance(relay, Relay)


def test_the_server_may_ask_for_another_plugin() -> None:
    play = Play(target())
    other = bytes(range(0x41, 0x41 + 20))
    switch = b"\xfe" + mysql_login.NATIVE + b"\0" + other + b"\0"
    number, answer = only_packet(sent(play.upstream(2, switch), ToUpstream))
    assert number == 3
    assert answer == oracle.scramble_native_password(b"secret", other)
    switch = b"\xfe" + mysql_login.CLEAR + b"\0"
    (refused,) = play.upstream(4, switch)
    assert isinstance(refused, Refuse)
    assert b"clear text, without TLS" in refused.farewell


@pytest.mark.parametrize("password", [b"", b"x", b"p\xc3\xa4ss" * 20])
def test_scrambles_are_those_of_another_implementation(password: bytes) -> None:
    assert mysql_login.native_scramble(password, NONCE) == oracle.scramble_native_password(
        password, NONCE
    )
    assert mysql_login.caching_sha2_scramble(password, NONCE) == oracle.scramble_caching_sha2(
        password, NONCE
    )


def test_no_key_from_the_server_makes_it_fall() -> None:
    for pem in (b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", b"\xff" * 300):
        with pytest.raises(MysqlError):
            mysql_login.encrypted_password(b"secret", NONCE, pem)


sizes = st.lists(st.integers(1, 60), max_size=12)


@given(sizes, sizes, sizes)
def test_pieces_of_any_size_make_no_difference(
    greeting: list[int], response: list[int], ok: list[int]
) -> None:
    conversation = MysqlConversation()
    conversation.begin()
    conversation.connected(target())
    to_client = b""
    for piece in cut(packet(0, GREETING.render()), greeting):
        to_client += sent(conversation.from_upstream(piece), ToClient)
    assert mysql.parse_greeting(only_packet(to_client)[1]).connection_id == 7
    to_upstream = b""
    for piece in cut(packet(1, RESPONSE.render()), response):
        to_upstream += sent(conversation.from_client(piece), ToUpstream)
    login = mysql.parse_handshake_response(only_packet(to_upstream)[1])
    assert login.auth == oracle.scramble_caching_sha2(b"secret", NONCE)
    behind = b"what the server says next"
    relay: Any = None
    left = b""
    for piece in cut(packet(2, b"\x01\x03") + packet(3, OK) + behind, ok):
        if relay is not None:
            left += piece
            continue
        for command in conversation.from_upstream(piece):
            relay = command
    assert relay.to_client + left == packet(2, b"\x01\x03") + packet(3, OK) + behind


@given(st.binary(max_size=200), st.booleans())
def test_nonsense_is_answered_and_never_raised(data: bytes, framed: bool) -> None:
    noise = packet(0, data) if framed else data
    first = MysqlConversation()
    first.connected(target())
    check(first.from_upstream(noise))
    second = MysqlConversation()
    second.connected(target())
    second.from_upstream(packet(0, GREETING.render()))
    check(second.from_client(noise))
    third = Play(target())
    check(third.conversation.from_upstream(noise))


def check(commands: Sequence[Command]) -> None:
    for command in commands:
        if isinstance(command, Refuse) and command.farewell:
            number, payload = only_packet(command.farewell)
            assert number in (0, 1, 2)
            assert payload[0] == mysql.ERR


def commands_of(login: MysqlLogin) -> MysqlCommands:
    return MysqlCommands(RESPONSE, login, b"")


def query(text: bytes, number: int = 0) -> bytes:
    return packet(number, b"\x03" + text)


@given(st.lists(st.binary(max_size=300), max_size=8), st.lists(st.integers(1, 50), max_size=30))
def test_what_is_relayed_stays_as_it_is(texts: list[bytes], pieces: list[int]) -> None:
    """Empty packets, too: they end a LOAD DATA LOCAL."""
    stream = b"".join(query(text) for text in texts) + packet(3, b"") + query(b"last")
    inspector = commands_of(MysqlLogin(b"s", mysql_login.NATIVE, NONCE, secure=False))
    out = b""
    for piece in cut(stream, pieces):
        went = inspector.from_client(piece)
        assert went is not None
        assert went[1] == b""
        out += went[0]
    assert out == stream


@given(st.lists(st.integers(1, 40), max_size=12), st.lists(st.integers(1, 20), max_size=12))
def test_a_change_of_user_is_ours_in_any_pieces(pieces: list[int], answers: list[int]) -> None:
    theirs = mysql.ChangeUser(
        b"app", b"#" * 20, b"shop", b"\x2d\x00", mysql_login.NATIVE, b"\x04name\x03app"
    )
    stream = query(b"SELECT 1") + packet(0, theirs.render(CLIENT)) + query(b"SELECT 2")
    login = MysqlLogin(b"secret", mysql_login.NATIVE, NONCE, secure=False)
    ours = HandshakeResponse(CLIENT, 1, 45, b"stage", b"", b"orders", mysql_login.NATIVE)
    inspector = MysqlCommands(ours, login, b"")
    up = b""
    for piece in cut(stream, pieces):
        went = inspector.from_client(piece)
        assert went is not None
        up += went[0]
    packets = Packets()
    packets.receive(up)
    assert packets.next_packet() == (0, b"\x03SELECT 1")
    taken = packets.next_packet()
    assert taken is not None
    change = mysql.parse_change_user(taken[1], CLIENT)
    assert (change.user, change.database) == (b"stage", b"shop")
    assert change.auth == oracle.scramble_native_password(b"secret", NONCE)
    assert packets.rest() == b""
    other = bytes(range(0x51, 0x51 + 20))
    switch = packet(1, b"\xfe" + mysql_login.NATIVE + b"\0" + other + b"\0")
    down = b""
    up = b""
    for piece in cut(switch + packet(3, OK), answers):
        went = inspector.from_upstream(piece)
        assert went is not None
        down += went[0]
        up += went[1]
    assert down == packet(1, OK)
    assert up == packet(2, oracle.scramble_native_password(b"secret", other)) + query(b"SELECT 2")
