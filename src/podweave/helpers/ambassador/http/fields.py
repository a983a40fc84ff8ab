"""Field lines as they are passed on: read once, then known by their bytes.

What a line means depends on nothing but its bytes, and an application sends the same lines over
and over, so that reading a head is mostly a look-up a line, even when the head as a whole is new.
"""

from __future__ import annotations

from podweave.helpers.ambassador.http.memo import keep
from podweave.helpers.wire.http1_grammar import CHUNKED, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.http.policy import FieldRules

Line = tuple[bytes, bytes, bytes]
"""A field's name in lower case, its value without surrounding space, and the line as it came."""

_known: dict[bytes, Line] = {}

HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"upgrade", b"http2-settings")
)
"""For the next hop only (RFC 9110, section 7.6.1). HTTP2-Settings belongs to Upgrade: h2c, which
would let requests by that nobody reads."""

KEPT_WHATEVER_CONNECTION_SAYS = frozenset(
    (
        b"close",
        b"keep-alive",
        b"upgrade",
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
ends, who sent it or what may be done with it. The first three are its usual options."""


def read_line(line: bytes) -> Line:
    """ProtocolError unless it is NAME: VALUE."""
    known = _known.get(line)
    if known is not None:
        return known
    read = (*field(line), line)
    keep(_known, line, read)
    return read


def passed_on(fields: list[Line], options: list[bytes]) -> list[Line]:
    """Without those that Connection, which has these options, names for the next hop only."""
    dropped = set(options) - KEPT_WHATEVER_CONNECTION_SAYS
    return [line for line in fields if line[0] not in dropped] if dropped else fields


def lines_of(fields: list[Line], rules: FieldRules) -> list[bytes]:
    """The lines that are not to be dropped."""
    dropped = rules.dropped
    if dropped:
        return [line for name, _, line in fields if name not in dropped]
    return [line for _, _, line in fields]


def framing(length: int | None) -> list[bytes]:
    """The line that says how long the content is: bytes, CHUNKED, or None for no line."""
    if length is None:
        return []
    return [b"Transfer-Encoding: chunked" if length == CHUNKED else b"Content-Length: %d" % length]
