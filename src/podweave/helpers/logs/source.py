"""What every source of log lines is to its program: files that are followed, or a spool.

A program's turn:

    for chunk in source.read(max_bytes): deliver it, and then source.acknowledge(chunk)
    wait source.next_poll() seconds
    now and then: checkpoint.save({"name of this source": source.entries()})

At SIGTERM: source.finish(), and go on with turns until source.finished (or the deadline).
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.chunks import Chunk

CHUNK = 256 << 10
"""Bytes read at once."""

FAST = 0.02
SLOW = 0.2
"""Seconds between two looks at what grew lately, and at what is quiet."""

QUIET_AT_END = 1.0
"""Seconds without a new line after which the Pod's end has come for a file, too."""
QUIET_WITHOUT_WRITER = 0.25
"""With no writer left: one that opens the file anew for each line may come back."""

LOSSES = {"lost_bytes": "truncated", "unreadable_bytes": "unreadable", "cut_bytes": "long_line"}
"""Which counters of a source are bytes that were lost, and why, in the metrics' words."""


class Source:
    """`counters` are for metrics: at least `read_bytes` and `read_chunks`."""

    def __init__(
        self,
        counters: dict[str, int],
        *,
        journal: Journal | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters = {"read_bytes": 0, "read_chunks": 0, **counters}
        self._journal = journal
        self._clock = clock
        self._grew = clock()
        self._more = False
        """There is more to read than the last turn took."""
        self._finishing: float | None = None
        self._settled = False
        self.wake: Callable[[], object] | None = None
        """Called when `read` is worth calling before what `next_poll` said last is over."""
        self._dirty = False

    def read(self, max_bytes: int) -> list[Chunk]:
        """Read about `max_bytes` of whole lines; never blocks."""
        raise NotImplementedError

    def acknowledge(self, chunk: Chunk) -> None:
        """The chunk is safe: the checkpoint may say so."""
        if chunk.file.acknowledge(chunk):
            self._dirty = True

    def next_poll(self) -> float:
        """Seconds until `read` is worth calling again: 0 while there is more, up to SLOW, and
        longer only where `wake` will be called when something comes."""
        if self._more:
            return 0.0
        if self._finishing is not None:
            return FAST
        return min(SLOW, max(FAST, (self._clock() - self._grew) / 10))

    def finish(self) -> None:
        """The Pod ends: read on to the end, last lines without newline too."""
        if self._finishing is None:
            self._finishing = self._clock()

    @property
    def finished(self) -> bool:
        """After `finish`: everything is read, and all is quiet or has no writer."""
        return self._finishing is not None and self._settled and not self._more

    @property
    def dirty(self) -> bool:
        """Something was acknowledged since the last `entries()`."""
        return self._dirty

    def entries(self) -> list[dict[str, Any]]:
        """What the checkpoint should say now: as far as everything is acknowledged."""
        raise NotImplementedError

    def unread_bytes(self) -> int:
        """Bytes that were not read yet, as of the last look."""
        raise NotImplementedError

    def files(self) -> int:
        """How many files are followed now."""
        raise NotImplementedError

    def unreadable(self) -> int:
        """How many files and directories can't be read now."""
        raise NotImplementedError

    def unread_files(self) -> list[str]:
        """Paths of files that can't be read now, of which nobody knows how much is in them."""
        return []

    @property
    def found_nothing(self) -> bool:
        """There has never been a file to follow."""
        return False

    def close(self) -> None:
        """Give every descriptor back."""
        raise NotImplementedError

    def _count(self, chunks: Sequence[Chunk]) -> None:
        self.counters["read_chunks"] += len(chunks)
        self.counters["read_bytes"] += sum(len(chunk.data) for chunk in chunks)

    def _tell(self, event: str, **fields: object) -> None:
        if self._journal is not None:
            self._journal.warning(event, **fields)
