"""Parcels collected to batches by bytes, count and age."""

from __future__ import annotations

from podweave.helpers.logs.delivery.batches import Batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.delivery.batches import Piece
    from podweave.helpers.logs.delivery.feeds import Parcel
    from podweave.helpers.logs.stores.interface import Limits

LEAST_BATCH = 16 << 10
"""A store that finds everything too large isn't asked with less."""


class Consignment:
    """A batch and the parcels that it is made of, each of which knows that it is in it."""

    __slots__ = ("batch", "parcels", "sent_at")

    def __init__(self, batch: Batch, parcels: Sequence[Parcel]) -> None:
        self.batch = batch
        self.parcels = parcels
        self.sent_at = 0.0

    @property
    def spilled(self) -> bool:
        """What is in it is on the disk already."""
        return self.parcels[0].spilled


def consign_again(batch: Batch, parcels: Sequence[Parcel]) -> Consignment:
    """One more batch of parcels that are in one already."""
    for parcel in parcels:
        parcel.pending += 1
    return Consignment(batch, parcels)


class Collector:
    """One batch in the making."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._most = limits.bytes
        self._parcels: list[Parcel] = []
        self._pieces: list[Piece] = []
        self._bytes = 0
        self._records = 0
        self._since = 0.0

    @property
    def empty(self) -> bool:
        return not self._parcels

    @property
    def room(self) -> int:
        """Bytes until the batch is full."""
        return self._most - self._bytes

    @property
    def spilled(self) -> bool:
        """What is collected comes from the disk."""
        return bool(self._parcels) and self._parcels[0].spilled

    def shrink(self, refused: int) -> None:
        """The store found a batch of so many bytes too large."""
        self._most = max(LEAST_BATCH, min(self._most, refused // 2 + 1))

    def due_at(self, sent_at: float) -> float:
        """When what is collected goes, full or not. `sent_at`: when the last batch went.

        After a silence nobody is waited for: at low load a line is at the store at once.
        """
        seconds = self._limits.seconds
        return min(self._since, max(sent_at, self._since - seconds)) + seconds

    def add(self, parcel: Parcel, now: float) -> list[Consignment]:
        """Collect a parcel; the batches that this completes."""
        closed: list[Consignment] = []
        piece = parcel.piece
        assert piece is not None
        parcel.piece = None  # the batches hold its parts
        if self._parcels and not _alike(self._parcels[0], parcel):
            closed += self.close()
        if not self._parcels:
            self._since = now
        left = piece.count()
        while self._records + left > self._limits.records:
            taken = self._limits.records - self._records
            if taken:
                head, piece = piece.divide(taken)
                left -= taken
                self._put(parcel, head, taken)
            closed += self.close()
            self._since = now
        self._put(parcel, piece, left)
        # Lines seldom fill it to the last byte, and reading for the last few would cost most.
        if self._bytes >= self._most - self._most // 16:
            closed += self.close()
        return closed

    def close(self) -> list[Consignment]:
        """End the batch: one, or none where nothing was collected."""
        if not self._parcels:
            return []
        first = self._parcels[0]
        batch = Batch(
            self._pieces, first.origin, raw=first.raw, read_at=self._since, records=self._records
        )
        closed = [Consignment(batch, self._parcels)]
        self._parcels, self._pieces = [], []
        self._bytes = self._records = 0
        return closed

    def _put(self, parcel: Parcel, piece: Piece, records: int) -> None:
        parcel.pending += 1
        self._parcels.append(parcel)
        self._pieces.append(piece)
        self._bytes += len(piece.data)
        self._records += records


def _alike(one: Parcel, other: Parcel) -> bool:
    """They may stand in one batch."""
    return one.origin is other.origin and one.raw is other.raw and one.spilled is other.spilled
