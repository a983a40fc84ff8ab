"""What can't be read now: said once, tried again at every look."""

from __future__ import annotations

import errno

from podweave.helpers.logs.refusals import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Unreadable:
    """Paths of files and directories. `tell` says what is wrong with one."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self._tell = tell
        self._known: dict[str, int | None] = {}
        self._before: dict[str, int | None] = {}

    def __len__(self) -> int:
        return len(self._known)

    def paths(self) -> list[str]:
        return list(self._known)

    def look(self) -> None:
        """Everything is looked at anew: what isn't reported again is mended."""
        self._before, self._known = self._known, {}

    def looked(self) -> None:
        """That look is over."""
        self._before = {}

    def report(self, path: str, error: OSError) -> None:
        # Too many open files is one thing to say, however many names it keeps closed.
        if error.errno in (errno.EMFILE, errno.ENFILE):
            path = "more files"
        before = self._before.get(path, self._known.get(path))
        told = error.errno == before and (path in self._before or path in self._known)
        self._known[path] = error.errno
        if not told:
            code = errno.errorcode.get(error.errno or 0)
            self._tell("log.unreadable", path=path, error=code, message=why(error))
