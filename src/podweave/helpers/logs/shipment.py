"""One source on its way to one store: reads, hands over, passes acknowledgements back."""

from __future__ import annotations

from podweave.helpers.logs.source import SLOW
from podweave.helpers.logs.stores.interface import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podweave.helpers.logs.source import Source
    from podweave.helpers.logs.stores.interface import Store

TURN = 256 << 10
"""Bytes read in a turn: a store that fails gets no more, and the admin endpoint is answered."""


class Budget:
    """Bytes that were read and not yet acknowledged, of all shipments of the process."""

    __slots__ = ("free",)

    def __init__(self, limit: int) -> None:
        self.free = limit


class Shipment:
    """`name` is its section in the checkpoint, `label` what metrics and messages call it."""

    def __init__(
        self,
        name: str,
        label: str,
        source: Source,
        store: Store,
        *,
        raw: bool,
        budget: Budget,
        clock: Callable[[], float],
    ) -> None:
        self.name = name
        self.label = label
        self.source = source
        self.store = store
        self.acknowledged_bytes = 0
        self._raw = raw
        self._budget = budget
        self._clock = clock
        self._outstanding: dict[Batch, None] = {}
        store.acknowledged = self._acknowledged

    def turn(self) -> None:
        """Read some and hand it over, if the store and the budget allow."""
        self.store.advance()
        allowed = min(TURN, self._budget.free)
        if allowed <= 0 or not self.store.ready:
            self.source.read(0)
            return
        chunks = self.source.read(allowed)
        if chunks:
            batch = Batch(chunks, self._raw, self._clock())
            self._outstanding[batch] = None
            self._budget.free -= batch.size
            self.store.write(batch)

    def wait(self) -> float:
        """Seconds until the next turn is worth taking."""
        if self.store.ready and self._budget.free > 0:
            return self.source.next_poll()
        wait = self.store.wait()
        return SLOW if wait is None else min(wait, SLOW)

    @property
    def finished(self) -> bool:
        """After the source's `finish`: everything is delivered."""
        return self.source.finished and not self._outstanding

    def entries(self) -> list[dict[str, Any]]:
        return self.source.entries()

    def unacknowledged_bytes(self) -> int:
        return sum(batch.size for batch in self._outstanding)

    def oldest_unacknowledged(self) -> float:
        """Age in seconds of the oldest batch that waits for its acknowledgement."""
        if not self._outstanding:
            return 0.0
        return self._clock() - next(iter(self._outstanding)).read_at

    def close(self) -> None:
        self.source.close()
        self.store.close()

    def _acknowledged(self, batch: Batch) -> None:
        del self._outstanding[batch]
        self._budget.free += batch.size
        self.acknowledged_bytes += batch.size
        for chunk in batch.chunks:
            self.source.acknowledge(chunk)
