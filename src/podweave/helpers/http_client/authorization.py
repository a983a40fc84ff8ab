"""The values of the field Authorization."""

from __future__ import annotations

from binascii import b2a_base64


def basic(user: bytes, password: bytes) -> str:
    """RFC 7617; user and password in UTF-8."""
    return "Basic " + b2a_base64(user + b":" + password, newline=False).decode("ascii")


def bearer(token: bytes) -> str:
    """RFC 6750."""
    return f"Bearer {token.decode('latin-1')}"
