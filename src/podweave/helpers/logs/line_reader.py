"""Reads whole records of one followed file; keeps nothing between two reads.

A record that isn't complete is read again when it has grown: an unfinished line, an event whose
next line may still come, a container's line of which a part is missing. So the place in the file
is always the beginning of a record, and a restart at any moment loses nothing. A line longer than
one read is first searched for its end and then read, cut at the limit. Each read begins with the
bytes before the offset: when they are not what they were, the content was replaced.
"""

from __future__ import annotations

import os
from itertools import accumulate

from podweave.helpers.logs import text_encodings
from podweave.helpers.logs.chunks import Chunk
from podweave.helpers.logs.followed_file import HEAD, TAIL
from podweave.helpers.logs.reading import JOINED_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.followed_file import FollowedFile
    from podweave.helpers.logs.reading import Reading
    from podweave.helpers.logs.records import Taken

BLOCK = 2 * JOINED_LIMIT
"""Bytes read at once where a record may be of several lines: a complete event ends within them,
whatever they are."""


class ReplacedError(Exception):
    """The bytes before the offset are others: the file was rewritten in place."""


class LineReader:
    """`counters` are the Tail's: long_lines, cut_bytes and foreign_lines are counted in them."""

    def __init__(self, reading: Reading, counters: dict[str, int], journal: Journal | None) -> None:
        self._reading = reading
        self._line_limit = reading.line_limit
        self._by_event = reading.by_event
        self._counters = counters
        self._journal = journal

    def read(self, file: FollowedFile, want: int, *, complete: bool = False) -> Chunk | None:
        """The records that end within the next `want` bytes, or one longer line.

        `complete`: nothing follows for now; what isn't complete is taken, except an unfinished
        line. None when there is nothing (yet); `file.look` then says whether another read makes
        sense.
        """
        if file.encoding is None and not self._find_encoding(file):
            file.look = False
            return None
        if self._by_event:
            return self._read_events(file, want, complete)
        if file.scanned - file.offset >= want:
            return self._read_long(file, want)
        known = len(file.tail)
        raw = self._read_on(file, want)
        if _begins_in_hole(file, raw, known):
            self._skip_hole(file, raw[known:])
            return None
        ends_here = len(raw) < known + want
        stop = self._last_newline(file, raw, known)
        if not stop:
            file.scanned = file.offset + len(raw) - known
            file.look = not ends_here
            return None if ends_here else self._read_long(file, want)
        file.look = not ends_here
        end = file.offset + stop - known
        tail = raw[max(0, stop - TAIL) : stop]
        raw = raw[known:stop]
        if not file.encoding:
            return file.take(raw, end, tail)
        data, starts = text_encodings.whole_lines(raw, file.encoding, file.offset)
        return file.take(raw, end, tail, data, starts)

    def rest(self, file: FollowedFile, stop: int) -> Chunk:
        """All up to `stop`, the last line without its newline too: nothing will follow."""
        length = stop - file.offset
        if self._by_event and file.encoding is not None:
            if length > 4 * BLOCK:
                chunk = self._read_events(file, 4 * BLOCK, complete=True)
                if chunk is not None:
                    return chunk
            else:
                raw = self._read_on(file, length)[len(file.tail) :]
                ended = raw
                if self._last_newline(file, raw, 0) != len(raw):
                    ended = raw + b"\n"
                    if _wide(file):
                        ended = text_encodings.ended(raw, file.encoding)
                taken = self._taken(file, ended, complete=True)
                if taken is not None:
                    file.held = False
                    return self._take(file, raw, taken)
        return self.line(file, stop, 0)

    def line(self, file: FollowedFile, stop: int, newline: int) -> Chunk:
        """The line from the offset to `stop`, cut at the limit; `newline` bytes follow it."""
        length = stop - file.offset
        if length > self._line_limit:
            self._count_cut(file, 1, length - self._line_limit)
        raw = file.read_at(min(length, self._line_limit), file.offset)
        data = text_encodings.cut_line(raw, file.encoding) if file.encoding else raw + b"\n"
        end = stop + newline
        tail = file.read_at(min(TAIL, end), end - min(TAIL, end))
        if newline == 1 and len(raw) == length:
            raw += b"\n"
        starts = [file.offset]
        details = None
        if self._by_event:
            from podweave.helpers.logs.records import take_records

            taken = take_records(
                [data[:-1]], starts, self._reading, self._line_limit, complete=True
            )
            assert taken is not None
            data, details = taken.data, taken.details
            return file.take(raw, end, tail, data, taken.starts, taken.bounds, details)
        return file.take(raw, end, tail, data, starts)

    def _read_on(self, file: FollowedFile, want: int) -> bytes:
        """The bytes before the offset and up to `want` behind it. ReplacedError."""
        known = len(file.tail)
        raw = file.read_at(known + want, file.offset - known)
        if raw[:known] != file.tail:
            raise ReplacedError
        return raw

    def _find_encoding(self, file: FollowedFile) -> bool:
        if not self._reading.encoding:
            file.encoding = ""
            return True
        head = file.read_at(4, 0)
        known = text_encodings.declared(self._reading.encoding, head)
        if known is None:
            if not head or len(head) >= file.size:
                return False
            known = self._reading.encoding, 0
        file.encoding, mark = known
        if mark and file.offset == 0:
            file.offset = file.scanned = mark
            file.head = file.tail = head[:mark]
        return True

    def _last_newline(self, file: FollowedFile, raw: bytes, begin: int) -> int:
        if file.encoding:
            return text_encodings.last_newline(raw, file.encoding, begin)
        return raw.rfind(b"\n", begin) + 1

    def _read_events(self, file: FollowedFile, want: int, complete: bool) -> Chunk | None:
        """Records of which some may be of several lines."""
        want = max(want, BLOCK)
        # The parts of a line come with times and names.
        most = BLOCK + 2 * self._line_limit
        known = len(file.tail)
        while True:
            raw = self._read_on(file, want)
            if _begins_in_hole(file, raw, known):
                self._skip_hole(file, raw[known:])
                return None
            full = len(raw) == known + want
            stop = self._last_newline(file, raw, known)
            if not stop:
                if full:
                    return self._read_long(file, want)
                file.scanned = file.offset + len(raw) - known
                file.look = file.held = False
                return None
            # A line longer than an event may be continues nothing.
            nothing_joins = len(raw) - stop > JOINED_LIMIT or want > most
            taken = self._taken(
                file, raw[known:stop], complete=(complete and not full) or nothing_joins
            )
            file.look = full
            if taken is not None:
                file.held = taken.end is not None and not full
                return self._take(file, raw[known:stop], taken)
            if not full:
                file.held = True
                return None
            want *= 2

    def _taken(self, file: FollowedFile, raw: bytes, *, complete: bool) -> Taken | None:
        data, starts = text_encodings.whole_lines(raw, file.encoding or "utf-8", file.offset)
        from podweave.helpers.logs.records import all_but_last, take_records, whole_cri

        events = self._reading.events
        if self._reading.wrapping == "lines" and events is not None and events.every_line(data):
            # As fast as untouched lines: the last one alone waits for what may follow it.
            return all_but_last(data, starts, file.offset, len(raw), complete=complete)
        lines = data.split(b"\n")
        lines.pop()
        if starts is None:
            starts = _starts(lines, file.offset)
        if self._reading.wrapping == "cri" and events is None:
            taken = whole_cri(data, starts, self._line_limit)
            if taken is not None:
                return taken
        return take_records(lines, starts, self._reading, self._line_limit, complete=complete)

    def _take(self, file: FollowedFile, raw: bytes, taken: Taken) -> Chunk:
        if taken.long_lines:
            self._count_cut(file, taken.long_lines, taken.cut_bytes)
        self._counters["foreign_lines"] += taken.foreign
        length = len(raw) if taken.end is None else taken.end - file.offset
        before = (
            (file.tail + raw[:length])[-TAIL:] if length < TAIL else raw[length - TAIL : length]
        )
        if length < len(raw):
            raw = raw[:length]
        end = file.offset + length
        return file.take(raw, end, before, taken.data, taken.starts, taken.bounds, taken.details)

    def _count_cut(self, file: FollowedFile, lines: int, cut: int) -> None:
        if self._counters["long_lines"] == 0 and self._journal is not None:
            self._journal.warning(
                "log.long_line", path=file.path, bytes_cut=cut, kept=self._line_limit
            )
        self._counters["long_lines"] += lines
        self._counters["cut_bytes"] += cut

    def _read_long(self, file: FollowedFile, want: int) -> Chunk | None:
        """Look for the end of a line longer than one read."""
        known = len(file.tail)
        if file.read_at(known, file.offset - known) != file.tail:
            raise ReplacedError
        # A unit of UTF-16 must not be cut in two.
        begin = file.scanned - (file.scanned - file.offset) % 2
        raw = file.read_at(want + 1 & ~1, begin)
        place, length = text_encodings.first_newline(raw, file.encoding or "")
        if place < 0:
            file.look = len(raw) >= want
            file.scanned = begin + len(raw)
            return None
        file.look = True
        return self.line(file, begin + place, length)

    def _skip_hole(self, file: FollowedFile, raw: bytes) -> None:
        """Pass over NUL bytes at the beginning of a file, if anything follows them."""
        text = raw.lstrip(b"\0")
        skip = file.offset + len(raw) - len(text)
        if not text and file.archive is None:
            try:
                skip = max(skip, os.lseek(file.descriptor, skip - 1, os.SEEK_DATA))
            except OSError:
                file.look = False  # no data behind the hole yet
                return
            if skip >= os.fstat(file.descriptor).st_size:
                file.look = False
                return
        file.offset = file.scanned = skip
        file.head = file.read_at(min(HEAD, skip), 0)
        file.tail = file.read_at(min(TAIL, skip), skip - min(TAIL, skip))


def _wide(file: FollowedFile) -> bool:
    """NUL is half of a character."""
    return (file.encoding or "").startswith("utf-16")


def _begins_in_hole(file: FollowedFile, raw: bytes, known: int) -> bool:
    """NUL bytes from the file's beginning on. Records end with a newline, so that an offset behind
    NUL is one within the hole."""
    if raw[known : known + 1] != b"\0" or _wide(file):
        return False
    return not file.tail or file.tail.endswith(b"\0")


def _starts(lines: list[bytes], offset: int) -> list[int]:
    starts = list(accumulate([len(line) + 1 for line in lines], initial=offset))
    starts.pop()
    return starts
