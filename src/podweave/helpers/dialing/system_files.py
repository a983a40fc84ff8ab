"""The files that names come from, /etc/hosts and /etc/resolv.conf: read again when they change.

Whoever runs the Pod rewrites them in place, for they are mounted into each container: the kubelet
and Docker truncate the file and write it at once, Podman writes it line by line, whenever a
container of the Pod starts or ends. So a file that has only just changed is not to be trusted in
what it lacks:

    empty, or changed a moment ago    what was known holds; who knows nothing yet waits
    changed within the last second    what is new counts, and what has gone holds until then
"""

from __future__ import annotations

import os
import time

from podweave.helpers.dialing.connector import address_family
from podweave.helpers.wire.name_files import parse_hosts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Clock = Callable[[], float]

SETTLING_SECONDS = 1.0
"""A file that hasn't changed for so long is meant as it is."""
WRITING_SECONDS = 0.05
"""So long after its last change somebody may still be writing it, line by line."""

_FILE_LIMIT = 1 << 20


class SystemFile:
    """Of which an absent one is as good as empty."""

    def __init__(self, path: str, clock: Clock = time.time) -> None:
        """`clock` is the calendar's, as in the file's modification time."""
        self._path = path
        self._clock = clock
        self._seen: tuple[int, int, int] | None = None
        self.settled = True
        """False: it is read again at the next call, for it changed within the last second."""
        self.unclear = False
        """Probably half written."""

    def new_text(self) -> str | None:
        """The text, or None when it is what it was at the last call, or is being rewritten."""
        try:
            seen = _identity(os.stat(self._path))
            if seen == self._seen and self.settled:
                return None
            with open(self._path, "rb") as stream:
                data = stream.read(_FILE_LIMIT)
                # Later than the content: it may have been truncated since the first look.
                changed = os.fstat(stream.fileno()).st_mtime
        except OSError:
            # Just being replaced: what was read last holds.
            self.unclear = False
            return None
        self._seen = seen
        # The calendar may have been set back since.
        age = abs(self._clock() - changed)
        self.settled = age >= SETTLING_SECONDS
        self.unclear = age < (SETTLING_SECONDS if not data else WRITING_SECONDS)
        return data.decode("utf-8", "replace") if data or self.settled else None


class HostsFile:
    """Addresses by name."""

    def __init__(self, path: str, clock: Clock = time.time) -> None:
        self._file = SystemFile(path, clock)
        self._addresses: dict[str, list[str]] = {}

    @property
    def unclear(self) -> bool:
        """A name that isn't listed may be in a moment."""
        return self._file.unclear

    def look(self) -> None:
        """See whether it has changed."""
        text = self._file.new_text()
        if text is None:
            return
        found = {
            name: [address for address in addresses if address_family(address)]
            for name, addresses in parse_hosts(text).items()
        }
        self._addresses = found if self._file.settled else self._addresses | found

    def addresses(self, name: str) -> list[str]:
        """As of the last look; empty for a name that isn't there."""
        return self._addresses.get(name.lower().removesuffix("."), [])


def _identity(status: os.stat_result) -> tuple[int, int, int]:
    return (status.st_mtime_ns, status.st_ino, status.st_size)
