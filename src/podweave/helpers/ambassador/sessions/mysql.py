"""The start of a MySQL connection through the ambassador. No I/O.

With a login from a Secret the two legs authenticate apart: to the application the ambassador is a
server that accepts any login, to the server a client that has the Secret's.

    state       comes                        goes                                    next
    GREETING    upstream: greeting           to client, own nonce, no TLS offered    RESPONSE
    RESPONSE    client: handshake response   request for TLS, where it is configured SECURING
                                             handshake response with our login       LOGIN
    SECURING    TLS is on                    handshake response with our login       LOGIN
    LOGIN       upstream: switch, more data  our plugin's answer                     LOGIN
                upstream: OK                 OK in the client's numbering            relayed
                upstream: ERR                the error, or once more with a login
                                             that has changed

With TLS alone the client logs in by itself: the greeting keeps the server's nonce, and what both
say is passed on, with its numbers shifted by the one that the request for TLS took (PASSING).
With neither the connection is relayed from its first byte.

The server's greeting is what the client gets to see of capabilities, version and plugin, so that
it speaks as it would without the ambassador; what would hide the bytes from a proxy (TLS,
compression) is left out of it.
"""

from __future__ import annotations

import os

from podweave.helpers.ambassador.sessions.interface import (
    Blameless,
    Conversation,
    Dial,
    Refuse,
    Rejected,
    Relay,
    Secure,
    ToClient,
    ToUpstream,
    Unready,
)
from podweave.helpers.ambassador.sessions.mysql_commands import MysqlCommands
from podweave.helpers.ambassador.sessions.mysql_login import MysqlLogin
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.wire import mysql
from podweave.helpers.wire.mysql import Greeting, HandshakeResponse
from podweave.helpers.wire.mysql_login import CACHING_SHA2, NATIVE
from podweave.helpers.wire.mysql_packets import MysqlError, Packets, packet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.ambassador.sessions.interface import Command, Target

GREETING, RESPONSE, SECURING, LOGIN, PASSING, OVER = range(6)

CANNOT_CONNECT = 1429
"""ER_CONNECT_TO_FOREIGN_DATA_SOURCE. Not 2003, by which clients themselves say "can't connect": it
is no server's to send, and MariaDB's clients call such a packet malformed."""
HANDSHAKE_ERROR = 1043
READ_TIMEOUT = 1159
"""ER_NET_READ_INTERRUPTED."""
_FAST_LOGIN, _FULL_LOGIN = b"\x01\x03", b"\x01\x04"
"""What caching_sha2_password says: it knows the password, or wants to see it."""
_NOT_NOW = frozenset((1040, 1053, 1203))
"""Too many connections, shutting down, too many of this user."""
_DENIED = frozenset((1045, 1698, 4151))
"""ER_ACCESS_DENIED_ERROR and its kin, of MariaDB too."""


class MysqlConversation(Conversation):
    __slots__ = (
        "_client",
        "_greeting",
        "_login",
        "_offered",
        "_ours",
        "_response",
        "_sequence",
        "_shift",
        "_state",
        "_target",
        "_upstream",
    )

    def __init__(self) -> None:
        super().__init__()
        # The server speaks first; what an eager client says stays in the kernel until then.
        self.wants_client = False
        self._state = GREETING
        self._client = Packets()
        self._upstream = Packets()
        self._sequence = 0
        """The number of the next packet to the client."""
        self._shift = 0
        self._greeting: Greeting | None = None
        self._offered: Greeting | None = None
        self._response: HandshakeResponse | None = None
        self._ours: HandshakeResponse | None = None
        self._login: MysqlLogin | None = None
        self._target: Target | None = None

    def begin(self) -> Sequence[Command]:
        return (Dial(),)

    def connected(self, target: Target) -> Sequence[Command]:
        self._target = target
        self._upstream = Packets()
        self._state = GREETING
        self.timed = True
        if target.login is None and not target.tls and not target.database:
            if self._offered is None:
                self._state = OVER
                return (Relay(),)
            return self._blameless("the profile was switched during the login: connect again")
        return ()

    def failed(self, error: DialError) -> Sequence[Command]:
        self._state = OVER
        message = f"can't connect to the database: {error.message}"
        return (Refuse(error, self._error(CANNOT_CONNECT, b"08S01", message)),)

    def waited(self, error: DialError) -> Sequence[Command]:
        self._state = OVER
        return (Blameless(error, self._error(READ_TIMEOUT, b"08S01", error.message)),)

    def secured(self, certificate: bytes | None) -> Sequence[Command]:
        return self._send_login(2)

    def from_upstream(self, data: bytes) -> Sequence[Command]:
        self._upstream.receive(data)
        commands: list[Command] = []
        try:
            while self._state in (GREETING, LOGIN, PASSING):
                taken = self._upstream.next_packet()
                if taken is None:
                    break
                if not taken[1]:
                    raise MysqlError("an empty packet in the start-up")
                if self._state == GREETING:
                    commands += self._greeted(taken[1])
                elif self._state == LOGIN:
                    commands += self._answered(*taken)
                else:
                    commands += self._passed(*taken)
        except MysqlError as error:
            commands += self._refused(str(error))
        return commands

    def from_client(self, data: bytes) -> Sequence[Command]:
        self._client.receive(data)
        commands: list[Command] = []
        try:
            while self._state in (RESPONSE, PASSING):
                taken = self._client.next_packet()
                if taken is None:
                    break
                sequence, payload = taken
                self._sequence = sequence + 1
                if self._state == RESPONSE:
                    self._response = mysql.parse_handshake_response(payload)
                    commands += self._begin_login()
                else:
                    self.timed = True
                    commands.append(ToUpstream(packet(sequence + self._shift, payload)))
        except MysqlError as error:
            commands += self._blameless(f"the client: {error}", HANDSHAKE_ERROR)
        return commands

    def _greeted(self, payload: bytes) -> Sequence[Command]:
        if payload[0] == mysql.ERR:
            return self._turned_away(*mysql.parse_err(payload))
        greeting, target = mysql.parse_greeting(payload), self._target
        assert target is not None
        if target.tls and not greeting.capabilities & mysql.CLIENT_SSL:
            return self._refused("the server doesn't offer TLS, which the profile asks for")
        self._greeting = greeting
        if self._response is not None:
            return self._begin_login()
        if self._offered is not None:
            # A switch of the profile, and the client still thinks about its answer.
            self._await_response()
            return ()
        passing = target.login is None
        self._offered = Greeting(
            greeting.version,
            greeting.connection_id,
            greeting.nonce if passing else _nonce(),
            greeting.capabilities & ~mysql.NOT_OFFERED,
            greeting.charset,
            greeting.status,
            greeting.plugin if passing else _offered_plugin(greeting),
            greeting.extended,
        )
        # Of a client that logs in by itself, the answer is for this server's nonce only.
        self.committed = passing
        self._await_response()
        self._sequence = 1
        return (ToClient(packet(0, self._offered.render())),)

    def _await_response(self) -> None:
        self._state = RESPONSE
        self.wants_client = True
        self.timed = False

    def _begin_login(self) -> Sequence[Command]:
        greeting, target, response = self._greeting, self._target, self._response
        offered = self._offered
        assert greeting is not None
        assert target is not None
        assert response is not None
        assert offered is not None
        used = response.capabilities & offered.capabilities
        if used & ~greeting.capabilities & ~mysql.CLIENT_PLUGIN_AUTH:
            return self._blameless("this server can do less than the first one said: connect again")
        database = target.database.encode() if target.database else response.database
        capabilities = used & ~mysql.CLIENT_CONNECT_WITH_DB | mysql.CLIENT_SECURE_CONNECTION
        if database:
            capabilities |= mysql.CLIENT_CONNECT_WITH_DB
        if target.tls:
            capabilities |= mysql.CLIENT_SSL
        user, auth, plugin = response.user, response.auth, response.plugin
        self._login = None
        if target.login is not None:
            capabilities |= greeting.capabilities & mysql.CLIENT_PLUGIN_AUTH
            password = target.login.password or b""
            self._login = MysqlLogin(
                password, greeting.plugin or NATIVE, greeting.nonce, secure=target.tls
            )
            auth = self._login.first()
            plugin = self._login.plugin
            user = target.login.username.encode() or user
        self._ours = HandshakeResponse(
            capabilities,
            response.max_packet,
            response.charset,
            user,
            auth,
            database,
            plugin,
            response.attributes,
            response.extended & greeting.extended,
        )
        self.timed = True
        # With our own login the client has nothing to say before it is over.
        self.wants_client = self._login is None
        if not target.tls:
            return self._send_login(1)
        self._state = SECURING
        return (ToUpstream(packet(1, self._ours.head())), Secure())

    def _send_login(self, sequence: int) -> Sequence[Command]:
        assert self._ours is not None
        self._state = LOGIN if self._login is not None else PASSING
        self._shift = sequence - 1
        return (ToUpstream(packet(sequence, self._ours.render())),)

    def _answered(self, sequence: int, payload: bytes) -> Sequence[Command]:
        """The server on our login."""
        login, kind = self._login, payload[0]
        assert login is not None
        if kind == mysql.OK:
            return self._accepted(payload)
        if kind == mysql.ERR:
            return self._turned_away(*mysql.parse_err(payload))
        if kind == mysql.AUTH_SWITCH:
            answer: bytes | None = login.switched(*mysql.parse_auth_switch(payload))
        elif kind == mysql.AUTH_MORE_DATA:
            answer = login.more(payload[1:])
        else:
            raise MysqlError(f"a packet that begins with {kind:#x} during the login")
        return () if answer is None else (ToUpstream(packet(sequence + 1, answer)),)

    def _accepted(self, payload: bytes) -> Sequence[Command]:
        response, offered, ours = self._response, self._offered, self._ours
        assert response is not None
        assert offered is not None
        assert ours is not None
        assert self._login is not None
        self._state = OVER
        welcome = accepted(response.plugin, response.auth, payload, self._sequence)
        assert self._target is not None
        commands = MysqlCommands(ours, self._login, self._target.database.encode())
        return (Relay(welcome + self._upstream.rest(), self._client.rest(), inspector=commands),)

    def _passed(self, sequence: int, payload: bytes) -> Sequence[Command]:
        """The server on the client's own login."""
        if payload == _FULL_LOGIN:
            # Its answer would be a request for a key, as it knows of no TLS; the server waits for
            # the password itself.
            return self._blameless(
                "caching_sha2_password wants the password in full, which only a login in the "
                "profile's `credentials` can give over the ambassador's TLS"
            )
        data = packet(sequence - self._shift, payload)
        if payload[0] in (mysql.OK, mysql.ERR):
            self._state = OVER
            return (Relay(data + self._upstream.rest(), self._client.rest()),)
        # It is the client's turn, unless it is told of its success only.
        self.timed = payload == _FAST_LOGIN
        return (ToClient(data),)

    def _turned_away(self, number: int, state: bytes, message: str) -> Sequence[Command]:
        greeting = self._state == GREETING
        self._state = OVER
        label = self._target.label if self._target is not None else ""
        error = DialError(f"MYSQL_{number}", f"{label}: {message}")
        if number in _DENIED and self._login is not None:
            told = f"{label} refuses the login of the profile's Secret: {message}"
            return (Rejected(error, self._error(number, state, told)),)
        farewell = self._error(number, state, message)
        if number in _NOT_NOW:
            return (Unready(error, farewell),)
        # Once it has said its greeting it serves us; what it has against this login, a database
        # that isn't there for one, is the client's.
        return (Refuse(error, farewell) if greeting else Blameless(error, farewell),)

    def _refused(self, message: str) -> Sequence[Command]:
        """The server doesn't do what it must."""
        self._state = OVER
        label = self._target.label if self._target is not None else ""
        error = DialError("EPROTO", f"{label}: {message}")
        return (Refuse(error, self._error(CANNOT_CONNECT, b"08S01", error.message)),)

    def _blameless(self, message: str, number: int = CANNOT_CONNECT) -> Sequence[Command]:
        self._state = OVER
        error = DialError("EPROTO", message)
        return (Blameless(error, self._error(number, b"08S01", message)),)

    def _error(self, number: int, state: bytes, message: str) -> bytes:
        return packet(self._sequence, mysql.err(number, state, message))


def accepted(plugin: bytes | None, auth: bytes, ok: bytes, sequence: int) -> bytes:
    """What tells a client that its login is right, whatever it was: the server's OK.

    caching_sha2_password hears of its success before, unless there is no password.
    """
    if plugin == CACHING_SHA2 and auth not in (b"", b"\0"):
        return packet(sequence, b"\x01\x03") + packet(sequence + 1, ok)
    return packet(sequence, ok)


def _offered_plugin(greeting: Greeting) -> bytes:
    """The server's own, for which the client is made."""
    return greeting.plugin if greeting.plugin in (NATIVE, CACHING_SHA2) else NATIVE


def _nonce() -> bytes:
    """20 random bytes without NUL and `$`, as MySQL makes them: some clients stop at a NUL."""
    return bytes(byte % 0x5A + 0x25 for byte in os.urandom(mysql.NONCE_LENGTH))
