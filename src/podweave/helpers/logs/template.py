"""Makes the template of a layout and a schema: what compile.Batch runs.

The schema's tree is walked with what the layout has. A member of an object is fixed (a template,
and the slots for its places) or optional (a MakeSlot for the whole member). Fixed ones carry
their commas; an optional one brings its own, which works as long as the object's first member
is fixed. Where it isn't, the object's text is put together row by row.

That is slow, and most parts that may be absent are there in all lines of a file, or in none:
compile.Batch has a template made for what a chunk has.
"""

from __future__ import annotations

from podweave.helpers.logs.columns import Chunk
from podweave.helpers.logs.field_members import FieldMembers
from podweave.helpers.logs.fields import FIELDS
from podweave.helpers.logs.markers import Marker
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
)
from podweave.helpers.logs.slots import fixed_member, literal, row_by_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from podweave.helpers.logs.column_layout import ColumnLayout, WholeUrl
    from podweave.helpers.logs.columns import Slot
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.schemas.schema import Schema
    from podweave.helpers.logs.slots import Member


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
        self.fields = FieldMembers(layout, constants, presence, url)
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
                self.fields.add_time(name, node, members)
            elif isinstance(node, Either):
                self.add_either(name, node, members)
            elif isinstance(node, Constant):
                members.append((literal(name + encode(node.value)), [], None))
            else:
                self.fields.add_leaf(name, node, members)
        return members

    def attributes(self) -> list[dict[str, Any]]:
        """What a schema's function for attributes is asked about: all at once, or one by one
        where each may be absent."""
        fields = self.fields
        have = {*fields.groups, *fields.derived, *fields.constants, "log_path"}
        unplaced = {name: Marker.of(name, FIELDS[name]) for name in self.unplaced if name in have}
        tree = self.layout.tree
        if tree is not None:
            return [{**unplaced, **tree}]
        own = {
            group.name: Marker.of(group.name, group.kind)
            for _, group in fields.groups.values()
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
                self.fields.add_leaf(name, leaf, members)
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
                self.fields.add_leaf(name, part, found)
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


def _count(tree: Any) -> int:
    """Markers in a tree."""
    if isinstance(tree, dict):
        return sum(map(_count, tree.values()))
    if isinstance(tree, Marker):
        return 1
    return sum(map(_count, tree)) if isinstance(tree, list) else 0
