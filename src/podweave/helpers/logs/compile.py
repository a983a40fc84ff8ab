"""A layout and a schema, compiled: whole chunks of lines to rows of JSON, without a line's loop.

One regular expression runs over the chunk; its groups are turned into columns; each column is
converted as a whole (escaped by two replacements, or through a memo of its distinct values);
one bytes template makes the rows. Lines that don't fit come out as None, in their place.

The rows are, byte for byte, what Layout.record and Schema.render make of each line; a property
test holds the two together. A line whose timestamp is no date goes that exact way itself.
"""

from __future__ import annotations

import re
from itertools import repeat
from operator import add

from podweave.helpers.logs.fields import ABSENT, DECIMAL, FIELDS, INTEGER, LEVEL, level_of
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.schemas.schema import (
    Attributes,
    Constant,
    Derived,
    Field,
    Schema,
    Time,
    encode,
    padded,
)
from podweave.helpers.logs.timestamps import Clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from podweave.helpers.logs.fields import Record

    Column = Sequence[bytes]
    Slot = Callable[["Chunk"], Iterable[bytes]]
    # Gives a slot whose values stand between two texts, or are empty where there is none.
    MakeSlot = Callable[[bytes, bytes], Slot]

# Distinct values of a column that are remembered. Beyond, the memo starts anew: what doesn't
# repeat needs no memory.
_MEMO = 4096

_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_UNSAFE = bytes(range(10)) + bytes(range(11, 32)) + b'"\\'
_LONG_ENOUGH = frozenset(range(3, 10))


class Memo(dict):  # type: ignore[type-arg]
    """Calls a function once for each distinct key, as far as memory is worth it."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[bytes], Any]) -> None:
        super().__init__()
        self.function = function

    def __missing__(self, key: bytes) -> Any:
        if len(self) >= _MEMO:
            self.clear()
        value = self[key] = self.function(key)
        return value


class Chunk:
    """The columns of a chunk while its rows are made."""

    __slots__ = ("clock", "columns", "exact", "valid")

    def __init__(self, columns: list[tuple[bytes, ...]], valid: bool, clock: Clock) -> None:
        self.columns = columns
        self.valid = valid
        self.clock = clock
        self.exact: list[int] = []
        """Rows that must be made the exact way."""


def escape(column: Column, valid: bool) -> Column:
    """Each text of a column as the inside of a JSON string.

    No text has a newline, so the column is escaped as one text, joined by newlines.
    `valid`: the texts are UTF-8.
    """
    text = b"\n".join(column)
    if valid and len(text.translate(None, _UNSAFE)) == len(text):
        return column
    if not valid:
        text = text.decode("utf-8", "replace").encode()
    text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    if _CONTROL.search(text):
        text = _CONTROL.sub(_escape_control, text)
    return text.split(b"\n")


_SHORT = {b"\b": rb"\b", b"\t": rb"\t", b"\f": rb"\f", b"\r": rb"\r"}


def _escape_control(match: re.Match[bytes]) -> bytes:
    return _SHORT.get(match[0]) or b"\\u%04x" % ord(match[0])


def constants_for(layout: Any, constants: Record) -> Record:
    """What the adapter knows by itself, where the layout doesn't say it."""
    known = {**constants, "format": layout.format}
    return {name: value for name, value in known.items() if name not in layout.names}


class ExactBatch:
    """The interface of Batch for what isn't compiled: line by line."""

    def __init__(self, layout: Any, schema: Schema, constants: Record) -> None:
        self.layout = layout
        self.schema = schema
        self.constants = constants_for(layout, constants)

    def rows(self, lines: Sequence[bytes], clock: Clock) -> list[bytes | None]:
        """A row for each line; None for one that doesn't fit."""
        return [self.row(line, clock) for line in lines]

    def row(self, line: bytes, clock: Clock) -> bytes | None:
        record = self.layout.record(line, clock)
        return None if record is None else self.render(record, clock)

    def render(self, record: Record, clock: Clock) -> bytes:
        """The exact way from a record to a row."""
        if "time" not in record:
            record["time"] = clock.reading()
        return self.schema.render({**self.constants, **record})


class Batch(ExactBatch):
    """A layout and a schema, compiled, with what is constant for a file."""

    def __init__(self, layout: Layout, schema: Schema, constants: Record) -> None:
        super().__init__(layout, schema, constants)
        self._regex = re.compile(b"(?:(?:" + layout.pattern + b")(\n)|[^\n]*\n)")
        self._times = Memo(self._second)
        self._clock = Clock(0)
        self._hour = 0
        self._time: Time | None = None
        self._slots: list[Slot] = []
        self._template = _Template(self).root(schema.tree) + b"\n"

    def rows(self, lines: Sequence[bytes], clock: Clock) -> list[bytes | None]:
        data = b"\n".join(lines) + b"\n"
        found = self._regex.findall(data)
        columns = list(zip(*found, strict=True))
        fits = columns[-1]
        if b"\n" not in fits:
            return [None] * len(lines)
        valid = True
        if not data.isascii():
            try:
                data.decode()
            except UnicodeDecodeError:
                valid = False
        if int(clock.now) // 3600 != self._hour:
            # A time of day or a date without its year means another day sooner or later.
            self._times.clear()
            self._hour = int(clock.now) // 3600
        self._clock = clock
        chunk = Chunk(columns, valid, clock)
        slots = [slot(chunk) for slot in self._slots]
        rows: list[bytes | None] = list(map(self._template.__mod__, zip(*slots, strict=False)))
        if b"" in fits:
            for index, fit in enumerate(fits):
                if not fit:
                    rows[index] = None
        for index in chunk.exact:
            if rows[index] is not None:
                rows[index] = self.render(self.layout.read(found[index][:-1], clock), clock)
        return rows

    def _second(self, text: bytes) -> bytes | None:
        assert self._time is not None
        if not text:
            return b""
        seconds = self.layout.stamp.parse(text, self._clock)
        return None if seconds is None else self._time.seconds(seconds).encode("ascii")


class _Template:
    """Makes a batch's template and its slots from the schema's tree.

    A member of an object is fixed (a template, and the slots for its places) or optional (a
    MakeSlot for the whole member). Fixed ones carry their commas; an optional one brings its
    own, which works as long as the object's first member is fixed. Where it isn't, the
    object's text is put together row by row.
    """

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.layout = batch.layout
        self.groups: dict[str, tuple[int, Any]] = {
            group.name: (index, group)
            for index, group in enumerate(self.layout.groups)
            if group.kind != "time"
        }
        self.derived = {name: (source, function) for name, source, function in self.layout.derive}

    def root(self, tree: Any) -> bytes:
        """The template of the whole row; its slots go to the batch."""
        members = self.members(tree)
        if members[0][2] is None:
            return self.fixed_first(members, self.batch._slots)
        self.batch._slots.append(_row_by_row(members)(b"", b""))
        return b"%b"

    def members(self, tree: Any) -> list[tuple[bytes, list[Slot], MakeSlot | None]]:
        """(template, slots, None) of a fixed member, (key, [], MakeSlot) of an optional one."""
        members: list[tuple[bytes, list[Slot], MakeSlot | None]] = []
        for key, node in tree.items():
            name = encode(key) + b":"
            if isinstance(node, dict):
                self.add_object(name, self.members(node), members)
            elif isinstance(node, Attributes):
                own = [group for group in self.layout.groups if group.name not in FIELDS]
                inner: list[tuple[bytes, list[Slot], MakeSlot | None]] = []
                for group in own:
                    (label,) = node.function({group.name: ""})
                    self.add_field(encode(label) + b":", group.name, None, inner)
                self.add_object(name, inner, members)
            elif isinstance(node, Time):
                self.add_time(name, node, members)
            elif isinstance(node, Constant):
                members.append((_literal(name + encode(node.value)), [], None))
            else:
                self.add_leaf(name, node, members)
        return members

    def add_object(self, name: bytes, inner: Any, members: Any) -> None:
        if not inner:
            return
        if inner[0][2] is None:
            slots: list[Slot] = []
            members.append((_literal(name) + self.fixed_first(inner, slots), slots, None))
        elif len(inner) == 1:
            key, _, make = inner[0]
            members.append(
                (name, [], lambda before, after: make(before + b"{" + key, b"}" + after))
            )
        else:
            members.append((name, [], _row_by_row(inner)))

    def fixed_first(self, members: Any, slots: list[Slot]) -> bytes:
        parts = [b"{"]
        for index, (text, inner, make) in enumerate(members):
            if make is None:
                parts.append(b"," + text if index else text)
                slots += inner
            else:
                parts.append(b"%b")
                slots.append(make(b"," + text, b""))
        return b"".join(parts) + b"}"

    def add_time(self, name: bytes, node: Time, members: Any) -> None:
        batch = self.batch
        batch._time = node
        if self.layout.stamp is None:
            slot: Slot = lambda chunk: repeat(node.text(chunk.clock.reading()).encode())  # noqa: E731
            members.append((_literal(name) + b'"%b"', [slot], None))
            return
        at = {
            group.role: index
            for index, group in enumerate(self.layout.groups)
            if group.kind == "time"
        }
        base, zone, fraction = at["seconds"], at.get("zone"), at.get("fraction")

        def seconds(chunk: Chunk) -> Iterable[bytes]:
            texts: Iterable[bytes] = chunk.columns[base]
            if zone is not None:
                texts = map(add, texts, chunk.columns[zone])
            values = list(map(batch._times.__getitem__, texts))
            if None in values:
                for index, value in enumerate(values):
                    if value is None:
                        chunk.exact.append(index)
                        values[index] = b""
            return values

        start = _literal(name) + b'"%b' + _literal(node.before.encode())
        end = _literal(node.after.encode()) + b'"'
        if fraction is None:
            members.append((start + padded("").encode() + end, [seconds], None))
            return

        def fractions(chunk: Chunk) -> Iterable[bytes]:
            column = chunk.columns[fraction]
            if set(map(len, column)) <= _LONG_ENOUGH:
                return column
            return [padded(text.decode("ascii")).encode("ascii") for text in column]

        members.append((start + b"%b" + end, [seconds, fractions], None))

    def add_leaf(self, name: bytes, node: Field | Derived, members: Any) -> None:
        function = node.function if isinstance(node, Derived) else None
        if node.name in self.batch.constants:
            value = self.batch.constants[node.name]
            if function is not None:
                value = function(value)
            if value is not None:
                members.append((_literal(name + encode(value)), [], None))
        elif node.name in self.derived:
            source, derive = self.derived[node.name]
            index, group = self.groups[source]

            def convert(text: bytes) -> Any:
                if not text or (group.optional and text in ABSENT):
                    return None
                value = derive(text.decode("utf-8", "replace"))
                return value if function is None or value is None else function(value)

            members.append((name, [], _memoised(index, convert)))
        elif node.name in self.groups:
            self.add_field(name, node.name, node if isinstance(node, Derived) else None, members)

    def add_field(self, name: bytes, field: str, derived: Derived | None, members: Any) -> None:
        index, group = self.groups[field]
        if derived is not None:
            function, itself = derived.function, derived.itself

            def convert(text: bytes) -> Any:
                if not text or (group.optional and text in ABSENT):
                    return None
                decoded = text.decode("utf-8", "replace")
                return function(int(decoded) if group.kind == INTEGER else decoded)

            members.append((name, [], _memoised(index, convert, itself)))
        elif group.kind in (LEVEL, DECIMAL):
            read: Callable[[str], Any] = level_of if group.kind == LEVEL else float

            def converted(text: bytes) -> Any:
                if not text or (group.optional and text in ABSENT):
                    return None
                return read(text.decode("utf-8", "replace"))

            make = _memoised(index, converted)
            if group.optional:
                members.append((name, [], make))
            else:
                members.append((_literal(name) + b"%b", [make(b"", b"")], None))
        elif group.kind == INTEGER:
            if group.optional:
                members.append((name, [], _optional(lambda chunk: chunk.columns[index])))
            else:
                members.append((_literal(name) + b"%b", [lambda c: c.columns[index]], None))
        elif group.optional:
            make = _optional(lambda chunk: escape(chunk.columns[index], chunk.valid))
            members.append((name, [], lambda before, after: make(before + b'"', b'"' + after)))
        else:
            slot: Slot = lambda chunk: escape(chunk.columns[index], chunk.valid)  # noqa: E731
            members.append((_literal(name) + b'"%b"', [slot], None))


def _literal(text: bytes) -> bytes:
    return text.replace(b"%", b"%%")


def _optional(values: Callable[[Chunk], Column]) -> MakeSlot:
    def make(before: bytes, after: bytes) -> Slot:
        def slot(chunk: Chunk) -> Iterable[bytes]:
            return [
                b"" if value == b"" or value == b"-" else before + value + after
                for value in values(chunk)
            ]

        return slot

    return make


def _memoised(
    index: int, convert: Callable[[bytes], Any], itself: re.Pattern[bytes] | None = None
) -> MakeSlot:
    """JSON of what `convert` makes of each text of a column; nothing where that is None."""

    def make(before: bytes, after: bytes) -> Slot:
        def fragment(text: bytes) -> bytes:
            value = convert(text)
            return b"" if value is None else before + encode(value) + after

        memo = Memo(fragment)
        template = _literal(before) + b'"%b"' + _literal(after)

        def slot(chunk: Chunk) -> Iterable[bytes]:
            column = chunk.columns[index]
            if itself is not None and itself.fullmatch(b"\n".join(column) + b"\n"):
                return [template % text if text else b"" for text in column]
            return map(memo.__getitem__, column)

        return slot

    return make


def _row_by_row(inner: list[tuple[bytes, list[Slot], MakeSlot | None]]) -> MakeSlot:
    """An object whose first member is optional, and that has more of them."""
    sources: list[Slot] = []
    for text, slots, optional in inner:
        if optional is None:
            sources.append(_fixed_member(text, slots))
        else:
            sources.append(optional(text, b""))

    def make(before: bytes, after: bytes) -> Slot:
        def slot(chunk: Chunk) -> Iterable[bytes]:
            rows = zip(*[source(chunk) for source in sources], strict=False)
            texts = [b",".join([text for text in row if text]) for row in rows]
            return [before + b"{" + text + b"}" + after if text else b"" for text in texts]

        return slot

    return make


def _fixed_member(template: bytes, slots: list[Slot]) -> Slot:
    if not slots:
        literal = template % ()
        return lambda chunk: repeat(literal, len(chunk.columns[-1]))
    return lambda chunk: map(template.__mod__, zip(*[slot(chunk) for slot in slots], strict=False))
