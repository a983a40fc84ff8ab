"""The embedded store: NDJSON files in a directory, which `podweave search` reads.

    DIRECTORY/NAMESPACE/POD/20260102T030405Z-1.ndjson

A file is appended to with whole records until it is full, then the next begins. A program locks
the file that it writes (flock), so that several may share a directory; after a restart it goes on
with the last file that nobody has locked, after cutting off a record that a crash left half
written: that record was never acknowledged, so it comes again.

The death of the process loses nothing: what was acknowledged is in the kernel's hands. `sync`
brings it to the disk, and the program saves its checkpoint only after that, so that a crash of
the machine loses nothing either, as long as the disk keeps its word.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import time

from podweave.helpers.logs.backoff import Backoff
from podweave.helpers.logs.stores.interface import Batch, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.raw_records import RawRecords

FILE_LIMIT = 64 << 20
_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9]+\.ndjson")
_LOOK_BACK = 16
"""How many of the newest files may have been left half written."""


class FilesStore(Store):
    """Appends to the files of one Pod."""

    kind = "files"

    def __init__(
        self,
        directory: str,
        namespace: str,
        pod: str,
        records: RawRecords,
        *,
        journal: Journal | None = None,
        file_limit: int = FILE_LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.directory = os.path.join(directory, namespace, pod)
        self._records = records
        self._journal = journal
        self._file_limit = file_limit
        self._clock = clock
        self._descriptor = -1
        self._path = ""
        self._size = 0
        self._resumed = False
        """Looked whether an earlier life left a file to go on with."""
        self._unsynced: list[int] = []
        """Full files, not on the disk yet."""
        self._unsynced_names = False
        self._dirty = False
        self._waiting: tuple[Batch, bytes] | None = None
        self._retry_at = 0.0
        self._backoff = Backoff()
        self._failure: int | None = None

    @property
    def ready(self) -> bool:
        return self._waiting is None

    def write(self, batch: Batch) -> None:
        now = time.time()
        wrap = self._records.wrap
        if batch.raw:
            parts = [wrap(chunk.data, chunk.file.path, now) for chunk in batch.chunks]
        else:
            parts = [chunk.data for chunk in batch.chunks]
        self._waiting = (batch, parts[0] if len(parts) == 1 else b"".join(parts))
        self._attempt()

    def advance(self) -> None:
        if self._waiting is not None and self._clock() >= self._retry_at:
            self._attempt()

    def wait(self) -> float | None:
        if self._waiting is None:
            return None
        return max(0.0, self._retry_at - self._clock())

    def sync(self) -> bool:
        try:
            while self._unsynced:
                os.fdatasync(self._unsynced[-1])
                os.close(self._unsynced.pop())
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
            self._failed(error)
            return False
        return True

    def close(self) -> None:
        for descriptor in [*self._unsynced, self._descriptor]:
            if descriptor >= 0:
                os.close(descriptor)
        self._unsynced = []
        self._descriptor = -1

    def _attempt(self) -> None:
        """Append what waits; all of it, or nothing is left behind in the file."""
        assert self._waiting is not None
        batch, data = self._waiting
        try:
            self._open(len(data))
            written = 0
            view = memoryview(data)
            try:
                while written < len(data):
                    written += os.write(self._descriptor, view[written:])
            except OSError:
                if written:
                    os.ftruncate(self._descriptor, self._size)
                raise
        except OSError as error:
            self._failed(error)
            self.counters["retries"] += 1
            self._retry_at = self._clock() + self._backoff.delay()
            return
        self._size += len(data)
        self._dirty = True
        self._waiting = None
        self._recovered()
        self.counters["bytes"] += len(data)
        self.counters["records"] += data.count(b"\n")
        self.acknowledged(batch)

    def _open(self, size: int) -> None:
        """Have a file open that takes `size` more bytes."""
        if self._descriptor >= 0:
            status = os.fstat(self._descriptor)
            if status.st_nlink == 0:
                self._tell("store.file_deleted", path=self._path)
                os.close(self._descriptor)
                self._descriptor = -1
                self._dirty = False
            elif status.st_size != self._size:
                # A failed write whose remains could not be cut off then.
                os.ftruncate(self._descriptor, self._size)
            if self._descriptor >= 0 and self._size and self._size + size > self._file_limit:
                self._unsynced.append(self._descriptor)
                self._descriptor = -1
                self._dirty = False
        if self._descriptor < 0:
            os.makedirs(self.directory, exist_ok=True)
            if not self._resumed:
                self._resume(size)
                self._resumed = True
            if self._descriptor < 0:
                self._create()

    def _resume(self, size: int) -> None:
        """Go on with the newest file that has room; mend what a crash left half written."""
        names = sorted(name for name in os.listdir(self.directory) if _NAME.fullmatch(name))
        for name in reversed(names[-_LOOK_BACK:]):
            path = os.path.join(self.directory, name)
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
            if not _lock(descriptor):
                os.close(descriptor)
                continue
            length = self._mend(descriptor, path)
            if self._descriptor < 0 and length + size <= self._file_limit:
                self._descriptor, self._path, self._size = descriptor, path, length
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
            self._tell("store.mended", path=path, bytes_cut=length - end)
        return end

    def _create(self) -> None:
        clock = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        number = 1
        while True:
            path = os.path.join(self.directory, f"{clock}-{number}.ndjson")
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            try:
                self._descriptor = os.open(path, flags, 0o644)
                break
            except FileExistsError:
                number += 1
        _lock(self._descriptor)
        self._path = path
        self._size = 0
        self._unsynced_names = True

    def _failed(self, error: OSError) -> None:
        if self._failure != error.errno:
            self._failure = error.errno
            name = errno.errorcode.get(error.errno or 0, "?")
            message = f"{error.strerror}: nothing is read or lost until it can be written again"
            self._tell("store.failed", path=self.directory, error=name, message=message)

    def _recovered(self) -> None:
        if self._failure is not None:
            self._failure = None
            self._backoff.reset()
            self._tell("store.recovered", path=self.directory)

    def _tell(self, event: str, **fields: object) -> None:
        if self._journal is not None:
            self._journal.warning(event, **fields)


def _lock(descriptor: int) -> bool:
    """Lock the file for this process; False if another one has it, or nobody can tell."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
