"""Standard output, which the container engine reads.

Its pipe may be shared with others, so its flags aren't touched: written is as much as a pipe
that polls writable takes without blocking, again and again.
"""

from __future__ import annotations

import os
import select
import stat

from podweave.helpers.logs.outputs.interface import Output
from podweave.helpers.loop import WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.journal import Journal
    from podweave.helpers.loop import Loop

_TURNS = 64


class StandardOutput(Output):
    """`drained` is called when what was pending is written."""

    def __init__(
        self,
        loop: Loop,
        drained: Callable[[], object],
        journal: Journal | None = None,
        descriptor: int = 1,
    ) -> None:
        super().__init__("stdout", journal)
        self._loop = loop
        self._drained = drained
        self._descriptor = descriptor
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        self._watched = False
        # Only a pipe or a socket can keep the writer waiting.
        self._regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._piece = 1 << 20 if self._regular else select.PIPE_BUF

    def pump(self) -> None:
        """OSError (EPIPE) when nobody reads any more: the program can't do its work."""
        for _ in range(_TURNS):
            if not self._queue or not self._poll.poll(0):
                break
            self._wrote(os.write(self._descriptor, self._queue[0][: self._piece]))
        if not self._regular and bool(self._queue) != self._watched:
            self._watch(bool(self._queue))

    def wait(self) -> float:
        return 0.0 if not self._watched else 1.0

    def _watch(self, wanted: bool) -> None:
        if wanted:
            self._loop.add(self._descriptor, WRITE, self._ready)
        else:
            self._loop.remove(self._descriptor)
        self._watched = wanted

    def _ready(self, events: int) -> None:
        self.pump()
        if not self._queue:
            self._drained()
