"""Reads what an adapter spooled for this program: a directory of segments of JSON lines.

Segments are `%016d.ndjson`, numbered from 1. The writer appends whole lines to the last one and
then opens the next; it never comes back to an earlier one, also not after a restart. So a line
without newline at the end of a segment that has a successor is what a killed writer left behind
(it writes the record again, into the next segment) and is passed over. A segment is deleted when
its store has acknowledged all of it and there is a later one: the last stays, because the writer
counts on from the highest number that it finds.
"""

from __future__ import annotations

import errno
import os
import re
import time
from collections import deque

from podweave.helpers.logs.chunks import Chunk
from podweave.helpers.logs.followed_file import TAIL, FollowedFile, is_entry, matches
from podweave.helpers.logs.line_reader import LineReader
from podweave.helpers.logs.source import CHUNK, FAST, QUIET_AT_END, QUIET_WITHOUT_WRITER, Source
from podweave.helpers.logs.writers import has_writer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.reading import Reading

_NAME = re.compile(r"([0-9]{16})\.ndjson")


class Releases:
    """What the readers of one directory need no more: a segment goes when none of them needs it."""

    def __init__(self, directory: str, readers: int, journal: Journal | None = None) -> None:
        self._directory = directory
        self._journal = journal
        self._released = [0] * readers

    def release(self, reader: int, number: int) -> None:
        """This reader needs nothing up to segment `number` any more."""
        before = min(self._released)
        self._released[reader] = max(self._released[reader], number)
        if (upto := min(self._released)) > before:
            self._delete(upto)

    def _delete(self, upto: int) -> None:
        try:
            found = (_NAME.fullmatch(name) for name in os.listdir(self._directory))
            for match in found:
                if match and int(match[1]) <= upto:
                    os.unlink(os.path.join(self._directory, match[0]))
        except OSError as error:
            # It stays behind, and goes with the next one.
            if self._journal is not None:
                self._journal.warning(
                    "spool.undeletable", path=self._directory, message=error.strerror
                )


class SpoolReader(Source):
    """Follows one spool directory, which may not be there yet. `releases` where others read it,
    too; `reader` is the number of this one. `written_to`: the path that records are told to come
    from, the pipe or socket whose spool it is; default: the segments' own."""

    def __init__(
        self,
        directory: str,
        entries: Sequence[dict[str, Any]] = (),
        *,
        reading: Reading | None = None,
        releases: Releases | None = None,
        reader: int = 0,
        written_to: str = "",
        journal: Journal | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._written_to = written_to
        self._releases = releases or Releases(directory, 1, journal)
        self._reader_number = reader
        counters = {"torn_lines": 0}
        if reading is not None:
            counters.update(long_lines=0, cut_bytes=0, foreign_lines=0)
        super().__init__(counters, journal=journal, clock=clock)
        # What an adapter spooled is taken as it is.
        self._reader = LineReader(reading, self.counters, journal) if reading else None
        self._flush = reading.events.flush if reading and reading.events else 0.0
        self._seen = 0, 0.0
        """The size of the current segment, and since when."""
        self._directory = directory
        sound = [
            entry for entry in entries if is_entry(entry) and type(entry.get("segment")) is int
        ]
        self._entry = dict(sound[0]) if sound else {}
        self._current: FollowedFile | None = None
        self._number = 0
        self._done: deque[tuple[int, FollowedFile]] = deque()
        """Read to their ends, still there."""
        self._unreadable: int | None = None

    def read(self, max_bytes: int) -> list[Chunk]:
        """Read about `max_bytes` of whole lines, in the order of writing; never blocks."""
        if max_bytes <= 0:
            return []
        chunks: list[Chunk] = []
        left = max_bytes
        self._more = True
        try:
            while left > 0:
                chunk = self._read_chunk(min(left, CHUNK))
                if chunk is None:
                    self._more = False
                    break
                chunks.append(chunk)
                left -= len(chunk.data)
            self._unreadable = None
        except FileNotFoundError:
            self._more = False
            self._settled = self._finishing is not None
        except OSError as error:
            self._more = False
            if self._unreadable != error.errno:
                self._tell(
                    "spool.unreadable",
                    path=self._directory,
                    error=errno.errorcode.get(error.errno or 0),
                )
            self._unreadable = error.errno
        if chunks:
            self._grew = self._clock()
        self._count(chunks)
        return chunks

    def entries(self) -> list[dict[str, Any]]:
        """What the checkpoint should say. Deletes what is not needed any more: the store must
        have synced what it acknowledged."""
        self._dirty = False
        while self._done and not self._done[0][1].unacknowledged:
            self._delete(self._done[0][0])
            self._done.popleft()
        if self._done:
            return [{**self._done[0][1].entry(), "segment": self._done[0][0]}]
        if self._current is not None:
            return [{**self._current.entry(), "segment": self._number}]
        return [self._entry] if self._entry else []

    def unread_bytes(self) -> int:
        try:
            total = sum(
                os.stat(self._path(number)).st_size
                for number in self._segments()
                if number >= self._number
            )
        except OSError:
            return 0
        return max(0, total - (self._current.offset if self._current is not None else 0))

    def files(self) -> int:
        return len(self._done) + (self._current is not None)

    def unreadable(self) -> int:
        return int(self._unreadable is not None)

    def close(self) -> None:
        if self._current is not None:
            self._current.close()

    # Segments

    def _path(self, number: int) -> str:
        return os.path.join(self._directory, f"{number:016d}.ndjson")

    def _segments(self) -> list[int]:
        found = (_NAME.fullmatch(name) for name in os.listdir(self._directory))
        return sorted(int(match[1]) for match in found if match)

    def _read_chunk(self, want: int) -> Chunk | None:
        """The next lines, also from the next segment; None when there are none yet."""
        while True:
            if self._current is None and not self._start():
                self._settled = self._finishing is not None
                return None
            file = self._current
            assert file is not None
            chunk = self._read_lines(file, want)
            if chunk is not None:
                return chunk
            if not self._next_exists():
                self._settled = self._finishing is not None and self._quiet(file)
                return None
            # Once more: what was written between our last look and the successor's coming.
            chunk = self._read_lines(file, want)
            if chunk is not None:
                return chunk
            self._leave(file)

    def next_poll(self) -> float:
        wait = super().next_poll()
        held = self._current is not None and self._current.held
        return min(wait, FAST) if held else wait

    def _read_records(self, reader: LineReader, file: FollowedFile, want: int) -> Chunk | None:
        """As `_read_lines`, of raw lines. An event isn't joined across two segments."""
        size = os.fstat(file.descriptor).st_size
        now = self._clock()
        if size != self._seen[0]:
            self._seen = size, now
        while True:
            complete = file.held and (now - self._seen[1] >= self._flush or self._next_exists())
            chunk = reader.read(file, want, complete=complete)
            if chunk is not None:
                return chunk
            # A long line goes on; or nothing joins what is held, which wasn't known before.
            if not file.look and (complete or not file.held or not self._next_exists()):
                return None

    def _read_lines(self, file: FollowedFile, want: int) -> Chunk | None:
        if self._reader is not None:
            return self._read_records(self._reader, file, want)
        while True:
            raw = os.pread(file.descriptor, want, file.offset)
            newline = raw.rfind(b"\n") + 1
            if newline:
                data = raw[:newline]
                tail = data[-TAIL:] if newline >= TAIL else (file.tail + data)[-TAIL:]
                return file.take(data, file.offset + newline, tail)
            if len(raw) < want:
                file.scanned = file.offset + len(raw)
                return None
            want *= 2  # one record longer than a read

    def _next_exists(self) -> bool:
        return any(number > self._number for number in self._segments())

    def _quiet(self, file: FollowedFile) -> bool:
        assert self._finishing is not None
        writer = has_writer(file.descriptor)
        if os.fstat(file.descriptor).st_size != file.scanned:
            return False  # its last words came after the last read
        quiet = self._clock() - max(self._grew, self._finishing)
        return quiet >= (QUIET_WITHOUT_WRITER if writer is False else QUIET_AT_END)

    def _leave(self, file: FollowedFile) -> None:
        """Go on to the next segment."""
        if os.fstat(file.descriptor).st_size > file.offset:
            self.counters["torn_lines"] += 1
        file.ended = True
        file.close()
        self._done.append((self._number, file))
        self._dirty = True
        after = [number for number in self._segments() if number > self._number]
        self._open(after[0])

    def _open(self, number: int) -> None:
        path = self._path(number)
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        status = os.fstat(descriptor)
        self._current = FollowedFile(
            self._written_to or path, descriptor, status.st_dev, status.st_ino
        )
        self._number = number

    def _delete(self, number: int) -> None:
        self._releases.release(self._reader_number, number)

    def _start(self) -> bool:
        """Open the segment where the checkpoint says, or the first that there is."""
        numbers = self._segments()
        if not numbers:
            return False
        entry = self._entry
        number: int | None = entry.get("segment")
        if number in numbers:
            self._open(number)
            assert self._current is not None
            known = matches(entry, self._current.descriptor)
            if known is not None:
                self._current.resume(entry["offset"], *known)
                for before in numbers[: numbers.index(number)]:
                    self._delete(before)  # wholly acknowledged in an earlier life
                self._entry = {}
                return True
            self._current.close()
            self._current = None
        if number is not None and numbers[0] <= number:
            # Not deleted in turn but replaced: what there is, is new.
            self._tell("spool.replaced", path=self._directory, segment=number)
        self._open(numbers[0])
        self._entry = {}
        return True
