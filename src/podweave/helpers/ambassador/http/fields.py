"""Field lines as they are passed on: read once, then known by their bytes.

What a line means depends on nothing but its bytes, and an application sends the same lines over
and over, so that reading a head is mostly a look-up a line, even when the head as a whole is new.
"""

from __future__ import annotations

from podweave.helpers.wire.http1_grammar import TOKEN, VALUE, ProtocolError

Line = tuple[bytes, bytes, bytes]
"""A field's name in lower case, its value without surrounding space, and the line as it came."""

_KNOWN_LINES = 512
_LONGEST_KNOWN = 512

_known: dict[bytes, Line] = {}

HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade", b"http2-settings")
)
"""For the next hop only (RFC 9110, section 7.6.1). HTTP2-Settings belongs to Upgrade: h2c, which
would let requests by that nobody reads."""

KEPT_WHATEVER_CONNECTION_SAYS = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"trailer",
        b"content-type",
        b"content-encoding",
        b"content-range",
        b"expect",
        b"authorization",
        b"proxy-authorization",
        b"proxy-authenticate",
        b"www-authenticate",
        b"cookie",
        b"set-cookie",
        b"cache-control",
        b"forwarded",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"via",
    )
)
"""Connection may name fields for the next hop, but none that says whose the message is, where it
ends, who sent it or what may be done with it."""


def read_line(line: bytes) -> Line:
    """ProtocolError unless it is NAME: VALUE."""
    known = _known.get(line)
    if known is not None:
        return known
    name, colon, value = line.partition(b":")
    # The token check refuses space before the colon and obsolete line folding with it.
    if not colon or not name or name.translate(None, TOKEN):
        raise ProtocolError(400, "a field line is not NAME: VALUE")
    value = value.strip(b" \t")
    if value.translate(None, VALUE):
        raise ProtocolError(400, "a field's value has a control character")
    read = (name.lower(), value, line)
    if len(line) <= _LONGEST_KNOWN:
        if len(_known) >= _KNOWN_LINES:
            _known.clear()
        _known[line] = read
    return read


def members(value: bytes) -> list[bytes]:
    """The members of a comma-separated value, in lower case."""
    return [member.strip(b" \t").lower() for member in value.split(b",") if member.strip(b" \t")]


def declared(framing: list[Line]) -> tuple[bytes | None, bytes | None]:
    """The values of Content-Length and Transfer-Encoding, each None where there is none.

    ProtocolError when both are there, or Content-Length is there twice and differs. Several
    lines of Transfer-Encoding are one list.
    """
    length: bytes | None = None
    codings: bytes | None = None
    for name, value, _ in framing:
        if name == b"transfer-encoding":
            codings = value if codings is None else codings + b"," + value
        elif length is None:
            length = value
        elif length != value:
            raise ProtocolError(400, "two Content-Length fields that differ")
    if length is not None:
        if codings is not None:
            raise ProtocolError(400, "Transfer-Encoding and Content-Length in one message")
        if not length.isdigit() or len(length) > 15:
            raise ProtocolError(400, "Content-Length is not a number")
    return length, codings


def is_chunked(codings: bytes) -> None:
    """ProtocolError unless the content is chunked, and nothing else."""
    found = members(codings)
    if found[-1:] != [b"chunked"] or found.count(b"chunked") > 1:
        raise ProtocolError(400, "chunked is not the last transfer coding, once")
    if len(found) > 1:
        raise ProtocolError(501, "the only transfer coding known here is chunked")
