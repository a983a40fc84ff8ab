"""When a reader of files may leave them alone: as long as hints come, and no longer.

A look has to follow after hints were asked for, since what changed before isn't told. Where a
change is seen that no hint told of, the file system gives none (NFS, some of FUSE), and the files
are looked at as if there were no hints.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podweave.helpers.logs.hints import Hints

ACTIVE = 0.05
"""Seconds; while there is more to see, there is a look sooner than this, and no hint is needed."""
RESTING = 1.0
"""Seconds between two looks where hints come: nobody knows of a file system that lies."""
UNHINTED = 100_000_000
"""Nanoseconds within which a hint comes."""


class Rest:
    """For one source. `wake` is called when a hint comes that was asked for."""

    def __init__(self, hints: Hints, wake: Callable[[], object]) -> None:
        self._hints = hints
        self._wake = wake
        self._seen = 0
        self._armed: int | None = None
        """Hints were asked for at this Unix time, in nanoseconds."""
        self.possible = True
        hints.listen(self._hinted)

    def news(self) -> bool:
        """A hint came since the last call."""
        if self._hints.count == self._seen:
            return False
        self._seen = self._hints.count
        self._armed = None
        return True

    def wait(self, directories: Callable[[], Iterable[str]]) -> float | None:
        """How long the files may be left alone: RESTING, ACTIVE for one more look before that,
        None where there are no hints."""
        if not self.possible:
            return None
        fresh = self._hints.arm(self, directories())
        if fresh is None:
            self._armed = None
            return None
        if self._armed is None or fresh:
            self._armed = time.time_ns()
            return ACTIVE
        return RESTING

    def changed(self, modified: int) -> None:
        """A look shows a change of that time, in nanoseconds."""
        armed = self._armed
        if armed is None or self._hints.count != self._seen:
            return
        if armed + UNHINTED < modified < time.time_ns() - UNHINTED:
            self.possible = False
            self._armed = None

    def _hinted(self) -> None:
        if self._armed is not None:
            self._wake()
