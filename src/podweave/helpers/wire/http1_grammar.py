"""What requests and responses of HTTP/1.1 are made of (RFC 9110, RFC 9112): first lines, fields and
framing.

Strict: what two readers may understand differently is a ProtocolError.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

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

Field = tuple[bytes, bytes]
"""A name in lower case, and a value without surrounding space."""

Fields = list[tuple[str, str]]
"""The same as texts, in the order in which they came."""


class ProtocolError(Exception):
    """The peer's fault; the connection ends with it.

    `status` is the answer: to the client that sent the request, or for the client (502) when
    it is the upstream's response that is broken.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


def request_line(line: bytes) -> tuple[bytes, bytes, int]:
    """Method, target and HTTP/1's minor version."""
    parts = line.split(b" ")
    if len(parts) != 3:
        raise ProtocolError(400, "the request line is not METHOD TARGET HTTP/1.1")
    method, target, version = parts
    if not method or method.translate(None, TOKEN):
        raise ProtocolError(400, "the method is not a token")
    if not target or target.translate(None, VISIBLE):
        raise ProtocolError(400, "the target has characters that must be escaped")
    if version not in VERSIONS:
        if version[:5] == b"HTTP/" and version[5:].translate(None, b"0123456789") == b".":
            raise ProtocolError(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        raise ProtocolError(400, "the request line is not METHOD TARGET HTTP/1.1")
    return method, target, version[7] - 0x30


NO_STATUS_LINE = "the status line is not HTTP/1.1 STATUS REASON"


def status_line(line: bytes) -> tuple[int, bytes, int]:
    """Status, reason and HTTP/1's minor version."""
    version, _, rest = line.partition(b" ")
    # The space before a missing reason is often missing, too, and nobody reads that differently.
    code, _, reason = rest.partition(b" ")
    if version not in VERSIONS:
        raise ProtocolError(502, NO_STATUS_LINE)
    if len(code) != 3 or not code.isdigit() or code[0] not in b"12345":
        raise ProtocolError(502, "the status is not a number from 100 to 599")
    if reason.translate(None, VALUE):
        raise ProtocolError(502, "the reason has a control character")
    return int(code), reason, version[7] - 0x30


def field(line: bytes) -> Field:
    """A field line's name, in lower case, and its value, without surrounding space."""
    name, colon, value = line.partition(b":")
    # The token check refuses space before the colon and obsolete line folding with it.
    if not colon or not name or name.translate(None, TOKEN):
        raise ProtocolError(400, "a field line is not NAME: VALUE")
    value = value.strip(b" \t")
    if value.translate(None, VALUE):
        raise ProtocolError(400, "a field's value has a control character")
    return name.lower(), value


def members(value: bytes) -> list[bytes]:
    """The members of a comma-separated value, in lower case."""
    return [member.strip(b" \t").lower() for member in value.split(b",") if member.strip(b" \t")]


def members_of(fields: Sequence[Field], name: bytes) -> list[bytes]:
    """The members of all lines of a field together, in lower case."""
    return [member for each, value in fields if each == name for member in members(value)]


def persists(minor: int, options: list[bytes]) -> bool:
    """A connection stays open after a message with these options (RFC 9112, section 9.3)."""
    return b"close" not in options and (minor == 1 or b"keep-alive" in options)


def declared_length(minor: int, fields: Sequence[Field]) -> int | None:
    """What the fields say of the content's length: bytes, CHUNKED, or None for nothing."""
    length: bytes | None = None
    codings: bytes | None = None
    for name, value in fields:
        if name == b"content-length":
            if length is not None and length != value:
                raise ProtocolError(400, "two Content-Length fields that differ")
            length = value
        elif name == b"transfer-encoding":
            codings = value if codings is None else codings + b"," + value
    if codings is None:
        if length is None:
            return None
        if not length.isdigit() or len(length) > _LONGEST_LENGTH:
            raise ProtocolError(400, "Content-Length is not a number")
        return int(length)
    if length is not None:
        raise ProtocolError(400, "Transfer-Encoding and Content-Length in one message")
    if minor == 0:
        raise ProtocolError(400, "HTTP/1.0 has no Transfer-Encoding")
    found = members(codings)
    if found[-1:] != [b"chunked"] or found.count(b"chunked") > 1:
        raise ProtocolError(400, "chunked is not the last transfer coding, once")
    if len(found) > 1:
        raise ProtocolError(501, "the only transfer coding known here is chunked")
    return CHUNKED


def texts(fields: Sequence[Field]) -> Fields:
    """The fields as a program reads them."""
    return [(name.decode("ascii"), value.decode("latin-1")) for name, value in fields]
