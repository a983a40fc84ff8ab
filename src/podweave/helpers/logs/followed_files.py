"""The files of a Tail: which are open, in whose turn, and what the checkpoint says of them all."""

from __future__ import annotations

import time
from collections import deque

from podweave.helpers.logs.copies import Copies
from podweave.helpers.logs.followed_file import FollowedFile
from podweave.helpers.logs.remembered import Remembered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from podweave.helpers.logs.archives import Archives


class FollowedFiles:
    """`tell` says that a file is not what the checkpoint's `entries` remember."""

    def __init__(self, entries: Sequence[dict[str, Any]], tell: Callable[..., None]) -> None:
        self.remembered = Remembered(entries, tell)
        self.copies = Copies()
        self.archives: Archives | None = None
        """As soon as there may be some."""
        self.at: dict[str, FollowedFile] = {}
        """By path, as of the last look."""
        self.ring: deque[FollowedFile] = deque()
        """In the order in which they are read; compressed ones too."""
        self._open: dict[tuple[int, int], FollowedFile] = {}
        self._ended: list[FollowedFile] = []
        """Closed, but not wholly acknowledged."""

    def __iter__(self) -> Iterator[FollowedFile]:
        """Those that are open, but for compressed ones; any may be ended meanwhile."""
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    def get(self, key: tuple[int, int]) -> FollowedFile | None:
        """By device and inode."""
        return self._open.get(key)

    def known(self) -> list[FollowedFile]:
        """Those that are open, and those that ended lately."""
        return [*self._open.values(), *self._ended]

    def unpacked(self) -> list[FollowedFile]:
        """The compressed ones."""
        if self.archives is None:
            return []
        return [file for file in self.ring if file.archive is not None]

    def need_archives(self) -> Archives:
        """What finds compressed files, from now on."""
        if self.archives is None:
            from podweave.helpers.logs.archives import Archives

            self.archives = Archives(self.remembered, self.ring.append)
        return self.archives

    def claim(self, file: FollowedFile) -> bool:
        """Let a file that was opened go on where the checkpoint says; False if it is unknown."""
        self._remember_ended()
        return self.remembered.claim(file)

    def add(self, file: FollowedFile) -> None:
        self._open[file.device, file.inode] = file
        self.ring.append(file)

    def replace(self, file: FollowedFile, now: float) -> FollowedFile:
        """A file's next generation takes its place and its descriptor, and begins at 0."""
        fresh = FollowedFile(file.path, file.descriptor, file.device, file.inode)
        fresh.generation = file.generation + 1
        fresh.version = file.version
        fresh.changed = now
        fresh.departed = file.departed
        file.descriptor = -1
        file.ended = True
        self.copies.ended(file, now)
        self._open[file.device, file.inode] = fresh
        self.ring[self.ring.index(file)] = fresh
        for path, known in self.at.items():
            if known is file:
                self.at[path] = fresh
        return fresh

    def end(self, file: FollowedFile, now: float) -> None:
        """Nothing more comes of it, and no name leads to it."""
        file.ended = True
        if file.archive is None:
            self.copies.ended(file, now)
            del self._open[file.device, file.inode]
        file.close()
        self.ring.remove(file)
        self._ended.append(file)

    def entries(self) -> list[dict[str, Any]]:
        """For the checkpoint."""
        self._remember_ended()
        # Where the inode has a version, one that wasn't read yet is found again as well, however
        # it is called then.
        entries = [
            file.entry()
            for file in [*self.known(), *self.unpacked()]
            if file.acknowledged or (file.version is not None and not file.ended)
        ]
        if self.archives is not None:
            entries = self.archives.with_named(entries)
        return entries + self.remembered.entries(time.time())

    def close(self) -> None:
        for file in [*self._open.values(), *self.unpacked()]:
            file.ended = True
            file.close()
        self.ring.clear()

    def _remember_ended(self) -> None:
        for file in self._ended:
            # Of compressed ones Archives knows more.
            named = file.archive is None and not file.deleted
            if named and not file.unacknowledged and file.acknowledged:
                self.remembered.keep(file)
        self._ended = [file for file in self._ended if file.unacknowledged]
