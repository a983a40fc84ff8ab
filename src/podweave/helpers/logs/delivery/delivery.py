"""One source on its way to one store.

Each delivery has a reader of its own. Where several stores take the same files, the files are read
once for each: a slow store then lags behind in its own reading and holds up nobody, memory stays
what the budget says, and the second reading comes out of the kernel's page cache at a cost far
below that of sending. To read once for all would mean to keep what the slowest store lacks.

A turn: read what the budget and the batch have room for, close the batch when it is full or has
waited long enough, send while the store's window is open (sending.py settles what is answered).
The checkpoint never says more than was acknowledged.
"""

from __future__ import annotations

import time

from podweave.helpers.logs.delivery.collecting import Collector
from podweave.helpers.logs.delivery.counts import Counts
from podweave.helpers.logs.delivery.feeds import SourceFeed
from podweave.helpers.logs.delivery.sending import Sending
from podweave.helpers.logs.delivery.store_health import StoreHealth
from podweave.helpers.logs.delivery.unsettled import Unsettled
from podweave.helpers.logs.source import SLOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.delivery.budget import Share
    from podweave.helpers.logs.delivery.dead_letters import DeadLetters
    from podweave.helpers.logs.delivery.feeds import Parcel
    from podweave.helpers.logs.delivery.origin import Origin
    from podweave.helpers.logs.delivery.overflow import Overflow
    from podweave.helpers.logs.source import Source
    from podweave.helpers.logs.stores.interface import Store
    from podweave.helpers.loop import Loop, Timer

TURN = 256 << 10
"""Bytes read in a turn: a store that fails gets no more, and the admin endpoint is answered."""
SILENCE = 5.0
"""Seconds without any answer, or of failures at the Pod's end, after which a store is taken for
down."""


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
        overflow: Overflow,
        store_name: str = "",
    ) -> None:
        self.name = name
        self.label = label
        self.source = source
        self.store = store
        self.store_name = store_name or store.kind
        self.counts = Counts()
        self._loop = loop
        self._journal = journal
        self.dead_letters = dead_letters
        self.overflow = overflow
        self._feed = SourceFeed(source, origin, raw=raw)
        self._collector = Collector(store.limits)
        self._held: list[Parcel] = []
        """Read for the disk, which didn't take it."""
        self.unsettled = Unsettled(share, self.counts)
        self._health = StoreHealth(journal, loop.now, store=self.store_name, source=label)
        self._sending = Sending(
            store,
            self._health,
            self.counts,
            self.unsettled,
            dead_letters,
            too_large=self._collector.shrink,
            answered=self._wake,
            clock=loop.now,
        )
        self._in_turn = False
        self._finishing = False
        self._given_up = False
        self._closed = False
        self._timer: Timer | None = None
        source.wake = self._wake

    def start(self) -> None:
        """Take the first turn as soon as the loop runs."""
        self.overflow.start()
        self._schedule(0.0)

    def finish(self) -> None:
        """The Pod ends: read on to the end, deliver what is there."""
        self._finishing = True
        self.source.finish()
        self._schedule(0.0)

    def give_up(self) -> None:
        """The time for delivering is over: what is left goes to the disk, if there is a place."""
        if self._given_up or not self.overflow.accepts:
            return
        self._given_up = True
        self._sending.stop()
        self._schedule(0.0)

    @property
    def finished(self) -> bool:
        """After `finish`: everything is delivered, or safe on a disk that outlives the Pod while
        the store is down."""
        if not self.source.finished or self._held:
            return False
        if not self.unsettled.all_on_disk:
            return False
        if self._sending.oldest is not None and not self._health.failing:
            return False  # of the disk: its answer spares the next Pod the same
        return self.overflow.empty or self.left_on_disk

    @property
    def left_on_disk(self) -> bool:
        """What isn't delivered waits for the next Pod. One failure is no reason for that: there
        may be no next Pod for long."""
        down = self._given_up or self._health.has_failed_for(SILENCE)
        return self.overflow.durable and down and not self.overflow.empty

    def replay(self) -> int:
        """Send the store's dead letters again; how many files of them there are."""
        taken = self.dead_letters.take()
        if taken:
            from podweave.helpers.logs.delivery.replay import Replay

            self.overflow.add(Replay(taken, journal=self._journal))
            self._wake()
        return len(taken)

    def look_around(self) -> None:
        """Take over what Pods of before have left."""
        if not self._finishing:
            self.overflow.look_around()

    @property
    def dirty(self) -> bool:
        """There is something to save."""
        return self.source.dirty or self.overflow.dirty

    def sync(self) -> bool:
        """Have on the disk what counts as acknowledged; False if that failed."""
        self.overflow.sync()
        synced = self.store.sync()
        return self.dead_letters.sync() and synced

    def entries(self) -> list[dict[str, Any]]:
        return self.source.entries()

    def unacknowledged_bytes(self) -> int:
        return self.unsettled.bytes

    def oldest_unacknowledged(self) -> float:
        """Age in seconds of the oldest record that was read and isn't at the store."""
        ages = [0.0]
        if (read := self.unsettled.oldest()) is not None:
            ages.append(self._loop.now() - read)
        if (oldest := self.overflow.oldest()) is not None:
            ages.append(time.time() - oldest)
        return max(ages)

    def failing(self) -> str:
        """What is wrong with the store now; empty when nothing is."""
        return self._health.reason

    def hindrance(self) -> str:
        """Why not everything is delivered."""
        sent = self._sending.oldest
        if self._health.failing or sent is None:
            return self._health.reason or "there was no time for it"
        return f"no answer for {self._loop.now() - sent.sent_at:.1f} s to what was sent"

    def close(self) -> None:
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        self.source.close()
        self._sending.stop()
        self.overflow.close()
        self.dead_letters.close()

    # A turn

    def turn(self) -> None:
        """Read some, and hand over what is due."""
        self._in_turn = True
        try:
            now = self._loop.now()
            self._read(now)
            if not self._given_up:
                self._sending.send(now)
                self._close_batch_if_due(now)
                self._sending.send(now)
        finally:
            self._in_turn = False

    def wait(self) -> float:
        """Seconds until the next turn is worth taking."""
        now = self._loop.now()
        # A source that can wake us says itself how long it may be left alone.
        reads = self._may_read() or (self.overflow.accepts and self._down(now))
        waits = [self.source.next_poll() if reads else SLOW]
        if self._sending.open and self._sending.queue:
            waits.append(self.wait_for_retry())
        elif self._sending.open and not self._collector.empty:
            waits.append(self._due_at() - now)
        if self.overflow.next_feed() is not None and self._may_read():
            waits.append(0.0)
        return max(0.0, min(waits))

    def wait_for_retry(self) -> float:
        """Seconds until what failed is sent again; 0 where nothing waits for that."""
        return self._health.wait()

    def _wake(self) -> None:
        """Take a turn now."""
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
        return not self._sending.queue and self.unsettled.free > 0

    def _read(self, now: float) -> None:
        spilling = self._spill_if_down(now)
        if self._given_up:
            return
        room = min(TURN, self._collector.room, self.unsettled.free)
        feed = self.overflow.next_feed()
        if feed is not None and room > 0 and not self._sending.queue:
            for parcel in feed.read(room):
                self._collect(parcel, now)
        elif self._held and feed is None and not self._sending.queue:
            # The store works again before the disk did.
            for parcel in self._held:
                self.unsettled.let_go(parcel)
                self._collect(parcel, now)
            self._held = []
        if spilling:
            return
        if feed is not None or self._held or room <= 0 or self._sending.queue:
            # Also then: what is rotated away meanwhile must be opened now, or it is lost.
            self.source.read(0)
            return
        for parcel in self._feed.read(room):
            self._count(parcel)
            self._collect(parcel, now)

    def _count(self, parcel: Parcel) -> None:
        self.counts.read_bytes += parcel.size
        assert parcel.piece is not None
        self.counts.read_records += parcel.piece.count()

    def _collect(self, parcel: Parcel, now: float) -> None:
        self.unsettled.add(parcel, now)
        self._sending.queue.extend(self._collector.add(parcel, now))

    # The disk

    def _down(self, now: float) -> bool:
        """The store is taken for down: what comes goes to the disk."""
        if self._given_up:
            return True
        after = 0.0 if self._finishing else self.overflow.after
        if self._health.has_failed_for(after):
            return True
        # It says nothing at all, neither yes nor no.
        sent = self._sending.oldest
        return sent is not None and now - sent.sent_at >= max(self.overflow.after, SILENCE)

    def _spill_if_down(self, now: float) -> bool:
        """Put what waits, and what is read now, on the disk. Whether the source was asked."""
        if not self.overflow.accepts or not self._down(now):
            return False
        if not self.overflow.waiting:
            # Only so is it in order: nothing is on the disk that comes after it.
            if not self._collector.spilled:
                self._sending.queue.extend(self._collector.close())
            if not self._spill_what_waits(now):
                return False
        if not self._held:
            parcels = self._feed.read(TURN)
            for parcel in parcels:
                self._count(parcel)
                self.unsettled.hold(parcel)
            self._held = parcels
        held = [(parcel.piece, parcel.raw) for parcel in self._held if parcel.piece is not None]
        if held and self.overflow.put(held):
            for parcel in self._held:
                self.unsettled.let_go(parcel)
                self.unsettled.acknowledge(parcel)
            self._held = []
        return True

    def _spill_what_waits(self, now: float) -> bool:
        """What waits for the store, or for its answer, goes to the disk before anything newer
        does, or it would come after that when this process is killed. It stays in its place here
        as well: if the disk takes only a part, the rest still comes after that part. An answer
        then settles what is on the disk."""
        for consignment in self._sending.all():
            if consignment.spilled:
                continue
            batch = consignment.batch
            parcels = self.overflow.put_and_read([(piece, batch.raw) for piece in batch.pieces])
            if parcels is None:
                return False
            self.unsettled.release(consignment.parcels)
            consignment.parcels = parcels
            for parcel in parcels:
                parcel.piece = None
                parcel.pending = 1
                self.unsettled.add(parcel, now)
        return True

    # Batches

    def _due_at(self) -> float:
        if self._finishing and self.source.finished:
            return 0.0
        return self._collector.due_at(self._sending.sent_at)

    def _close_batch_if_due(self, now: float) -> None:
        """A batch that can't be sent yet may go on growing."""
        if self._collector.empty or self._sending.queue or not self._sending.open:
            return
        if now >= self._due_at() or self.unsettled.free <= 0:
            self._sending.queue.extend(self._collector.close())
