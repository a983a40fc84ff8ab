"""Patterns of file names: `*`, `?` and `[...]` in any part of a path, `**` for any depth.

As shells do it: `*` doesn't match a leading dot, nor a slash. Compressed files are passed over
unless a pattern names them, or ends with `.gz`: what they hold was read before it was compressed.
Symbolic links to files are followed; `**` doesn't descend into links to directories, which may
lead in circles.

A directory is listed again only when its modification time says that names came or went, and
every few seconds for file systems that don't keep that time well.
"""

from __future__ import annotations

import fnmatch
import os
import re
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip", ".Z")
LOST_AND_FOUND = "lost+found"
"""At the top of ext file systems, root's alone: no log is there, and nobody need be told."""
DEPTH = 32
_MEMO = 10_000
RELIST = 5.0

# How fnmatch.translate ends what ends with `.gz`.
_PACKED = fnmatch.translate(".gz")[4:]
PACKED = ".gz"
_MAGIC = re.compile(r"[*?[]")
# A name may still come within the clock tick that the modification time already shows.
_TICK_NS = 50_000_000


class Globs:
    """The patterns of one source. OSErrors of directories that exist are kept in `errors`."""

    def __init__(self, patterns: Sequence[str], exclude: Sequence[str] = ()) -> None:
        self._patterns = [_Pattern(pattern) for pattern in patterns]
        self._exclude = [_Exclusion(pattern) for pattern in exclude]
        self._excluded: dict[str, bool] = {}
        self._listings: dict[str, tuple[int, list[tuple[str, bool]]]] = {}
        self._listed: dict[str, tuple[int, list[tuple[str, bool]]]] = {}
        self._relist_at = 0.0
        self.errors: dict[str, OSError] = {}
        self.lacking = False
        """A directory that a pattern names isn't there, as of the last look."""

    def paths(self, now: float) -> list[str]:
        """Paths that match now, each once; what they lead to is the caller's to look at."""
        if now >= self._relist_at:
            self._relist_at = now + RELIST
            self._listings = {}
        self.errors = {}
        self.lacking = False
        self._listed = {}
        found: dict[str, None] = {}
        for pattern in self._patterns:
            for path in self._expand(pattern.start, pattern.parts, 0, 0):
                if not self._exclude or not self._leaves_out(path):
                    found[path] = None
        # What was not visited this time is forgotten: directories come and go.
        self._listings = self._listed
        return list(found)

    def directories(self) -> list[str]:
        """Where names may come and go, as of the last look."""
        return [*self._listings, *(pattern.start for pattern in self._patterns)]

    def _leaves_out(self, path: str) -> bool:
        known = self._excluded.get(path)
        if known is None:
            if len(self._excluded) > _MEMO:
                self._excluded.clear()
            known = any(exclusion.matches(path) for exclusion in self._exclude)
            self._excluded[path] = known
        return known

    def _expand(
        self, directory: str, parts: list[str | re.Pattern[str] | None], index: int, depth: int
    ) -> Iterator[str]:
        part = parts[index]
        last = index + 1 == len(parts)
        if part is None:
            if not last:
                yield from self._expand(directory, parts, index + 1, depth)
            for name, is_directory in self._names(directory):
                path = os.path.join(directory, name)
                if is_directory and depth < DEPTH and name[0] != "." and name != LOST_AND_FOUND:
                    yield from self._expand(path, parts, index, depth + 1)
                elif last and name[0] != "." and not name.endswith(COMPRESSED):
                    yield path
        elif isinstance(part, str):
            path = os.path.join(directory, part)
            if last:
                yield path
            else:
                yield from self._expand(path, parts, index + 1, depth)
        else:
            packed = part.pattern.endswith(_PACKED)
            for name, _ in self._names(directory):
                if part.match(name) and (not last or packed or not name.endswith(COMPRESSED)):
                    path = os.path.join(directory, name)
                    if last:
                        yield path
                    elif name != LOST_AND_FOUND and os.path.isdir(path):
                        yield from self._expand(path, parts, index + 1, depth)

    def _names(self, directory: str) -> list[tuple[str, bool]]:
        known = self._listed.get(directory)
        if known is not None:
            return known[1]
        try:
            modified = os.stat(directory).st_mtime_ns
            listing = self._listings.get(directory)
            if listing is None or listing[0] != modified:
                # Names come after the time is read, so a change in between shows next time.
                with os.scandir(directory) as entries:
                    names = sorted(
                        (entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries
                    )
                settled = time.time_ns() - modified > _TICK_NS
                listing = (modified if settled else -1, names)
        except (FileNotFoundError, NotADirectoryError):
            self.lacking = True
            return []
        except OSError as error:
            self.errors[directory] = error
            return []
        self._listed[directory] = listing
        return listing[1]


class _Exclusion:
    """A pattern of what to leave out. Here `*` matches a leading dot too; a pattern without a
    slash is one of names in any folder, and a folder's pattern leaves out all beneath it."""

    __slots__ = ("_parts",)

    def __init__(self, pattern: str) -> None:
        self._parts: list[re.Pattern[str] | None] = []
        if "/" not in pattern:
            pattern = f"**/{pattern}"
        for part in pattern.strip("/").split("/"):
            self._parts.append(None if part == "**" else re.compile(fnmatch.translate(part)))

    def matches(self, path: str) -> bool:
        return _match(self._parts, path.strip("/").split("/"))


def _match(pattern: list[re.Pattern[str] | None], parts: list[str]) -> bool:
    if not pattern:
        return True
    if pattern[0] is None:
        return any(_match(pattern[1:], parts[skip:]) for skip in range(len(parts) + 1))
    return bool(parts) and pattern[0].match(parts[0]) is not None and _match(pattern[1:], parts[1:])


class _Pattern:
    """A pattern cut into parts: text, a compiled name, or None for `**`."""

    __slots__ = ("parts", "start")

    def __init__(self, pattern: str) -> None:
        self.start = "/"
        self.parts: list[str | re.Pattern[str] | None] = []
        for part in os.path.normpath(os.path.abspath(pattern)).strip("/").split("/"):
            if part == "**":
                if not self.parts or self.parts[-1] is not None:
                    self.parts.append(None)
            elif _MAGIC.search(part):
                dot = "" if part.startswith(".") else r"(?!\.)"
                self.parts.append(re.compile(dot + fnmatch.translate(part)))
            elif not self.parts:
                self.start = os.path.join(self.start, part)
            else:
                self.parts.append(part)
        if not self.parts:
            self.start, name = os.path.split(self.start)
            self.parts.append(name)
