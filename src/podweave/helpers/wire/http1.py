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
    Fields,
    ProtocolError,
    declared_length,
    field,
    members_of,
    request_line,
    texts,
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
    method, target, minor = request_line(lines[0])
    fields = [field(line) for line in lines[1:]]
    hosts = [value for name, value in fields if name == b"host"]
    if len(hosts) > 1 or (minor == 1 and not hosts):
        raise ProtocolError(400, "HTTP/1.1 takes exactly one Host")
    # To keep HTTP/1.0's connection takes a field in the answer, which nobody here sends.
    keep_alive = minor == 1 and b"close" not in members_of(fields, b"connection")
    length = declared_length(minor, fields)
    request = Request(method.decode(), target.decode(), minor, texts(fields), keep_alive)
    return request, length or 0
