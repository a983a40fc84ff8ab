"""Takes a JSON line apart into literal text and leaves."""

from __future__ import annotations

import json
import re

from podweave.helpers.logs.structured.leaves import (
    ARRAY,
    FRACTION,
    OBJECTS,
    QUOTED,
    VALUES,
    WHOLE,
    Leaf,
    LeafInteger,
    LeafList,
    LeafText,
    leaf_float,
)
from podweave.helpers.logs.structured.sink import decoded_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.logs.structured.leaves import Parts

MOST_LEAVES = 80
_DEEPEST = 8
_STRING = rb'"(?>(?:[^"\\\x00-\x1f]|\\.)*)"'
_KEY = re.compile(rb"([ \t]*)(" + _STRING + rb")([ \t]*:[ \t]*)")
ONE_STRING = re.compile(_STRING)
_NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(\.\d+)?(?![\d.eE])")
_WORD = re.compile(rb"true|false|null")
_WORDS = {b"true": True, b"false": False, b"null": None}
ARRAY_ITEM = rb'(?:"[^"\\\x00-\x1f]*+"|0|-?[1-9]\d{0,17}|true|false)'
ARRAY_PATTERN = rb"\[" + ARRAY_ITEM + rb"(?>(?:," + ARRAY_ITEM + rb")*)\]"
_ARRAY = re.compile(ARRAY_PATTERN)
_INSIDE = rb'[^"\[\]\x00-\x1f]++|' + _STRING
ANY_ARRAY = rb"\[(?>(?:" + _INSIDE + rb")*)\]"
for _ in range(2):
    ANY_ARRAY = rb"\[(?>(?:" + _INSIDE + b"|" + ANY_ARRAY + rb")*)\]"
_ANY_ARRAY = re.compile(ANY_ARRAY)
_ONE_TEXT = re.compile(rb"\[[ \t]*(" + _STRING + rb")[ \t]*\]")
_END = re.compile(rb"([ \t]*)([,}\]])")


class OddError(Exception):
    """Not the usual kind of line: it is read the exact way."""


def take_apart(line: bytes, singles: frozenset[str]) -> tuple[Parts, dict[str, Any]] | None:
    """The line's parts, and its object with leaves for values; None for a line of another kind.

    `singles`: paths of arrays of one text that stand for the text.
    """
    return Taker(line, singles).take()


class Taker:
    """Takes one line apart; see take_apart."""

    def __init__(self, line: bytes, singles: frozenset[str] = frozenset()) -> None:
        self.line = line
        self.singles = singles
        self.parts: Parts = []
        self.leaves = 0

    def take(self) -> tuple[Parts, dict[str, Any]] | None:
        line = self.line
        try:
            place = len(line) - len(line.lstrip(b" \t"))
            self.parts.append(line[:place])
            value, end = self.object(place, "", 0)
        except OddError:
            return None
        if line[end:].strip(b" \t\r"):
            return None
        self.parts.append(line[end:])
        return self.parts, value

    def object(self, place: int, path: str, depth: int) -> tuple[dict[str, Any], int]:
        line = self.line
        if line[place : place + 1] != b"{" or depth > _DEEPEST:
            raise OddError
        members: dict[str, Any] = {}
        start = place
        place += 1
        end = _END.match(line, place)
        if end is not None and end[2] == b"}":
            self.parts.append(line[start : end.end()])
            return members, end.end()
        while True:
            key = _KEY.match(line, place)
            if key is None:
                raise OddError
            name = decoded(key[2])
            if name in members:
                raise OddError
            self.parts.append(line[start : key.end()])
            value, place = self.value(key.end(), f"{path}.{name}" if path else name, depth)
            members[name] = value
            end = _END.match(line, place)
            if end is None or end[2] == b"]":
                raise OddError
            start, place = place, end.end()
            if end[2] == b"}":
                self.parts.append(line[start:place])
                return members, place

    def value(self, place: int, path: str, depth: int) -> tuple[Any, int]:
        line = self.line
        first = line[place : place + 1]
        value: Any
        if first == b'"':
            match = ONE_STRING.match(line, place)
            if match is None:
                raise OddError
            self.quoted(value := LeafText(decoded(match[0])), path)
            return value, match.end()
        if first == b"{":
            return self.object(place, path, depth + 1)
        if first == b"[":
            return self.array(place, path, depth)
        match = _WORD.match(line, place)
        if match is not None:
            self.parts.append(match[0])
            return _WORDS[match[0]], match.end()
        match = _NUMBER.match(line, place)
        if match is None:
            raise OddError
        if match[1] is None:
            value = LeafInteger(match[0])
            self.add(Leaf(WHOLE, path, value))
        else:
            value = leaf_float(match[0].decode("ascii"))
            self.add(Leaf(FRACTION, path, value))
        return value, match.end()

    def array(self, place: int, path: str, depth: int) -> tuple[Any, int]:
        line = self.line
        if path in self.singles:
            match = _ONE_TEXT.match(line, place)
            if match is None:
                raise OddError
            self.parts.append(line[place : match.start(1)])
            self.quoted(value := LeafText(decoded(match[1])), path)
            self.parts.append(line[match.end(1) : match.end()])
            return [value], match.end()
        match = _ARRAY.match(line, place)
        if match is not None:
            items = LeafList(json.loads(match[0]))
            self.add(Leaf(ARRAY, path, items))
            return items, match.end()
        match = _ANY_ARRAY.match(line, place)
        if match is None:
            raise OddError
        try:
            items = LeafList(array_of(match[0]))
        except ValueError:
            raise OddError from None
        self.add(Leaf(OBJECTS if has_objects(items) else VALUES, path, items))
        return items, match.end()

    def items(self, place: int, path: str, depth: int) -> tuple[list[Any], int]:
        """An array whose items are taken apart."""
        line = self.line
        items: list[Any] = []
        start = place
        place += 1
        end = _END.match(line, place)
        if end is not None and end[2] == b"]":
            self.parts.append(line[start : end.end()])
            return items, end.end()
        while True:
            self.parts.append(line[start:place])
            item, place = self.value(place, path, depth)
            items.append(item)
            end = _END.match(line, place)
            if end is None or end[2] == b"}":
                raise OddError
            start, place = place, end.end()
            if end[2] == b"]":
                self.parts.append(line[start:place])
                return items, place

    def quoted(self, value: LeafText, path: str) -> None:
        self.parts.append(b'"')
        self.add(Leaf(QUOTED, path, value))
        self.parts.append(b'"')

    def add(self, leaf: Leaf) -> None:
        self.leaves += 1
        if self.leaves > MOST_LEAVES:
            raise OddError
        self.parts.append(leaf)


def array_of(text: bytes) -> list[Any]:
    """What an array's text says, as JsonLayout.decode reads it; ValueError."""
    try:
        items = decoded_json(text.decode("utf-8", "replace"))
    except RecursionError:
        raise ValueError("too deep") from None
    if not isinstance(items, list):
        raise ValueError("no array")
    return items


def has_objects(items: list[Any]) -> bool:
    """Schemas treat arrays with arrays or objects in them in another way (see values.flattened)."""
    return any(isinstance(item, dict | list) for item in items)


def decoded(text: bytes) -> str:
    try:
        decoded: str = json.loads(text)
    except ValueError:
        raise OddError from None
    return decoded
