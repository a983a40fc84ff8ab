"""Whether a container that was started has come to rest: all its processes wait for something.

A container without a readinessProbe counts as ready as soon as its command runs, also when that
fails a moment later. Whoever waits for a Pod wants to know that moment. A fixed pause would be
too long for most commands and too short for others on a busy machine; a command that still
computes has not begun to serve, and one that sleeps has got through its beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from podweave.engines.local.supervision.loop import Loop

FIRST: Final = 0.001
LONGEST: Final = 0.1
"""Seconds between two looks; they double."""

PATIENCE: Final = 1.0
"""Seconds after which a container that goes on computing counts as at rest."""


class Settling:
    """Looks at one run of a container until it is at rest or `cancel`led; then calls `done`."""

    def __init__(self, loop: Loop, process_one: int, done: Callable[[], None]) -> None:
        self._loop = loop
        self._process_one = process_one
        self._done = done
        self._calm = 0
        self._pause = FIRST
        self._deadline = loop.now() + PATIENCE
        self._timer = loop.after(FIRST, self._look)

    def cancel(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        self._calm = self._calm + 1 if at_rest(self._process_one) else 0
        # Twice: between two system calls of one start a process may wait for a moment, too.
        if self._calm == 2 or self._loop.now() >= self._deadline:
            self._done()
            return
        if not self._calm:
            self._pause = min(self._pause * 2, LONGEST)
        self._timer = self._loop.after(self._pause, self._look)


def at_rest(process_one: int) -> bool:
    """Whether there are processes beneath process one, and all of them sleep."""
    direct = _children(process_one)
    below = list(direct)
    for pid in below:
        try:
            with open(f"/proc/{pid}/stat", "rb") as stream:
                state = stream.read().rpartition(b") ")[2][:1]
        except OSError:
            return False
        # A dead child of process one is the command itself, whose end is about to be told; dead
        # ones further down are those that the command hasn't waited for.
        if state not in (b"S", b"T") and (state != b"Z" or pid in direct):
            return False
        below += _children(pid)
    return bool(below)


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children", "rb") as stream:
            return [int(each) for each in stream.read().split()]
    except OSError:
        return []
