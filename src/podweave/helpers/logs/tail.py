"""Follows log files: everything that is written to them comes out, in order, at least once.

How files are told apart is in followed_file.py. A file stays open until it is read to its end
and no path leads to it any more and nobody writes to it (or, where the kernel doesn't tell, it
was quiet for a while), so that rotation by rename and deletion lose nothing. Nothing is kept in
memory between two reads: an unfinished record is read again when it has grown.

The files that lately grew are looked at every 20 ms, the others and the directories every 200 ms,
or once a second where the kernel's hints can be relied on (rest.py).
"""

from __future__ import annotations

import os
import stat
import time

from podweave.helpers.logs.chunks import Chunk
from podweave.helpers.logs.file_ends import FileEnds
from podweave.helpers.logs.followed_file import FollowedFile, version_of
from podweave.helpers.logs.followed_files import FollowedFiles
from podweave.helpers.logs.globs import PACKED, Globs
from podweave.helpers.logs.line_reader import LineReader, ReplacedError
from podweave.helpers.logs.reading import Reading
from podweave.helpers.logs.rest import ACTIVE, Rest
from podweave.helpers.logs.source import CHUNK, SLOW, Source
from podweave.helpers.logs.unreadable import Unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.hints import Hints

FLUSH_PARTS = 5.0
"""Seconds after which the missing part of a container's line won't come any more."""
SAMPLE_EVERY = 0.05
# Less is not worth a system call.
_LEAST_READ = 4096


class Tail(Source):
    """Follows the files that match some patterns.

    `patterns`: absolute paths; `*`, `?` and `[...]` in any part, `**` for any depth.
    `entries`: of the checkpoint, from an earlier life. `told`: see Unreadable.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        entries: Sequence[dict[str, Any]] = (),
        *,
        reading: Reading | None = None,
        hints: Hints | None = None,
        journal: Journal | None = None,
        told: dict[str, int | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        counters = {
            "long_lines": 0,
            "cut_bytes": 0,
            # Without the wrapping that the configuration says they have.
            "foreign_lines": 0,
            "truncated_files": 0,
            # Cut away by a truncation before they were read.
            "lost_bytes": 0,
            # Of files that were let go while they could not be read.
            "unreadable_bytes": 0,
        }
        reading = reading or Reading()
        super().__init__(counters, journal=journal, clock=clock)
        self._globs = Globs(patterns, reading.exclude)
        self._chunk = min(CHUNK, reading.line_limit)
        self._flush = reading.events.flush if reading.events is not None else FLUSH_PARTS
        self._files = FollowedFiles(entries, self._tell)
        self._unreadable = Unreadable(self._tell, told)
        self._next_scan = 0.0
        self._scanned_at = 0.0
        self._looked_back = False
        self._held_until: float | None = None
        self._rest = None if hints is None else Rest(hints, self._woken)
        self._watched: frozenset[str] | None = None
        self._reader = LineReader(reading, self.counters, journal)
        self._ends = FileEnds(
            self._files, self._reader, self._unreadable, self._look_at, self._replace, self._let_go
        )

    # A turn

    def read(self, max_bytes: int) -> list[Chunk]:
        """Read about `max_bytes` (a longer line is still given whole), fairly between files.

        With 0 nothing is read, but files that come are opened: call it also while nothing may be
        read, or what is rotated away meanwhile is lost.
        Never blocks and never raises for what is wrong with a file. How much may be read and
        not yet acknowledged is the caller's to decide: read less, or not at all.
        """
        now = self._clock()
        if self._rest is not None and self._rest.news():
            self._next_scan = now
        if now >= self._next_scan or (self._finishing is not None and not self._more):
            self._scan(now)
        else:
            self._look_at_active(now)
        if max_bytes <= 0:
            return []
        chunks: list[Chunk] = []
        left = max_bytes
        self._more = False
        archives = self._files.archives
        if archives is not None and archives.searching:
            archives.search()
            self._more = True
        waiting = self._wake_held(now)
        idle = 0
        ring = self._files.ring
        while waiting and idle < len(ring):
            if left < min(_LEAST_READ, max_bytes):
                self._more = True
                break
            file = ring[0]
            ring.rotate(-1)
            chunk = self._read_file(file, min(left, self._chunk)) if file.look else None
            if chunk is None:
                idle += 1
                continue
            idle = 0
            left -= len(chunk.data)
            chunks.append(chunk)
        if self._ends.settle(now, self._finishing, chunks):
            self._dirty = True
        self._settled = self._ends.settled
        self._count(chunks)
        return chunks

    def _wake_held(self, now: float) -> bool:
        """Whether any file is worth a read: it grew, or was quiet so long that what it holds is
        complete."""
        self._held_until = None
        waiting = False
        for file in self._files.ring:
            if file.held and not file.look:
                until = file.changed + self._flush
                if now >= until:
                    file.look = file.flush = True
                elif self._held_until is None or until < self._held_until:
                    self._held_until = until
            waiting = waiting or file.look
        return waiting

    def next_poll(self) -> float:
        wait = super().next_poll()
        if wait > ACTIVE and self._rest is not None and self._all_in_sight():
            rest = self._rest.wait(self._directories)
            if rest is not None:
                wait = rest
                self._next_scan = self._scanned_at + (rest * 0.9 if rest > ACTIVE else 0.0)
        if self._held_until is not None:
            wait = min(wait, max(0.0, self._held_until - self._clock()))
        return wait

    def _all_in_sight(self) -> bool:
        """Nothing is followed whose name is where nobody looks, and no directory is awaited."""
        if self._globs.lacking:
            return False
        return all(file.departed is None for file in self._files)

    def _directories(self) -> frozenset[str]:
        if self._watched is None:
            behind_links = (os.path.dirname(os.path.realpath(path)) for path in self._files.at)
            self._watched = frozenset((*self._globs.directories(), *behind_links))
        return self._watched

    def _woken(self) -> None:
        if self.wake is not None:
            self.wake()

    def close(self) -> None:
        self._files.close()

    # The checkpoint and the metrics

    def entries(self) -> list[dict[str, Any]]:
        self._dirty = False
        return self._files.entries()

    def unread_bytes(self) -> int:
        return sum(max(0, file.size - file.offset) for file in self._files)

    def files(self) -> int:
        return len(self._files)

    def unreadable(self) -> int:
        return len(self._unreadable)

    def unread_files(self) -> list[str]:
        return [path for path in self._unreadable.paths() if path not in self._globs.errors]

    @property
    def found_nothing(self) -> bool:
        seen = self._files.ring or self._unreadable or self.counters["read_bytes"]
        return not seen and not self._files.entries()

    # Finding files

    def _scan(self, now: float) -> None:
        """Look at every name that matches: files come, are renamed, are replaced."""
        # A turn that comes a little early must not put the look off to the next one.
        self._next_scan = now + SLOW * 0.8
        self._scanned_at = now
        self._unreadable.look()
        seen: set[tuple[int, int]] = set()
        at: dict[str, FollowedFile] = {}
        paths = self._globs.paths(now)
        for directory, error in self._globs.errors.items():
            self._unreadable.report(directory, error)
        for path in paths:
            try:
                status = os.stat(path)
                if not stat.S_ISREG(status.st_mode):
                    continue
                if path.endswith(PACKED):
                    self._files.need_archives().see(path, status, self._files.known(), now)
                    continue
                key = (status.st_dev, status.st_ino)
                file = self._files.get(key)
                if file is None:
                    file = self._open(path, now)
                    if file is None:
                        continue
                    key = (file.device, file.inode)
                elif key not in seen:
                    file = self._update(file, status, now)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                self._unreadable.report(path, error)
                continue
            before = self._files.at.get(path)
            if before is not None and before is not file and file.offset == 0:
                file.predecessor = before
            seen.add(key)
            at.setdefault(path, file)
            file.departed = None
        if at.keys() != self._files.at.keys():
            self._watched = None
        self._files.at = at
        self._unreadable.looked()
        if not self._looked_back:
            self._looked_back = True
            self._look_back(now)
            if self._files.remembered.orphans():
                self._files.need_archives().look_for_orphans()
        for file in self._files:
            if (file.device, file.inode) not in seen:
                if file.departed is None:
                    file.departed = now
                self._look_at(file, now)

    def _look_back(self, now: float) -> None:
        """Follow what was renamed out of the patterns' sight while nobody followed it, and go on
        in the copies of what was truncated."""
        for path in self._files.remembered.elsewhere():
            try:
                file = self._open(path, now, known_only=True)
            except OSError:
                continue
            if file is not None:
                successor = self._files.at.get(file.path)
                if successor is not None and successor is not file:
                    successor.predecessor = file
        for entry in self._files.remembered.orphans():
            original = self._files.get((entry["device"], entry["inode"]))
            if original is None:
                continue
            copy = self._files.copies.of_remembered(entry, original, self._files.get)
            if copy is not None:
                self._files.remembered.forget(entry)
                if original.offset == 0:
                    original.predecessor = copy
                if self._files.get((copy.device, copy.inode)) is None:
                    copy.departed = copy.changed = now
                    self._files.add(copy)
                self._look_at(copy, now)

    def _open(self, path: str, now: float, known_only: bool = False) -> FollowedFile | None:
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        descriptor = os.open(path, flags)
        status = os.fstat(descriptor)
        known = self._files.get((status.st_dev, status.st_ino))
        if known is not None or not stat.S_ISREG(status.st_mode):
            # Renamed between looking and opening.
            os.close(descriptor)
            return known
        file = FollowedFile(path, descriptor, status.st_dev, status.st_ino)
        file.changed = now
        file.version = version_of(descriptor)
        resumed = self._files.claim(file)
        if known_only and not resumed:
            os.close(descriptor)
            return None
        if not resumed:
            self._files.copies.suspect(file, self._files, now)
        self._files.add(file)
        return self._update(file, status, now)

    # Looking at files

    def _look_at_active(self, now: float) -> None:
        for file in list(self._files.ring):
            if now - file.changed < 1.0 and file.archive is None:
                self._look_at(file, now)

    def _look_at(self, file: FollowedFile, now: float) -> None:
        try:
            self._update(file, os.fstat(file.descriptor), now)
        except OSError as error:
            self._unreadable.report(file.path, error)

    def _update(self, file: FollowedFile, status: os.stat_result, now: float) -> FollowedFile:
        """Take note of what a look shows; the file's new generation if it was truncated."""
        changed = status.st_size != file.size or status.st_mtime_ns != file.modified
        if status.st_size < file.offset or (
            changed and file.read_at(len(file.head), 0) != file.head
        ):
            file = self._replace(file, now)
            changed = True
        if changed or file.doubtful:
            file.doubtful = True
            # In full flow files change at every look; to find out a moment later loses nothing.
            if now - file.checked >= SAMPLE_EVERY:
                file.checked = now
                file.doubtful = False
                if not file.keeps_samples():
                    file = self._replace(file, now)
                    changed = True
        if changed:
            if self._rest is not None:
                self._rest.changed(status.st_mtime_ns)
            if status.st_size < file.scanned:
                file.scanned = file.offset
            file.size = status.st_size
            file.modified = status.st_mtime_ns
            file.look = True
            file.changed = self._grew = now
        file.deleted = status.st_nlink == 0
        return file

    def _replace(self, file: FollowedFile, now: float) -> FollowedFile:
        """The content was replaced in place: this generation ends, the next begins at 0."""
        lost = file.unread_when_replaced()
        copy, kept = self._files.copies.find(file, self._files.get)
        if copy is not None:
            copy.departed = copy.changed = now
            self._files.add(copy)
            self._look_at(copy, now)
        lost = max(0, lost - kept)
        self.counters["truncated_files"] += 1
        self.counters["lost_bytes"] += lost
        if lost:
            self._tell("log.truncated", path=file.path, bytes_lost=lost)
        elif self._journal is not None:
            # As copytruncate does every night.
            self._journal.info("log.truncated", path=file.path, bytes_lost=0)
        self._more = True
        self._dirty = True
        return self._files.replace(file, now)

    def _let_go(self, file: FollowedFile, lost: int) -> None:
        self.counters["unreadable_bytes"] += lost
        self._tell("log.let_go", path=file.path, bytes_lost=lost)

    # Reading

    def _read_file(self, file: FollowedFile, want: int) -> Chunk | None:
        if file.predecessor is not None:
            if not file.predecessor.ended and file.predecessor.look:
                return None
            file.predecessor = None
        try:
            if not self._files.copies.may_read(file, self._clock()):
                return None
            flush, file.flush = file.flush, False
            chunk = self._reader.read(file, want, complete=flush)
        except ReplacedError:
            self._replace(file, self._clock())
            return None
        except OSError as error:
            # EIO, ESTALE: what is behind the descriptor is gone for now.
            self._unreadable.report(file.path, error)
            file.look = False
            return None
        # Nothing yet, but the end of the file isn't reached: a long line goes on, or a hole.
        self._more = self._more or (chunk is None and file.look)
        return chunk
