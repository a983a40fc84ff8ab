"""The copy that copytruncate makes of what was not read yet.

`cp app.log app.log.1; : > app.log`: the copy is a new file that begins with what was read already,
and it has the bytes that were cut away before they were read. They can be many, when a store was
down for long. So where an original is truncated, a copy of it is looked for beside it, whether or
not the patterns match it.

Where they match it the copy may be found before the truncation: a new file whose name and first
bytes are those of a followed file is held back for a moment. If the original is truncated (or
deleted) meanwhile, and the copy has the same bytes before the original's offset, it is read from
that offset on: nothing twice, nothing lost. Otherwise it is a file of its own: files may begin
alike, and twice is better than never.
"""

from __future__ import annotations

import os
import stat

from podweave.helpers.logs.followed_file import FollowedFile, version_of
from podweave.helpers.logs.globs import COMPRESSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HOLD = 2.0
"""Seconds from the appearance of a copy to the truncation of the original, at most."""


class Copies:
    """Which files are held back, and the originals that they may be copies of."""

    def __init__(self) -> None:
        self._ended: list[tuple[float, FollowedFile]] = []
        self._held: dict[FollowedFile, tuple[float, FollowedFile]] = {}

    def ended(self, original: FollowedFile, now: float) -> None:
        """The original was truncated or deleted; its copy may be found only after that."""
        self._ended = [kept for kept in self._ended if now - kept[0] < HOLD]
        self._ended.append((now, original))

    def suspect(self, file: FollowedFile, others: Iterable[FollowedFile], now: float) -> None:
        """A new file was found: hold it back if it may be a copy."""
        self._held = {held: why for held, why in self._held.items() if not held.ended}
        recent = [original for when, original in self._ended if now - when < HOLD]
        for original in [*recent, *others]:
            if _alike(original, file):
                self._held[file] = (now + HOLD, original)
                return

    def find(
        self, original: FollowedFile, known: Callable[[tuple[int, int]], FollowedFile | None]
    ) -> tuple[FollowedFile | None, int]:
        """A copy beside a file that was truncated just now: if it isn't `known`, open it.

        And how many bytes it has behind the original's offset. It is held back until all of the
        original that was read is acknowledged.
        """
        directory, name = os.path.split(original.path)
        stem = name.partition(".")[0]
        if not original.head:
            return None, 0
        try:
            with os.scandir(directory) as entries:
                names = [entry.path for entry in entries if entry.name.startswith(stem)]
        except OSError:
            return None, 0
        for path in names:
            if path.endswith(COMPRESSED):
                continue
            try:
                found = self._copy_at(path, original, known)
            except OSError:
                continue
            if found is not None:
                return found
        return None, 0

    def _copy_at(
        self,
        path: str,
        original: FollowedFile,
        known: Callable[[tuple[int, int]], FollowedFile | None],
    ) -> tuple[FollowedFile | None, int] | None:
        status = os.stat(path)
        key = status.st_dev, status.st_ino
        more = status.st_size - original.offset
        if (
            key == (original.device, original.inode)
            or more <= 0
            or not stat.S_ISREG(status.st_mode)
        ):
            return None
        there = known(key)
        if there is not None:
            return (None, more) if self._held.get(there, (0.0, None))[1] is original else None
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
        file = FollowedFile(path, descriptor, *key)
        if _same_bytes(original, file):
            file.path = original.path
            file.version = version_of(descriptor)
            self._held[file] = (0.0, original)
            return file, more
        file.close()
        return None

    def may_read(self, file: FollowedFile, now: float) -> bool:
        """False while it isn't known what the file is; sets the offset of a copy."""
        held = self._held.get(file)
        if held is None:
            return True
        until, original = held
        if original.ended:
            if original.unacknowledged:
                return False  # a checkpoint couldn't say yet that they are safe
            if _same_bytes(original, file):
                file.resume(original.offset, original.tail, original.head)
        elif now < until:
            return False
        del self._held[file]
        return True


def _same_bytes(original: FollowedFile, file: FollowedFile) -> bool:
    """It has what is known of the original: first bytes, samples, the bytes before the offset."""
    known = len(original.tail)
    return (
        file.read_at(len(original.head), 0) == original.head
        and file.read_at(known, original.offset - known) == original.tail
        and all(file.read_at(len(spot), at - len(spot)) == spot for at, spot in original.spots)
    )


def _alike(original: FollowedFile, file: FollowedFile) -> bool:
    if original is file or not original.head or not file.path.startswith(original.path):
        return False
    try:
        return os.pread(file.descriptor, len(original.head), 0) == original.head
    except OSError:
        return False
