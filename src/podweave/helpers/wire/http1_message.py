"""Reads messages of HTTP/1.1 off a connection: what requests and responses have in common.

    state        bytes                          event      next state
    HEAD         first line, fields, CRLFCRLF   the head   END | LENGTH | SIZE | REST | TUNNEL
    LENGTH       Content-Length bytes           Data       LENGTH | END
    SIZE         chunk size line                -          CHUNK | TRAILERS (size 0)
    CHUNK        chunk's bytes                  Data       CHUNK | CHUNK_END
    CHUNK_END    CRLF                           -          SIZE
    TRAILERS     fields, CRLF                   -          END
    REST         all to the end of input        Data       REST | END
    END          -                              End        HEAD
    TUNNEL       another protocol's             -          TUNNEL

Any way of cutting the same bytes gives the same events, but for the cuts between Data. After an
error the connection can only be closed: where the next message begins is not known.
"""

from __future__ import annotations

from podweave.helpers.wire.http1_grammar import (
    CHUNKED,
    HEAD_LIMIT,
    HEX,
    UNTIL_CLOSE,
    VALUE,
    Fields,
    ProtocolError,
    field,
    texts,
)

HEAD, LENGTH, SIZE, CHUNK, CHUNK_END, TRAILERS, REST, END, TUNNEL = range(9)

_CHUNK_LINE_LIMIT = 256


class Data:
    """A part of the content."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content


class End:
    """The message is complete. `trailers` are the fields after the last chunk."""

    __slots__ = ("trailers",)

    def __init__(self, trailers: Fields) -> None:
        self.trailers = trailers


class MessageParser:
    """The buffer and the content's states; the head is read by RequestParser, ResponseParser."""

    what = "message"

    def __init__(self, head_limit: int = HEAD_LIMIT) -> None:
        self._head_limit = head_limit
        self._buffer = bytearray()
        self._searched = 0
        self._state = HEAD
        self._remaining = 0
        self._trailers: Fields = []
        self._ended = False

    @property
    def between_messages(self) -> bool:
        """Nothing of a message has come: to close the connection now is no error."""
        return self._state == HEAD and not self._buffer

    def receive(self, data: bytes) -> None:
        """Take in what the connection gave; b"" is the end of input."""
        if data:
            self._buffer += data
        else:
            self._ended = True

    def _begin_content(self, length: int) -> None:
        self._trailers = []
        if length == CHUNKED:
            self._state = SIZE
        elif length == UNTIL_CLOSE:
            self._state = REST
        else:
            self._state = LENGTH if length else END
            self._remaining = length

    def _next_of_content(self) -> Data | End | None:
        while True:
            state = self._state
            if state == END:
                self._state = HEAD
                return End(self._trailers)
            if state in (LENGTH, CHUNK):
                return self._take_content()
            if state == REST:
                return self._take_rest()
            if state == TUNNEL:
                return None
            line = self._take_line()
            if line is None:
                return None
            if state == SIZE:
                self._begin_chunk(line)
            elif state == CHUNK_END:
                self._state = SIZE
            elif line:
                self._trailers += texts((field(line),))
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
                raise ProtocolError(400, f"the {self.what} ends within its head")
            return None
        head = bytes(buffer[:end])
        del buffer[: end + 4]
        self._searched = 0
        return head

    def _take_content(self) -> Data | None:
        buffer = self._buffer
        if not buffer:
            if self._ended:
                raise ProtocolError(400, f"the {self.what} ends within its content")
            return None
        if len(buffer) <= self._remaining:
            content = bytes(buffer)
            buffer.clear()
        else:
            content = bytes(buffer[: self._remaining])
            del buffer[: self._remaining]
        self._remaining -= len(content)
        if not self._remaining:
            self._state = CHUNK_END if self._state == CHUNK else END
        return Data(content)

    def _take_rest(self) -> Data | End | None:
        if self._buffer:
            content = bytes(self._buffer)
            self._buffer.clear()
            return Data(content)
        if not self._ended:
            return None
        self._state = HEAD
        return End(self._trailers)

    def _take_line(self) -> bytes | None:
        """A line without its CRLF. Bounded in every state that calls for one."""
        limit = self._head_limit if self._state == TRAILERS else _CHUNK_LINE_LIMIT
        end = self._buffer.find(b"\r\n")
        if self._state == CHUNK_END and not b"\r\n".startswith(self._buffer[:2]):
            raise ProtocolError(400, "a chunk is longer than its size says")
        if (end < 0 and len(self._buffer) >= limit) or end + 2 > limit:
            raise ProtocolError(400, "a line of the chunked content is too long")
        if end < 0:
            if self._ended:
                raise ProtocolError(400, f"the {self.what} ends within its content")
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _begin_chunk(self, line: bytes) -> None:
        self._remaining = chunk_size(line)
        self._state = CHUNK
        if not self._remaining:
            self._state = TRAILERS
            self._remaining = self._head_limit


def chunk_size(line: bytes) -> int:
    """The size in a chunk's first line; an extension is checked and left out."""
    size, _, extension = line.partition(b";")
    if not size or len(size) > 15 or size.translate(None, HEX):
        raise ProtocolError(400, "a chunk size is not a hexadecimal number")
    if extension.translate(None, VALUE):
        raise ProtocolError(400, "a chunk extension has a control character")
    return int(size, 16)
