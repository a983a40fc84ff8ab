"""What requests and responses of HTTP/1.1 are made of (RFC 9110, RFC 9112): fields and framing.

Strict: what two readers may understand differently is a ProtocolError.
"""

from __future__ import annotations

HEAD_LIMIT = 8192
"""Bytes of first line and fields together; of the trailers too."""

TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
VALUE = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
VISIBLE = bytes(range(0x21, 0x7F))
HEX = b"0123456789abcdefABCDEF"

VERSIONS = (b"HTTP/1.0", b"HTTP/1.1")

_LONGEST_LENGTH = 15
"""Digits: beyond a petabyte nobody means it, and some readers begin to overflow."""

UNTIL_CLOSE = -1
"""A content's length: it ends where the connection does. Only responses have it."""

CHUNKED = -2
"""A content's length: it is not known ahead, the content comes in chunks."""

Fields = list[tuple[str, str]]
"""Names in lower case, values without surrounding space, in the order in which they came."""


class ProtocolError(Exception):
    """The peer's fault; the connection ends with it.

    `status` is the answer: to the client that sent the request, or for the client (502) when
    it is the upstream's response that is broken.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def field(line: bytes) -> tuple[str, str]:
    """A field line's name and value."""
    name, colon, value = line.partition(b":")
    # The token check refuses space before the colon and obsolete line folding with it.
    if not colon or not name or name.translate(None, TOKEN):
        raise ProtocolError(400, "a field line is not NAME: VALUE")
    value = value.strip(b" \t")
    if value.translate(None, VALUE):
        raise ProtocolError(400, "a field's value has a control character")
    return name.decode("ascii").lower(), value.decode("latin-1")


def members(fields: Fields, name: str) -> list[str]:
    """The members of a comma-separated field, all its lines together."""
    return [
        member.strip(" \t")
        for each, value in fields
        if each == name
        for member in value.split(",")
        if member.strip(" \t")
    ]


def declared_length(minor: int, fields: Fields) -> int | None:
    """What the fields say of the content's length: bytes, CHUNKED, or None for nothing."""
    lengths = [value for name, value in fields if name == "content-length"]
    if any(name == "transfer-encoding" for name, _ in fields):
        if lengths:
            raise ProtocolError(400, "Transfer-Encoding and Content-Length in one message")
        if minor == 0:
            raise ProtocolError(400, "HTTP/1.0 has no Transfer-Encoding")
        codings = [coding.lower() for coding in members(fields, "transfer-encoding")]
        if codings[-1:] != ["chunked"] or codings.count("chunked") > 1:
            raise ProtocolError(400, "chunked is not the last transfer coding, once")
        if len(codings) > 1:
            raise ProtocolError(501, "the only transfer coding known here is chunked")
        return CHUNKED
    if not lengths:
        return None
    if len(set(lengths)) > 1:
        raise ProtocolError(400, "two Content-Length fields that differ")
    length = lengths[0]
    if not (length.isascii() and length.isdigit()) or len(length) > _LONGEST_LENGTH:
        raise ProtocolError(400, "Content-Length is not a number")
    return int(length)
