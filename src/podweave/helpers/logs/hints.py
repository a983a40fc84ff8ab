"""The kernel's hint that something was written in a directory, so that quiet files cost nothing.

It is only a hint: files are looked at anyway, just more seldom where hints are known to come.

dnotify (fcntl F_NOTIFY), not inotify: the standard library has no inotify, and to call it through
ctypes costs every helper 0.6 MiB and libffi, which slim images lack. dnotify needs one descriptor
a directory, has no system-wide limit of watches that other programs may have used up, and tells by
a signal, once, until it is asked again: a writer of a thousand lines a second makes one signal a
look, not a thousand events to read. What it can't say, which file it was, a look finds out at the
cost of one stat a file. Where a kernel or file system lacks it, polling goes on as before.
"""

from __future__ import annotations

import fcntl
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podweave.helpers.loop import Loop

# Real-time signals belong to nobody else in a helper; SIGIO is what leases send (writers.py).
SIGNAL = signal.SIGRTMIN + 7
MOST = 128
"""Directories; beyond, looking at them all costs less than descriptors for them."""

# linux/fcntl.h; the module has no name for the first.
_F_SETSIG = 10
_WHAT = fcntl.DN_MODIFY | fcntl.DN_CREATE | fcntl.DN_DELETE | fcntl.DN_RENAME


class Hints:
    """The hints of a process. `count` goes up with each."""

    def __init__(self, loop: Loop) -> None:
        self.count = 0
        self._listeners: list[Callable[[], object]] = []
        self._descriptors: dict[str, int] = {}
        self._wanted: dict[object, frozenset[str]] = {}
        loop.on_signal(SIGNAL, self._fired)

    def listen(self, listener: Callable[[], object]) -> None:
        """Call this at every hint."""
        self._listeners.append(listener)

    def arm(self, whose: object, directories: Iterable[str]) -> bool | None:
        """Ask for a hint of the next change in any of the directories.

        True: some weren't watched before, and what changed before isn't told. False: all were.
        None: some can't be watched.
        """
        wanted = frozenset(directories)
        if self._wanted.get(whose) != wanted:
            self._wanted[whose] = wanted
            self._forget()
        if len(wanted) > MOST:
            return None
        try:
            return sum(self._arm(directory) for directory in wanted) > 0
        except (OSError, ValueError):
            return None

    def close(self) -> None:
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors.clear()

    def _arm(self, directory: str) -> bool:
        descriptor = self._descriptors.get(directory)
        if descriptor is not None:
            # Another directory of that name has come, or none.
            there, held = os.stat(directory), os.fstat(descriptor)
            if (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino):
                os.close(self._descriptors.pop(directory))
                descriptor = None
        if descriptor is None:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._descriptors[directory] = descriptor
            fcntl.fcntl(descriptor, _F_SETSIG, SIGNAL)
            fresh = True
        else:
            fresh = False
        fcntl.fcntl(descriptor, fcntl.F_NOTIFY, _WHAT)
        return fresh

    def _forget(self) -> None:
        wanted = frozenset().union(*self._wanted.values())
        for directory in [name for name in self._descriptors if name not in wanted]:
            os.close(self._descriptors.pop(directory))

    def _fired(self) -> None:
        self.count += 1
        for listener in self._listeners:
            listener()
