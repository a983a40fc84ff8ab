"""Follows log files: everything that is written to them comes out, in order, at least once.

A program's turn:

    for chunk in tail.read(max_bytes): deliver it, and then tail.acknowledge(chunk)
    wait tail.next_poll() seconds
    now and then: checkpoint.save({"name of this source": tail.entries()})

At SIGTERM: tail.finish(), and go on with turns until tail.finished (or the deadline).
"""

from __future__ import annotations

import time

from podweave.helpers.logs.followed_file import Chunk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

LINE_LIMIT = 1 << 20


class Tail:
    """Follows the files that match some patterns.

    `patterns`: absolute paths; `*`, `?` and `[...]` in any part, `**` for any depth.
    `entries`: of the checkpoint, from an earlier life.
    """

    def __init__(
        self,
        patterns: Sequence[str],
        entries: Sequence[dict[str, Any]] = (),
        *,
        line_limit: int = LINE_LIMIT,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        raise NotImplementedError

    def read(self, max_bytes: int) -> list[Chunk]:
        """Read about `max_bytes` (a longer line is still given whole), fairly between files.

        Never blocks and never raises for what is wrong with a file. How much may be read and
        not yet acknowledged is the caller's to decide: read less, or not at all.
        """
        raise NotImplementedError

    def acknowledge(self, chunk: Chunk) -> None:
        """The chunk is safe: the checkpoint may say so."""
        raise NotImplementedError

    def next_poll(self) -> float:
        """Seconds until `read` is worth calling again: 0 while there is more, up to 0.2."""
        raise NotImplementedError

    def finish(self) -> None:
        """The Pod ends: read on to the end of every file, last lines without newline too."""
        raise NotImplementedError

    @property
    def finished(self) -> bool:
        """After `finish`: everything is read, and the files are quiet or have no writer."""
        raise NotImplementedError

    @property
    def dirty(self) -> bool:
        """Something was acknowledged since the last `entries()`."""
        raise NotImplementedError

    def entries(self) -> list[dict[str, Any]]:
        """What the checkpoint should say now: as far as everything is acknowledged."""
        raise NotImplementedError

    def unread_bytes(self) -> int:
        """Bytes in the files that were not read yet, as of the last look."""
        raise NotImplementedError

    counters: dict[str, int]
    """read_bytes, read_chunks, truncated_files, lost_bytes (cut away by a truncation before
    they were read), long_lines, unreadable_files, ...; for metrics."""

    def close(self) -> None:
        """Give every descriptor back."""
        raise NotImplementedError
