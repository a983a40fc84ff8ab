"""What can't be read now: said once, tried again at every look."""

from __future__ import annotations

import errno

from podweave.helpers.logs.refusals import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Unreadable:
    """Paths of files and directories. `tell` says what is wrong with one; `told` is what was said,
    perhaps by others who read the same."""

    def __init__(
        self, tell: Callable[..., None], told: dict[str, int | None] | None = None
    ) -> None:
        self._tell = tell
        self._told = {} if told is None else told
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
        for path in self._before.keys() - self._known.keys():
            self._told.pop(path, None)
        self._before = {}

    def report(self, path: str, error: OSError) -> None:
        # Too many open files is one thing to say, however many names it keeps closed.
        if error.errno in (errno.EMFILE, errno.ENFILE):
            path = "more files"
        self._known[path] = error.errno
        if path not in self._told or self._told[path] != error.errno:
            self._told[path] = error.errno
            code = errno.errorcode.get(error.errno or 0)
            self._tell("log.unreadable", path=path, error=code, message=why(error))
