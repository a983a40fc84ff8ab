"""What a delivery has read and nobody has acknowledged: it fills the delivery's share of memory."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.logs.delivery.budget import Share
    from podweave.helpers.logs.delivery.counts import Counts
    from podweave.helpers.logs.delivery.feeds import Parcel


class Unsettled:
    """Parcels, oldest first."""

    def __init__(self, share: Share, counts: Counts) -> None:
        self.on_acknowledged: Callable[[], object] | None = None
        """Called when there may be something to save."""
        self._share = share
        self._counts = counts
        self._since: dict[Parcel, float] = {}

    @property
    def bytes(self) -> int:
        return self._share.taken

    @property
    def free(self) -> int:
        """Bytes that may be read now."""
        return self._share.free

    @property
    def all_on_disk(self) -> bool:
        return all(parcel.spilled for parcel in self._since)

    def oldest(self) -> float | None:
        """When the oldest was read, on the loop's clock; None where there is none."""
        return next(iter(self._since.values()), None)

    def add(self, parcel: Parcel, now: float) -> None:
        """It is in a batch, or will be."""
        self._share.take(parcel.size)
        self._since[parcel] = now

    def hold(self, parcel: Parcel) -> None:
        """It is for the disk, and in no batch."""
        self._share.take(parcel.size)

    def let_go(self, parcel: Parcel) -> None:
        """It isn't held any more."""
        self._share.give_back(parcel.size)

    def release(self, parcels: Sequence[Parcel]) -> None:
        """A batch of these parcels is settled; those that are in no other are acknowledged."""
        for parcel in parcels:
            parcel.pending -= 1
            if not parcel.pending and parcel in self._since:
                del self._since[parcel]
                self._share.give_back(parcel.size)
                self.acknowledge(parcel)

    def acknowledge(self, parcel: Parcel) -> None:
        """It is at the store, among the dead letters, or on the disk."""
        self._counts.acknowledged_bytes += parcel.size
        parcel.acknowledge()
        if self.on_acknowledged is not None:
            self.on_acknowledged()
