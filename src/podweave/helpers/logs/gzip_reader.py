"""Reads a gzip file (RFC 1952) as if it were the file that was compressed, forwards.

It keeps only what was asked for last; to go back further than that begins anew. Several members
in a row are one file, as for gzip itself.
"""

from __future__ import annotations

import errno
import os
import zlib

_INPUT = 64 << 10
_OUTPUT = 256 << 10
_WINDOW = 32 << 10
"""Kept before the place that was asked for: the bytes before an offset are compared."""
_GZIP = 31


class GzipReader:
    """`descriptor` stays the caller's. OSError with EIO for what is damaged."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._begin()

    def _begin(self) -> None:
        self._stream = zlib.decompressobj(_GZIP)
        self._place = 0
        self._input = b""
        self._data = b""
        self._start = 0
        self.ended = False
        """All of it was decompressed at one time."""
        self.torn = False
        """The file ends before its last member does: it is being written, or was cut off."""

    @property
    def reached(self) -> int:
        """Up to here it is decompressed."""
        return self._start + len(self._data)

    def read_at(self, length: int, offset: int) -> bytes:
        """Up to `length` bytes from that place of what was compressed."""
        if offset < self._start:
            self._begin()
        while self.reached < offset + length and self._more(max(0, offset - _WINDOW)):
            pass
        begin = offset - self._start
        return self._data[begin : begin + length] if begin >= 0 else b""

    def advance(self, offset: int, bytes_at_most: int) -> bool:
        """Decompress towards `offset`; True when it, or the end, is reached."""
        goal = min(offset, self.reached + bytes_at_most)
        while self.reached < goal and self._more(max(0, goal - _WINDOW)):
            pass
        return self.reached >= offset or self.ended or self.torn

    def _more(self, keep_from: int) -> bool:
        if self.ended or self.torn:
            return False
        if not self._input:
            self._input = os.pread(self._descriptor, _INPUT, self._place)
            self._place += len(self._input)
            if not self._input:
                self.torn = True
                return False
        try:
            data = self._stream.decompress(self._input, _OUTPUT)
        except zlib.error as error:
            raise OSError(errno.EIO, f"not gzip, or damaged: {error}") from None
        self._input = self._stream.unconsumed_tail
        if self._stream.eof:
            self._input = self._stream.unused_data or os.pread(
                self._descriptor, _INPUT, self._place
            )
            if not self._stream.unused_data:
                self._place += len(self._input)
            # Padding with zeros is allowed behind the last member.
            self._input = self._input.lstrip(b"\0")
            if self._input:
                self._stream = zlib.decompressobj(_GZIP)
            else:
                self.ended = True
        drop = keep_from - self._start
        if drop > 0:
            dropped = min(drop, len(self._data))
            self._data = self._data[dropped:]
            self._start += dropped
        self._data += data
        return True
