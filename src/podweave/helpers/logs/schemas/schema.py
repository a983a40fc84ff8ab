"""A schema: where each neutral field stands in the output, in which order, rendered how.

The table is a list of (path, leaf). The same tree, in the same order, makes the exact JSON of
one record here and the template of a batch in compile.py; that is what holds the two together.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from re import Pattern
    from typing import Any

    from podweave.helpers.logs.fields import Record

    Tree = dict[str, Any]


class Constant:
    """The same in every record."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class Field:
    """A neutral field, as it is."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Derived:
    """Something made from a neutral field: a JSON value, or None for nothing.

    Where the text of each of a batch's fields matches `itself`, the derived value is that text.
    """

    __slots__ = ("function", "itself", "name")

    def __init__(
        self, name: str, function: Callable[[Any], Any], itself: Pattern[bytes] | None = None
    ) -> None:
        self.name = name
        self.function = function
        self.itself = itself


class Time:
    """The timestamp: the second as `seconds` writes it, then `before` the fraction, `after`."""

    __slots__ = ("after", "before", "seconds")

    def __init__(self, seconds: Callable[[int], str], before: str, after: str) -> None:
        self.seconds = seconds
        self.before = before
        self.after = after

    def text(self, time: tuple[int, str]) -> str:
        return f"{self.seconds(time[0])}{self.before}{padded(time[1])}{self.after}"


class Attributes:
    """The place of the application's own fields."""

    __slots__ = ("function",)

    def __init__(self, function: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self.function = function


Leaf = (Constant, Field, Derived, Time, Attributes)


class Schema:
    """A name and a tree of leaves."""

    __slots__ = ("name", "tree")

    def __init__(self, name: str, table: list[tuple[str, Any]]) -> None:
        self.name = name
        self.tree: Tree = {}
        for path, leaf in table:
            node = self.tree
            *parents, last = path.split("/")
            for parent in parents:
                node = node.setdefault(parent, {})
            node[last] = leaf

    def render(self, record: Record) -> bytes:
        """The exact way: one record as one line."""
        return encode(_document(self.tree, record)) + b"\n"


def encode(value: Any) -> bytes:
    """Compact JSON in UTF-8; lone surrogates, which UTF-8 can't carry, become question marks."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")


def padded(fraction: str) -> str:
    """At least milliseconds, at most nanoseconds."""
    return fraction[:9] if len(fraction) >= 3 else fraction + "000"[len(fraction) :]


def _document(tree: Tree, record: Record) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, node in tree.items():
        value: Any
        if isinstance(node, dict):
            value = _document(node, record) or None
        elif isinstance(node, Field):
            value = record.get(node.name)
        elif isinstance(node, Constant):
            value = node.value
        elif isinstance(node, Time):
            value = node.text(record["time"])
        elif isinstance(node, Derived):
            value = record.get(node.name)
            if value is not None:
                value = node.function(value)
        else:
            attributes = record.get("attributes")
            value = node.function(attributes) if attributes else None
        if value is not None:
            document[key] = value
    return document
