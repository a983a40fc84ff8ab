"""The members of a row that the fields of a layout's lines make."""

from __future__ import annotations

import json

from podweave.helpers.logs.columns import MISSING, MIXED, PRESENT, Seconds
from podweave.helpers.logs.fields import ABSENT, DECIMAL, INTEGER, LEVEL, level_of
from podweave.helpers.logs.markers import LIST
from podweave.helpers.logs.schemas.schema import Derived, Field, encode, padded
from podweave.helpers.logs.slots import (
    converted,
    decimal,
    escaped_text,
    file_path,
    filled,
    literal,
    memoised,
    numbers,
    optional,
    raw_text,
    text_slot,
    texts_that_repeat,
)
from podweave.helpers.logs.structured.names import UNITS
from podweave.helpers.logs.time_slots import Moments, fractions, nanoseconds, time_of_reading
from podweave.helpers.logs.url_slots import UrlPath, query_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from podweave.helpers.logs.column_layout import ColumnLayout, WholeUrl
    from podweave.helpers.logs.columns import Slot
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.schemas.schema import Time


class FieldMembers:
    """What a layout has for the fields that a schema asks for.

    `presence`, `url`: see Template. `columns` are the groups of what is found; `groups` those that
    have a value, by their fields.
    """

    def __init__(
        self,
        layout: ColumnLayout,
        constants: Record,
        presence: Mapping[int, int],
        url: WholeUrl | None,
    ) -> None:
        self.layout = layout
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

    def add_time(self, name: bytes, node: Time, members: Any) -> None:
        quote = b'"' if node.quoted else b""
        start = literal(name) + quote
        if self.layout.stamp is None:
            members.append((start + b"%b" + quote, [time_of_reading(node)], None))
            return
        at: dict[str, int] = {
            group.role: index for index, group in enumerate(self.columns) if group.kind == "time"
        }
        times = Seconds(self.layout.stamp, lambda at: node.seconds(at).encode("ascii"))
        base, zone, fraction = at["seconds"], at.get("zone"), at.get("fraction")
        seconds = Moments(times, base, zone)
        start += b"%b" + literal(node.before.encode())
        end = literal(node.after.encode()) + quote
        if "nanoseconds" in at:
            members.append((start + b"%b" + end, [seconds, nanoseconds(at["nanoseconds"])], None))
        elif fraction is None:
            members.append((start + padded("", node.digits).encode() + end, [seconds], None))
        else:
            digits = fractions(fraction, node.digits)
            members.append((start + b"%b" + end, [seconds, digits], None))

    def add_leaf(self, name: bytes, node: Field | Derived, members: Any) -> None:
        function = node.function if isinstance(node, Derived) else None
        if node.name == "log_path" and "log_path" not in self.layout.names:
            assert isinstance(node, Field)
            members.append((literal(name) + b"%b", [file_path], None))
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
            members.append((name, [], query_of(urls)))
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
            members.append((literal(name) + b"%b", [numbers(index, scale)], None))
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
