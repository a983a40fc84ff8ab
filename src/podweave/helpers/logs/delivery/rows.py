"""Rows of what stands around each record, and the records themselves: whole chunks at a time."""

from __future__ import annotations

from itertools import repeat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Block = bytes | memoryview
    """What is sent after one another. A view spares a copy of a whole chunk."""


def interleave(count: int, *columns: bytes | Sequence[bytes]) -> bytes:
    """Rows of two columns or more: bytes stand in every row, a sequence has a text for each one.

    A list that is filled by slices and joined once takes a tenth of the time that it takes to
    make each row by itself.
    """
    if not count:
        return b""
    first, *others, last = columns
    if isinstance(first, bytes) and isinstance(last, bytes):
        # One row ends and the next one begins in the same cell.
        columns = (*others, last + first)
    cells: list[bytes] = [b""] * (len(columns) * count)
    for number, column in enumerate(columns):
        cells[number :: len(columns)] = [column] * count if isinstance(column, bytes) else column
    if isinstance(first, bytes) and isinstance(last, bytes):
        cells[-1] = last
        cells.insert(0, first)
    return b"".join(cells)


def between(data: bytes, begin: bytes, end: bytes) -> list[Block]:
    """Each line of `data`, which ends with a newline, behind `begin` and before `end`; the
    newlines themselves are left out."""
    rows = data.replace(b"\n", end + begin)
    return [begin, memoryview(rows)[: len(rows) - len(begin)]]


def joined(count: int, cells: Iterable[Sequence[bytes] | bytes]) -> list[bytes]:
    """Each row by itself; bytes stand in every one."""
    columns: list[Iterable[bytes]] = []
    constant = b""
    for cell in cells:
        if isinstance(cell, bytes):
            constant += cell
            continue
        if constant:
            columns.append(repeat(constant, count))
            constant = b""
        columns.append(cell)
    columns.append(repeat(constant, count))
    return list(map(b"".join, zip(*columns, strict=True)))
