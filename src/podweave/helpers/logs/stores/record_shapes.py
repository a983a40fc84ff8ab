"""Shapes of records: those that name the same things in the same order, read by one expression.

An adapter writes few shapes. One is learned from a record by reading it as log_records does and
looking where each of its values went; what went nowhere (the Pod, the schema's version) must stand
in every record of the shape as it stands in this one. Whatever could make another difference (an
escape for half of a character, a level that isn't text, a time without a Z) fits no shape, and is
read as log_records reads it. ECS and OpenTelemetry's own form have shapes.
"""

from __future__ import annotations

import json
import re

from podweave.helpers.logs.memo import Memo
from podweave.helpers.logs.raw_records import has_controls
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.utf8 import is_utf8
from podweave.helpers.wire.otlp import read_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Column = Sequence[bytes]

TEXT, INTEGER, OTHER, WORD = "text", "integer", "other", "word"
"""How a value is written: a string, a whole number, any other number or an array, true or false."""

_INSIDE = rb'[^"\\\x00-\x1f]'
# Not all of \u: half of a character is none.
_ESCAPE = rb'\\(?:["\\/bfnrt]|u00[0-9a-fA-F]{2})'
_STRING = _INSIDE + rb"*+(?>(?:" + _ESCAPE + _INSIDE + rb"*+)*)"
_NUMBER = rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?"
_WORDS = rb"true|false|null"
_ITEM = rb'(?>"' + _STRING + rb'"|' + _NUMBER + rb"|" + _WORDS + rb")"
_ARRAY = rb"\[(?>(?:" + _ITEM + rb"(?:," + _ITEM + rb")*)?)\]"
_PATTERNS = {
    TEXT: rb'"(' + _STRING + rb')"',
    INTEGER: rb"(0|-?[1-9]\d{0,17})",
}
_LOOSE = {**_PATTERNS, TEXT: rb'"([^"]*+)"'}
_LEVEL = rb'"([^"\\\x00-\x1f]+)"'
_SEVERITY = rb"([1-9]|1\d|2[0-4])"
_HEX = rb'"(?!0{%d}")([0-9a-f]{%d})"'
_EPOCH = rb'"([1-8]\d{18})"'
_STAMP = rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)%bZ"'
_STAMPED = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?Z")

_KEY = re.compile(rb'"(' + _STRING + rb')":')
_VALUE = re.compile(
    rb'"(?P<text>' + _STRING + rb')"|(?P<word>' + _WORDS + rb")|(?P<number>" + _NUMBER + rb")"
    rb"|(?P<array>" + _ARRAY + rb")"
)  # fmt: skip
_DEEPEST = 8
_MOST_LEAVES = 60


class UnfitError(ValueError):
    """There is no shape for it, or a value that its shape can't take. Other ValueErrors mean the
    same: a number of more digits than Python reads."""


class _Leaf:
    """A value of the line, and where it stands."""

    raw: bytes
    written: str


class _Text(_Leaf, str):
    pass


class _Integer(_Leaf, int):
    pass


class _Decimal(_Leaf, float):
    pass


class _Array(_Leaf, list):  # type: ignore[type-arg]
    pass


class Shape:
    """`strict` reads any record of the shape; `loose` those of a chunk that has no backslash and no
    control character. Places are those of their groups."""

    __slots__ = (
        "attributes",
        "body",
        "digits",
        "hits",
        "level",
        "loose",
        "number",
        "service",
        "span",
        "strict",
        "time",
        "trace",
    )

    def __init__(self, line: bytes) -> None:
        parts, document = _take_apart(line)
        record = log_records.log_record(document, 0)
        patterns: dict[int, bytes] = {}
        """By the identity of a leaf, which is what the strict expression has for it."""
        self.hits = 0
        stamp = _time_leaf(document)
        self.digits = -1
        """Of the time's fraction; -1: it is nanoseconds since the epoch."""
        if stamp.raw.isdigit():
            patterns[id(stamp)] = _EPOCH
        else:
            match = _STAMPED.fullmatch(stamp.raw)
            if match is None:
                raise UnfitError
            self.digits = len(match[1] or b"")
            fraction = rb"\.(\d{%d})" % self.digits if self.digits else b""
            patterns[id(stamp)] = _STAMP % fraction
        if record.level:
            patterns[id(record.level)] = _LEVEL
        if isinstance(record.severity, _Integer):
            patterns[id(record.severity)] = _SEVERITY
        elif record.severity and not record.level:
            raise UnfitError
        for text, size in ((record.trace, 32), (record.span, 16)):
            if text:
                if not read_id(text, size // 2) or text != text.lower():
                    raise UnfitError
                patterns[id(text)] = _HEX % (size, size)
        taken = [record.body, *record.attributes.values()]
        if not isinstance(record.body, _Text):
            raise UnfitError
        for value in taken:
            if isinstance(value, _Leaf):
                patterns.setdefault(id(value), _pattern(value, _PATTERNS))
        self._compile(parts, patterns)
        places = self._places(parts, patterns)
        self.time = places[id(stamp)]
        self.level = places[id(record.level)] if record.level else None
        number = record.severity
        self.number = places[id(number)] if isinstance(number, _Integer) else None
        self.trace = places[id(record.trace)] if record.trace else None
        self.span = places[id(record.span)] if record.span else None
        self.body = places[id(record.body)]
        self.attributes: list[tuple[str, str, Any]] = []
        """Name, how its values are written, and the place; of a WORD the value."""
        self.service: tuple[str, int] | None = None
        for name, value in record.attributes.items():
            if isinstance(value, _Leaf):
                self.attributes.append((name, value.written, places[id(value)]))
                if name == "service.name":
                    self.service = value.written, places[id(value)]
            elif isinstance(value, bool):
                self.attributes.append((name, WORD, value))
            else:
                raise UnfitError

    def _compile(self, parts: list[bytes | _Leaf], patterns: dict[int, bytes]) -> None:
        strict, loose = [], []
        for part in parts:
            if isinstance(part, bytes):
                strict.append(re.escape(part))
                loose.append(re.escape(part))
                continue
            pattern = patterns.get(id(part))
            if pattern is None:
                pattern = re.escape(b'"%b"' % part.raw if part.written == TEXT else part.raw)
            strict.append(pattern)
            loose.append(_LOOSE[TEXT] if pattern == _PATTERNS[TEXT] else pattern)
        self.strict = re.compile(b"(?m)^" + b"".join(strict) + b"$")
        self.loose = re.compile(b"(?m)^" + b"".join(loose) + b"$")

    @staticmethod
    def _places(parts: list[bytes | _Leaf], patterns: dict[int, bytes]) -> dict[int, int]:
        places: dict[int, int] = {}
        count = 0
        for part in parts:
            if not isinstance(part, bytes) and id(part) in patterns:
                places[id(part)] = count
                count += re.compile(patterns[id(part)]).groups
        return places

    # What the columns of the groups say

    def times(self, columns: list[Column]) -> list[Column | bytes]:
        """Nanoseconds since the epoch: columns of digits that stand side by side. UnfitError."""
        first = columns[self.time]
        if self.digits < 0:
            return [first]
        seconds: list[Column | bytes] = [list(map(_seconds.__getitem__, first))]
        if self.digits:
            seconds.append(columns[self.time + 1])
        return [*seconds, b"0" * (9 - self.digits)]

    def severities(self, columns: list[Column]) -> list[tuple[int, str]]:
        """Number and word of each record."""
        if self.level is None:
            if self.number is None:
                return [(0, "")] * len(columns[0])
            return [(int(number), "") for number in columns[self.number]]
        levels = map(_levels.__getitem__, columns[self.level])
        if self.number is None:
            return list(levels)
        return [
            (int(number), level)
            for number, (_, level) in zip(columns[self.number], levels, strict=True)
        ]

    def service_of(self, columns: list[Column]) -> tuple[int, Any] | None:
        """The first record that names the service, and the name."""
        if self.service is None:
            return None
        written, place = self.service
        for number, raw in enumerate(columns[place]):
            value = text_of(raw) if written == TEXT else json.loads(raw)
            if value:
                return number, value
        return None


def text_of(raw: bytes) -> str:
    """The text of a string's inside."""
    if b"\\" not in raw:
        return raw.decode()
    text: str = json.loads(b'"%b"' % raw)
    return text


def has_escapes(data: bytes) -> bool:
    """Something in it isn't what it means, or is no JSON: a loose expression can't be trusted."""
    return b"\\" in data or has_controls(data)


def _read_seconds(stamp: bytes) -> bytes:
    nanoseconds = log_records.nanoseconds(stamp.decode("ascii"))
    if not nanoseconds or nanoseconds >= log_records.LATEST - log_records.SECOND:
        raise UnfitError
    return b"%d" % (nanoseconds // log_records.SECOND)


def _read_level(raw: bytes) -> tuple[int, str]:
    level = raw.decode()
    return log_records.SEVERITIES.get(level.lower(), 0), level


_seconds = Memo(_read_seconds)
_levels = Memo(_read_level)


def _pattern(value: _Leaf, patterns: dict[str, bytes]) -> bytes:
    if value.written == OTHER:
        return b"(" + (_ARRAY if isinstance(value, list) else _NUMBER) + b")"
    return patterns[value.written]


def _time_leaf(document: dict[str, Any]) -> _Text:
    """The value that the record's time is made of."""
    for name in ("@timestamp", "timeUnixNano", "timestamp", "Timestamp", "observedTimeUnixNano"):
        value = document.get(name)
        if isinstance(value, _Text):
            return value
        if value is not None:
            break
    raise UnfitError


def _take_apart(line: bytes) -> tuple[list[bytes | _Leaf], dict[str, Any]]:
    """The line's parts, and its object with leaves for values."""
    if not is_utf8(line):
        raise UnfitError
    parts: list[bytes | _Leaf] = []
    document, end = _object(line, 0, parts, 0)
    if end != len(line) or len(parts) > 2 * _MOST_LEAVES:
        raise UnfitError
    return parts, document


def _object(
    line: bytes, place: int, parts: list[bytes | _Leaf], depth: int
) -> tuple[dict[str, Any], int]:
    if line[place : place + 1] != b"{" or depth > _DEEPEST:
        raise UnfitError
    members: dict[str, Any] = {}
    begin = place
    place += 1
    while line[place : place + 1] != b"}" or members:
        key = _KEY.match(line, place)
        if key is None:
            raise UnfitError
        parts.append(line[begin : key.end()])
        place = key.end()
        name = text_of(key[1])
        if line[place : place + 1] == b"{":
            members[name], place = _object(line, place, parts, depth + 1)
        else:
            members[name], place = _value(line, place, parts)
        begin = place
        if line[place : place + 1] == b",":
            place += 1
        elif line[place : place + 1] != b"}":
            raise UnfitError
        else:
            break
    parts.append(line[begin : place + 1])
    return members, place + 1


def _value(line: bytes, place: int, parts: list[bytes | _Leaf]) -> tuple[Any, int]:
    match = _VALUE.match(line, place)
    if match is None:
        raise UnfitError
    raw = match[match.lastgroup or 0]
    value: _Leaf
    if match.lastgroup == "text":
        value = _Text(text_of(raw))
        value.written = TEXT
    elif match.lastgroup == "word":
        parts.append(raw)
        return json.loads(raw), match.end()
    elif match.lastgroup == "array":
        value = _Array(json.loads(raw))
        value.written = OTHER
    else:
        number = json.loads(raw)
        value = _Integer(number) if isinstance(number, int) else _Decimal(number)
        whole = re.fullmatch(_PATTERNS[INTEGER], raw) is not None
        value.written = INTEGER if whole else OTHER
    value.raw = raw
    parts.append(value)
    return value, match.end()
