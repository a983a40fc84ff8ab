"""Slots: what fills the places of a template, a column at a time.

A slot gives a chunk's values for one place. Of a member that not every line has, a MakeSlot makes
one whose values stand between two texts, or are empty where the line has none.
"""

from __future__ import annotations

from functools import partial
from itertools import repeat

from podweave.helpers.logs.columns import Chunk, Frequent, escape
from podweave.helpers.logs.memo import Memo
from podweave.helpers.logs.schemas.schema import encode
from podweave.helpers.logs.structured.names import UNITS
from podweave.helpers.logs.structured.sink import duration_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from podweave.helpers.logs.columns import Column, Slot

    MakeSlot = Callable[[bytes, bytes], Slot]
    # Some of a row's cells, from left to right: bytes in all rows, or a text for each of them.
    Cells = Callable[[Chunk], Sequence[bytes | Iterable[bytes]]]
    # (template, slots, None) of a fixed member, (key, [], MakeSlot) of an optional one.
    Member = tuple[bytes, list[Slot], MakeSlot | None]


def literal(text: bytes) -> bytes:
    """A text as a part of a template."""
    return text.replace(b"%", b"%%")


def decimal(text: str, unit: str) -> float | None:
    """A number, in seconds where it is a duration in that unit (names.UNITS)."""
    return float(text) / UNITS[unit] if unit in UNITS else duration_of(text, "s")


def decimals(column: Column, scale: float) -> list[bytes]:
    """Numbers as `json` writes them; nothing for lines that don't fit."""
    if scale == 1.0:
        return [b"%a" % float(text) if text else b"" for text in column]
    return [b"%a" % (float(text) / scale) if text else b"" for text in column]


def numbers(index: int, scale: float) -> Slot:
    """See decimals."""
    return lambda chunk: decimals(chunk.columns[index], scale)


def file_path(chunk: Chunk) -> Iterable[bytes]:
    """The slot of the file's path."""
    return repeat(chunk.path)


def raw_text(index: int) -> Slot:
    """Texts that are JSON already, as long as they are UTF-8."""

    def slot(chunk: Chunk) -> Column:
        column = chunk.columns[index]
        if not chunk.valid:
            for row, text in enumerate(column):
                try:
                    text.decode()
                except UnicodeDecodeError:
                    chunk.exact.append(row)
        return column

    return slot


def converted(index: int, convert: Callable[[bytes], Any]) -> Slot:
    """JSON of what `convert` makes of each text; a row for which it raises ValueError is made the
    exact way. Texts that repeat do so in a chunk: they are long, and a memo of them would be."""

    def fragment(text: bytes) -> bytes:
        try:
            return encode(convert(text))
        except ValueError:
            return b""

    def slot(chunk: Chunk) -> Column:
        column = chunk.columns[index]
        made = {text: fragment(text) for text in set(column)}
        if b"" in made.values():
            chunk.exact += [row for row, text in enumerate(column) if not made[text]]
        return [made[text] for text in column]

    return slot


def escaped_text(index: int, plain: Slot, unescape: Callable[[bytes], str]) -> Slot:
    """What texts with escapes of the format's own say; `plain` gives it where there are none."""
    said = converted(index, unescape)

    def slot(chunk: Chunk) -> Iterable[bytes]:
        return plain(chunk) if chunk.loose else [text[1:-1] for text in said(chunk)]

    return slot


def text_slot(index: int, safe: bool) -> Callable[[Chunk], Column]:
    """Texts of a column as the insides of JSON strings."""

    def slot(chunk: Chunk) -> Column:
        if safe and chunk.loose and chunk.valid:
            return chunk.columns[index]
        return escape(chunk.columns[index], chunk.valid, chunk.clean)

    return slot


def filled(values: Slot, blank: str) -> Slot:
    """What `values` gives; something else in the place of a text without any (Field.shown)."""
    text = encode(blank)[1:-1]
    return lambda chunk: [value if value.strip(b" ") else text for value in values(chunk)]


def alone(slot: Slot) -> Cells:
    """The one cell that a slot fills."""
    return lambda chunk: (slot(chunk),)


class Remembered:
    """A slot that makes something of each text of a column, once while texts repeat.

    `each` does the same for a whole column in which they don't; None: they always do.
    """

    __slots__ = ("_each", "_fragment", "_index", "_known")

    def __init__(
        self,
        index: int,
        fragment: Callable[[bytes], bytes],
        each: Callable[[Column], list[bytes]] | None,
    ) -> None:
        self._index = index
        self._fragment = fragment
        self._each = each
        self._known = self._memory(b"", b"")

    def __call__(self, chunk: Chunk) -> Iterable[bytes]:
        column = chunk.columns[self._index]
        return self._known(column) or self._all(column)

    def _all(self, column: Column) -> list[bytes]:
        return list(map(self._fragment, column)) if self._each is None else self._each(column)

    def between(self, before: bytes, after: bytes) -> Cells:
        """The same between two texts, which cost nothing while texts repeat."""
        index, each, memory = self._index, self._all, self._memory(before, after)

        def cells(chunk: Chunk) -> Sequence[bytes | Iterable[bytes]]:
            column = chunk.columns[index]
            known = memory(column)
            return (known,) if known else (before, each(column), after)

        return cells

    def _between(self, before: bytes, after: bytes, text: bytes) -> bytes:
        return before + self._fragment(text) + after

    def _memory(self, before: bytes, after: bytes) -> Callable[[Column], Iterable[bytes] | None]:
        fragment = self._fragment
        if before or after:
            fragment = partial(self._between, before, after)
        if self._each is None:
            return partial(map, Memo(fragment).__getitem__)
        return Frequent(fragment).of


class Same(Remembered):
    """The same for a member whose value is, where a column is all of one kind, the text itself:
    then that column stands between `before` and `after`."""

    __slots__ = ("_after", "_before", "_itself")

    def __init__(
        self,
        index: int,
        fragment: Callable[[bytes], bytes],
        itself: re.Pattern[bytes],
        before: bytes,
        after: bytes,
    ) -> None:
        super().__init__(index, fragment, self._one_by_one)
        self._itself = itself
        self._before = before + b'"'
        self._after = b'"' + after

    def between(self, before: bytes, after: bytes) -> Cells:
        index, itself, otherwise = self._index, self._itself, super().between(before, after)
        before, after = before + self._before, self._after + after

        def cells(chunk: Chunk) -> Sequence[bytes | Iterable[bytes]]:
            column = chunk.columns[index]
            if itself.fullmatch(b"\n".join(column) + b"\n"):
                return before, column, after
            return otherwise(chunk)

        return cells

    def _one_by_one(self, column: Column) -> list[bytes]:
        texts = list(filter(None, column))
        if not self._itself.fullmatch(b"\n".join(texts) + b"\n"):
            return list(map(self._fragment, column))
        before, after = self._before, self._after
        return [before + text + after if text else b"" for text in column]


def texts_that_repeat(index: int) -> Slot:
    """As text_slot; each distinct text is escaped once."""

    def each(column: Column) -> list[bytes]:
        return list(escape(column, False))

    return Remembered(index, lambda text: each((text,))[0], each)


def optional(index: int, text: bool) -> MakeSlot:
    """Texts, or numbers, of a column where they are not empty and not `-`."""

    def make(before: bytes, after: bytes) -> Slot:
        def each(column: Column) -> list[bytes]:
            if text:
                column = escape(column, False)
            return [
                b"" if value == b"" or value == b"-" else before + value + after for value in column
            ]

        return Remembered(index, lambda value: each((value,))[0], each)

    return make


def memoised(
    index: int, convert: Callable[[bytes], Any], itself: re.Pattern[bytes] | None = None
) -> MakeSlot:
    """JSON of what `convert` makes of each text of a column; nothing where that is None."""

    def make(before: bytes, after: bytes) -> Slot:
        def fragment(text: bytes) -> bytes:
            value = convert(text)
            return b"" if value is None else before + encode(value) + after

        if itself is None:
            return Remembered(index, fragment, None)
        return Same(index, fragment, itself, before, after)

    return make


def row_by_row(inner: list[Member]) -> MakeSlot:
    """An object whose first member is optional, and that has more of them."""
    sources: list[Slot] = []
    for text, slots, optional in inner:
        if optional is None:
            sources.append(fixed_member(text, slots))
        else:
            sources.append(optional(text, b""))

    def make(before: bytes, after: bytes) -> Slot:
        def slot(chunk: Chunk) -> Iterable[bytes]:
            rows = zip(*[source(chunk) for source in sources], strict=False)
            texts = [b",".join([text for text in row if text]) for row in rows]
            return [before + b"{" + text + b"}" + after if text else b"" for text in texts]

        return slot

    return make


def fixed_member(template: bytes, slots: list[Slot]) -> Slot:
    """A member that every line has, as whole texts."""
    if not slots:
        literal = template % ()
        return lambda chunk: repeat(literal, len(chunk.columns[-1]))
    return lambda chunk: map(template.__mod__, zip(*[slot(chunk) for slot in slots], strict=False))
