"""Made rows: what a batch makes of a chunk's lines, and how it comes out.

Rows are wanted by themselves where events are joined, and all together where they are written;
nearly all of them are only written. So those of the compiled way stay cells, and whole runs of
them are put together at once: filling a list by slices and joining it takes half the time that
making each row does.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


class MadeRows:
    """The rows of lines, each with its newline, in their order.

    `missing` are the lines that have none, ascending. A row that is put in later (`put`) comes
    out in its place. The row of an event that a step leaves out is empty.
    """

    __slots__ = ("_lines", "_put", "_rows", "_without", "count", "data", "further", "missing")

    def __init__(
        self, data: bytes, lines: list[bytes] | None, rows: Sequence[bytes | None]
    ) -> None:
        self.data = data
        self._lines = lines
        self._rows = rows
        self._put: dict[int, bytes] = {}
        self._without: frozenset[int] = frozenset()
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
        if self._lines is None and index == self.count - 1:
            return self.data[self.data.rfind(b"\n", 0, -1) + 1 : -1]
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

    def before(self, last: int) -> list[bytes]:
        """The rows of the lines before that one, in blocks of whole rows."""
        blocks: list[bytes] = []
        put = self._put
        begin = gone = 0
        for index in sorted({*self.missing, *self._without, *put}):
            if index >= last:
                break
            blocks += self._run(begin, index, gone)
            begin = index + 1
            if index in put:
                blocks.append(put[index])
            gone = self._gone(index, gone)
        blocks += self._run(begin, last, gone)
        return blocks

    def _row(self, index: int) -> bytes | None:
        return None if index in self.missing else self._rows[index]

    def _all(self) -> list[bytes | None]:
        rows = list(self._rows)
        for index in self.missing:
            rows[index] = None
        return rows

    def _gone(self, index: int, gone: int) -> int:
        return gone

    def _run(self, begin: int, end: int, gone: int) -> Iterable[bytes]:
        """The rows of lines none of which is missing; `gone` are missing before them."""
        return [row for row in self._rows[begin:end] if row]


class Cells(MadeRows):
    """Rows of `width` cells each, of the lines that aren't missing."""

    __slots__ = ("_cells", "_width")

    def __init__(
        self,
        data: bytes,
        count: int,
        missing: Sequence[int],
        cells: list[bytes],
        width: int,
    ) -> None:
        self.data = data
        self._lines = None
        self._put = {}
        self.count = count
        self.further = 0
        self.missing = missing
        # Lines that have no cells.
        self._without = frozenset(missing)
        self._cells = cells
        self._width = width

    def _row(self, index: int) -> bytes | None:
        if index in self.missing:
            return None
        gone = sum(missed < index for missed in self._without)
        start = (index - gone) * self._width
        return b"".join(self._cells[start : start + self._width])

    def _all(self) -> list[bytes | None]:
        cells = iter(self._cells)
        made = map(b"".join, zip(*[cells] * self._width, strict=True))
        if not self.missing and not self._without:
            return list(made)
        without = self._without
        rows = [None if index in without else next(made) for index in range(self.count)]
        for index in self.missing:
            rows[index] = None
        return rows

    def _gone(self, index: int, gone: int) -> int:
        return gone + (index in self._without)

    def _run(self, begin: int, end: int, gone: int) -> Iterable[bytes]:
        if begin >= end:
            return ()
        width = self._width
        cells = self._cells[(begin - gone) * width : (end - gone) * width]
        return (b"".join(cells),)


def interleave(count: int, columns: Sequence[bytes | Iterable[bytes]]) -> list[bytes]:
    """Cells of columns: bytes stand in every row, others have one text for each of `count` rows."""
    width = len(columns)
    cells = [b""] * (width * count)
    for number, column in enumerate(columns):
        cells[number::width] = [column] * count if isinstance(column, bytes) else column
    return cells
