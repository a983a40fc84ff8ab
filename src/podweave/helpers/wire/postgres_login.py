"""The answers to PostgreSQL's authentication requests, by someone who knows the password. No I/O.

What may follow what is this table; anything else ends the login. So AuthenticationOk never stands
in for the server's own proof, and nobody is asked for the password twice.

    begun        Ok                             done      a server that trusts us
    begun        CleartextPassword, MD5         answered  the password, its hash
    answered     Ok                             done
    begun        SASL                           scram
    scram        SASLContinue                   proving
    proving      SASLFinal                      verified  the server knows the password, too
    verified     Ok                             done
"""

from __future__ import annotations

from podweave.helpers.wire.digests import md5
from podweave.helpers.wire.postgres import PostgresError, message
from podweave.helpers.wire.scram import (
    MECHANISM,
    MECHANISM_PLUS,
    ScramClient,
    ScramError,
    prepared,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.wire.scram import Salt

OK, CLEARTEXT, MD5, SASL, SASL_CONTINUE, SASL_FINAL = 0, 3, 5, 10, 11, 12
_NAMES = {2: "Kerberos V5", 7: "GSSAPI", 8: "GSSAPI", 9: "SSPI"}

_TABLE = {
    ("begun", OK): "done",
    ("begun", CLEARTEXT): "answered",
    ("begun", MD5): "answered",
    ("answered", OK): "done",
    ("begun", SASL): "scram",
    ("scram", SASL_CONTINUE): "proving",
    ("proving", SASL_FINAL): "verified",
    ("verified", OK): "done",
}

_INVALID_AUTHORIZATION = "28000"


class PostgresLogin:
    """`password` None: there is none. `secure`: nobody listens, so a password may be seen.

    `binding` is tls-server-end-point's data, where there is any. `nonce` is fresh for each login.
    """

    __slots__ = ("_binding", "_nonce", "_password", "_salt", "_scram", "_secure", "_state", "_user")

    def __init__(
        self,
        user: bytes,
        password: bytes | None,
        *,
        nonce: str,
        salt: Salt,
        secure: bool = False,
        binding: bytes | None = None,
    ) -> None:
        self._user = user
        self._password = password
        self._nonce = nonce
        self._salt = salt
        self._secure = secure
        self._binding = binding
        self._scram: ScramClient | None = None
        self._state = "begun"

    @property
    def done(self) -> bool:
        return self._state == "done"

    def answer(self, whole: bytes) -> bytes:
        """What to send on an Authentication message; b"" for nothing. PostgresError ends it."""
        body = whole[5:]
        if len(body) < 4:
            raise PostgresError("an authentication request that is cut off")
        code = int.from_bytes(body[:4], "big")
        if code in _NAMES:
            raise PostgresError(
                f"the server asks for {_NAMES[code]}, which a password doesn't answer",
                _INVALID_AUTHORIZATION,
            )
        state = _TABLE.get((self._state, code))
        if state is None:
            raise PostgresError(f"authentication request {code} out of turn ({self._state})")
        self._state = state
        try:
            return self._reply(code, body[4:])
        except ScramError as error:
            raise PostgresError(f"SCRAM: {error}", _INVALID_AUTHORIZATION) from error

    def _reply(self, code: int, data: bytes) -> bytes:
        if code == OK:
            return b""
        password = self._password
        if password is None:
            raise PostgresError(
                "the server asks for a password, and the Secret has none", _INVALID_AUTHORIZATION
            )
        if code == SASL:
            return self._begin_scram(password, data)
        if code == SASL_CONTINUE:
            assert self._scram is not None
            return message(b"p", self._scram.continued(data))
        if code == SASL_FINAL:
            assert self._scram is not None
            self._scram.final(data)
            return b""
        if code == MD5:
            if len(data) != 4:
                raise PostgresError("an MD5 salt that is not 4 bytes long")
            inner = md5(password + self._user).hexdigest().encode()
            return message(b"p", b"md5" + md5(inner + data).hexdigest().encode() + b"\0")
        if not self._secure:
            raise PostgresError(
                "the server asks for the password in clear text on a connection without TLS; "
                "set tls.mode, or let the server use scram-sha-256",
                _INVALID_AUTHORIZATION,
            )
        return message(b"p", password + b"\0")

    def _begin_scram(self, password: bytes, data: bytes) -> bytes:
        offered = data.split(b"\0")
        plus = MECHANISM_PLUS.encode() in offered
        if MECHANISM.encode() not in offered and not (plus and self._binding is not None):
            names = b", ".join(name for name in offered if name).decode("ascii", "replace")
            raise PostgresError(
                f"the server offers {names or 'nothing'}; {MECHANISM} is known here",
                _INVALID_AUTHORIZATION,
            )
        self._scram = ScramClient(
            prepared(password),
            self._nonce,
            self._salt,
            self._binding if plus else None,
            could_bind=self._binding is not None,
        )
        first = self._scram.first()
        name = self._scram.mechanism.encode() + b"\0"
        return message(b"p", name + len(first).to_bytes(4, "big") + first)


def without_binding(whole: bytes) -> bytes:
    """The Authentication message, where it offers SASL, without what binds to a TLS connection.

    The client's connection isn't the server's: no binding to the one can hold on the other.
    """
    if int.from_bytes(whole[5:9], "big") != SASL or len(whole) < 9:
        return whole
    offered = whole[9:].split(b"\0")
    kept = [name for name in offered if not name.endswith(b"-PLUS")]
    return message(b"R", whole[5:9] + b"\0".join(kept))
