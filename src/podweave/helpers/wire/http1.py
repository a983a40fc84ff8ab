"""HTTP/1.1 as a server reads requests (RFC 9110, RFC 9112), without I/O.

    parser = RequestParser()
    parser.receive(data)                # bytes as they come, b"" at end of input
    event = parser.next_event()         # Request, Data, End, or None: more bytes are needed

Strict: what two readers may understand differently is refused with a ProtocolError that carries
the status to answer with. `http1_message` has the states; `http1_response` is the client's side,
`http1_writing` makes the bytes of both.
"""

from __future__ import annotations

from podweave.helpers.wire.http1_grammar import (
    CHUNKED,
    HEAD_LIMIT,
    TOKEN,
    VERSIONS,
    VISIBLE,
    Fields,
    ProtocolError,
    declared_length,
    field,
    members,
)
from podweave.helpers.wire.http1_message import HEAD, Data, End, MessageParser

__all__ = [
    "CHUNKED",
    "HEAD_LIMIT",
    "Data",
    "End",
    "Event",
    "ProtocolError",
    "Request",
    "RequestParser",
    "parse_head",
]


class Request:
    """The head of a request. Field names are in lower case, in the order in which they came."""

    __slots__ = ("fields", "keep_alive", "method", "minor", "target")

    def __init__(
        self, method: str, target: str, minor: int, fields: Fields, keep_alive: bool
    ) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.fields = fields
        self.keep_alive = keep_alive

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]


Event = Request | Data | End


class RequestParser(MessageParser):
    what = "request"

    @property
    def between_requests(self) -> bool:
        return self.between_messages

    def next_event(self) -> Event | None:
        if self._state != HEAD:
            return self._next_of_content()
        head = self._take_head()
        if head is None:
            return None
        request, length = parse_head(head)
        self._begin_content(length)
        return request


def parse_head(head: bytes) -> tuple[Request, int]:
    """Read a head without its last empty line: the request, and its content's length or CHUNKED."""
    lines = head.split(b"\r\n")
    method, target, minor = _request_line(lines[0])
    fields = [field(line) for line in lines[1:]]
    hosts = [value for name, value in fields if name == "host"]
    if len(hosts) > 1 or (minor == 1 and not hosts):
        raise ProtocolError(400, "HTTP/1.1 takes exactly one Host")
    options = [option.lower() for option in members(fields, "connection")]
    keep_alive = minor == 1 and "close" not in options
    length = declared_length(minor, fields)
    return Request(method, target, minor, fields, keep_alive), length or 0


def _request_line(line: bytes) -> tuple[str, str, int]:
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
    return method.decode("ascii"), target.decode("ascii"), version[7] - 0x30
