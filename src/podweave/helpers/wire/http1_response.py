"""HTTP/1.1 as a client reads responses (RFC 9110, RFC 9112), without I/O.

    parser = ResponseParser()
    parser.expect("GET")                # a request was sent; what follows depends on its method
    parser.receive(data)                # bytes as they come, b"" at end of input
    event = parser.next_event()         # Response, Data, End, or None: more bytes are needed

Requests may be sent ahead: `expect` keeps their order. Interim responses (1xx) come before the
final one, without an End. After a 101, or a 2xx to CONNECT, the connection speaks something else:
`next_event` gives None from then on and `rest()` what came after the head.

Content: none for HEAD, 1xx, 204 and 304, whatever the fields say; else chunks, Content-Length,
or all until the connection's end. Every broken response is a ProtocolError with status 502; so is
one that nobody asked for.
"""

from __future__ import annotations

from podweave.helpers.wire.http1_grammar import (
    HEAD_LIMIT,
    NO_STATUS_LINE,
    UNTIL_CLOSE,
    Fields,
    ProtocolError,
    declared_length,
    field,
    members_of,
    persists,
    status_line,
    texts,
)
from podweave.helpers.wire.http1_message import HEAD, TUNNEL, Data, End, MessageParser


class Response:
    """The head of a response. Field names are in lower case, in the order in which they came.

    `keep_alive`: another request may be sent on this connection after the response's end.
    """

    __slots__ = ("fields", "keep_alive", "minor", "reason", "status")

    def __init__(
        self, status: int, reason: str, minor: int, fields: Fields, keep_alive: bool
    ) -> None:
        self.status = status
        self.reason = reason
        self.minor = minor
        self.fields = fields
        self.keep_alive = keep_alive

    @property
    def interim(self) -> bool:
        """Another response to the same request follows."""
        return self.status < 200 and self.status != 101

    def value(self, name: str) -> str | None:
        """The field's value, of several lines the first; None where there is none."""
        return next((value for field, value in self.fields if field == name), None)

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]


Event = Response | Data | End


class ResponseParser(MessageParser):
    what = "response"

    def __init__(self, head_limit: int = 4 * HEAD_LIMIT) -> None:
        # Larger than a request's: servers that set many cookies are not the client's choice.
        super().__init__(head_limit)
        self._methods: list[str] = []

    @property
    def idle(self) -> bool:
        """No response is awaited, and nothing of one has come."""
        return self.between_messages and not self._methods

    def expect(self, method: str) -> None:
        """A request with this method has been sent."""
        self._methods.append(method)

    def rest(self) -> bytes:
        """The other protocol's bytes behind the head that changed to it."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def next_event(self) -> Event | None:
        try:
            if self._state != HEAD:
                return self._next_of_content()
            if self._buffer and not self._methods:
                raise ProtocolError(502, "a response that no request asked for")
            if self._ended and self._methods and not self._buffer:
                raise ProtocolError(502, "the connection ended without a response")
            try:
                head = self._take_head()
            except ProtocolError:
                self._check_beginning()
                raise
            if head is None:
                self._check_beginning()
                return None
            return self._begin(head)
        except ProtocolError as error:
            error.status = 502
            raise

    def _check_beginning(self) -> None:
        """Whoever speaks something else (TLS, SMTP) never comes to the end of a head, and isn't
        waited for."""
        if not b"HTTP/".startswith(bytes(self._buffer[:5])):
            raise ProtocolError(502, NO_STATUS_LINE)

    def _begin(self, head: bytes) -> Response:
        method = self._methods[0]
        response, length = parse_head(head, method)
        if response.interim:
            return response
        del self._methods[0]
        if response.status == 101 or (method == "CONNECT" and response.status < 300):
            self._state = TUNNEL
        else:
            self._begin_content(length)
        return response


def parse_head(head: bytes, method: str) -> tuple[Response, int]:
    """Read the head, without its last empty line, of the response to a request with `method`.

    The length is bytes, CHUNKED or UNTIL_CLOSE. A ProtocolError's status is of no meaning here.
    """
    lines = head.split(b"\r\n")
    status, reason, minor = status_line(lines[0])
    fields = [field(line) for line in lines[1:]]
    declared = declared_length(minor, fields)
    if method == "HEAD" or status < 200 or status in (204, 304):
        length = 0
    else:
        length = UNTIL_CLOSE if declared is None else declared
    keep_alive = length != UNTIL_CLOSE and persists(minor, members_of(fields, b"connection"))
    response = Response(status, reason.decode("latin-1"), minor, texts(fields), keep_alive)
    return response, length
