"""The salted passwords of SCRAM, kept: they cost milliseconds and change with the password only."""

from __future__ import annotations

import sys

from podweave.helpers.wire.scram import salted_password

_KEPT = 64
_SLOW = 16_384
"""Iterations from which on OpenSSL is loaded for them: it is three times as fast."""


class SaltedPasswords:
    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[bytes, bytes, int], bytes] = {}

    def __call__(self, password: bytes, salt: bytes, iterations: int) -> bytes:
        key = (password, salt, iterations)
        salted = self._known.get(key)
        if salted is None:
            if len(self._known) >= _KEPT:
                self._known.clear()
            if "_hashlib" in sys.modules or iterations >= _SLOW:
                from hashlib import pbkdf2_hmac

                salted = pbkdf2_hmac("sha256", password, salt, iterations)
            else:
                salted = salted_password(password, salt, iterations)
            self._known[key] = salted
        return salted
