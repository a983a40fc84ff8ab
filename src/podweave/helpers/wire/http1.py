"""HTTP/1.1 as a server reads and writes it (RFC 9110, RFC 9112), without I/O.

    parser = RequestParser()
    parser.receive(data)                # bytes as they come, b"" at end of input
    event = parser.next_event()         # Request, Data, End, or None: more bytes are needed

Strict: what two readers may understand differently is refused with a ProtocolError that carries
the status to answer with. Any way of cutting the same bytes gives the same events, but for the
cuts between Data. After an error the connection can only be closed: where the next message
begins is not known.

    state        bytes                          event      next state
    HEAD         request line, fields, CRLFCRLF Request    END | LENGTH | SIZE
    LENGTH       Content-Length bytes           Data       LENGTH | END
    SIZE         chunk size line                -          CHUNK | TRAILERS (size 0)
    CHUNK        chunk's bytes                  Data       CHUNK | CHUNK_END
    CHUNK_END    CRLF                           -          SIZE
    TRAILERS     fields (dropped), CRLF         -          END
    END          -                              End        HEAD
"""

from __future__ import annotations

HEAD_LIMIT = 8192
"""Bytes of request line and fields together; of the trailers too."""

_CHUNK_LINE_LIMIT = 256

_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUE = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])
_VISIBLE = bytes(range(0x21, 0x7F))
_HEX = b"0123456789abcdefABCDEF"

HEAD, LENGTH, SIZE, CHUNK, CHUNK_END, TRAILERS, END = range(7)

REASONS = {
    200: "OK",
    204: "No Content",
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    411: "Length Required",
    413: "Content Too Large",
    417: "Expectation Failed",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    505: "HTTP Version Not Supported",
}


class ProtocolError(Exception):
    """The client's fault. `status` is the answer; the connection ends with it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Request:
    """The head of a request. Field names are in lower case, in the order in which they came."""

    __slots__ = ("fields", "keep_alive", "method", "minor", "target")

    def __init__(
        self, method: str, target: str, minor: int, fields: list[tuple[str, str]], keep_alive: bool
    ) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.fields = fields
        self.keep_alive = keep_alive

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]


class Data:
    """A part of the request's content."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content


class End:
    """The request is complete."""

    __slots__ = ()


Event = Request | Data | End


class RequestParser:
    def __init__(self, head_limit: int = HEAD_LIMIT) -> None:
        self._head_limit = head_limit
        self._buffer = bytearray()
        self._searched = 0
        self._state = HEAD
        self._remaining = 0
        self._ended = False

    @property
    def between_requests(self) -> bool:
        """Nothing of a request has come: to close the connection now is no error."""
        return self._state == HEAD and not self._buffer

    def receive(self, data: bytes) -> None:
        if data:
            self._buffer += data
        else:
            self._ended = True

    def next_event(self) -> Event | None:
        while True:
            state = self._state
            if state == HEAD:
                head = self._take_head()
                return None if head is None else self._begin(head)
            if state == END:
                self._state = HEAD
                return End()
            if state in (LENGTH, CHUNK):
                return self._take_content()
            line = self._take_line()
            if line is None:
                return None
            if state == SIZE:
                self._begin_chunk(line)
            elif state == CHUNK_END:
                if line:
                    raise ProtocolError(400, "a chunk is longer than its size says")
                self._state = SIZE
            elif line:
                _field(line)
                self._remaining -= len(line) + 2
                if self._remaining < 0:
                    raise ProtocolError(431, "the trailers are too long")
            else:
                self._state = END

    def _take_head(self) -> bytes | None:
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n", self._searched)
        if (end < 0 and len(buffer) >= self._head_limit) or end + 4 > self._head_limit:
            raise ProtocolError(431, f"the head is longer than {self._head_limit} bytes")
        if end < 0:
            self._searched = max(len(buffer) - 3, 0)
            if self._ended and buffer:
                raise ProtocolError(400, "the request ends within its head")
            return None
        head = bytes(buffer[:end])
        del buffer[: end + 4]
        self._searched = 0
        return head

    def _begin(self, head: bytes) -> Request:
        request, length = parse_head(head)
        if length is None:
            self._state = SIZE
        elif length:
            self._state = LENGTH
            self._remaining = length
        else:
            self._state = END
        return request

    def _take_content(self) -> Data | None:
        if not self._buffer:
            if self._ended:
                raise ProtocolError(400, "the request ends within its content")
            return None
        content = bytes(self._buffer[: self._remaining])
        del self._buffer[: len(content)]
        self._remaining -= len(content)
        if not self._remaining:
            self._state = CHUNK_END if self._state == CHUNK else END
        return Data(content)

    def _take_line(self) -> bytes | None:
        """A line without its CRLF. Bounded in every state that calls for one."""
        limit = self._head_limit if self._state == TRAILERS else _CHUNK_LINE_LIMIT
        end = self._buffer.find(b"\r\n")
        if (end < 0 and len(self._buffer) >= limit) or end + 2 > limit:
            raise ProtocolError(400, "a line of the chunked content is too long")
        if end < 0:
            if self._ended:
                raise ProtocolError(400, "the request ends within its content")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _begin_chunk(self, line: bytes) -> None:
        size, _, extension = line.partition(b";")
        if not size or len(size) > 15 or size.translate(None, _HEX):
            raise ProtocolError(400, "a chunk size is not a hexadecimal number")
        if extension.translate(None, _VALUE):
            raise ProtocolError(400, "a chunk extension has a control character")
        self._remaining = int(size, 16)
        self._state = CHUNK
        if not self._remaining:
            self._state = TRAILERS
            self._remaining = self._head_limit


def parse_head(head: bytes) -> tuple[Request, int | None]:
    """Read a head without its last empty line: the request, and its content's length.

    None: the length is not known ahead, the content comes chunked.
    """
    lines = head.split(b"\r\n")
    method, target, minor = _request_line(lines[0])
    fields = [_field(line) for line in lines[1:]]
    hosts = [value for name, value in fields if name == "host"]
    if len(hosts) > 1 or (minor == 1 and not hosts):
        raise ProtocolError(400, "HTTP/1.1 takes exactly one Host")
    options = [option.lower() for option in _list(fields, "connection")]
    keep_alive = minor == 1 and "close" not in options
    return Request(method, target, minor, fields, keep_alive), _length(minor, fields)


def _request_line(line: bytes) -> tuple[str, str, int]:
    parts = line.split(b" ")
    if len(parts) != 3:
        raise ProtocolError(400, "the request line is not METHOD TARGET HTTP/1.1")
    method, target, version = parts
    if not method or method.translate(None, _TOKEN):
        raise ProtocolError(400, "the method is not a token")
    if not target or target.translate(None, _VISIBLE):
        raise ProtocolError(400, "the target has characters that must be escaped")
    if version not in (b"HTTP/1.0", b"HTTP/1.1"):
        if version[:5] == b"HTTP/" and version[5:].translate(None, b"0123456789") == b".":
            raise ProtocolError(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
        raise ProtocolError(400, "the request line is not METHOD TARGET HTTP/1.1")
    return method.decode("ascii"), target.decode("ascii"), version[7] - 0x30


def _field(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    # The token check refuses space before the colon and obsolete line folding with it.
    if not colon or not name or name.translate(None, _TOKEN):
        raise ProtocolError(400, "a field line is not NAME: VALUE")
    value = value.strip(b" \t")
    if value.translate(None, _VALUE):
        raise ProtocolError(400, "a field's value has a control character")
    return name.decode("ascii").lower(), value.decode("latin-1")


def _length(minor: int, fields: list[tuple[str, str]]) -> int | None:
    lengths = [value for name, value in fields if name == "content-length"]
    if any(name == "transfer-encoding" for name, _ in fields):
        if lengths:
            raise ProtocolError(400, "Transfer-Encoding and Content-Length in one message")
        if minor == 0:
            raise ProtocolError(400, "HTTP/1.0 has no Transfer-Encoding")
        if [coding.lower() for coding in _list(fields, "transfer-encoding")] != ["chunked"]:
            raise ProtocolError(501, "the only transfer coding known here is chunked")
        return None
    if not lengths:
        return 0
    if len(set(lengths)) > 1:
        raise ProtocolError(400, "two Content-Length fields that differ")
    if not (lengths[0].isascii() and lengths[0].isdigit()) or len(lengths[0]) > 15:
        raise ProtocolError(400, "Content-Length is not a number")
    return int(lengths[0])


def _list(fields: list[tuple[str, str]], name: str) -> list[str]:
    """The members of a comma-separated field, all its lines together."""
    return [
        member.strip(" \t")
        for field, value in fields
        if field == name
        for member in value.split(",")
        if member.strip(" \t")
    ]


def response(
    status: int,
    content: bytes = b"",
    content_type: str = "text/plain; charset=utf-8",
    *,
    fields: tuple[tuple[str, str], ...] = (),
    keep_alive: bool = True,
    head_only: bool = False,
) -> bytes:
    """A whole response. `head_only` for HEAD: the fields as for GET, without the content."""
    lines = [
        f"HTTP/1.1 {status} {REASONS[status]}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(content)}",
        *(f"{name}: {value}" for name, value in fields),
    ]
    if not keep_alive:
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if head_only else head + content
