"""Files that were compressed after rotation: `.gz`. By these rules:

- A file that was half read when this program ended, and was rotated and compressed meanwhile, is
  found again: any `.gz` in its directory with the same first bytes and the same bytes before the
  offset. It is read on from there, under its old identity: nothing twice, nothing lost.
- While the program runs it holds every file open that it follows, so compression takes nothing
  away, and the `.gz` isn't looked at.
- A `.gz` whose plain original was never seen is passed over by a pattern like `*.log*`. It is
  read, once, from its beginning, if a pattern says so: one that ends with `.gz`. What such a
  pattern finds is passed over if it begins like a file that is or was followed.
"""

from __future__ import annotations

import os

from podweave.helpers.logs.fingerprints import fingerprint
from podweave.helpers.logs.followed_file import HEAD, FollowedFile
from podweave.helpers.logs.globs import PACKED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from podweave.helpers.logs.remembered import Remembered

_STEP = 4 << 20
"""Decompressed at once while looking for the place: a turn must not take long."""
_CANDIDATES = 256


class Archive:
    """A `.gz` in which a place is being looked for; then `file` can be read from there."""

    __slots__ = ("_others", "done", "entry", "file", "seen")

    def __init__(
        self, entry: dict[str, Any], others: Sequence[str], seen: _Seen | None = None
    ) -> None:
        self.entry = entry
        self.seen = seen
        self._others = list(others)
        self.file: FollowedFile | None = None
        self.done = False
        """It was found, or there is none."""

    def advance(self) -> bool:
        """A step of the search; True when the file is found and at its place."""
        file = self.file
        if file is None:
            while self._others and file is None:
                file = self._begins_alike(self._others.pop(0))
            self.file = file
            self.done = file is None
            return False
        assert file.archive is not None
        offset: int = self.entry["offset"]
        try:
            if not file.archive.advance(offset, _STEP):
                return False
            known, tail_digest = self.entry["tail"]
            tail = file.archive.read_at(known, offset - known)
            found = fingerprint(tail) == tail_digest and file.archive.reached >= offset
        except OSError:
            found = False
        if not found:
            file.close()
            self.file = None
            return False
        file.resume(offset, tail, file.head)
        self.done = True
        return True

    def _begins_alike(self, path: str) -> FollowedFile | None:
        entry = self.entry
        first, head_digest = entry["head"]
        try:
            file = opened(path, entry["device"], entry["inode"], entry["generation"])
        except OSError:
            return None
        assert file.archive is not None
        try:
            head = file.archive.read_at(first, 0)
            if len(head) == first and fingerprint(head) == head_digest:
                file.path = entry["path"]
                file.known_as = entry.get("identity", "")
                file.head = head
                # Not a name that it may come back under.
                file.deleted = True
                return file
        except OSError:
            pass  # no gzip file, or a damaged one
        file.close()
        return None


def opened(path: str, device: int, inode: int, generation: int = 0) -> FollowedFile:
    """A `.gz` as the file that it holds. OSError if it can't be opened."""
    from podweave.helpers.logs.gzip_reader import GzipReader

    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    file = FollowedFile(path, descriptor, device, inode)
    file.generation = generation
    file.archive = GzipReader(descriptor)
    return file


class Archives:
    """The `.gz` files of a Tail. `follow` takes a file that can be read."""

    def __init__(self, remembered: Remembered, follow: Callable[[FollowedFile], None]) -> None:
        self._remembered = remembered
        self._follow = follow
        self._searches: list[Archive] = []
        self._seen: dict[tuple[int, int], _Seen] = {}

    def look_for_orphans(self) -> None:
        """Begin to look for what was read in part and isn't there any more."""
        beside: dict[str, list[str]] = {}
        for entry in self._remembered.orphans():
            directory = os.path.dirname(entry["path"])
            if directory not in beside:
                beside[directory] = _newest(directory)
            if beside[directory]:
                self._searches.append(Archive(entry, beside[directory]))

    def see(
        self, path: str, status: os.stat_result, followed: Iterable[FollowedFile], now: float
    ) -> None:
        """A `.gz` that a pattern names. OSError if it can't be read."""
        key = status.st_dev, status.st_ino
        seen = self._seen.get(key)
        if seen is not None:
            seen.at = now
            if seen.size != status.st_size:
                seen.size = status.st_size
                if seen.file is not None and seen.file.archive is not None:
                    seen.file.archive.torn = False
                    seen.file.look = True
            return
        seen = _Seen(path, key, status.st_size, now)
        entry = self._remembered.archive(*key, status.st_size)
        if entry is not None:
            self._remembered.forget(entry)
            seen.entry = entry
            if not entry.get("done"):
                self._searches.append(Archive(entry, [path], seen))
        else:
            file = opened(path, *key)
            try:
                seen.original = next((each for each in followed if _begins_like(file, each)), None)
                known = seen.original or was_followed(file, self._remembered.heads())
            except OSError:
                file.close()
                raise
            if known:
                file.close()
                seen.finished()
            else:
                seen.file = file
                self._follow(file)
        self._seen[key] = seen

    @property
    def searching(self) -> bool:
        return bool(self._searches)

    def search(self) -> None:
        """A step of each search."""
        for search in list(self._searches):
            if search.advance():
                assert search.file is not None
                if search.seen is None:
                    self._remembered.forget(search.entry)
                else:
                    search.seen.file = search.file
                self._follow(search.file)
            if search.done:
                self._searches.remove(search)

    def with_named(self, followed: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Entries for the checkpoint, and those of the `.gz` files that patterns name, which are
        known by their own size as well."""
        latest = max((seen.at for seen in self._seen.values()), default=0.0)
        for key, seen in list(self._seen.items()):
            if seen.file is not None and seen.file.ended and not seen.file.unacknowledged:
                seen.finished()
            if seen.at < latest and seen.file is None:
                del self._seen[key]
        others = [e for e in followed if (e["device"], e["inode"]) not in self._seen]
        return others + [seen.as_entry() for seen in self._seen.values() if not seen.needed()]


class _Seen:
    """A `.gz` that a pattern names. `at`: when it was seen last."""

    __slots__ = ("at", "entry", "file", "key", "original", "path", "size")

    def __init__(self, path: str, key: tuple[int, int], size: int, now: float) -> None:
        self.path = path
        self.key = key
        self.size = size
        self.at = now
        self.file: FollowedFile | None = None
        self.original: FollowedFile | None = None
        """The followed file that it is the compressed copy of."""
        self.entry: dict[str, Any] = {}

    def needed(self) -> bool:
        """After a kill this is all that there is of its original, which may be deleted by now:
        of that the checkpoint says nothing before some of it is acknowledged."""
        if self.original is not None and self.original.acknowledged:
            self.original = None
        return self.original is not None

    def finished(self) -> None:
        """Nothing of it will be read any more."""
        file = self.file or FollowedFile(self.path, -1, *self.key)
        self.entry = {**file.entry(), "done": True}
        self.file = None

    def as_entry(self) -> dict[str, Any]:
        entry = self.file.entry() if self.file is not None else self.entry
        return {**entry, "archive": self.size}


def was_followed(file: FollowedFile, known: Iterable[tuple[int, str]]) -> bool:
    """Whether a `.gz` begins like one of the files whose first bytes (how many, and their digest)
    are known. OSError if it can't be read."""
    assert file.archive is not None
    head = file.archive.read_at(HEAD, 0)
    return any(
        0 < length <= len(head) and fingerprint(head[:length]) == wanted for length, wanted in known
    )


def _begins_like(archive: FollowedFile, followed: FollowedFile) -> bool:
    return was_followed(archive, [(len(followed.head), fingerprint(followed.head))])


def _newest(directory: str) -> list[str]:
    found: list[tuple[int, str]] = []
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.endswith(PACKED) and entry.is_file():
                    found.append((-entry.stat().st_mtime_ns, entry.path))
    except OSError:
        return []
    return [path for _, path in sorted(found)[:_CANDIDATES]]
