"""What a store is to the program that delivers to it.

`write` takes a batch and returns at once; when every record of it is safely at the store, the
store calls `acknowledged(batch)`, during `write` or at any time later. A store never drops a
batch: what fails is tried again, with back-off, until it is acknowledged. Being not `ready` is
how a store says "no more now": its program then stops reading.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.logs.followed_file import Chunk


class Batch:
    """Chunks that are delivered together, of one source.

    `raw` tells lines as an application wrote them from records that are JSON already.
    """

    __slots__ = ("chunks", "raw", "read_at", "size")

    def __init__(self, chunks: Sequence[Chunk], raw: bool, read_at: float) -> None:
        self.chunks = chunks
        self.raw = raw
        self.read_at = read_at
        """On the program's monotonic clock: the age of a record that waits."""
        self.size = sum(len(chunk.data) for chunk in chunks)


class Store:
    """Base of the stores; see the module's docstring for the rules."""

    kind = ""

    def __init__(self) -> None:
        self.acknowledged: Callable[[Batch], None] = _nobody
        """Set by the program before the first write."""
        self.counters = {"records": 0, "bytes": 0, "retries": 0}
        """Delivered records and bytes; attempts that failed and are made again."""

    @property
    def ready(self) -> bool:
        """Takes another batch now."""
        raise NotImplementedError

    def write(self, batch: Batch) -> None:
        """Take a batch. Only when `ready`."""
        raise NotImplementedError

    def advance(self) -> None:
        """Try again what is due; called at every turn."""

    def wait(self) -> float | None:
        """Seconds until `advance` has something to do; None when nothing waits."""
        return None

    def sync(self) -> bool:
        """Make what was acknowledged survive a crash of the machine; False if that failed."""
        return True

    def close(self) -> None:
        """Give back what is held. What isn't acknowledged stays so."""


def _nobody(batch: Batch) -> None:
    raise AssertionError("a store must be told whom to acknowledge to")
