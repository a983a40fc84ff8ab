"""When and what a delivery puts on the disk, and what of it comes first again.

A store that has failed for some seconds is taken for down: from then on what is read goes to the
disk, in the order of reading, until the store works again and the disk's queue is empty. At the
end of the Pod nothing is waited for: what a failing store doesn't take goes to the disk at once.
"""

from __future__ import annotations

from collections import deque

from podweave.helpers.logs.refusals import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.delivery.batches import Piece
    from podweave.helpers.logs.delivery.feeds import Parcel
    from podweave.helpers.logs.delivery.replay import Replay
    from podweave.helpers.logs.delivery.spill import Spill
    from podweave.helpers.logs.delivery.spill_room import SpillRoom
    from podweave.helpers.loop import Loop

PAUSE = 5.0
"""Seconds after a disk that failed, or had no room, before it is tried again."""


class Overflow:
    """The disk of one delivery: its own queue, those that Pods of before have left, and dead
    letters that are sent again. `durable`: what is there outlives the Pod."""

    def __init__(
        self,
        section: str,
        room: SpillRoom | None,
        *,
        after: float,
        durable: bool,
        loop: Loop,
        journal: Journal,
    ) -> None:
        self.after = after
        self.durable = durable
        self.spilled_bytes = 0
        """Of records, in all."""
        self.failures = 0
        self._section = section
        self._room = room
        self._loop = loop
        self._journal = journal
        self._own: Spill | None = None
        self._others: deque[Spill | Replay] = deque()
        self._pause_until = 0.0
        self._said = ""

    def start(self) -> None:
        """Take what an earlier life and Pods of before have left."""
        if self._room is not None:
            self._own = self._room.own(self._section)
            try:
                self._own.open()
            except OSError as error:
                self._failed(f"{self._own.directory}: {why(error)}")
            self.look_around()

    def look_around(self) -> None:
        """Take what Pods of before have left since."""
        if self._room is not None:
            self._others.extend(self._room.left_behind(self._section))

    def add(self, feed: Replay) -> None:
        """Send this, too."""
        self._others.append(feed)

    @property
    def accepts(self) -> bool:
        """Something may be put on the disk now."""
        return self._own is not None and self._loop.now() >= self._pause_until

    @property
    def waiting(self) -> bool:
        """What an earlier turn has put on the disk is still there, unread: it goes first."""
        return self._own is not None and self._own.waiting

    def next_feed(self) -> Spill | Replay | None:
        """What is to be sent before anything new is."""
        while self._others and self._others[0].empty:
            self._others.popleft().close()
        for feed in self._others:
            if feed.waiting:
                return feed
        return self._own if self.waiting else None

    @property
    def empty(self) -> bool:
        """Nothing of records that this Pod has read is there."""
        return self._own is None or self._own.empty

    @property
    def size(self) -> int:
        """Bytes that lie on the disk and are not delivered."""
        return sum(feed.size for feed in self._feeds())

    @property
    def directory(self) -> str:
        return self._own.directory if self._own is not None else ""

    def oldest(self) -> float | None:
        """Unix time of the reading of the oldest record there; None where there is none."""
        return None if self._own is None else self._own.oldest()

    def put(self, pieces: Sequence[tuple[Piece, bool]]) -> bool:
        """Have pieces on the disk; False if that can't be done now, which is said once."""
        own = self._own
        assert own is not None
        try:
            taken = own.append(pieces)
        except OSError as error:
            self._failed(f"{own.directory}: {why(error)}")
            return False
        if not taken:
            self._failed("the spill is full: what comes waits in its files")
            return False
        self._said = ""
        self.spilled_bytes += sum(len(piece.data) for piece, _ in pieces)
        return True

    def put_and_read(self, pieces: Sequence[tuple[Piece, bool]]) -> list[Parcel] | None:
        """Have pieces on the disk, and what is there of them: for what is being sent already.
        None if that can't be done now. Only while nothing is waiting."""
        assert self._own is not None
        assert not self.waiting
        if not self.put(pieces):
            return None
        return self._own.read(sum(len(piece.data) for piece, _ in pieces))

    @property
    def dirty(self) -> bool:
        """`sync` has something to save."""
        return any(feed.dirty for feed in self._feeds())

    def sync(self) -> None:
        """Save how far everything is delivered."""
        for feed in self._feeds():
            feed.sync()

    def close(self) -> None:
        if self._own is not None:
            if self._own.empty:
                self._own.remove()
            self._own.close()
        for other in self._others:
            other.close()

    def _feeds(self) -> list[Spill | Replay]:
        return [*self._others] if self._own is None else [self._own, *self._others]

    def _failed(self, message: str) -> None:
        self.failures += 1
        self._pause_until = self._loop.now() + PAUSE
        if message != self._said:
            self._said = message
            self._journal.error("spill.failed", message=message)
