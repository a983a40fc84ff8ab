"""Traces what becomes of a line's leaves: which field each fills, and which don't fit theirs."""

from __future__ import annotations

from podweave.helpers.logs.structured.leaves import LeafValue
from podweave.helpers.logs.structured.sink import Sink, converted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.structured.leaves import Leaf


class TracingSink(Sink):
    """Notes which leaf filled which field."""

    __slots__ = ("nanoseconds", "placed", "refused")

    def __init__(self, keys: Any, levels: Any, clock: Clock) -> None:
        super().__init__(clock, keys, levels)
        self.placed: dict[str, tuple[Any, str]] = {}
        self.refused: list[tuple[str, Any]] = []
        self.nanoseconds: Leaf | None = None

    def keep(self, field: str, unit: str, value: Any, owned: bool) -> bool:
        kept = converted(field, unit, value, owned, self._levels, self._clock)
        if kept is None:
            self.refused.append((field, value))
            return False
        self.record[field] = kept
        self.placed[field] = (value, unit)
        return True

    def keep_nanoseconds(self, value: Any) -> bool:
        kept = super().keep_nanoseconds(value)
        if kept:
            self.nanoseconds = leaf_of(value)
        else:
            self.refused.append(("time", value))
        return kept


def leaf_of(value: Any) -> Leaf | None:
    """The leaf that a value is, or that is the only item of it."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return value.leaf if isinstance(value, LeafValue) else None


def leaves_of(value: Any) -> Iterator[int]:
    """What identifies the leaves in a value."""
    if isinstance(value, LeafValue):
        yield id(value.leaf)
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves_of(item)
