"""Lines that name their fields, as rows of a schema: by shapes, and the exact way.

A file's lines have few shapes. One is compiled when it was met twice; the lines of a chunk are
given to each in turn, the most frequent first, and what is left goes the exact way.
"""

from __future__ import annotations

from podweave.helpers.logs.compile import Batch, ExactBatch
from podweave.helpers.logs.structured.shapes import UnfitError, make_shape
from podweave.helpers.logs.template import NotCompiledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.made_rows import MadeRows
    from podweave.helpers.logs.schemas.schema import Schema
    from podweave.helpers.logs.steps.steps import Steps
    from podweave.helpers.logs.timestamps import Clock

MOST_SHAPES = 24
"""Compiled at most, for memory."""
_REMEMBERED = 512
_LOOKS = 400
"""Lines that are looked at without a new shape, before it becomes every so many-th."""
_RARELY = 64
_LONGEST = 16 * 1024


class StructuredBatch(ExactBatch):
    """See ExactBatch; `layout` is a JsonLayout or a PairsLayout."""

    def __init__(
        self, layout: Any, schema: Schema, constants: Record, steps: Steps | None = None
    ) -> None:
        super().__init__(layout, schema, constants, steps)
        self._given = constants
        self._shapes: list[_Known] = []
        self._seen: dict[object, int] = {}
        self._looks = 0

    @property
    def shapes(self) -> int:
        """How many are compiled."""
        return len(self._shapes)

    def made(self, data: bytes, clock: Clock, path: str) -> MadeRows:
        if not self._shapes:
            return super().made(data, clock, path)
        first = self._shapes[0]
        made = first.batch.made(data, clock, path)
        left = made.missing
        first.hits += made.count - len(left)
        if left:
            lines = made.lines
            rows = self._rows(self._shapes[1:], [lines[i] for i in left], clock.of(left), path)
            made.replace(dict(zip(left, rows, strict=True)))
        return made

    def rows(self, lines: Sequence[bytes], clock: Clock, path: str) -> list[bytes | None]:
        return self._rows(self._shapes, lines, clock, path)

    def _rows(
        self, shapes: list[_Known], lines: Sequence[bytes], clock: Clock, path: str
    ) -> list[bytes | None]:
        rows: list[bytes | None] = [None] * len(lines)
        left: Sequence[int] = range(len(lines))
        some = lines
        for known in shapes:
            found = known.batch.rows(some, clock.of(left), path)
            missed = found.count(None)
            known.hits += len(found) - missed
            if not missed and len(some) == len(lines):
                return found
            if missed < len(found):
                for index, row in zip(left, found, strict=True):
                    if row is not None:
                        rows[index] = row
                left = [index for index, row in zip(left, found, strict=True) if row is None]
                if not left:
                    break
                some = [lines[index] for index in left]
        for place, index in enumerate(left, start=1):
            line = lines[index]
            own = clock.at(index)
            row = self.row(line, own, path)
            if row is None:
                continue
            rows[index] = row
            if self._look(line, own):
                rest = left[place:]
                found = self._rows(
                    self._shapes[-1:], [lines[i] for i in rest], clock.of(rest), path
                )
                for i, row in zip(rest, found, strict=True):
                    rows[i] = row
                break
        if len(self._shapes) > 1:
            self._shapes.sort(key=_HITS, reverse=True)
        return rows

    def _look(self, line: bytes, clock: Clock) -> bool:
        """Make a shape of a line, if it is worth it."""
        self._looks += 1
        if len(self._shapes) >= MOST_SHAPES or len(line) > _LONGEST:
            return False
        if self._looks > _LOOKS and self._looks % _RARELY:
            return False
        apart = self.layout.apart(line, frozenset())
        if apart is None:
            return False
        key = hash(tuple([p if isinstance(p, bytes) else p.written for p in apart[0]]))
        seen = self._seen.get(key, 0) + 1
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[key] = seen
        # Again later: the first ones may have had something odd.
        if seen not in (2, 32, 512):
            return False
        try:
            batch = Batch(make_shape(self.layout, line), self.schema, self._given, self.steps)  # type: ignore[arg-type]
            if batch.rows([line], clock, "/") != [self.row(line, clock, "/")]:
                return False
        except (UnfitError, NotCompiledError):
            return False
        self._shapes.append(_Known(batch))
        self._looks = 0
        return True


class _Known:
    __slots__ = ("batch", "hits")

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.hits = 0


def _HITS(known: _Known) -> int:  # noqa: N802
    return known.hits
