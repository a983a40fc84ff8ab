"""A response's head: read strictly, and written anew for the client. No I/O, no state.

    content of the response      to HTTP/1.1            to HTTP/1.0
    none, or Content-Length      as it is               as it is
    chunks                       as they are            taken out of the chunks, until the close
    until the close              in chunks              as it is, until the close

A broken response is a ProtocolError with status 502.
"""

from __future__ import annotations

from podweave.helpers.ambassador.http.fields import (
    HOP_BY_HOP,
    Line,
    framing,
    lines_of,
    passed_on,
    read_line,
)
from podweave.helpers.wire.http1_grammar import (
    CHUNKED,
    UNTIL_CLOSE,
    ProtocolError,
    declared_length,
    members,
    persists,
    status_line,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.http.policy import FieldRules
    from podweave.helpers.wire.http1_grammar import Field
    from podweave.helpers.wire.prometheus import Sample

_SPECIAL = HOP_BY_HOP | {b"content-length", b"transfer-encoding"}


class Head:
    """A head as it was read. `fields` are those that are passed on, framing apart."""

    __slots__ = ("fields", "idle", "length", "minor", "reusable", "start", "status", "upgrade")

    def __init__(self, status: int, start: bytes, minor: int) -> None:
        self.status = status
        self.start = start
        """The status line as it is passed on."""
        self.minor = minor
        self.fields: list[Line] = []
        self.length: int | None = None
        """Declared: bytes, CHUNKED, or None."""
        self.reusable = minor == 1
        """The upstream takes another request on this connection, as far as the head says."""
        self.upgrade = b""
        self.idle = 0.0
        """Seconds that the upstream keeps the connection, where it says so; else 0."""


class Answer:
    """What the client is sent, and what follows."""

    __slots__ = (
        "bare",
        "chunk",
        "count",
        "head",
        "idle",
        "keep_alive",
        "length",
        "reusable",
        "status",
    )

    count: Sample

    def __init__(self, head: bytes, length: int, status: int, reusable: bool) -> None:
        self.head = head
        self.length = length
        """Of the content that the upstream sends: bytes, CHUNKED or UNTIL_CLOSE."""
        self.status = status
        self.reusable = reusable
        """The upstream's connection is as good as new after the content."""
        self.idle = 0.0
        """Seconds to keep the connection for, where the upstream has told how long it does."""
        self.keep_alive = True
        """The client may send another request after this response."""
        self.chunk = False
        """The content is put into chunks for the client."""
        self.bare = False
        """The content is taken out of its chunks for the client."""


def read(head: bytes) -> Head:
    """Read a head, with or without its last empty line."""
    try:
        return _read(head)
    except ProtocolError as error:
        error.status = 502
        raise


def _read(head: bytes) -> Head:
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    status, reason, minor = status_line(lines[0])
    result = Head(status, b"HTTP/1.1 %d %b" % (status, reason), minor)
    fields = result.fields
    lengths: list[Field] = []
    options: list[bytes] = []
    for raw in lines[1:]:
        line = read_line(raw)
        name = line[0]
        if name not in _SPECIAL:
            fields.append(line)
        elif name == b"connection":
            options += members(line[1])
        elif name == b"upgrade":
            result.upgrade = line[1]
        elif name == b"keep-alive":
            result.idle = _idle_seconds(line[1])
        elif name in (b"content-length", b"transfer-encoding"):
            lengths.append(line[:2])
    if lengths:
        result.length = declared_length(minor, lengths)
    if options:
        result.reusable = persists(minor, options)
        result.fields = passed_on(fields, options)
    return result


def _idle_seconds(value: bytes) -> float:
    """From `Keep-Alive: timeout=5` (RFC 2068, section 19.7.1.1), less what a request takes to get
    there: Node.js, for one, says 5 seconds, and hangs up on whatever comes in the sixth."""
    for member in members(value):
        name, _, seconds = member.partition(b"=")
        if name.strip() == b"timeout" and seconds.strip().isdigit() and len(seconds) < 6:
            return max(int(seconds) - 1.0, 0.1)
    return 0.0


def write(head: Head, rules: FieldRules, *, to_head: bool, minor: int, keep_alive: bool) -> Answer:
    """For a client of HTTP/1.`minor`; `keep_alive`: it may send another request afterwards.

    `to_head`: it is the response to HEAD. Interim responses (1xx) end with their head, and say
    nothing of the connection; 101 is the caller's to judge.
    """
    status = head.status
    lines = [head.start, *lines_of(head.fields, rules)]
    if status < 200:
        if status == 101:
            lines += [b"Connection: Upgrade", b"Upgrade: " + head.upgrade]
        return Answer(b"\r\n".join(lines) + b"\r\n\r\n", 0, status, head.reusable)
    lines += rules.added
    answer = Answer(b"", 0, status, head.reusable)
    answer.idle = head.idle
    if to_head or status in (204, 304):
        if status != 204:
            lines += framing(head.length)
    elif head.length is None:
        answer.length = UNTIL_CLOSE
        answer.reusable = False
        if minor:
            answer.chunk = True
            lines.append(b"Transfer-Encoding: chunked")
        else:
            keep_alive = False
    elif head.length == CHUNKED and not minor:
        answer.length = CHUNKED
        answer.bare = True
        keep_alive = False
    else:
        answer.length = head.length
        lines += framing(head.length)
    answer.keep_alive = keep_alive
    if not keep_alive:
        lines.append(b"Connection: close")
    elif not minor:
        lines.append(b"Connection: keep-alive")
    answer.head = b"\r\n".join(lines) + b"\r\n\r\n"
    return answer
