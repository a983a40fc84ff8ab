"""Makes the template of a layout and a schema: what compile.Batch runs.

The schema's tree is walked with what the layout has. A member of an object is fixed (a template,
and the slots for its places) or optional (a MakeSlot for the whole member). Fixed ones carry
their commas; an optional one brings its own, which works as long as the object's first member
is fixed. Where it isn't, the object's text is put together row by row.

That is slow, and most parts that may be absent are there in all lines of a file, or in none:
compile.Batch has a template made for what a chunk has.
"""

from __future__ import annotations

import json
from itertools import repeat

from podweave.helpers.logs.columns import MISSING, MIXED, PRESENT, Chunk, Seconds
from podweave.helpers.logs.fields import ABSENT, DECIMAL, FIELDS, INTEGER, LEVEL, level_of
from podweave.helpers.logs.markers import LIST, Marker
from podweave.helpers.logs.row import Row
from podweave.helpers.logs.schemas.schema import (
    SPREAD,
    Attributes,
    Constant,
    Derived,
    Either,
    Field,
    Time,
    encode,
    padded,
)
from podweave.helpers.logs.slots import (
    Moments,
    converted,
    decimal,
    decimals,
    escaped_text,
    filled,
    fixed_member,
    literal,
    memoised,
    optional,
    raw_text,
    row_by_row,
    text_slot,
    texts_that_repeat,
)
from podweave.helpers.logs.structured.names import UNITS
from podweave.helpers.logs.url_slots import UrlPath, UrlQuery

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from podweave.helpers.logs.column_layout import ColumnLayout, WholeUrl
    from podweave.helpers.logs.columns import Slot
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.schemas.schema import Schema
    from podweave.helpers.logs.slots import MakeSlot, Member


EVERYTHING_MIXED: Mapping[int, int] = {}


class NotCompiledError(Exception):
    """The schema makes something of attributes that depends on their values."""


class Template:
    """What stands in a row, from left to right: literal texts, and slots that fill the places
    between.

    `presence` says of optional groups, by their index, that all lines have them (PRESENT), or
    none (MISSING). With `url` the columns are of its groups.
    """

    def __init__(
        self,
        layout: ColumnLayout,
        schema: Schema,
        constants: Record,
        presence: Mapping[int, int] = EVERYTHING_MIXED,
        url: WholeUrl | None = None,
    ) -> None:
        self.layout = layout
        self.unplaced = schema.unplaced
        self.markers = 0
        self.constants = constants
        self.columns = layout.groups if url is None else url.groups
        self.groups: dict[str, tuple[int, Any]] = {}
        self.sure: set[str] = set()
        for index, group in enumerate(self.columns):
            how = presence.get(index, MIXED)
            if group.kind != "time" and how != MISSING:
                self.groups[group.name] = index, group.sure() if how == PRESENT else group
                if how == PRESENT:
                    self.sure.add(group.name)
        self.derived = {
            name: (source, function)
            for name, source, function in layout.derive
            if source in self.groups
        }
        self.url = url
        if url is not None:
            self.groups[url.path] = self.groups[url.query] = self.groups[url.name]
        slots: list[Slot] = []
        members = self.members(schema.tree)
        if members[0][2] is None:
            text = self.fixed_first(members, slots)
        else:
            text = b"%b"
            slots.append(row_by_row(members)(b"", b""))
        self._row = Row(text + b"\n", slots)

    def cells(self, chunk: Chunk) -> list[bytes | Iterable[bytes]]:
        """What stands in the rows of a chunk, from left to right: bytes in all of them."""
        return self._row.cells(chunk)

    def members(self, tree: Any) -> list[Member]:
        members: list[Member] = []
        for key, node in tree.items():
            name = encode(key) + b":"
            if isinstance(node, dict):
                self.add_object(name, self.members(node), members)
            elif isinstance(node, Attributes):
                inner = members if key == SPREAD else []
                for tree in self.attributes():
                    self.add_attributes(node.function(tree), inner)
                if self.layout.tree is not None and self.markers < _count(self.attributes()[0]):
                    raise NotCompiledError
                if key != SPREAD:
                    self.add_object(name, inner, members)
            elif isinstance(node, Time):
                self.add_time(name, node, members)
            elif isinstance(node, Either):
                self.add_either(name, node, members)
            elif isinstance(node, Constant):
                members.append((literal(name + encode(node.value)), [], None))
            else:
                self.add_leaf(name, node, members)
        return members

    def attributes(self) -> list[dict[str, Any]]:
        """What a schema's function for attributes is asked about: all at once, or one by one
        where each may be absent."""
        have = {*self.groups, *self.derived, *self.constants, "log_path"}
        unplaced = {name: Marker.of(name, FIELDS[name]) for name in self.unplaced if name in have}
        tree = self.layout.tree
        if tree is not None:
            return [{**unplaced, **tree}]
        own = {
            group.name: Marker.of(group.name, group.kind)
            for _, group in self.groups.values()
            if group.name not in FIELDS and group.name[0] != "_"
        }
        own.update(self.layout.added)
        return [{name: marker} for name, marker in {**unplaced, **own}.items()]

    def add_attributes(self, made: dict[str, Any], members: Any) -> None:
        for label, value in made.items():
            name = encode(label) + b":"
            if isinstance(value, Marker):
                self.markers += 1
                field, through = value.field, value.made
                leaf = Field(field) if through is None else Derived(field, through)
                self.add_leaf(name, leaf, members)
            elif isinstance(value, dict) and value:
                inner: list[Member] = []
                self.add_attributes(value, inner)
                self.add_object(name, inner, members)
            else:
                members.append((literal(name + encode(value)), [], None))

    def add_object(self, name: bytes, inner: Any, members: Any) -> None:
        if not inner:
            return
        if inner[0][2] is None:
            slots: list[Slot] = []
            members.append((literal(name) + self.fixed_first(inner, slots), slots, None))
        elif len(inner) == 1:
            key, _, make = inner[0]
            members.append(
                (name, [], lambda before, after: make(before + b"{" + key, b"}" + after))
            )
        else:
            members.append((name, [], row_by_row(inner)))

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

    def add_either(self, name: bytes, node: Either, members: Any) -> None:
        found: list[Member] = []
        for part in node.parts:
            if isinstance(part, Constant):
                found.append((literal(name + encode(part.value)), [], None))
            else:
                self.add_leaf(name, part, found)
            if found and found[-1][2] is None:
                break  # It is always there.
        if len(found) < 2:
            members += found
            return
        sources = [
            fixed_member(text, slots) if make is None else make(text, b"")
            for text, slots, make in found
        ]

        def slot(chunk: Chunk) -> Iterable[bytes]:
            columns = zip(*[source(chunk) for source in sources], strict=False)
            return [next(filter(None, texts), b"") for texts in columns]

        if found[-1][2] is None:
            members.append((b"%b", [slot], None))
            return

        def make(before: bytes, after: bytes) -> Slot:
            return lambda chunk: [before + text + after if text else b"" for text in slot(chunk)]

        members.append((b"", [], make))

    def add_time(self, name: bytes, node: Time, members: Any) -> None:
        quote = b'"' if node.quoted else b""
        start = literal(name) + quote
        if self.layout.stamp is None:
            slot: Slot = lambda chunk: chunk.clock.written(node)  # noqa: E731
            members.append((start + b"%b" + quote, [slot], None))
            return
        at: dict[str, int] = {
            group.role: index for index, group in enumerate(self.columns) if group.kind == "time"
        }
        times = Seconds(self.layout.stamp, lambda at: node.seconds(at).encode("ascii"))
        base, zone, fraction = at["seconds"], at.get("zone"), at.get("fraction")
        nanoseconds = at.get("nanoseconds")

        seconds = Moments(times, base, zone)
        start += b"%b" + literal(node.before.encode())
        end = literal(node.after.encode()) + quote
        if nanoseconds is not None:
            column = nanoseconds
            nine: Slot = lambda chunk: [text.rjust(9, b"0") for text in chunk.columns[column]]  # noqa: E731
            members.append((start + b"%b" + end, [seconds, nine], None))
            return
        if fraction is None:
            members.append((start + padded("", node.digits).encode() + end, [seconds], None))
            return
        long_enough = frozenset(range(node.digits, 10))
        none = padded("", node.digits).encode("ascii")

        def fractions(chunk: Chunk) -> Iterable[bytes]:
            column = chunk.columns[fraction]
            lengths = set(map(len, column))
            if lengths <= long_enough:
                return column
            if lengths == {0}:
                return repeat(none)
            return [padded(text.decode("ascii"), node.digits).encode("ascii") for text in column]

        members.append((start + b"%b" + end, [seconds, fractions], None))

    def add_leaf(self, name: bytes, node: Field | Derived, members: Any) -> None:
        function = node.function if isinstance(node, Derived) else None
        if node.name == "log_path" and "log_path" not in self.layout.names:
            assert isinstance(node, Field)
            slot: Slot = lambda chunk: repeat(chunk.path)  # noqa: E731
            members.append((literal(name) + b"%b", [slot], None))
        elif node.name in self.constants:
            value = self.constants[node.name]
            if function is not None:
                value = function(value)
            elif isinstance(node, Field):
                value = node.shown(value)
            if value is not None:
                members.append((literal(name + encode(value)), [], None))
        elif node.name in self.derived:
            source, derive = self.derived[node.name]
            index, group = self.groups[source]

            def convert(text: bytes) -> Any:
                if not text or (group.optional and text in ABSENT):
                    return None
                said = group.unescape or _decoded
                value = derive(said(text))
                if isinstance(node, Field):
                    return node.shown(value)
                return None if value is None else node.function(value)

            members.append((name, [], memoised(index, convert)))
        elif node.name in self.groups:
            self.add_field(name, node, members)

    def reader(self, group: Any, function: Callable[[Any], Any] | None = None) -> Any:
        """What `function` makes of the neutral value that a group's text stands for."""
        kind, levels = group.kind, self.layout.levels

        def read(text: bytes) -> Any:
            if group.optional and text in ABSENT:
                return None
            value: Any
            if group.convert is not None:
                value = group.convert(text)
                return value if function is None else function(value)
            value = (group.unescape or _decoded)(text)
            if group.raw and "\\" in value:
                value = json.loads(f'"{value}"')
            if not value and kind in (INTEGER, DECIMAL):
                return None  # of a line that doesn't fit
            if kind == INTEGER:
                value = int(value)
            elif kind == DECIMAL:
                value = decimal(value, group.unit)
            elif kind == LEVEL:
                value = level_of(value, levels)
            return value if function is None else function(value)

        return read

    def add_part_of_url(self, name: bytes, node: Field | Derived, members: Any) -> None:
        """A member made of a part of a URL."""
        index, group = self.groups[node.name]
        assert self.url is not None
        part = 0 if node.name == self.url.path else 2
        if isinstance(node, Derived) or node.blank:
            read = self.reader(group, node.function if isinstance(node, Derived) else node.shown)

            def convert(url: bytes) -> Any:
                text = url.partition(b"?")[part]
                return None if part and text in ABSENT else read(text)

            members.append((name, [], memoised(index, convert)))
            return
        urls = text_slot(index, group.safe)
        if part:
            make: MakeSlot = lambda before, after: UrlQuery(urls, before + b'"', b'"' + after)  # noqa: E731
            members.append((name, [], make))
        else:
            members.append((literal(name) + b'"%b"', [UrlPath(urls)], None))

    def add_field(self, name: bytes, node: Field | Derived, members: Any) -> None:
        if self.url is not None and node.name in (self.url.path, self.url.query):
            self.add_part_of_url(name, node, members)
            return
        index, group = self.groups[node.name]
        if group.convert is not None and not (group.raw and isinstance(node, Field)):
            function = node.function if isinstance(node, Derived) else node.shown
            read = self.reader(group, function)
            members.append((literal(name) + b"%b", [converted(index, read)], None))
        elif isinstance(node, Derived):
            make = memoised(index, self.reader(group, node.function), node.itself)
            members.append((name, [], make))
        elif group.kind == DECIMAL and not group.optional and group.unit in UNITS:
            scale = UNITS[group.unit]
            numbers: Slot = lambda chunk: decimals(chunk.columns[index], scale)  # noqa: E731
            members.append((literal(name) + b"%b", [numbers], None))
        elif group.kind == LIST:
            members.append((literal(name) + b"%b", [raw_text(index)], None))
        elif group.kind in (LEVEL, DECIMAL):
            make = memoised(index, self.reader(group))
            if group.optional:
                members.append((name, [], make))
            else:
                members.append((literal(name) + b"%b", [make(b"", b"")], None))
        elif group.kind == INTEGER:
            if group.optional:
                members.append((name, [], optional(index, text=False)))
            else:
                members.append((literal(name) + b"%b", [lambda c: c.columns[index]], None))
        elif group.optional:
            make = optional(index, text=True)
            members.append((name, [], lambda before, after: make(before + b'"', b'"' + after)))
        else:
            if group.raw:
                text: Slot = raw_text(index)
            elif node.name in self.sure and not group.safe:
                # What may be absent says who or whence it is, and repeats.
                text = texts_that_repeat(index)
            else:
                text = text_slot(index, group.safe)
            if group.unescape is not None:
                text = escaped_text(index, text, group.unescape)
            slot = filled(text, node.blank) if node.blank else text
            members.append((literal(name) + b'"%b"', [slot], None))


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace")


def _count(tree: Any) -> int:
    """Markers in a tree."""
    if isinstance(tree, dict):
        return sum(map(_count, tree.values()))
    if isinstance(tree, Marker):
        return 1
    return sum(map(_count, tree)) if isinstance(tree, list) else 0
