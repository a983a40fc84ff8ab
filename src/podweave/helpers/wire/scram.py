"""SCRAM-SHA-256, the client's side (RFC 5802, RFC 7677), as PostgreSQL speaks it. No I/O.

    first()         ──> client-first-message
    continued(...)  <── server-first-message   ──> client-final-message
    final(...)      <── server-final-message: the server knows the password, too

Who answers with the wrong message at the wrong time is no SCRAM server. What a server may ask for
is bounded: it decides how much work the client has. The user is called `*` here: PostgreSQL
takes the one of the start-up message.
"""

from __future__ import annotations

import binascii

from podweave.helpers.wire.digests import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.wire.digests import Hash

    Salt = Callable[[bytes, bytes, int], bytes]
    """(password, salt, iterations) -> SaltedPassword"""

MECHANISM = "SCRAM-SHA-256"
MECHANISM_PLUS = "SCRAM-SHA-256-PLUS"
"""With the login bound to the TLS connection (RFC 5929, tls-server-end-point)."""

MAX_ITERATIONS = 1_000_000
MAX_NONCE = 512
MAX_SALT = 1024
_BLOCK = 64
_INNER = bytes(byte ^ 0x36 for byte in range(256))
_OUTER = bytes(byte ^ 0x5C for byte in range(256))


class ScramError(Exception):
    """The server doesn't keep to SCRAM, or doesn't know the password."""


class ScramClient:
    """`nonce` is printable and fresh, without a comma.

    `binding` is the data of tls-server-end-point where the server offers the PLUS mechanism;
    `could_bind` says that there would be such data, and the server must not have hidden its offer.
    """

    __slots__ = ("_bare", "_gs2", "_nonce", "_password", "_salt", "_signature", "_state", "binding")

    def __init__(
        self,
        password: bytes,
        nonce: str,
        salt: Salt,
        binding: bytes | None = None,
        could_bind: bool = False,
    ) -> None:
        self.binding = binding
        self._password = password
        self._nonce = nonce.encode("ascii")
        self._salt = salt
        if binding is not None:
            self._gs2 = b"p=tls-server-end-point,,"
        else:
            self._gs2 = b"y,," if could_bind else b"n,,"
        self._bare = b"n=*,r=" + self._nonce
        self._signature = b""
        self._state = "begun"

    @property
    def mechanism(self) -> str:
        return MECHANISM if self.binding is None else MECHANISM_PLUS

    @property
    def verified(self) -> bool:
        """The server has proved that it knows the password."""
        return self._state == "verified"

    def first(self) -> bytes:
        self._enter("begun", "first sent")
        return self._gs2 + self._bare

    def continued(self, message: bytes) -> bytes:
        self._enter("first sent", "final sent")
        nonce, salt, iterations = _read_server_first(message)
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce):
            raise ScramError("the server's nonce doesn't begin with ours")
        salted = self._salt(self._password, salt, iterations)
        client_key = hmac(salted, b"Client Key")
        bound = binascii.b2a_base64(self._gs2 + (self.binding or b""), newline=False)
        without_proof = b"c=" + bound + b",r=" + nonce
        signed = self._bare + b"," + message + b"," + without_proof
        signature = hmac(sha256(client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._signature = hmac(hmac(salted, b"Server Key"), signed)
        return without_proof + b",p=" + binascii.b2a_base64(proof, newline=False)

    def final(self, message: bytes) -> None:
        self._enter("final sent", "verified")
        kind, _, value = message.partition(b",")[0].partition(b"=")
        if kind == b"e":
            raise ScramError(f"the server says {value[:100].decode('utf-8', 'replace')}")
        if kind != b"v" or _decode(value) != self._signature:
            self._state = "failed"
            raise ScramError("the server's signature is wrong: it doesn't know the password")

    def _enter(self, expected: str, state: str) -> None:
        if self._state != expected:
            raise ScramError(f"a message of the server's out of turn ({self._state})")
        self._state = state


def _read_server_first(message: bytes) -> tuple[bytes, bytes, int]:
    parts = message.split(b",")
    if len(parts) < 3 or [part[:2] for part in parts[:3]] != [b"r=", b"s=", b"i="]:
        # m= would be an extension that we must understand, and don't.
        raise ScramError("the server's first message is malformed")
    nonce, salt, iterations = (part[2:] for part in parts[:3])
    if len(nonce) > MAX_NONCE or not all(0x21 <= byte <= 0x7E for byte in nonce):
        raise ScramError("the server's nonce is malformed")
    decoded = _decode(salt)
    if not decoded or len(decoded) > MAX_SALT:
        raise ScramError("the server's salt is malformed")
    if not iterations.isdigit() or len(iterations) > 9:
        raise ScramError("the server's iteration count is malformed")
    count = int(iterations)
    if not 1 <= count <= MAX_ITERATIONS:
        raise ScramError(f"the server wants {count} iterations; at most {MAX_ITERATIONS} are done")
    return nonce, decoded, count


def _decode(text: bytes) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise ScramError("the server's message is not in base64") from None


def hmac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA-256 (RFC 2104)."""
    inner, outer = _keyed(key)
    inner.update(message)
    outer.update(inner.digest())
    return bytes(outer.digest())


def _keyed(key: bytes) -> tuple[Hash, Hash]:
    if len(key) > _BLOCK:
        key = sha256(key).digest()
    key = key.ljust(_BLOCK, b"\0")
    return sha256(key.translate(_INNER)), sha256(key.translate(_OUTER))


def salted_password(password: bytes, salt: bytes, iterations: int) -> bytes:
    """Hi() of RFC 5802: PBKDF2 with HMAC-SHA-256. 7 ms for the usual 4,096 iterations."""
    inner, outer = _keyed(password)
    block = salt + b"\0\0\0\1"
    result = 0
    for _ in range(iterations):
        step = inner.copy()
        step.update(block)
        last = outer.copy()
        last.update(step.digest())
        block = last.digest()
        result ^= int.from_bytes(block, "big")
    return result.to_bytes(32, "big")


def prepared(password: bytes) -> bytes:
    """The password as SCRAM wants it (SASLprep, RFC 4013); as it is where that isn't possible.

    PostgreSQL does the same with a password that isn't UTF-8 or has what SASLprep prohibits.
    """
    if password.isascii():
        return password
    from podweave.helpers.wire.saslprep import saslprep

    try:
        return saslprep(password.decode()).encode()
    except ValueError:
        return password
