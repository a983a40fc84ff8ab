"""The spool between an adapter and a log sidecar of the same Pod: segments of JSON lines.

Segments are `%016d.ndjson`, numbered from 1, appended with whole rows. A segment of SEGMENT
bytes is followed by the next; a writer that starts begins a new one behind the highest number,
so that what a killed writer left torn stays torn, and its row comes whole in the next segment.
The reader deletes what its store has acknowledged. While the spool holds LIMIT bytes the
adapter reads nothing: the application's files are the buffer then.
"""

from __future__ import annotations

import os
import time

from podweave.helpers.logs.outputs.interface import FileOutput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.journal import Journal

SEGMENT = 8 << 20
LIMIT = 64 << 20
_LOOK = 0.05
"""Seconds between two looks at what the reader left of a full spool."""


class SpoolOutput(FileOutput):
    """Writes the segments of one directory."""

    def __init__(
        self,
        directory: str,
        journal: Journal | None = None,
        *,
        segment: int = SEGMENT,
        limit: int = LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(f"spool:{directory}", journal)
        self._directory = directory
        self._segment = segment
        self._limit = limit
        self._clock = clock
        self._number = 0
        self._size = 0
        self._used = self.used()
        self._looked = clock()

    def pump(self) -> None:
        try:
            while self._queue:
                if not self._torn and (self._descriptor < 0 or self._size >= self._segment):
                    self._next()
                count = os.write(self._descriptor, self._queue[0])
                self._torn = count < len(self._queue[0])
                self._size += count
                self._used += count
                self._wrote(count)
        except OSError as error:
            self._failed(error)

    def full(self) -> bool:
        if self._used < self._limit:
            return False
        now = self._clock()
        if now - self._looked >= _LOOK:
            self._looked = now
            self._used = self.used()
        return self._used >= self._limit

    def used(self) -> int:
        """Bytes in the directory now."""
        total = 0
        try:
            with os.scandir(self._directory) as entries:
                for entry in entries:
                    if _number(entry.name):
                        try:
                            total += entry.stat().st_size
                        except FileNotFoundError:
                            pass  # the reader was done with it
        except OSError:
            return 0
        return total

    def _next(self) -> None:
        self.sync()
        self.close()
        os.makedirs(self._directory, exist_ok=True)
        highest = max(map(_number, os.listdir(self._directory)), default=0)
        self._number = max(self._number, highest) + 1
        path = os.path.join(self._directory, f"{self._number:016d}.ndjson")
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o644)
        self._size = 0


def _number(name: str) -> int:
    """The number of a segment's file; 0 for any other file."""
    stem, _, ending = name.partition(".")
    return int(stem) if ending == "ndjson" and len(stem) == 16 and stem.isdigit() else 0
