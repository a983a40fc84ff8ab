"""Takes a line of the OpenTelemetry protocol's JSON apart: the names of attributes are literal."""

from __future__ import annotations

import re

from podweave.helpers.logs.structured.json_parts import (
    ANY_ARRAY,
    ONE_STRING,
    OddError,
    Taker,
    decoded,
    has_objects,
)
from podweave.helpers.logs.structured.leaves import (
    OBJECTS,
    VALUES,
    WHOLE,
    Leaf,
    LeafInteger,
    LeafList,
    LeafText,
)
from podweave.helpers.logs.structured.otlp_layout import (
    INTEGER,
    NO_TIME,
    TIMES,
    any_value,
    text_of,
)
from podweave.helpers.logs.structured.sink import decoded_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podweave.helpers.logs.structured.leaves import Parts

_OPENED = frozenset(("resourceLogs", "scopeLogs", "logRecords", "attributes", "values"))
# Empty, or a zero, is as good as absent.
_PERHAPS = frozenset((*TIMES, "severityNumber", "severityText", "traceId", "spanId", "eventName"))
_SCOPE_NAME = ".scope.name"
_ZERO = re.compile(rb"0(?![\d.eE])")
_LIST = rb'\{"values":' + ANY_ARRAY + rb"\}"
_ARRAY_VALUE = re.compile(_LIST)
_BODY = rb'\{"(?:kvlistValue|arrayValue)":' + _LIST + rb"\}"
_WHOLE_BODY = re.compile(_BODY)


def take_apart(line: bytes) -> tuple[Parts, dict[str, Any]] | None:
    """See json_parts."""
    return _Taker(line).take()


class _Taker(Taker):
    def value(self, place: int, path: str, depth: int) -> tuple[Any, int]:
        line = self.line
        name = path.rpartition(".")[2]
        if line.startswith(b'"', place):
            return self.string(place, path, name)
        if name in _PERHAPS:
            zero = _ZERO.match(line, place)
            if zero is not None:
                self.parts.append(zero[0])
                return 0, zero.end()
        if name in _OPENED and line.startswith(b"[", place):
            return self.items(place, path + "[]", depth)
        if name == "arrayValue":
            match = _ARRAY_VALUE.match(line, place)
            if match is not None:
                items = LeafList(_read(_items, match[0]))
                leaf = Leaf(OBJECTS if has_objects(items) else VALUES, path, items)
                return self.whole(leaf, _LIST, _items), match.end()
        elif name == "body":
            match = _WHOLE_BODY.match(line, place)
            if match is not None:
                leaf = Leaf(VALUES, path, LeafText(_read(_message, match[0])))
                return self.whole(leaf, _BODY, _message), match.end()
        return super().value(place, path, depth)

    def whole(self, leaf: Leaf, pattern: bytes, convert: Callable[[bytes], Any]) -> Any:
        """A value that is one leaf, whatever is in it."""
        leaf.patterns = b"(" + pattern + b")", b"(" + pattern + b")"
        leaf.convert = convert
        self.add(leaf)
        return leaf.value

    def string(self, place: int, path: str, name: str) -> tuple[Any, int]:
        match = ONE_STRING.match(self.line, place)
        if match is None:
            raise OddError
        text = decoded(match[0])
        perhaps = name in _PERHAPS or path.endswith(_SCOPE_NAME)
        if name == "key" or (perhaps and text in NO_TIME):
            self.parts.append(match[0])
            return text, match.end()
        if name == "intValue":
            if not INTEGER.fullmatch(text) or len(text) > 18:
                raise OddError
            number = LeafInteger(text)
            self.parts.append(b'"')
            self.add(Leaf(WHOLE, path, number))
            self.parts.append(b'"')
            return number, match.end()
        value = LeafText(text)
        self.quoted(value, path)
        value.leaf.filled = perhaps
        return value, match.end()


def _read(convert: Callable[[bytes], Any], text: bytes) -> Any:
    try:
        return convert(text)
    except ValueError:
        raise OddError from None


def _items(text: bytes) -> list[Any]:
    items: list[Any] = _said(b'{"arrayValue":%b}' % text)
    return items


def _message(text: bytes) -> str:
    return text_of(_said(text))


def _said(text: bytes) -> Any:
    """What an AnyValue's text says; ValueError."""
    try:
        return any_value(decoded_json(text.decode("utf-8", "replace")))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("no value") from error
