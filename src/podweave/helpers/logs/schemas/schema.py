"""A schema: where each neutral field stands in the output, in which order, rendered how.

The table is a list of (path, leaf). The same tree, in the same order, makes the exact JSON of
one record here and the template of a batch in compile.py; that is what holds the two together.
"""

from __future__ import annotations

import json
from operator import itemgetter

from podweave.helpers.logs.fields import FIELDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from re import Pattern
    from typing import Any

    from podweave.helpers.logs.fields import Record

    Tree = dict[str, Any]
    _Place = tuple[int, tuple[str, ...], str, Any]

INFINITE = float("inf")


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


SPREAD = "*"
"""The key of an Attributes leaf whose members stand among those of the object around it."""


class Attributes:
    """The place of the application's own fields, and of the neutral ones without another.

    `function` makes what stands there; it takes texts, numbers and lists as they are, or makes
    texts of them, and keeps the order.
    """

    __slots__ = ("_function", "reserved")

    def __init__(self, function: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        self._function = function
        self.reserved: frozenset[str] = frozenset()
        """Keys of the object around it that are somebody else's."""

    def function(self, attributes: dict[str, Any]) -> dict[str, Any]:
        made = self._function(attributes)
        if self.reserved.isdisjoint(made):
            return made
        return {key + "_2" if key in self.reserved else key: made[key] for key in made}


class Schema:
    """A name and a tree of leaves."""

    __slots__ = ("_constants", "_places", "_unplaced", "name", "tree", "unplaced")

    def __init__(self, name: str, table: list[tuple[str, Any]]) -> None:
        self.name = name
        self.tree: Tree = {}
        for path, leaf in table:
            node = self.tree
            *objects, last = path.split("/")
            for key in objects:
                node = node.setdefault(key, {})
            node[last] = leaf
        # For each neutral field, the leaves made of it: (order, objects around it, key, leaf).
        self._places: dict[str, list[_Place]] = {}
        self._constants: list[_Place] = []
        for order, (parents, key, leaf) in enumerate(_leaves(self.tree, ())):
            place = (order, parents, key, leaf)
            if isinstance(leaf, Constant):
                self._constants.append(place)
            else:
                self._places.setdefault(_source(leaf), []).append(place)
            if key == SPREAD:
                leaf.reserved = frozenset(_object(self.tree, parents))
        placed = {*self._places, "attributes"}
        self.unplaced = tuple(name for name in FIELDS if name not in placed)
        """Neutral fields that stand with the attributes, in this order before them."""
        self._unplaced = frozenset(self.unplaced)

    def render(self, record: Record) -> bytes:
        """The exact way: one record as one line."""
        document = self._document(record)
        try:
            return encode(document) + b"\n"
        except ValueError:
            return encode(_finite(document)) + b"\n"

    def _document(self, record: Record) -> dict[str, Any]:
        if not self._unplaced.isdisjoint(record):
            own = {name: record[name] for name in self.unplaced if name in record}
            record = {**record, "attributes": {**own, **record.get("attributes", {})}}
        places = self._constants.copy()
        for name in record:
            places += self._places.get(name, ())
        places.sort(key=_ORDER)
        document: dict[str, Any] = {}
        for _, parents, key, leaf in places:
            value: Any
            if isinstance(leaf, Field):
                value = record[leaf.name]
            elif isinstance(leaf, Constant):
                value = leaf.value
            elif isinstance(leaf, Time):
                value = leaf.text(record["time"])
            elif isinstance(leaf, Derived):
                value = leaf.function(record[leaf.name])
            else:
                value = leaf.function(record["attributes"]) or None
            if value is None:
                continue
            node = document
            for parent in parents:
                inner = node.get(parent)
                if inner is None:
                    inner = node[parent] = {}
                node = inner
            if key == SPREAD:
                node.update(value)
            else:
                node[key] = value
        return document


_ORDER = itemgetter(0)
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode(value: Any) -> bytes:
    """Compact JSON in UTF-8; lone surrogates, which UTF-8 can't carry, become question marks."""
    return _encode(value).encode("utf-8", "replace")


def padded(fraction: str) -> str:
    """At least milliseconds, at most nanoseconds."""
    return fraction[:9] if len(fraction) >= 3 else fraction + "000"[len(fraction) :]


def _source(leaf: Any) -> str:
    """The name in a record of what a leaf is made of."""
    if isinstance(leaf, Field | Derived):
        return leaf.name
    return "time" if isinstance(leaf, Time) else "attributes"


def _object(tree: Tree, parents: tuple[str, ...]) -> Tree:
    for parent in parents:
        tree = tree[parent]
    return tree


def _leaves(tree: Tree, parents: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    for key, node in tree.items():
        if isinstance(node, dict):
            yield from _leaves(node, (*parents, key))
        else:
            yield parents, key, node


def _finite(value: Any) -> Any:
    """The same, with numbers that JSON can't carry (1e999) as texts."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    if isinstance(value, float) and (value != value or value in (INFINITE, -INFINITE)):
        return str(value)
    return value
