"""What a checkpoint remembers of files that are not followed now: not met yet, or gone.

A file that comes is looked up here. Entries that nobody claims are let go after a day.
"""

from __future__ import annotations

import os

from podweave.helpers.logs.followed_file import identity_of, is_entry, matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podweave.helpers.logs.followed_file import FollowedFile

FORGET_AFTER = 24 * 3600.0
FORGET_ABOVE = 2000


class Remembered:
    """`tell` says that a file is not what was remembered."""

    def __init__(self, entries: Sequence[dict[str, Any]], tell: Callable[..., None]) -> None:
        self._entries = [entry for entry in entries if is_entry(entry)]
        self._identities = frozenset(map(identity_of, self._entries))
        self._tell = tell

    def claim(self, file: FollowedFile) -> bool:
        """Let a newly opened file go on where the checkpoint says; False if it is unknown.

        Another device number with the same inode is believed when the bytes agree: these numbers
        change with a reboot. Another inode isn't: a new file may begin like the old one.
        """
        alike = [entry for entry in self._entries if entry["inode"] == file.inode]
        alike.sort(key=lambda entry: (entry["device"] != file.device, -entry["generation"]))
        for entry in alike:
            version = entry.get("version")
            if None not in (version, file.version) and version != file.version:
                continue
            bytes_of = matches(entry, file.descriptor)
            if bytes_of is not None:
                self._entries.remove(entry)
                file.path = entry["path"]
                file.generation = entry["generation"]
                file.known_as = entry.get("identity", "")
                if file.device != entry["device"]:
                    # A record that is sent again after the reboot, or from another node, has the
                    # id that it had.
                    file.known_as = identity_of(entry)
                file.resume(entry["offset"], *bytes_of)
                return True
        for entry in alike:
            if entry["device"] == file.device:
                # Not removed: what was there may be compressed now.
                file.generation = max(file.generation, entry["generation"] + 1)
                self._tell("log.replaced", path=file.path, known_as=entry["path"])
        while file.identity in self._identities:
            file.generation += 1  # a copy has the name of what was here
        return False

    def keep(self, file: FollowedFile) -> None:
        """A file went out of sight; it may come back."""
        self._entries.append(file.entry())

    def entries(self, now: float) -> list[dict[str, Any]]:
        """What is worth remembering still, at this Unix time."""
        for entry in self._entries:
            entry.setdefault("gone", int(now))
        self._entries = [
            entry for entry in self._entries[-FORGET_ABOVE:] if now - entry["gone"] < FORGET_AFTER
        ]
        return self._entries

    def orphans(self) -> list[dict[str, Any]]:
        """Entries that no file claimed and that were read in part: of files that are gone."""
        return [entry for entry in self._entries if entry["offset"] and "archive" not in entry]

    def forget(self, entry: dict[str, Any]) -> None:
        if entry in self._entries:
            self._entries.remove(entry)

    def archive(self, device: int, inode: int, size: int) -> dict[str, Any] | None:
        """What is known of a compressed file, which never changes once it is there."""
        for entry in self._entries:
            if entry["inode"] == inode and entry.get("archive") == size:
                return entry
        return None

    def heads(self) -> list[tuple[int, str]]:
        """Of the files: how many first bytes are known, and their digest."""
        return [tuple(entry["head"]) for entry in self._entries]

    def elsewhere(self) -> list[str]:
        """Paths of files that were renamed in their directories while nobody followed them.

        With `*.log` followed, that is where app.log is after it became app.log.1.
        """
        inodes: dict[str, set[int]] = {}
        for entry in self._entries:
            inodes.setdefault(os.path.dirname(entry["path"]), set()).add(entry["inode"])
        paths: list[str] = []
        for directory, wanted in inodes.items():
            try:
                with os.scandir(directory) as names:
                    paths += [name.path for name in names if name.inode() in wanted]
            except OSError:
                continue  # gone, or not for our eyes
        return paths
