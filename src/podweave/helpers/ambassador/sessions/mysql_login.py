"""Logs in to a MySQL server with a password that the ambassador knows. No I/O."""

from __future__ import annotations

from podweave.helpers.wire.mysql_login import (
    CACHING_SHA2,
    CLEAR,
    NATIVE,
    SHA256,
    caching_sha2_scramble,
    encrypted_password,
    native_scramble,
)
from podweave.helpers.wire.mysql_packets import MysqlError

_FAST = b"\x03"
_FULL = b"\x04"
_ASK_KEY = b"\x02"
_ASK_KEY_SHA256 = b"\x01"


class MysqlLogin:
    """The answers to what the server asks. `secure`: the connection is encrypted.

    Where it is not, a password that the server wants to see is encrypted with the key that the
    server sends: safe from listeners, not from a server that is somebody else's.
    """

    __slots__ = ("_password", "_wants_key", "nonce", "plugin", "secure")

    def __init__(self, password: bytes, plugin: bytes, nonce: bytes, *, secure: bool) -> None:
        self.plugin = plugin
        self.nonce = nonce
        self.secure = secure
        self._password = password
        self._wants_key = False

    def first(self) -> bytes:
        """What goes into the handshake response or a change of user.

        A server may have a default plugin that nobody here knows and another one for this user:
        then it asks again (`switched`).
        """
        if self.plugin not in (NATIVE, CACHING_SHA2):
            self.plugin = NATIVE
        return self._answer()

    def switched(self, plugin: bytes, nonce: bytes) -> bytes:
        """The server wants another plugin. MysqlError where it is none of ours."""
        self.plugin = plugin
        if nonce:
            self.nonce = nonce
        return self._answer()

    def more(self, data: bytes) -> bytes | None:
        """The server has more to say; None where it needs no answer."""
        if self._wants_key:
            self._wants_key = False
            return encrypted_password(self._password, self.nonce, data)
        if self.plugin == CACHING_SHA2:
            if data == _FAST:
                return None
            if data == _FULL:
                return self._whole(_ASK_KEY)
        raise MysqlError("the server's plugin says what nobody here understands")

    def _answer(self) -> bytes:
        if self.plugin == NATIVE:
            return native_scramble(self._password, self.nonce)
        if self.plugin == CACHING_SHA2:
            return caching_sha2_scramble(self._password, self.nonce)
        if self.plugin == SHA256:
            return self._whole(_ASK_KEY_SHA256) if self._password else b"\0"
        if self.plugin == CLEAR:
            if not self.secure:
                raise MysqlError("the server wants the password in clear text, without TLS")
            return self._password + b"\0"
        name = self.plugin.decode("utf-8", "replace")
        raise MysqlError(
            f"the server wants the login by {name}, which the ambassador doesn't know: let the "
            "account have mysql_native_password or caching_sha2_password"
        )

    def _whole(self, ask_key: bytes) -> bytes:
        if self.secure:
            return self._password + b"\0"
        self._wants_key = True
        return ask_key
