"""The checkpoint of a log program: one small JSON file, replaced atomically.

It holds a section for each of the program's sources (what each is named is the program's
business: see delivery/sections.py), and a section is a list of entries (see FollowedFile.entry).
It only ever says less than what the stores have acknowledged, never more, so what is lost with it
is read again.

What is promised: after the death of the process, kill -9 included, the last saved checkpoint is
there and whole. After a crash of the machine it is there and whole too (fsync before the rename),
as old as the last save that the disk kept; a program syncs its store before it saves, so even
then the checkpoint doesn't say more than the store has.

A damaged checkpoint is set aside as `checkpoint.json.damaged` with a loud line and the files are
read from their beginnings: lines twice are better than lines lost, and than no logs at all.
A state directory that can't be written doesn't stop the program: a log helper must never keep
an application from starting, and a disk can fill at any time. It is said loudly once, counted,
and tried again at each save.
"""

from __future__ import annotations

import errno
import json
import os

from podweave.helpers.logs.refusals import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.journal import Journal

VERSION = 1
# Far above what FORGET_ABOVE files need; a larger file is not one of ours.
_SIZE_LIMIT = 32 << 20


class Checkpoint:
    """The file in a state directory, and the sections that were in it at the start."""

    def __init__(
        self, directory: str, journal: Journal | None = None, *, lasts: bool = False
    ) -> None:
        self.path = os.path.join(directory, "checkpoint.json")
        self.failures = 0
        """Saves that failed, for metrics."""
        self.writable = True
        self.names: dict[str, str] | None = None
        """Saved with the sections, for the program; None: there was nothing of the kind."""
        self._journal = journal
        # The next Pod may run as another user of the volume's group.
        self._mode = 0o660 if lasts else 0o600
        self._sections = self._load()

    @property
    def sections(self) -> list[str]:
        """What there was at the start."""
        return list(self._sections)

    def entries(self, section: str) -> list[dict[str, Any]]:
        """Entries that were saved for a source; [] for a new one."""
        return self._sections.get(section, [])

    def save(self, sections: dict[str, list[dict[str, Any]]]) -> bool:
        """Replace the file; False (said loudly once, counted) when that can't be done."""
        value: dict[str, Any] = {"version": VERSION, "sections": sections}
        if self.names is not None:
            value["names"] = self.names
        text = json.dumps(value, separators=(",", ":"))
        temporary = self.path + ".new"
        try:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, self._mode)
            try:
                os.fchmod(descriptor, self._mode)
                data = memoryview(text.encode("ascii"))
                while data:
                    data = data[os.write(descriptor, data) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.rename(temporary, self.path)
        except OSError as error:
            self.failures += 1
            if self.writable:
                self.writable = False
                self._tell("checkpoint.unwritable", error)
            return False
        self.writable = True
        return True

    def _load(self) -> dict[str, list[dict[str, Any]]]:
        try:
            with open(self.path, "rb") as file:
                data = file.read(_SIZE_LIMIT + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._tell("checkpoint.unreadable", error)
            return {}
        try:
            sections, self.names = _taken_apart(data)
            return sections
        except (ValueError, RecursionError) as error:
            self._set_aside(str(error))
            return {}

    def _set_aside(self, reason: str) -> None:
        aside = self.path + ".damaged"
        if self._journal is not None:
            self._journal.error(
                "checkpoint.damaged",
                path=self.path,
                message=f"{reason}; set aside as {aside}, reading every file from its beginning",
            )
        try:
            os.replace(self.path, aside)
        except OSError as error:
            self._tell("checkpoint.unwritable", error)

    def _tell(self, event: str, error: OSError) -> None:
        if self._journal is not None:
            self._journal.error(
                event,
                path=self.path,
                error=errno.errorcode.get(error.errno or 0, "?"),
                message=f"{why(error)}: after a restart lines may be delivered twice",
            )


def _taken_apart(
    data: bytes,
) -> tuple[dict[str, list[dict[str, Any]]], dict[str, str] | None]:
    """Sections and names. ValueError says what is wrong with it."""
    if len(data) > _SIZE_LIMIT:
        raise ValueError("too long")
    value = json.loads(data)
    if not isinstance(value, dict) or value.get("version") != VERSION:
        raise ValueError(f"not a checkpoint of version {VERSION}")
    sections = value.get("sections")
    if not isinstance(sections, dict):
        raise ValueError("no sections")
    for name, entries in sections.items():
        if not isinstance(entries, list) or not all(isinstance(item, dict) for item in entries):
            raise ValueError(f"section {name!r} is not a list of objects")
    names = value.get("names")
    if names is not None and (
        not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values())
    ):
        raise ValueError("names are not texts")
    return sections, names
