"""Batches on their way to a store, and what becomes of them.

What is delivered or became a dead letter is acknowledged to where it came from; the rest is sent
again after a back-off, in front of everything newer.
"""

from __future__ import annotations

from collections import deque

from podweave.helpers.logs.delivery.collecting import consign_again

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.logs.delivery.collecting import Consignment
    from podweave.helpers.logs.delivery.counts import Counts
    from podweave.helpers.logs.delivery.dead_letters import DeadLetters
    from podweave.helpers.logs.delivery.store_health import StoreHealth
    from podweave.helpers.logs.delivery.unsettled import Unsettled
    from podweave.helpers.logs.stores.interface import Done, Outcome, Store


class Sending:
    """`queue` waits for the store; first come, first sent. `too_large` is told of how many bytes
    the store has refused, `answered` is called after each answer."""

    def __init__(
        self,
        store: Store,
        health: StoreHealth,
        counts: Counts,
        unsettled: Unsettled,
        dead_letters: DeadLetters,
        *,
        too_large: Callable[[int], object],
        answered: Callable[[], object],
        clock: Callable[[], float],
    ) -> None:
        self.queue: deque[Consignment] = deque()
        self.sent_at = -1e9
        """When the last batch went."""
        self._store = store
        self._health = health
        self._counts = counts
        self._unsettled = unsettled
        self._dead_letters = dead_letters
        self._too_large = too_large
        self._answered = answered
        self._clock = clock
        self._under_way: dict[Consignment, None] = {}
        self._stopped = False

    @property
    def open(self) -> bool:
        """The store takes one more at once."""
        return len(self._under_way) < self._store.window

    @property
    def oldest(self) -> Consignment | None:
        """Of those that have no answer yet."""
        return next(iter(self._under_way), None)

    def all(self) -> list[Consignment]:
        """What is under way and what waits, in their order."""
        return [*self._under_way, *self.queue]

    def stop(self) -> None:
        """Close the store. What is under way counts as not sent."""
        if not self._stopped:
            self._stopped = True
            self._store.close()
            self.queue.extendleft(reversed(self._under_way))
            self._under_way.clear()

    def send(self, now: float) -> None:
        """Send what waits, as far as the store takes it now."""
        while self.queue and not self._health.wait() and self.open:
            consignment = self.queue.popleft()
            self._under_way[consignment] = None
            consignment.sent_at = self.sent_at = now
            self._store.send(consignment.batch, self._done_with(consignment))

    def _done_with(self, consignment: Consignment) -> Done:
        return lambda outcome: self._done(consignment, outcome)

    def _done(self, consignment: Consignment, outcome: Outcome) -> None:
        if self._stopped:
            return
        del self._under_way[consignment]
        self._counts.latency.observe(self._clock() - consignment.sent_at)
        batch = consignment.batch
        if outcome.divide and batch.records > 1:
            self._divide(consignment, outcome)
        elif outcome.divide:
            self._settle(consignment, [], [(0, outcome.reason)], outcome)
        elif outcome.again is None:
            self._failed(outcome)
            self.queue.appendleft(consignment)
        else:
            self._settle(consignment, outcome.again, outcome.rejected, outcome)
        self._answered()

    def _settle(
        self,
        consignment: Consignment,
        again: Sequence[int],
        rejected: Sequence[tuple[int, str]],
        outcome: Outcome,
    ) -> None:
        """Part of a batch is delivered, part of it may never be, part of it comes again."""
        batch = consignment.batch
        counts = self._counts
        if rejected and not self._dead_letters.write(batch, rejected):
            # Not kept anywhere yet: to send them again finds out what becomes of them later.
            again = sorted([*again, *(index for index, _ in rejected)])
            rejected = ()
        counts.rejected_records += len(rejected)
        if again:
            part = batch.select(again)
            counts.delivered_bytes += batch.size - part.size
            counts.delivered_records += batch.records - part.records - len(rejected)
            self.queue.appendleft(consign_again(part, consignment.parcels))
            self._failed(outcome)
        else:
            counts.delivered_bytes += batch.size
            counts.delivered_records += batch.records - len(rejected)
            self._health.recovered()
        self._unsettled.release(consignment.parcels)

    def _divide(self, consignment: Consignment, outcome: Outcome) -> None:
        """Send the halves instead, the first one first."""
        self._counts.divided += 1
        batch = consignment.batch
        if outcome.too_large:
            self._too_large(batch.size)
        first, rest = batch.halves()
        self.queue.appendleft(consign_again(rest, consignment.parcels))
        self.queue.appendleft(consign_again(first, consignment.parcels))
        self._unsettled.release(consignment.parcels)

    def _failed(self, outcome: Outcome) -> None:
        self._counts.retries += 1
        self._health.failed(outcome)
