"""Shapes: lines that name the same things in the same order, as a layout that can be compiled.

A shape is made from one line: its literal text, and a pattern for each leaf. Lines that fit it are
those whose record the exact way differs in the leaves' values alone; whatever could make another
difference (an escape, a number in an unusual form, a level that is none) doesn't fit the patterns
and goes the exact way.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.column_layout import ColumnLayout, Group
from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, LEVEL, TEXT, TIME
from podweave.helpers.logs.line_shapes import spelled_out
from podweave.helpers.logs.markers import LIST, Marker
from podweave.helpers.logs.markers import OBJECTS as OBJECT_LIST
from podweave.helpers.logs.structured.json_parts import (
    ANY_ARRAY,
    ARRAY_PATTERN,
    array_of,
    has_objects,
)
from podweave.helpers.logs.structured.leaves import (
    ARRAY,
    BARE,
    FRACTION,
    OBJECTS,
    PAIR_FRACTION,
    PAIR_QUOTED,
    PLAIN,
    QUOTED,
    VALUES,
    WHOLE,
    Leaf,
    LeafList,
    LeafValue,
)
from podweave.helpers.logs.structured.sink import NUMBER_LEVELS
from podweave.helpers.logs.structured.tracing import TracingSink, leaf_of, leaves_of
from podweave.helpers.logs.timestamp_texts import epoch
from podweave.helpers.logs.timestamps import EPOCH_DIGITS, STAMPS, Stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.structured.interface import StructuredLayout
    from podweave.helpers.logs.structured.leaves import Parts

_INTEGER = rb"(0|-?[1-9]\d{0,17})"
_FLOAT = rb"(-?(?:0|[1-9]\d{0,14})\.\d{1,30})"
_PAIR_FLOAT = rb"((?:0|-?[1-9]\d{0,14})\.\d{1,9})"
_AS_NUMBER = rb"(?:0|-?[1-9]\d{0,17})(?:\.\d{1,9})?(?![^ \n])"
_NANOSECONDS = rb"(0|[1-9]\d{0,8})"
_LENGTH = rb"(-?\d{1,15}(?:\.\d{1,12})?(?:h|ms|m|s|us|\xc2\xb5s|ns))"
_LENGTH_ALONE = rb"(-?\d{1,15}(?:\.\d{1,12})?)"
_UNESCAPED = rb'[^"\\\x00-\x1f]'
_KINDS = {
    WHOLE: INTEGER,
    FRACTION: DECIMAL,
    PAIR_FRACTION: DECIMAL,
    ARRAY: LIST,
    VALUES: LIST,
    OBJECTS: OBJECT_LIST,
}
_GROUP = re.compile(rb"(?<!\\)\((?!\?)")
# A line's own name for what has no neutral one; no field is called so.
_OWN = "@"


class UnfitError(Exception):
    """No shape can be made of the line."""


class Shape(ColumnLayout):
    """A layout for the lines that have the same names as the one that is taken apart here."""

    lenient = False

    def __init__(self, layout: StructuredLayout, parts: Parts, sink: TracingSink) -> None:
        self._layout = layout
        self.format = layout.format
        self.levels = layout.levels
        self.stamp = None
        self.groups = []
        self.derive = tuple(
            (name, source, function)
            for name, source, function in layout.derive
            if name not in sink.placed and source in sink.placed
        )
        self._sink = sink
        self._only = layout.only
        self._fields = {id(leaf_of(value)): field for field, (value, _) in sink.placed.items()}
        attributes = sink.record.get("attributes", {})
        self._owned = frozenset(leaves_of(attributes))
        self._check_fields()
        self._refusals = self._checked_refusals()
        self.names = frozenset(sink.placed)
        strict: list[bytes] = []
        loose: list[bytes] = []
        for part in parts:
            if isinstance(part, bytes):
                strict.append(re.escape(part))
                loose.append(re.escape(part))
            else:
                one, other = self._leaf(part)
                strict.append(one)
                loose.append(other)
        self.pattern = spelled_out(b"".join(strict))
        self.loose = spelled_out(b"".join(loose))
        self.tree = self._marked(attributes)
        self._derive_from(attributes)

    def record(self, line: bytes, clock: Clock) -> Record | None:
        return self._layout.record(line, clock)

    def _derive_from(self, attributes: dict[str, Any]) -> None:
        """Also from fields of the application's own, where the layout does."""
        for name, source, function in self._layout.derive:
            value = attributes.get(source)
            if value is None or source in FIELDS or name in self._sink.placed:
                continue
            leaf = leaf_of(value)
            if leaf is None or leaf.patterns is None:
                raise UnfitError
            self.derive += ((name, leaf.value.field, function),)

    def _check_fields(self) -> None:
        made = {name for name, _, _ in self._layout.derive}
        for _, source, _ in self._layout.derive:
            if source in made and source not in self._sink.placed:
                raise UnfitError  # derived from what is derived
        for name, source, _ in self.derive:
            if FIELDS[source] not in (TEXT, INTEGER) or name in _CONSTANTS:
                raise UnfitError
        for value, _ in self._sink.placed.values():
            if leaf_of(value) is None:
                raise UnfitError

    def _checked_refusals(self) -> frozenset[int]:
        """Leaves that are no number where a number is wanted; others must not be refused."""
        texts = set()
        for field, value in self._sink.refused:
            kind = FIELDS[field]
            if not isinstance(value, LeafValue):
                if isinstance(value, list | dict):
                    raise UnfitError
                continue  # a word: always the same
            leaf = value.leaf
            if leaf.written == OBJECTS:
                continue  # never taken
            text = leaf.written in (QUOTED, PAIR_QUOTED, BARE, PLAIN)
            if kind == TEXT and leaf.written in (WHOLE, FRACTION, PAIR_FRACTION):
                continue
            if kind == INTEGER and leaf.written in (FRACTION, PAIR_FRACTION):
                continue
            if kind == INTEGER and text and not str(value)[:1].isdigit():
                texts.add(id(leaf))
                continue
            raise UnfitError
        return frozenset(texts)

    def _leaf(self, leaf: Leaf) -> tuple[bytes, bytes]:
        """The strict and the loose pattern of a leaf, and its groups."""
        field = self._fields.get(id(leaf))
        if leaf is self._sink.nanoseconds:
            self.groups.append(Group("time", TIME, False, "nanoseconds"))
            return _NANOSECONDS, _NANOSECONDS
        if field is None and id(leaf) not in self._owned:
            # Nobody asks for it.
            strict, loose = self._own(leaf)
            self.groups.pop()
            return _GROUP.sub(b"(?:", strict, 1), _GROUP.sub(b"(?:", loose, 1)
        if field is None:
            return self._own(leaf)
        _, unit = self._sink.placed[field]
        kind = FIELDS[field]
        text = leaf.written in (QUOTED, PAIR_QUOTED, BARE, PLAIN)
        if kind == TIME:
            return self._time(leaf)
        if kind == LEVEL:
            if text:
                return self._text(leaf, field, LEVEL, least=1, escapes=False)
            self.levels = {**NUMBER_LEVELS, **self.levels}
            numbers = sorted((n for n in self.levels if n.isdigit()), key=len, reverse=True)
            pattern = b"(" + "|".join(numbers).encode("ascii") + b")"
            self._group(field, LEVEL)
            return pattern, pattern
        if kind == INTEGER:
            self._group(field, INTEGER)
            pattern = rb"(0|[1-9]\d{0,17})" if text else _INTEGER
            return pattern, pattern
        if kind == DECIMAL:
            if text and leaf.value[-1:].isdigit():
                self._group(field, DECIMAL, unit=unit)
                return _LENGTH_ALONE, _LENGTH_ALONE
            if text:
                self._group(field, DECIMAL, unit="text")
                return _LENGTH, _LENGTH
            self._group(field, DECIMAL, unit=unit)
            pattern = rb"(-?(?:0|[1-9]\d{0,14})(?:\.\d{1,30})?)"
            if leaf.written == WHOLE:
                pattern = rb"(0|-?[1-9]\d{0,13})"
            return pattern, pattern
        if leaf.written == WHOLE:
            self._group(field, TEXT, raw=True)
            return _INTEGER, _INTEGER
        derived = any(source == field for _, source, _ in self.derive)
        return self._text(leaf, field, TEXT, escapes=not derived)

    def _own(self, leaf: Leaf) -> tuple[bytes, bytes]:
        """A leaf that stays a field of the application's own."""
        name = f"{_OWN}{len(self.groups)}"
        leaf.value.field = name
        if leaf.written == WHOLE:
            self._group(name, INTEGER)
            return _INTEGER, _INTEGER
        if leaf.written == FRACTION:
            self._group(name, DECIMAL)
            return _FLOAT, _FLOAT
        if leaf.written == PAIR_FRACTION:
            self._group(name, DECIMAL)
            return _PAIR_FLOAT, _PAIR_FLOAT
        if leaf.written in (ARRAY, VALUES, OBJECTS):
            raw = leaf.written == ARRAY
            self._group(name, _KINDS[leaf.written], raw=raw)
            convert, objects = leaf.convert or array_of, leaf.written == OBJECTS
            self.groups[-1].convert = lambda text: _list(convert(text), objects)
            pattern = b"(" + (ARRAY_PATTERN if raw else ANY_ARRAY) + b")"
            return leaf.patterns or (pattern, pattern)
        strict, loose = self._text(leaf, name, TEXT)
        if id(leaf) in self._refusals:
            return rb"(?!\d)" + strict, rb"(?!\d)" + loose
        return strict, loose

    def _text(
        self, leaf: Leaf, name: str, kind: str, *, least: int = 0, escapes: bool = True
    ) -> tuple[bytes, bytes]:
        allowed = self._only.get(leaf.path)
        raw = leaf.written in (QUOTED, PAIR_QUOTED)
        self._group(name, kind, raw=raw)
        if leaf.patterns is not None:
            self.groups[-1].unescape = leaf.unescape
            self.groups[-1].convert = leaf.convert
            return leaf.patterns
        if allowed is not None:
            pattern = b"(" + b"|".join(re.escape(word.encode()) for word in allowed) + b")"
            return pattern, pattern
        if leaf.written == PLAIN:
            between = re.escape(self._layout.between[:1])
            many = b"+" if least else b"*"
            pattern = rb"([^%b\n]%b+)" % (between, many)
            return pattern, pattern
        if leaf.written == BARE:
            pattern = rb'([^\s"%b]%b+)' % (
                re.escape(self._layout.between[:1]),
                b"+" if least else b"*",
            )
            if leaf.value[:1].isdigit() or leaf.value[:1] == "-" or not leaf.value:
                pattern = rb"(?!" + _AS_NUMBER + rb")" + pattern
            else:
                pattern = rb"(?![\d\-])" + pattern
            return pattern, pattern
        many = b"+" if least or leaf.filled else b"*"
        if not escapes:
            return b"(" + _UNESCAPED + many + b"+)", b'([^"]' + many + b"+)"
        known = rb'["\\bfnrt]' if leaf.written == QUOTED else rb'["\\nrt]'
        strict = b"%b*+(?>(?:\\\\%b%b*+)*)" % (_UNESCAPED, known, _UNESCAPED)
        loose = b'([^"]%b+)' % many
        if leaf.filled:
            return b'(?!")(' + strict + b")", loose
        if name == "message" and leaf.written == QUOTED:
            # A newline at its end is left out.
            strict = b"%b*(?:\\\\%b%b*)*" % (_UNESCAPED, known, _UNESCAPED)
            if leaf.value.endswith("\n"):
                return b"(" + strict + rb")\\n", rb"(?!)()"
            return b"(" + strict + rb"(?<!\\n))", loose
        return b"(" + strict + b")", loose

    def _time(self, leaf: Leaf) -> tuple[bytes, bytes]:
        stamp = leaf.stamp
        digits = ""
        if stamp is not None:
            pass
        elif leaf.written in (QUOTED, PAIR_QUOTED, BARE, PLAIN):
            text = leaf.value.encode("utf-8", "replace")
            for known in STAMPS.values():
                if known.read(text, Clock(0)) is not None:
                    stamp = known
                    break
            digits = leaf.value
        elif leaf.written == WHOLE:
            digits = str(int(leaf.value))
        else:
            digits = leaf.value.text
        if stamp is None:
            stamp = _epoch_stamp(digits)
        if self._sink.nanoseconds is not None and stamp.roles != ("seconds",):
            raise UnfitError
        self.stamp = stamp
        self.groups += [Group("time", TIME, False, role) for role in stamp.roles]
        return stamp.pattern, stamp.pattern

    def _group(self, name: str, kind: str, *, raw: bool = False, unit: str = "") -> None:
        group = Group(name, kind, False, "value")
        group.raw = raw
        group.unit = unit
        self.groups.append(group)

    def _marked(self, value: Any) -> Any:
        """The attributes with markers for leaves."""
        if isinstance(value, dict):
            return {name: self._marked(item) for name, item in value.items()}
        if not isinstance(value, LeafValue):
            if isinstance(value, list) and value:
                raise UnfitError
            return value
        kind = _KINDS.get(value.leaf.written, TEXT)
        return Marker.of(value.field, kind)


_CONSTANTS = frozenset(
    ("service_name", "pod_name", "pod_namespace", "pod_uid", "pod_ip", "node_name", "format")
)


def make_shape(layout: StructuredLayout, line: bytes) -> Shape:
    """The shape of a line that the layout reads; UnfitError where it has none."""
    clock = Clock(0, 0)
    singles: frozenset[str] = frozenset()
    while True:
        apart = layout.apart(line, singles)
        if apart is None:
            raise UnfitError
        parts, members = apart
        sink = TracingSink(layout.keys, layout.levels, clock)
        layout.put(members, sink)
        lists = frozenset(
            value.leaf.path for value, _ in sink.placed.values() if isinstance(value, LeafList)
        )
        if not lists:
            return Shape(layout, parts, sink)
        if lists <= singles:
            raise UnfitError
        singles |= lists


def _list(items: list[Any], objects: bool) -> list[Any]:
    """The items; ValueError where they aren't of the kind."""
    if has_objects(items) != objects:
        raise ValueError("of the other kind")
    return items


def _epoch_stamp(text: str) -> Stamp:
    """An epoch of as many digits as this one."""
    whole, point, _ = text.partition(".")
    digits = EPOCH_DIGITS.get(len(whole))
    if digits is None or not whole.isdigit() or (point and digits):
        raise UnfitError
    seconds = rb"([1-9]\d{%d})" % (len(whole) - digits - 1)
    if point:
        return Stamp(seconds + rb"\.(\d{1,9})\d{0,9}", "seconds fraction", epoch)
    if digits:
        return Stamp(seconds + rb"(\d{%d})" % digits, "seconds fraction", epoch)
    return Stamp(seconds, "seconds", epoch)
