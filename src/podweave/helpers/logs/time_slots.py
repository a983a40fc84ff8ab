"""Slots for timestamps: down to the second, and the digits behind it."""

from __future__ import annotations

from itertools import repeat
from operator import add

from podweave.helpers.logs.schemas.schema import padded
from podweave.helpers.logs.slots import alone

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podweave.helpers.logs.columns import Chunk, Seconds, Slot
    from podweave.helpers.logs.schemas.schema import Time
    from podweave.helpers.logs.slots import Cells


class Moments:
    """A slot of timestamps down to the second."""

    __slots__ = ("_base", "_times", "_zone")

    def __init__(self, times: Seconds, base: int, zone: int | None) -> None:
        self._times = times
        self._base = base
        self._zone = zone

    def __call__(self, chunk: Chunk) -> Iterable[bytes]:
        texts: Iterable[bytes] = chunk.columns[self._base]
        if self._zone is not None:
            texts = map(add, texts, chunk.columns[self._zone])
        values = self._times.of(texts, chunk.clock)
        if None in values:
            chunk.exact += [index for index, value in enumerate(values) if value is None]
            return [value or b"" for value in values]
        return values

    def between(self, before: bytes, after: bytes) -> Cells:
        """The same between two texts, which then cost nothing."""
        return alone(Moments(self._times.within(before, after), self._base, self._zone))


def time_of_reading(node: Time) -> Slot:
    """Of lines that say no time."""
    return lambda chunk: chunk.clock.written(node)


def nanoseconds(index: int) -> Slot:
    """A column of numbers of nanoseconds, as nine digits."""
    return lambda chunk: [text.rjust(9, b"0") for text in chunk.columns[index]]


def fractions(index: int, digits: int) -> Slot:
    """A column of digits behind the second, at least so many of them."""
    long_enough = frozenset(range(digits, 10))
    none = padded("", digits).encode("ascii")

    def slot(chunk: Chunk) -> Iterable[bytes]:
        column = chunk.columns[index]
        lengths = set(map(len, column))
        if lengths <= long_enough:
            return column
        if lengths == {0}:
            return repeat(none)
        return [padded(text.decode("ascii"), digits).encode("ascii") for text in column]

    return slot
