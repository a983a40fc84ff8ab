"""The copy that copytruncate makes, where it matches the patterns too.

`cp app.log app.log.1; : > app.log` with `app.log*` followed: the copy is a new file that begins
with what was read already, and it has the bytes that were cut away before they were read. So a
new file whose name and first bytes are those of a followed file is held back for a moment. If
the original is truncated (or deleted) meanwhile, and the copy has the same bytes before the
original's offset, it is read from that offset on: nothing twice, nothing lost. Otherwise it is a
file of its own: files may begin alike, and twice is better than never.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podweave.helpers.logs.followed_file import FollowedFile

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

    def may_read(self, file: FollowedFile, now: float) -> bool:
        """False while it isn't known what the file is; sets the offset of a copy."""
        held = self._held.get(file)
        if held is None:
            return True
        until, original = held
        if original.ended:
            if original.unacknowledged:
                return False  # a checkpoint couldn't say yet that they are safe
            known = len(original.tail)
            tail = os.pread(file.descriptor, known, original.offset - known)
            if tail == original.tail:
                file.resume(original.offset, tail, original.head)
        elif now < until:
            return False
        del self._held[file]
        return True


def _alike(original: FollowedFile, file: FollowedFile) -> bool:
    if original is file or not original.head or not file.path.startswith(original.path):
        return False
    try:
        return os.pread(file.descriptor, len(original.head), 0) == original.head
    except OSError:
        return False
