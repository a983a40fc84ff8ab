"""Closed files of the embedded store: packed, and deleted when they are too many or too old.

A file is packed beside its place, synced, renamed to NAME.ndjson.gz, and only then is NAME.ndjson
deleted; where a crash leaves both, both are whole. Packing goes on a little at a time between the
program's other turns.
"""

from __future__ import annotations

import fcntl
import os
import re
import time

from podweave.helpers.logs.calendar import DAY, days
from podweave.helpers.logs.refusals import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    import zlib
    from collections.abc import Callable

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.stores.files import Settings
    from podweave.helpers.loop import Loop, Timer

NAME = re.compile(r"([0-9]{8}T[0-9]{6}Z)-([0-9]+)\.ndjson")
SUFFIX = ".ndjson"
PACKED = ".gz"
LEVEL = 6
_STEP = 512 << 10
"""Bytes packed in one go: about ten milliseconds."""
_SHARE = 3
"""Packing takes at most one part in so many of the time."""
_LOOK_EVERY = 600.0
"""Seconds between two looks for files that have become too old."""


class Archive:
    """The closed files in one Pod's directory. `look` is called when there may be a new one."""

    def __init__(
        self,
        directory: str,
        settings: Settings,
        loop: Loop,
        journal: Journal,
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._pack = settings.compression == "gzip"
        self._keep_bytes = settings.keep_bytes
        self._keep_seconds = settings.keep_seconds
        self._loop = loop
        self._journal = journal
        self._wall_clock = wall_clock
        self._packing: _Packing | None = None
        self._current = ""
        self._timer: Timer | None = None

    def look(self, current: str) -> None:
        """See what is to be done. `current`: the path of the file that is written to."""
        self._current = current
        if not (self._pack or self._keep_bytes or self._keep_seconds):
            return
        try:
            self._expire()
            if self._pack and self._packing is None:
                self._begin()
        except OSError as error:
            self._failed(error)
        if self._packing is None and self._keep_seconds:
            self._after(min(_LOOK_EVERY, self._keep_seconds))

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._packing is not None:
            self._packing.close()
            self._packing = None

    def _after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._step)

    def _begin(self) -> None:
        for name in sorted(os.listdir(self._directory)):
            path = os.path.join(self._directory, name)
            if path == self._current or not NAME.fullmatch(name):
                continue
            if os.path.exists(path + PACKED):
                os.unlink(path)  # packed, and then there was a crash
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            if not lock(descriptor):
                os.close(descriptor)  # another program writes to it
                continue
            self._packing = _Packing(path, descriptor)
            self._after(0.0)
            return

    def _step(self) -> None:
        packing = self._packing
        if packing is None:
            self.look(self._current)
            return
        began_at = self._loop.now()
        try:
            more = packing.step()
        except OSError as error:
            packing.close()
            self._packing = None
            self._failed(error)
            self._after(_LOOK_EVERY)
            return
        if more:
            self._after((self._loop.now() - began_at) * (_SHARE - 1))
            return
        self._packing = None
        self.look(self._current)

    def _expire(self) -> None:
        """Delete the oldest files that are too many or too old; never one that is open."""
        if not (self._keep_bytes or self._keep_seconds):
            return
        files: list[tuple[float, str, int]] = []
        for name in os.listdir(self._directory):
            if NAME.fullmatch(name.removesuffix(PACKED)):
                path = os.path.join(self._directory, name)
                status = os.stat(path)
                files.append((status.st_mtime, path, status.st_size))
        total = sum(size for _, _, size in files)
        now = self._wall_clock()
        for modified, path, size in sorted(files):
            too_many = self._keep_bytes and total > self._keep_bytes
            too_old = self._keep_seconds and now - modified > self._keep_seconds
            if not too_many and not too_old:
                break
            packing = self._packing.path if self._packing is not None else ""
            if path in (self._current, packing) or not _free(path):
                continue
            os.unlink(path)
            total -= size
            self._journal.info("store.expired", path=path, bytes=size)

    def _failed(self, error: OSError) -> None:
        self._journal.warning("store.archive_failed", path=self._directory, message=why(error))


class _Packing:
    """One file on its way to .gz."""

    def __init__(self, path: str, descriptor: int) -> None:
        import zlib

        self.path = path
        self._descriptor = descriptor
        self._target = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.gz.new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        try:
            self._output = os.open(self._target, flags, 0o644)
        except OSError:
            os.close(descriptor)
            raise
        self._packer: zlib._Compress = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)

    def step(self) -> bool:
        """Pack some; False when all is done."""
        data = os.read(self._descriptor, _STEP)
        if data:
            self._write(self._packer.compress(data))
            return True
        self._write(self._packer.flush())
        os.fsync(self._output)
        times = os.fstat(self._descriptor)
        os.utime(self._output, ns=(times.st_atime_ns, times.st_mtime_ns))
        os.rename(self._target, self.path + PACKED)
        os.unlink(self.path)
        self._release()
        return False

    def close(self) -> None:
        """Not finished: the file stays as it is, and is packed another time."""
        self._release()
        try:
            os.unlink(self._target)
        except OSError:
            pass

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._output, view) :]

    def _release(self) -> None:
        for descriptor in (self._descriptor, self._output):
            os.close(descriptor)


def began(name: str) -> float:
    """When a file was begun (Unix time), by its name."""
    # time.strptime would load a dozen modules.
    day = days(int(name[0:4]), int(name[4:6]), int(name[6:8]))
    return day * DAY + int(name[9:11]) * 3600 + int(name[11:13]) * 60 + int(name[13:15])


def age_of(name: str) -> tuple[str, int]:
    """Sorts the names of files in the order in which they were begun."""
    found = NAME.fullmatch(name)
    assert found is not None
    return found[1], int(found[2])


def lock(descriptor: int) -> bool:
    """Lock the file for this process; False if another one has it, or nobody can tell."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _free(path: str) -> bool:
    """Nobody writes to it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return lock(descriptor)
    finally:
        os.close(descriptor)
