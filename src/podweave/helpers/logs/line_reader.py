"""Reads whole lines of one followed file; keeps nothing between two reads.

An unfinished line is read again when it has grown, a line longer than one read is first searched
for its end and then read, cut at the limit. Each read begins with the bytes before the offset:
when they are not what they were, the content was replaced.
"""

from __future__ import annotations

import os

from podweave.helpers.logs.followed_file import HEAD, TAIL, Chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.followed_file import FollowedFile


class ReplacedError(Exception):
    """The bytes before the offset are others: the file was rewritten in place."""


class LineReader:
    """`counters` are the Tail's: long_lines and cut_bytes are counted in them."""

    def __init__(self, line_limit: int, counters: dict[str, int], journal: Journal | None) -> None:
        self._line_limit = line_limit
        self._counters = counters
        self._journal = journal

    def read(self, file: FollowedFile, want: int) -> Chunk | None:
        """The lines that end within the next `want` bytes, or one longer line.

        None when there is none (yet); `file.look` then says whether another read makes sense.
        """
        if file.scanned - file.offset >= want:
            return self._read_long(file, want)
        known = len(file.tail)
        raw = os.pread(file.descriptor, known + want, file.offset - known)
        if raw[:known] != file.tail:
            raise ReplacedError
        if file.offset == 0 and raw.startswith(b"\0"):
            self._skip_hole(file, raw)
            return None
        ends_here = len(raw) < known + want
        newline = raw.rfind(b"\n", known)
        if newline < 0:
            file.scanned = file.offset + len(raw) - known
            file.look = not ends_here
            return None if ends_here else self._read_long(file, want)
        file.look = not ends_here
        end = file.offset + newline + 1 - known
        tail = raw[max(0, newline + 1 - TAIL) : newline + 1]
        return file.take(raw[known : newline + 1], end, tail)

    def line(self, file: FollowedFile, stop: int, newline: int) -> Chunk:
        """The line from the offset to `stop`, cut at the limit; `newline` bytes follow it."""
        length = stop - file.offset
        if length > self._line_limit:
            if self._counters["long_lines"] == 0 and self._journal is not None:
                self._journal.warning(
                    "log.long_line", path=file.path, bytes=length, kept=self._line_limit
                )
            self._counters["long_lines"] += 1
            self._counters["cut_bytes"] += length - self._line_limit
        data = os.pread(file.descriptor, min(length, self._line_limit), file.offset)
        end = stop + newline
        known = min(TAIL, end)
        tail = os.pread(file.descriptor, known, end - known)
        line = data + b"\n"
        return file.take(line if newline and len(data) == length else data, end, tail, line)

    def _read_long(self, file: FollowedFile, want: int) -> Chunk | None:
        """Look for the end of a line longer than one read."""
        descriptor = file.descriptor
        known = len(file.tail)
        if os.pread(descriptor, known, file.offset - known) != file.tail:
            raise ReplacedError
        raw = os.pread(descriptor, want, file.scanned)
        newline = raw.find(b"\n")
        if newline < 0:
            file.scanned += len(raw)
            file.look = len(raw) == want
            return None
        file.look = True
        return self.line(file, file.scanned + newline, 1)

    def _skip_hole(self, file: FollowedFile, raw: bytes) -> None:
        """Pass over NUL bytes at the beginning of a file, if anything follows them."""
        text = raw.lstrip(b"\0")
        skip = len(raw) - len(text)
        if not text:
            try:
                skip = max(skip, os.lseek(file.descriptor, skip - 1, os.SEEK_DATA))
            except OSError:
                file.look = False  # no data behind the hole yet
                return
            if skip >= os.fstat(file.descriptor).st_size:
                file.look = False
                return
        file.offset = file.scanned = skip
        file.head = os.pread(file.descriptor, min(HEAD, skip), 0)
        file.tail = os.pread(file.descriptor, min(TAIL, skip), skip - min(TAIL, skip))
