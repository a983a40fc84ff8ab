"""The checkpoint of a log program: one small JSON file, replaced atomically.

It holds a section for each of the program's sources (what each is named is the program's
business), and a section is a list of entries (see FollowedFile.entry). It only ever says less
than what the stores have acknowledged, never more, so what is lost with it is read again.

What is promised: after the death of the process, kill -9 included, the last saved checkpoint
is there and whole. After a crash of the machine it is there and whole too (fsync before the
rename), as old as the last save that the disk kept; a store is synced before the checkpoint is
saved, so it still doesn't say more than the store has.

A damaged checkpoint is set aside as `checkpoint.json.damaged` with a loud line and the files are
read from their beginnings: lines twice are better than lines lost, and than no log shipping.
A state directory that can't be written doesn't stop the program: a log helper must never keep
an application from starting, and a disk can fill at any time. It is said loudly once, counted,
and tried again at each save.
"""

from __future__ import annotations

import json
import os

from podweave.helpers.journal import journal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1


class Checkpoint:
    """The file, and the entries that were in it when the program started."""

    def __init__(self, directory: str) -> None:
        self.path = os.path.join(directory, "checkpoint.json")
        self.sections: dict[str, list[dict[str, Any]]] = {}
        self.failures = 0
        self.writable = True

    def load(self) -> None:
        """Read the file, if there is one."""

    def entries(self, section: str) -> list[dict[str, Any]]:
        """Entries that were saved for a source."""
        return self.sections.get(section, [])

    def save(self, sections: dict[str, list[dict[str, Any]]]) -> bool:
        """Replace the file; False (said loudly, counted) when that can't be done."""
        raise NotImplementedError
