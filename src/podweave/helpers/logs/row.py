"""A row from left to right: literal texts, and what gives the cells between them."""

from __future__ import annotations

from itertools import repeat

from podweave.helpers.logs.slots import alone
from podweave.helpers.logs.url_slots import UrlPath, UrlQuery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podweave.helpers.logs.columns import Chunk, Slot
    from podweave.helpers.logs.slots import Cells


class Row:
    """`template`: bytes with a place for each of the slots."""

    __slots__ = ("_parts",)

    def __init__(self, template: bytes, slots: list[Slot]) -> None:
        self._parts = _parts(template, slots)

    def cells(self, chunk: Chunk) -> list[bytes | Iterable[bytes]]:
        """What stands in the rows of a chunk, from left to right: bytes in all of them."""
        row: list[bytes | Iterable[bytes]] = []
        for part in self._parts:
            for cell in (part,) if isinstance(part, bytes) else part(chunk):
                column = next(cell) if isinstance(cell, repeat) else cell
                if isinstance(column, bytes) and row and isinstance(row[-1], bytes):
                    row[-1] += column
                else:
                    row.append(column)
        return row


def _parts(template: bytes, slots: list[Slot]) -> list[bytes | Cells]:
    texts = [text.replace(b"\0", b"%") for text in template.replace(b"%%", b"\0").split(b"%b")]
    row: list[bytes | Cells] = []
    before = texts[0]
    query: UrlQuery | None = None
    for slot, following, after in zip(slots, [*slots[1:], None], texts[1:], strict=True):
        between = getattr(slot, "between", None)
        if slot is query:
            before += after
        elif between is not None:
            row.append(between(before, after))
            before = b""
        else:
            if (
                isinstance(slot, UrlPath)
                and isinstance(following, UrlQuery)
                and after == following.after
            ):
                # One column for both: the quote between them is in it where there is a query.
                query = following
                slot = slot.with_query(after + query.before)
            row += [before, alone(slot)] if before else [alone(slot)]
            before = after
    return [*row, before] if before else row
