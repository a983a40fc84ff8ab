"""Content on its way through: where it ends, and what of it is passed on.

    content = chunks()                       # or counted(n), until_close()
    passed, used = content.take(data)        # `used` < len(data) only when content.done

Chunks are checked and passed on as they came, cuts included, but for their extensions, which
readers are known to differ on. Any way of cutting the same bytes passes on the same bytes.
"""

from __future__ import annotations

from podweave.helpers.ambassador.http.fields import read_line
from podweave.helpers.wire.http1_grammar import HEAD_LIMIT, ProtocolError
from podweave.helpers.wire.http1_message import chunk_size

_CHUNK_LINE_LIMIT = 256
_SIZE, _CHUNK, _CHUNK_END, _TRAILERS = range(4)
_LONGEST_LINES = (_CHUNK_LINE_LIMIT, 0, 2, HEAD_LIMIT)
"""With the line end, by state."""

NOT_IN_TRAILERS = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"trailer",
        b"te",
        b"upgrade",
        b"expect",
        b"content-type",
        b"content-encoding",
        b"content-range",
        b"authorization",
        b"proxy-authorization",
        b"cookie",
        b"set-cookie",
    )
)
"""RFC 9110, section 6.5.1: framing, routing, authentication and how the content is to be read."""


class Counted:
    """Content of a known length."""

    __slots__ = ("_remaining", "done")

    def __init__(self, length: int) -> None:
        self._remaining = length
        self.done = not length

    def take(self, data: bytes) -> tuple[bytes, int]:
        size = len(data)
        if size < self._remaining:
            self._remaining -= size
            return data, size
        used = self._remaining
        self._remaining = 0
        self.done = True
        return (data if used == size else data[:used]), used


class UntilClose:
    """All that comes; `chunk`: put into chunks, which `end` must close."""

    __slots__ = ("_chunk", "done")

    def __init__(self, chunk: bool) -> None:
        self._chunk = chunk
        self.done = False

    def take(self, data: bytes) -> tuple[bytes, int]:
        size = len(data)
        return (b"%x\r\n%b\r\n" % (size, data) if self._chunk and size else data), size

    def end(self) -> bytes:
        """The connection ended in order."""
        self.done = True
        return b"0\r\n\r\n" if self._chunk else b""


class Chunks:
    """Chunked content; `bare`: only what is in the chunks is passed on."""

    __slots__ = ("_bare", "_partial", "_remaining", "_state", "done")

    def __init__(self, bare: bool = False) -> None:
        self._bare = bare
        self._partial = b""
        self._remaining = 0
        self._state = _SIZE
        self.done = False

    def take(self, data: bytes) -> tuple[bytes, int]:
        """ProtocolError when these are no chunks."""
        kept = len(self._partial)
        if kept:
            data = self._partial + data
            self._partial = b""
        size = len(data)
        bare = self._bare
        passed: list[bytes] = []
        at = begin = 0
        while not self.done:
            state = self._state
            if state == _CHUNK:
                step = min(self._remaining, size - at)
                self._remaining -= step
                if bare:
                    passed.append(data[at : at + step])
                at += step
                if self._remaining:
                    break
                self._state = _CHUNK_END
                continue
            end = data.find(b"\r\n", at, at + self._limit())
            if end < 0:
                if state == _CHUNK_END and data[at : at + 2] not in (b"", b"\r"):
                    raise ProtocolError(400, "a chunk is longer than its size says")
                if size - at >= self._limit():
                    raise ProtocolError(400, "a line of the chunked content is too long")
                if not bare:
                    passed.append(data[begin:at])
                self._partial = data[at:]
                at = begin = size
                break
            if state == _CHUNK_END:
                self._state = _SIZE
            elif state == _SIZE:
                line = data[at:end]
                self._remaining = chunk_size(line)
                self._state = _CHUNK if self._remaining else _TRAILERS
                if not self._remaining:
                    self._remaining = HEAD_LIMIT
                if b";" in line and not bare:
                    passed += (data[begin:at], b"%x" % int(line.partition(b";")[0], 16))
                    begin = end
            elif end == at:
                self.done = True
            else:
                self._remaining -= end + 2 - at
                if self._remaining < 0:
                    raise ProtocolError(431, "the trailers are too long")
                if read_line(data[at:end])[0] in NOT_IN_TRAILERS:
                    raise ProtocolError(400, "a trailer that belongs into the head")
            at = end + 2
        if not bare:
            if not passed and not kept and begin == 0 and at == size:
                return data, size
            passed.append(data[begin:at])
        return b"".join(passed), at - kept

    def _limit(self) -> int:
        return _LONGEST_LINES[self._state]


Content = Counted | UntilClose | Chunks
