"""Where a delivery takes its records from: a source, its spill, dead letters sent again."""

from __future__ import annotations

import time

from podweave.helpers.logs.delivery.batches import Piece

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.logs.chunks import Chunk
    from podweave.helpers.logs.delivery.origin import Origin
    from podweave.helpers.logs.source import Source


class Parcel:
    """A piece and whom to tell when all of it is delivered.

    A batch may hold a part of a parcel, and a parcel's parts may be in several batches:
    `pending` counts the batches that are not settled yet.
    """

    __slots__ = ("acknowledge", "origin", "pending", "piece", "raw", "size", "spilled")

    def __init__(
        self, piece: Piece, origin: Origin, raw: bool, acknowledge: Callable[[], None]
    ) -> None:
        self.piece: Piece | None = piece
        self.origin = origin
        self.raw = raw
        self.size = len(piece.data)
        self.acknowledge = acknowledge
        self.pending = 0
        self.spilled = False
        """It is on the disk already, in a spill or a dead letter."""


class SourceFeed:
    """The chunks of a source."""

    def __init__(
        self,
        source: Source,
        origin: Origin,
        *,
        raw: bool,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._origin = origin
        self._raw = raw
        self._wall_clock = wall_clock

    def read(self, max_bytes: int) -> list[Parcel]:
        chunks = self._source.read(max_bytes)
        if not chunks:
            return []
        now = self._wall_clock()
        return [self._parcel(chunk, now) for chunk in chunks]

    def _parcel(self, chunk: Chunk, now: float) -> Parcel:
        source = self._source
        piece = Piece.of_chunk(chunk, now)
        return Parcel(piece, self._origin, self._raw, lambda: source.acknowledge(chunk))
