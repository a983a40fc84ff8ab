"""The embedded store: NDJSON files in a directory, which `podweave search` reads.

    DIRECTORY/NAMESPACE/POD/20260102T030405Z-1.ndjson

A file is appended to with whole records until it is full or old, then the next begins; a closed
file may be packed (NAME.ndjson.gz), and the oldest are deleted, where that is asked for. A program
locks the file that it writes (flock), so that several may share a directory; after a restart it
goes on with the last file that nobody has locked, after cutting off a record that a crash left
half written: that record was never acknowledged, so it comes again.

The death of the process loses nothing: what was acknowledged is in the kernel's hands. `sync`
brings it to the disk, and the program saves its checkpoint only after that, so that a crash of
the machine loses nothing either, as long as the disk keeps its word.
"""

from __future__ import annotations

import errno
import os
import time

from podweave.helpers.logs.dated_files import create
from podweave.helpers.logs.refusals import why
from podweave.helpers.logs.stores.files_archive import (
    NAME,
    PACKED,
    SUFFIX,
    Archive,
    age_of,
    began,
    lock,
)
from podweave.helpers.logs.stores.interface import DELIVERED, Limits, Store, failed
from podweave.helpers.logs.stores.settings import absolute
from podweave.helpers.pieces import write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.configuration import Section
    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.delivery.batches import Batch
    from podweave.helpers.logs.stores.interface import Context, Done
    from podweave.helpers.loop import Loop, Timer

FILE_LIMIT = 64 << 20
FILE_SECONDS = 86400.0
BATCH = Limits(bytes=256 << 10, records=1 << 30, seconds=0.0)
"""The kernel takes every write at once: to wait for more would only cost memory."""
_LOOK_BACK = 16
"""How many of the newest files may have been left half written."""


class Settings:
    """`format`: json wraps raw lines into records, raw leaves them as they are. `keep_bytes` and
    `keep_seconds`: 0 keeps everything."""

    __slots__ = (
        "compression",
        "directory",
        "file_limit",
        "file_seconds",
        "format",
        "keep_bytes",
        "keep_seconds",
        "place",
    )

    def __init__(
        self,
        directory: str,
        *,
        format: str = "json",
        file_limit: int = FILE_LIMIT,
        file_seconds: float = FILE_SECONDS,
        compression: str = "none",
        keep_bytes: int = 0,
        keep_seconds: float = 0.0,
    ) -> None:
        self.directory = self.place = directory
        self.format = format
        self.file_limit = file_limit
        self.file_seconds = file_seconds
        self.compression = compression
        self.keep_bytes = keep_bytes
        self.keep_seconds = keep_seconds


def configure(section: Section) -> Settings:
    settings = Settings(
        absolute(section, "directory"),
        format=section.text("format", "json", among=("json", "raw")),
        file_limit=section.integer("file_bytes", 1 << 10, 1 << 40, FILE_LIMIT),
        file_seconds=section.seconds("file", FILE_SECONDS, 366 * 86400.0),
        compression=section.text("compression", "none", among=("none", "gzip")),
    )
    retention = section.optional("retention")
    if retention is not None:
        settings.keep_bytes = retention.integer("bytes", 0, 1 << 50, 0)
        settings.keep_seconds = retention.seconds("seconds", 0.0, 3660 * 86400.0)
        retention.end()
    return settings


def make(settings: Settings, context: Context) -> FilesStore:
    origin = context.origin
    directory = os.path.join(settings.directory, origin.namespace, origin.pod)
    return FilesStore(directory, settings, context.loop, context.journal)


class FilesStore(Store):
    """Appends to the files of one Pod, in `directory`."""

    kind = "files"

    def __init__(
        self,
        directory: str,
        settings: Settings,
        loop: Loop,
        journal: Journal,
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(BATCH)
        self.directory = directory
        self._raw = settings.format == "raw"
        self._file_limit = settings.file_limit
        self._file_seconds = settings.file_seconds
        self._wall_clock = wall_clock
        self._loop = loop
        self._aging: Timer | None = None
        self._archive = Archive(directory, settings, loop, journal, wall_clock=wall_clock)
        self._journal = journal
        self._descriptor = -1
        self._path = ""
        self._size = 0
        self._resumed = False
        """Looked whether an earlier life left a file to go on with."""
        self._unsynced: list[int] = []
        """Full files, not on the disk yet."""
        self._unsynced_names = False
        self._dirty = False

    def send(self, batch: Batch, done: Done) -> None:
        """Append; all of the batch, or nothing is left behind in the file."""
        parts = batch.untouched() if self._raw else batch.ndjson()
        size = sum(map(len, parts))
        try:
            self._open(size)
            try:
                write_all(self._descriptor, [memoryview(part) for part in parts if part])
            except OSError:
                # Also a part of a part.
                os.ftruncate(self._descriptor, self._size)
                raise
        except OSError as error:
            done(failed(f"{self.directory}: {why(error)}"))
            return
        self._size += size
        self.sent_bytes += size
        self._dirty = True
        done(DELIVERED)

    def sync(self) -> bool:
        closed = False
        try:
            while self._unsynced:
                os.fdatasync(self._unsynced[-1])
                # Its lock goes with it: whoever packs it must not find it half on the disk.
                os.close(self._unsynced.pop())
                closed = True
            if self._dirty:
                os.fdatasync(self._descriptor)
                self._dirty = False
            if self._unsynced_names:
                descriptor = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                self._unsynced_names = False
        except OSError as error:
            name = errno.errorcode.get(error.errno or 0, "?")
            self._journal.warning(
                "store.unsynced", path=self.directory, error=name, message=why(error)
            )
            return False
        if closed:
            self._archive.look(self._path)
        return True

    def close(self) -> None:
        self._archive.close()
        if self._aging is not None:
            self._aging.cancel()
        for descriptor in [*self._unsynced, self._descriptor]:
            if descriptor >= 0:
                os.close(descriptor)
        self._unsynced = []
        self._descriptor = -1

    def _open(self, size: int) -> None:
        """Have a file open that takes `size` more bytes."""
        if self._descriptor >= 0:
            status = os.fstat(self._descriptor)
            if status.st_nlink == 0:
                self._journal.warning("store.file_deleted", path=self._path)
                os.close(self._descriptor)
                self._descriptor = -1
                self._dirty = False
            elif status.st_size != self._size:
                # A failed write whose remains could not be cut off then.
                os.ftruncate(self._descriptor, self._size)
            if self._descriptor >= 0 and self._size and self._size + size > self._file_limit:
                self._leave()
        if self._descriptor < 0:
            os.makedirs(self.directory, exist_ok=True)
            if not self._resumed:
                self._resume(size)
                self._resumed = True
                self._archive.look(self._path)
            if self._descriptor < 0:
                self._create()

    def _leave(self) -> None:
        """Close the file at the next sync."""
        self._unsynced.append(self._descriptor)
        self._descriptor = -1
        self._dirty = False

    def _aged(self) -> None:
        """The file is as old as a file may be."""
        self._aging = None
        if self._descriptor >= 0:
            if self._size:
                self._leave()
                self.sync()
            else:
                self._age(self._file_seconds)

    def _age(self, seconds: float) -> None:
        if self._aging is not None:
            self._aging.cancel()
        self._aging = self._loop.call_later(seconds, self._aged)

    def _resume(self, size: int) -> None:
        """Go on with the newest file that has room; mend what a crash left half written."""
        names = sorted(filter(NAME.fullmatch, os.listdir(self.directory)), key=age_of)
        for name in reversed(names[-_LOOK_BACK:]):
            path = os.path.join(self.directory, name)
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            if not lock(descriptor):
                os.close(descriptor)
                continue
            length = self._mend(descriptor, path)
            left = began(name) + self._file_seconds - self._wall_clock()
            if self._descriptor < 0 and length + size <= self._file_limit and left > 0:
                self._descriptor, self._path, self._size = descriptor, path, length
                self._age(left)
            else:
                os.close(descriptor)

    def _mend(self, descriptor: int, path: str) -> int:
        """Cut off a half-written last record; the length that is left."""
        length = end = os.fstat(descriptor).st_size
        while end:
            start = max(0, end - 65536)
            newline = os.pread(descriptor, end - start, start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        if end < length:
            os.ftruncate(descriptor, end)
            self._journal.warning("store.mended", path=path, bytes_cut=length - end)
        return end

    def _create(self) -> None:
        self._descriptor, self._path = create(
            self.directory, SUFFIX, self._wall_clock(), mode=0o644, later=PACKED
        )
        lock(self._descriptor)
        self._size = 0
        self._age(self._file_seconds)
        self._unsynced_names = True
