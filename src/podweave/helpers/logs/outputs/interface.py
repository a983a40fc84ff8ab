"""What every output of the adapter is to its program."""

from __future__ import annotations

import os
from collections import deque

from podweave.helpers.logs.refusals import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.journal import Journal

RETRY = 1.0
"""Seconds until what failed (a full disk, a missing directory) is tried again."""


class Output:
    """Takes whole rows, and writes them as fast as the other side lets it.

    `pending` are bytes taken and not written yet; while there are any, and while `full`, the
    program reads nothing more for this output. Nothing that goes wrong on the other side loses
    a row: it is said once and tried again.
    """

    def __init__(self, name: str, journal: Journal | None) -> None:
        self.name = name
        self.written = 0
        self.pending = 0
        self.failures = 0
        self._journal = journal
        self._queue: deque[bytes] = deque()
        self._failing: int | None = None

    def write(self, data: bytes) -> None:
        """Take whole rows."""
        if data:
            self._queue.append(data)
            self.pending += len(data)
            self.pump()

    def pump(self) -> None:
        """Write what can be written now."""
        raise NotImplementedError

    def full(self) -> bool:
        """The other side has enough for now."""
        return False

    def wait(self) -> float:
        """Seconds until `pump` is worth calling again, while something is pending."""
        return RETRY

    def sync(self) -> bool:
        """What was written outlives the machine, as far as that can be; False: not yet."""
        return True

    def close(self) -> None:
        """Give the descriptors back."""

    def _wrote(self, count: int) -> None:
        self.pending -= count
        self.written += count
        left = self._queue[0][count:]
        if left:
            self._queue[0] = left
        else:
            self._queue.popleft()
        if self._failing is not None and count:
            self._failing = None
            if self._journal is not None:
                self._journal.info("output.recovered", output=self.name)

    def _failed(self, error: OSError) -> None:
        self.failures += 1
        if self._failing != error.errno:
            self._failing = error.errno
            if self._journal is not None:
                self._journal.error(
                    "output.failed",
                    output=self.name,
                    message=f"{why(error)}: nothing is lost, tried again every {RETRY:g} s",
                )


class FileOutput(Output):
    """An output with a file open, whichever that is at the time."""

    def __init__(self, name: str, journal: Journal | None) -> None:
        super().__init__(name, journal)
        self._descriptor = -1
        self._torn = False
        """Part of a row is written: it goes on where it began."""

    def sync(self) -> bool:
        if self._descriptor >= 0:
            try:
                os.fdatasync(self._descriptor)
            except OSError as error:
                self._failed(error)
                return False
        return True

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
