"""Made rows: what a batch makes of a chunk's lines, and how it comes out.

Rows are wanted by themselves where events are joined, and all together where they are written;
nearly all of them are only written. So those of the compiled way stay cells, and whole runs of
them are put together at once: filling a list by slices and joining it takes half the time that
making each row does.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import compress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Rows that are put between others without joining those in runs first.
_FEW = 8


class MadeRows:
    """The rows of lines, each with its newline, in their order.

    `missing` are the lines that have none, ascending. A row that is put in later (`put`) comes
    out in its place. The row of an event that a step leaves out is empty.
    """

    __slots__ = ("_lines", "_put", "_rows", "count", "data", "further", "missing")

    def __init__(
        self, data: bytes, lines: list[bytes] | None, rows: Sequence[bytes | None]
    ) -> None:
        self.data = data
        self._lines = lines
        self._rows = rows
        self._put: dict[int, bytes] = {}
        self.count = len(rows)
        self.further = 0
        """Rows that lines have beside their first ones."""
        self.missing: Sequence[int] = ()
        if None in rows:
            self.missing = [index for index, row in enumerate(rows) if row is None]

    @property
    def lines(self) -> list[bytes]:
        """The lines, without their newlines."""
        if self._lines is None:
            self._lines = self.data.split(b"\n")
            self._lines.pop()
        return self._lines

    def line(self, index: int) -> bytes:
        """One of them."""
        return self.lines[index]

    def put(self, index: int, row: bytes) -> None:
        """This is the line's row."""
        self._put[index] = row

    def replace(self, rows: dict[int, bytes | None]) -> None:
        """Take the rows of these lines instead; those without one are missing."""
        missing = set(self.missing)
        for index, row in rows.items():
            if row is None:
                missing.add(index)
            else:
                missing.discard(index)
                self._put[index] = row
        self.missing = sorted(missing)

    def row(self, index: int) -> bytes | None:
        """A line's row; None for one that has none."""
        row = self._put.get(index)
        return self._row(index) if row is None else row

    def rows(self) -> list[bytes | None]:
        """Every line's row."""
        rows = self._all()
        for index, row in self._put.items():
            rows[index] = row
        return rows

    def before(self, last: int, first: bytes = b"") -> bytes:
        """The rows of the lines before that one, together, and `first` in front of them.

        The last thing to be asked: it takes the rows apart.
        """
        pieces = [first]
        put = self._put
        begin = 0
        for index in self._odd(last):
            pieces += self._run(begin, index)
            begin = index + 1
            if index in put:
                pieces.append(put[index])
        pieces += self._run(begin, last)
        return b"".join(pieces)

    def _odd(self, last: int) -> list[int]:
        """The lines before that one whose rows aren't as they were made."""
        return sorted([index for index in {*self.missing, *self._put} if index < last])

    def _row(self, index: int) -> bytes | None:
        return None if index in self.missing else self._rows[index]

    def _all(self) -> list[bytes | None]:
        rows = list(self._rows)
        for index in self.missing:
            rows[index] = None
        return rows

    def _run(self, begin: int, end: int) -> Iterable[bytes]:
        """The rows of lines that are as they were made."""
        return [row for row in self._rows[begin:end] if row]


class Cells(MadeRows):
    """Rows of `width` cells each, of the lines that aren't missing.

    `others`: for each line nothing, or if it doesn't fit the line itself with its newline.
    """

    __slots__ = ("_cells", "_others", "_starts", "_width", "_without")

    def __init__(
        self,
        data: bytes,
        others: Sequence[bytes],
        missing: Sequence[int],
        cells: list[bytes],
        width: int,
    ) -> None:
        self.data = data
        self._lines = None
        self._put = {}
        self._others = others
        self._starts: dict[int, int] | None = None
        self.count = len(others)
        self.further = 0
        self.missing = missing
        # Lines that have no cells.
        self._without = missing
        self._cells = cells
        self._width = width

    def line(self, index: int) -> bytes:
        if self._lines is not None:
            return self._lines[index]
        if self._others[index]:
            return self._others[index][:-1]
        # Most that are asked for stand before one that doesn't fit, or last.
        end = len(self.data) if index == self.count - 1 else self._start(index + 1)
        if end is None:
            return self.lines[index]
        return self.data[self.data.rfind(b"\n", 0, end - 1) + 1 : end - 1]

    def _start(self, index: int) -> int | None:
        """Where a line begins that doesn't fit: others, which do, aren't like it."""
        if self._starts is None:
            self._starts = {}
            at = 0
            for number in compress(range(self.count), self._others):
                line = self._others[number]
                if number:
                    at = self.data.index(b"\n" + line, max(at - 1, 0)) + 1
                self._starts[number] = at
                at += len(line)
        return self._starts.get(index)

    def _row(self, index: int) -> bytes | None:
        if index in self.missing:
            return None
        start = self._place(index)
        return b"".join(self._cells[start : start + self._width])

    def _all(self) -> list[bytes | None]:
        cells = iter(self._cells)
        made = map(b"".join, zip(*[cells] * self._width, strict=True))
        if not self.missing and not self._without:
            return list(made)
        without = frozenset(self._without)
        rows = [None if index in without else next(made) for index in range(self.count)]
        for index in self.missing:
            rows[index] = None
        return rows

    def before(self, last: int, first: bytes = b"") -> bytes:
        odd = self._odd(last)
        if len(odd) > _FEW:
            return super().before(last, first)
        cells = self._cells
        del cells[self._place(last) :]
        # From the end, so that the places before hold.
        for index in reversed(odd):
            place = self._place(index)
            end = place if index in self._without else place + self._width
            cells[place:end] = [self._put[index]] if index in self._put else []
        cells.insert(0, first)
        return b"".join(cells)

    def _odd(self, last: int) -> list[int]:
        odd = {*self.missing, *self._without, *self._put}
        return sorted([index for index in odd if index < last])

    def _place(self, index: int) -> int:
        """Where a line's cells begin."""
        return (index - bisect_left(self._without, index)) * self._width

    def _run(self, begin: int, end: int) -> Iterable[bytes]:
        return (b"".join(self._cells[self._place(begin) : self._place(end)]),)


def interleave(count: int, columns: Sequence[bytes | Iterable[bytes]]) -> list[bytes]:
    """Cells of columns: bytes stand in every row, others have one text for each of `count` rows."""
    width = len(columns)
    cells = [column if isinstance(column, bytes) else b"" for column in columns] * count
    for number, column in enumerate(columns):
        if not isinstance(column, bytes):
            cells[number::width] = column
    return cells
