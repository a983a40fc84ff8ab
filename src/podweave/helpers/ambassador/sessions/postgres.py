"""PostgreSQL: from a client's first byte to ReadyForQuery.

    starting   the client's SSLRequest, GSSENCRequest (both answered `N`), Startup or Cancel
    dialling   the rest is the upstream's; the client waits
    consent    SSLRequest has gone to the upstream: one byte, `S` or `N`
    securing   TLS with the upstream
    login      with the Secret's login: the ambassador answers, the client sees nothing yet
    passing    without: client and upstream talk it out between them, and are listened to
    greeted    logged in; parameters and the cancel key pass, until ReadyForQuery: relayed
    cancelling the request has gone to the upstream, whose end is the answer

The client's own login, whatever it is, is accepted as it comes: it is asked for no password.
"""

from __future__ import annotations

import binascii
import os

from podweave.helpers.ambassador.sessions.interface import (
    Blameless,
    Close,
    Command,
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
from podweave.helpers.ambassador.sessions.postgres_errors import refusal
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.wire import postgres
from podweave.helpers.wire.channel_binding import server_end_point
from podweave.helpers.wire.postgres import (
    Cancel,
    EncryptionRequest,
    MessageReader,
    PostgresError,
    Startup,
    StartupReader,
)
from podweave.helpers.wire.postgres_login import PostgresLogin, without_binding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.ambassador.sessions.cancel_keys import CancelKeys
    from podweave.helpers.ambassador.sessions.interface import Target
    from podweave.helpers.wire.scram import Salt

_ALERT_HANDSHAKE_FAILURE = b"\x15\x03\x01\x00\x02\x02\x28"
"""What a client that speaks TLS understands (RFC 8446, section 6.2)."""

_CANNOT_CONNECT_NOW = "57P03"
_QUERY_CANCELED = "57014"
"""With which a server ends an authentication that takes too long."""
_LOGIN_REFUSED = ("28000", "28P01")


class PostgresConversation(Conversation):
    __slots__ = (
        "_cancel",
        "_key",
        "_keys",
        "_login",
        "_messages",
        "_prelude",
        "_refused",
        "_salt",
        "_startup",
        "_startup_reader",
        "_state",
        "_target",
    )

    def __init__(self, keys: CancelKeys, salt: Salt) -> None:
        super().__init__()
        self._keys = keys
        self._salt = salt
        self._state = "starting"
        self._startup_reader = StartupReader()
        self._startup: Startup | None = None
        self._cancel = b""
        self._target: Target | None = None
        self._messages = MessageReader()
        self._login: PostgresLogin | None = None
        self._prelude = b""
        self._key = b""
        self._refused = False

    def from_client(self, data: bytes) -> Sequence[Command]:
        if self._state == "passing":
            # Its answers to the upstream's authentication requests, and whatever it adds.
            return (ToUpstream(data),)
        reader = self._startup_reader
        reader.feed(data)
        commands: list[Command] = []
        try:
            while (packet := reader.next()) is not None:
                if isinstance(packet, EncryptionRequest):
                    commands.append(ToClient(b"N"))
                elif isinstance(packet, Startup):
                    self._startup = packet
                    commands.append(self._dial())
                elif isinstance(packet, Cancel):
                    self._cancel = packet.key
                    commands.append(self._dial())
                else:
                    error = DialError("EPROTO", "the client wants TLS, and localhost has none")
                    commands.append(Blameless(error, _ALERT_HANDSHAKE_FAILURE))
        except PostgresError as error:
            answer = postgres.error_response(error.code, error.message)
            commands.append(Blameless(DialError("EPROTO", f"the client: {error.message}"), answer))
        return commands

    def _dial(self) -> Command:
        self._state = "dialling"
        self.wants_client = False
        return Dial(self._keys.find(self._cancel) if self._cancel else None)

    def connected(self, target: Target) -> Sequence[Command]:
        self._target = target
        self._messages = MessageReader()
        self._login = None
        self._prelude = b""
        self._key = b""
        self._refused = False
        if target.tls:
            self._state = "consent"
            return (ToUpstream(postgres.encryption_request()),)
        return self._start(None)

    def secured(self, certificate: bytes | None) -> Sequence[Command]:
        return self._start(certificate)

    def _start(self, certificate: bytes | None) -> Sequence[Command]:
        """To the upstream as if the client had come to it directly, but as somebody else."""
        if self._cancel:
            self._state = "cancelling"
            return (ToUpstream(postgres.cancel_request(self._cancel)),)
        startup, target = self._startup, self._target
        assert startup is not None
        assert target is not None
        parameters = dict(startup.parameters)
        asked_user = parameters.get(b"user", b"")
        login = target.login
        if login is not None and login.username:
            parameters[b"user"] = login.username.encode()
        if target.database:
            parameters[b"database"] = target.database.encode()
        elif parameters.get(b"user", b"") != asked_user and asked_user:
            # It defaults to the user's name, and that is another one now.
            parameters.setdefault(b"database", asked_user)
        if login is not None:
            self._state = "login"
            self._login = PostgresLogin(
                parameters.get(b"user", b""),
                login.password,
                nonce=binascii.b2a_base64(os.urandom(18), newline=False).decode(),
                salt=self._salt,
                secure=target.tls or target.loopback,
                binding=server_end_point(certificate),
            )
        else:
            self._state = "passing"
        return (ToUpstream(Startup(startup.minor, parameters).encode()),)

    def from_upstream(self, data: bytes) -> Sequence[Command]:
        if self._state == "consent":
            return self._consented(data)
        if self._state == "cancelling":
            return ()
        self._messages.feed(data)
        commands: list[Command] = []
        try:
            while not self._refused and (next_ := self._messages.next()) is not None:
                commands += self._take(*next_)
                if commands and isinstance(commands[-1], Relay):
                    break
        except PostgresError as error:
            commands.append(self._upstream_misbehaved(error))
        return commands

    def _consented(self, data: bytes) -> Sequence[Command]:
        if data == b"S":
            self._state = "securing"
            return (Secure(),)
        assert self._target is not None
        label = self._target.label
        if data[:1] == b"S":
            # Somebody in between wants these bytes to be taken for ones that came over TLS.
            return self.failed(DialError("EPROTO", f"{label} has sent bytes ahead of TLS"))
        if data[:1] == b"E":
            # A server that can't start a process for us; what follows says why.
            self._state = "login"
            return self.from_upstream(data)
        if data[:1] == b"N":
            return self.failed(DialError("TLS_REFUSED", f"{label} does not speak TLS"))
        return self.failed(DialError("EPROTO", f"{label} does not speak PostgreSQL's protocol"))

    def _take(self, kind: bytes, whole: bytes) -> Sequence[Command]:
        if kind == postgres.ERROR:
            return self._upstream_refuses(whole)
        if self._state == "login":
            return self._logging_in(kind, whole)
        self.committed = True
        if kind == postgres.AUTHENTICATION:
            return self._pass_authentication(whole)
        if kind == postgres.BACKEND_KEY:
            self._key = whole[5:]
        elif kind == postgres.READY:
            return (ToClient(whole), self._relay())
        return (ToClient(whole),)

    def _pass_authentication(self, whole: bytes) -> Sequence[Command]:
        """From now on the client has a say, and all the time that it wants."""
        self.timed = False
        self.wants_client = True
        early = self._startup_reader.take_rest()
        answer = ToClient(without_binding(whole))
        return (answer, ToUpstream(early)) if early else (answer,)

    def _logging_in(self, kind: bytes, whole: bytes) -> Sequence[Command]:
        if kind != postgres.AUTHENTICATION:
            # NegotiateProtocolVersion, or a notice: not before the login is through.
            self._prelude += whole
            if len(self._prelude) > postgres.MAX_MESSAGE:
                raise PostgresError("too much before the login")
            return ()
        if self._login is None:
            raise PostgresError("a login before TLS")
        answer = self._login.answer(whole)
        if self._login.done:
            self._state = "greeted"
            self.committed = True
            prelude, self._prelude = self._prelude, b""
            return (ToClient(prelude + whole),)
        return (ToUpstream(answer),) if answer else ()

    def _relay(self) -> Command:
        target, key = self._target, self._key
        assert target is not None
        rest = self._messages.rest
        pending = self._startup_reader.take_rest()
        if not key:
            return Relay(rest, pending)
        place = self._keys.add(key, target)
        return Relay(rest, pending, lambda: self._keys.remove(key, place))

    def _upstream_refuses(self, whole: bytes) -> Sequence[Command]:
        """An ErrorResponse before ReadyForQuery is the upstream's last word."""
        assert self._target is not None
        fields = postgres.error_fields(whole)
        code, text = fields.get("C", ""), fields.get("M", "")
        error = DialError(f"SQLSTATE_{code}", f"{self._target.label}: {text}")
        if not self.committed:
            if code == _CANNOT_CONNECT_NOW:
                self._refused = True
                return (Unready(error, whole),)
            login = self._target.login
            if login is not None and code in _LOGIN_REFUSED:
                self._refused = True
                told = f"The ambassador logs in to {self._target.label} with the Secret's login."
                if "D" not in fields:
                    whole = postgres.with_field(whole, "D", told)
                return (Rejected(error, whole),)
        self._refused = True
        return (ToClient(whole), Close())

    def _upstream_misbehaved(self, error: PostgresError) -> Command:
        assert self._target is not None
        told = f"{self._target.label}: {error.message}"
        self._refused = True
        if error.code == "08P01":
            return Refuse(DialError("EPROTO", told), postgres.error_response("08P01", told))
        # The password is missing, or not the kind of proof that is asked for, or not the server's.
        answer = postgres.error_response(error.code, f"the ambassador cannot log in to {told}")
        return Rejected(DialError("LOGIN", told), answer)

    def waited(self, error: DialError) -> Sequence[Command]:
        return (Blameless(error, postgres.error_response(_QUERY_CANCELED, error.message)),)

    def failed(self, error: DialError) -> Sequence[Command]:
        if self._cancel:
            # Nobody is told what becomes of a cancel request; a success looks the same.
            return (Close(),)
        return (Refuse(error, refusal(error, connected=self._target is not None)),)
