"""Lines that name their fields, as rows of a schema: by shapes, and the exact way.

A file's lines have few shapes. One is compiled when it was met twice. Where there are several,
the lines of a chunk are sorted by the names in them, which one pass of a regular expression finds;
those with the same names are given to the shapes that read such lines before, and what is left
goes the exact way.
"""

from __future__ import annotations

from podweave.helpers.logs.compile import Batch, ExactBatch
from podweave.helpers.logs.made_rows import MadeRows
from podweave.helpers.logs.structured.shapes import UnfitError, make_shape
from podweave.helpers.logs.template import NotCompiledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.schemas.schema import Schema
    from podweave.helpers.logs.steps.steps import Steps
    from podweave.helpers.logs.structured.interface import StructuredLayout

MOST_SHAPES = 24
"""Compiled at most, for memory. One that no line had for a while makes room for another."""
_REMEMBERED = 512
_LOOKS = 400
"""Lines that are looked at without a new shape, before it becomes every so many-th."""
_WHILE = 1000
"""Lines that were read the exact way."""
_RARELY = 64
_LONGEST = 16 * 1024
_MOST_NAMES = 512
"""Sets of names of which the shapes are remembered."""


class StructuredBatch(ExactBatch):
    """See ExactBatch."""

    layout: StructuredLayout

    def __init__(
        self,
        layout: StructuredLayout,
        schema: Schema,
        constants: Record,
        steps: Steps | None = None,
    ) -> None:
        super().__init__(layout, schema, constants, steps)
        self._given = constants
        self._shapes: list[_Known] = []
        self._by_names: dict[bytes, list[_Known]] = {}
        self._seen: dict[object, int] = {}
        self._looks = 0
        self._exact = 0
        """Lines that were read the exact way since it was asked which shapes no line had."""

    @property
    def shapes(self) -> int:
        """How many are compiled."""
        return len(self._shapes)

    def made(self, data: bytes, clock: Clock, path: str) -> MadeRows:
        shapes = self._shapes
        if len(shapes) > 1:
            names = self._names(data)
            if names.count(names[0]) < len(names):
                lines = data.split(b"\n")
                lines.pop()
                return MadeRows(data, lines, self._sorted(names, lines, clock, path))
            shapes = self._by_names.get(names[0], shapes)
        if not shapes:
            return super().made(data, clock, path)
        # All alike: their rows may stay cells.
        first = shapes[0]
        made = first.batch.made(data, clock, path)
        left = made.missing
        first.hits += made.count - len(left)
        if left:
            lines = made.lines
            rows = self._rows(shapes[1:], [lines[i] for i in left], clock.of(left), path)
            made.replace(dict(zip(left, rows, strict=True)))
        return made

    def rows(self, lines: Sequence[bytes], clock: Clock, path: str) -> list[bytes | None]:
        if len(self._shapes) < 2 or not lines:
            return self._rows(self._shapes.copy(), lines, clock, path)
        return self._sorted(self._names(b"\n".join(lines) + b"\n"), lines, clock, path)

    def _sorted(
        self, names: list[bytes], lines: Sequence[bytes], clock: Clock, path: str
    ) -> list[bytes | None]:
        """The rows of lines that have these names."""
        groups: dict[bytes, list[int]] = {}
        for index, those in enumerate(names):
            groups.setdefault(those, []).append(index)
        rows: list[bytes | None] = [None] * len(lines)
        for those, indexes in groups.items():
            some = [lines[index] for index in indexes]
            found = self._rows_alike(those, some, clock.of(indexes), path)
            for index, row in zip(indexes, found, strict=True):
                rows[index] = row
        return rows

    def _names(self, data: bytes) -> list[bytes]:
        """The names in each of these lines, all in one text."""
        names = b"".join(self.layout.named.findall(data)).split(b"\n")
        names.pop()
        return names

    def _rows_alike(
        self, names: bytes, lines: Sequence[bytes], clock: Clock, path: str
    ) -> list[bytes | None]:
        """The rows of lines that have the same names."""
        shapes = self._by_names.get(names)
        if shapes is not None:
            return self._rows(shapes, lines, clock, path)
        shapes = self._shapes.copy()
        before = {id(known): known.hits for known in shapes}
        rows = self._rows(shapes, lines, clock, path)
        if len(self._by_names) >= _MOST_NAMES:
            self._by_names.clear()
        self._by_names[names] = [
            known for known in shapes if known.hits > before.get(id(known), -1)
        ]
        return rows

    def _rows(
        self, shapes: list[_Known], lines: Sequence[bytes], clock: Clock, path: str
    ) -> list[bytes | None]:
        """The rows of lines of these shapes, or of none; a new one's joins them."""
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
            new = self._look(line, own)
            if new is not None:
                rest = left[place:]
                more = [new]
                found = self._rows(more, [lines[i] for i in rest], clock.of(rest), path)
                for i, row in zip(rest, found, strict=True):
                    rows[i] = row
                shapes += more
                break
        if len(shapes) > 1:
            shapes.sort(key=_hits, reverse=True)
        return rows

    def _look(self, line: bytes, clock: Clock) -> _Known | None:
        """Make a shape of a line, if it is worth it."""
        self._looks += 1
        self._exact += 1
        if len(line) > _LONGEST or (len(self._shapes) >= MOST_SHAPES and self._exact < _WHILE):
            return None
        if self._looks > _LOOKS and self._looks % _RARELY:
            return None
        apart = self.layout.apart(line, frozenset())
        if apart is None:
            return None
        key = hash(tuple([p if isinstance(p, bytes) else p.written for p in apart[0]]))
        seen = self._seen.get(key, 0) + 1
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[key] = seen
        # Again later: the first ones may have had something odd.
        if seen not in (2, 32, 512):
            return None
        if len(self._shapes) >= MOST_SHAPES and not self._made_room():
            return None
        steps = self.steps
        dropped = {} if steps is None else steps.dropped.copy()
        try:
            batch = Batch(make_shape(self.layout, line), self.schema, self._given, steps)
            if batch.rows([line], clock, "/") != [self.row(line, clock, "/")]:
                return None
        except (UnfitError, NotCompiledError):
            return None
        finally:
            if steps is not None:
                # The line was counted before.
                steps.dropped.clear()
                steps.dropped.update(dropped)
        known = _Known(batch, key)
        self._shapes.append(known)
        self._looks = 0
        return known

    def _made_room(self) -> bool:
        """Forget a shape that no line had since this was asked last; False where there is none."""
        self._exact = 0
        idle = next((known for known in self._shapes if known.hits == known.before), None)
        for known in self._shapes:
            known.before = known.hits
        if idle is None:
            return False
        self._shapes.remove(idle)
        self._by_names.clear()
        self._seen.pop(idle.key, None)
        return True


class _Known:
    """A shape that was compiled. `hits`: lines that it read, `before` of them when it was asked
    which shapes no line had."""

    __slots__ = ("batch", "before", "hits", "key")

    def __init__(self, batch: Batch, key: int) -> None:
        self.batch = batch
        self.key = key
        self.hits = 0
        self.before = 0


def _hits(known: _Known) -> int:
    return known.hits
