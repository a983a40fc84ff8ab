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

What was copied while nobody followed it is found at the start: the file that the checkpoint
remembers has other content now, and another beside it has what is remembered.

A copy keeps the original's identity: its records are the same ones, also for a store that has had
some of them.
"""

from __future__ import annotations

import os
import stat

from podweave.helpers.logs.followed_file import (
    FollowedFile,
    identity_of,
    matches,
    version_of,
)
from podweave.helpers.logs.globs import COMPRESSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

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
        if not original.head:
            return None, 0
        for path in _beside(original.path):
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
        file = _opened(path, key)
        if _same_bytes(original, file):
            file.path = original.path
            file.known_as = original.identity
            self._held[file] = (0.0, original)
            return file, more
        file.close()
        return None

    def of_remembered(
        self,
        entry: dict[str, Any],
        original: FollowedFile,
        known: Callable[[tuple[int, int]], FollowedFile | None],
    ) -> FollowedFile | None:
        """The copy of what a checkpoint's entry remembers of the `original`, which has other
        content now: at its place, and perhaps not `known` before."""
        for path in _beside(entry["path"]):
            try:
                status = os.stat(path)
                key = status.st_dev, status.st_ino
                if key == (original.device, original.inode) or not stat.S_ISREG(status.st_mode):
                    continue
                there = known(key)
                if there is not None and (there.offset or there.known_as):
                    continue  # it is remembered itself
                file = there or _opened(path, key)
            except OSError:
                continue
            found = matches(entry, file.descriptor)
            if found is not None:
                file.path = entry["path"]
                file.known_as = identity_of(entry)
                file.resume(entry["offset"], *found)
                self._held.pop(file, None)
                return file
            if there is None:
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
                file.known_as = original.identity
                file.resume(original.offset, original.tail, original.head)
        elif now < until:
            return False
        del self._held[file]
        return True


def _beside(path: str) -> list[str]:
    """What lies beside a file under names that begin like its own, but for compressed files."""
    directory, name = os.path.split(path)
    stem = name.partition(".")[0]
    try:
        with os.scandir(directory) as entries:
            paths = [entry.path for entry in entries if entry.name.startswith(stem)]
    except OSError:
        return []
    return [path for path in paths if not path.endswith(COMPRESSED)]


def _opened(path: str, key: tuple[int, int]) -> FollowedFile:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    file = FollowedFile(path, descriptor, *key)
    file.version = version_of(descriptor)
    return file


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
