"""One source on its way to one store.

Each delivery has a reader of its own. Where several stores take the same files, the files are read
once for each: a slow store then lags behind in its own reading and holds up nobody, memory stays
what the budget says, and the second reading comes out of the kernel's page cache at a cost far
below that of sending. To read once for all would mean to keep what the slowest store lacks.

A turn: read what the budget and the batch have room for, close the batch when it is full or has
waited long enough, send while the store's window is open. What the store answers is settled here:
what is delivered or became a dead letter is acknowledged to the source, the rest is sent again
after a back-off, in front of everything newer. The checkpoint never says more than was
acknowledged.
"""

from __future__ import annotations

from collections import deque

from podweave.helpers.logs.backoff import Backoff
from podweave.helpers.logs.delivery.batches import Batch
from podweave.helpers.logs.delivery.counts import Counts
from podweave.helpers.logs.delivery.feeds import SourceFeed
from podweave.helpers.logs.source import SLOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.delivery.batches import Piece
    from podweave.helpers.logs.delivery.budget import Share
    from podweave.helpers.logs.delivery.dead_letters import DeadLetters
    from podweave.helpers.logs.delivery.feeds import Parcel
    from podweave.helpers.logs.delivery.origin import Origin
    from podweave.helpers.logs.source import Source
    from podweave.helpers.logs.stores.interface import Done, Outcome, Store
    from podweave.helpers.loop import Loop, Timer

TURN = 256 << 10
"""Bytes read in a turn: a store that fails gets no more, and the admin endpoint is answered."""
LEAST_BATCH = 16 << 10
"""A store that finds everything too large isn't asked with less."""
MOST_AFTER = 900.0
"""Seconds: a Retry-After beyond is taken for a mistake."""


class Consignment:
    """A batch and the parcels that it is made of."""

    __slots__ = ("batch", "parcels", "sent_at")

    def __init__(self, batch: Batch, parcels: Sequence[Parcel]) -> None:
        self.batch = batch
        self.parcels = parcels
        self.sent_at = 0.0


def _again(batch: Batch, parcels: Sequence[Parcel]) -> Consignment:
    """One more batch of the same parcels."""
    for parcel in parcels:
        parcel.pending += 1
    return Consignment(batch, parcels)


class Delivery:
    """`name` is its section in the checkpoint, `label` what metrics and messages call its source,
    `store_name` its store."""

    def __init__(
        self,
        name: str,
        label: str,
        source: Source,
        store: Store,
        origin: Origin,
        *,
        raw: bool,
        share: Share,
        loop: Loop,
        journal: Journal,
        dead_letters: DeadLetters,
        store_name: str = "",
    ) -> None:
        self.name = name
        self.label = label
        self.source = source
        self.store = store
        self.store_name = store_name or store.kind
        self.counts = Counts()
        self._share = share
        self._loop = loop
        self._journal = journal
        self._dead_letters = dead_letters
        self._feed = SourceFeed(source, origin, raw=raw)
        self._batch_bytes = store.limits.bytes
        # What is being collected.
        self._parcels: list[Parcel] = []
        self._pieces: list[Piece] = []
        self._bytes = 0
        self._records = 0
        self._since = 0.0
        self._queue: deque[Consignment] = deque()
        self._under_way: dict[Consignment, None] = {}
        self._unsettled: dict[Parcel, float] = {}
        """Read and not acknowledged, oldest first, and when that was."""
        self._backoff = Backoff()
        self._retry_at = 0.0
        self._failing_since: float | None = None
        self._reason = ""
        self._sent_at = -1e9
        self._in_turn = False
        self._finishing = False
        self._closed = False
        self._timer: Timer | None = None
        source.wake = self._wake

    def start(self) -> None:
        """Take the first turn as soon as the loop runs."""
        self._schedule(0.0)

    def finish(self) -> None:
        """The Pod ends: read on to the end, deliver what is there."""
        self._finishing = True
        self.source.finish()
        self._schedule(0.0)

    @property
    def finished(self) -> bool:
        """After `finish`: everything is delivered."""
        return self.source.finished and not self._unsettled

    def entries(self) -> list[dict[str, Any]]:
        return self.source.entries()

    def unacknowledged_bytes(self) -> int:
        return self._share.taken

    def oldest_unacknowledged(self) -> float:
        """Age in seconds of the oldest record that was read and isn't acknowledged."""
        if not self._unsettled:
            return 0.0
        return self._loop.now() - next(iter(self._unsettled.values()))

    def failing(self) -> str:
        """What is wrong with the store now; empty when nothing is."""
        return self._reason if self._failing_since is not None else ""

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self.source.close()
        self.store.close()

    # A turn

    def turn(self) -> None:
        """Read some, and hand over what is due."""
        self._in_turn = True
        try:
            now = self._loop.now()
            self._read(now)
            self._close_batch_if_due(now)
            self._send(now)
        finally:
            self._in_turn = False

    def wait(self) -> float:
        """Seconds until the next turn is worth taking."""
        now = self._loop.now()
        # A source that can wake us says itself how long it may be left alone.
        waits = [self.source.next_poll() if self._may_read() else SLOW]
        if self._parcels:
            waits.append(self._due_at() - now)
        if self._queue and len(self._under_way) < self.store.window:
            waits.append(self._retry_at - now)
        return max(0.0, min(waits))

    def _wake(self) -> None:
        if not self._in_turn and not self._closed:
            self._schedule(0.0)

    def _run(self) -> None:
        self.turn()
        if not self._closed:
            self._schedule(self.wait())

    def _schedule(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._run)

    # Reading

    def _may_read(self) -> bool:
        """A whole batch that waits is enough in store."""
        return not self._queue and self._share.free > 0

    def _read(self, now: float) -> None:
        room = min(TURN, self._batch_bytes - self._bytes, self._share.free)
        if room <= 0 or self._queue:
            # Also then: what is rotated away meanwhile must be opened now, or it is lost.
            self.source.read(0)
            return
        for parcel in self._feed.read(room):
            self._collect(parcel, now)

    def _collect(self, parcel: Parcel, now: float) -> None:
        self._share.take(parcel.size)
        self._unsettled[parcel] = now
        self.counts.read_bytes += parcel.size
        piece = parcel.piece
        assert piece is not None
        parcel.piece = None  # the batches hold its parts
        if self._parcels:
            first = self._parcels[0]
            if first.origin is not parcel.origin or first.raw is not parcel.raw:
                self._close_batch()
        if not self._parcels:
            self._since = now
        left = piece.count()
        self.counts.read_records += left
        limit = self.store.limits.records
        while self._records + left > limit:
            taken = limit - self._records
            if taken:
                head, piece = piece.divide(taken)
                left -= taken
                self._add(parcel, head, taken)
            self._close_batch()
            self._since = now
        self._add(parcel, piece, left)
        if self._bytes >= self._batch_bytes:
            self._close_batch()

    def _add(self, parcel: Parcel, piece: Piece, records: int) -> None:
        parcel.pending += 1
        self._parcels.append(parcel)
        self._pieces.append(piece)
        self._bytes += len(piece.data)
        self._records += records

    # Batches

    def _due_at(self) -> float:
        """When what is collected goes, full or not."""
        seconds = self.store.limits.seconds
        if self._finishing and self.source.finished:
            return self._since
        # After a silence nobody is waited for: at low load a line is at the store at once.
        return min(self._since, max(self._sent_at, self._since - seconds)) + seconds

    def _close_batch_if_due(self, now: float) -> None:
        if self._parcels and (now >= self._due_at() or self._share.free <= 0):
            self._close_batch()

    def _close_batch(self) -> None:
        if not self._parcels:
            return
        first = self._parcels[0]
        batch = Batch(
            self._pieces, first.origin, raw=first.raw, read_at=self._since, records=self._records
        )
        self._queue.append(Consignment(batch, self._parcels))
        self._parcels, self._pieces = [], []
        self._bytes = self._records = 0

    # Sending

    def _send(self, now: float) -> None:
        while self._queue and now >= self._retry_at and len(self._under_way) < self.store.window:
            consignment = self._queue.popleft()
            self._under_way[consignment] = None
            consignment.sent_at = self._sent_at = now
            self.store.send(consignment.batch, self._done_with(consignment))

    def _done_with(self, consignment: Consignment) -> Done:
        return lambda outcome: self._done(consignment, outcome)

    def _done(self, consignment: Consignment, outcome: Outcome) -> None:
        if self._closed:
            return
        del self._under_way[consignment]
        now = self._loop.now()
        self.counts.latency.observe(now - consignment.sent_at)
        batch = consignment.batch
        if outcome.divide and batch.records > 1:
            self._divide(consignment, outcome)
        elif outcome.divide:
            self._settle(consignment, [], [(0, outcome.reason)], outcome, now)
        elif outcome.again is None:
            self._failed(outcome, now)
            self._queue.appendleft(consignment)
        else:
            self._settle(consignment, outcome.again, outcome.rejected, outcome, now)
        if not self._in_turn:
            self._schedule(0.0)

    def _settle(
        self,
        consignment: Consignment,
        again: Sequence[int],
        rejected: Sequence[tuple[int, str]],
        outcome: Outcome,
        now: float,
    ) -> None:
        """Part of a batch is delivered, part of it may never be, part of it comes again."""
        batch = consignment.batch
        if rejected and not self._dead_letters.write(batch, rejected, self.store_name):
            # Not kept anywhere yet: to send them again finds out what becomes of them later.
            again = sorted([*again, *(index for index, _ in rejected)])
            rejected = ()
        self.counts.rejected_records += len(rejected)
        if again:
            part = batch.select(again)
            self.counts.delivered_bytes += batch.size - part.size
            self.counts.delivered_records += batch.records - part.records - len(rejected)
            self._queue.appendleft(_again(part, consignment.parcels))
            self._failed(outcome, now)
        else:
            self.counts.delivered_bytes += batch.size
            self.counts.delivered_records += batch.records - len(rejected)
            self._recovered()
        self._release(consignment.parcels)

    def _divide(self, consignment: Consignment, outcome: Outcome) -> None:
        """Send the halves instead, the first one first."""
        self.counts.divided += 1
        batch = consignment.batch
        if outcome.too_large:
            self._batch_bytes = max(LEAST_BATCH, min(self._batch_bytes, batch.size // 2 + 1))
        first, rest = batch.halves()
        self._queue.appendleft(_again(rest, consignment.parcels))
        self._queue.appendleft(_again(first, consignment.parcels))
        self._release(consignment.parcels)

    def _release(self, parcels: Sequence[Parcel]) -> None:
        """A batch of these parcels is settled."""
        for parcel in parcels:
            parcel.pending -= 1
            if not parcel.pending and parcel in self._unsettled:
                del self._unsettled[parcel]
                self._share.give_back(parcel.size)
                self.counts.acknowledged_bytes += parcel.size
                parcel.acknowledge()

    def _failed(self, outcome: Outcome, now: float) -> None:
        self.counts.retries += 1
        delay = self._backoff.delay()
        if outcome.after is not None:
            # The store's own word, and a spread on top of it, or all come back at once.
            delay = min(outcome.after, MOST_AFTER) + delay / 10
        self._retry_at = max(self._retry_at, now + delay)
        if self._failing_since is None:
            self._failing_since = now
        if outcome.reason != self._reason:
            self._reason = outcome.reason
            self._journal.warning(
                "store.failed",
                store=self.store_name,
                source=self.label,
                message=f"{outcome.reason}: nothing is lost, it is tried again",
            )

    def _recovered(self) -> None:
        if self._failing_since is not None:
            seconds = round(self._loop.now() - self._failing_since, 3)
            self._failing_since = None
            self._reason = ""
            self._retry_at = 0.0
            self._backoff.reset()
            self._journal.info(
                "store.recovered", store=self.store_name, source=self.label, seconds=seconds
            )
