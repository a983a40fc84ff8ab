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
    """A neutral field, as it is. `blank`: what stands in the place of a text without any."""

    __slots__ = ("blank", "name")

    def __init__(self, name: str, blank: str = "") -> None:
        self.name = name
        self.blank = blank

    def shown(self, value: Any) -> Any:
        """What stands in its place."""
        return self.blank if self.blank and not value.strip(" ") else value


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


class Either:
    """The first of its parts (Field, Derived, and at last perhaps a Constant) that has a value."""

    __slots__ = ("parts",)

    def __init__(self, *parts: Field | Derived | Constant) -> None:
        self.parts = parts


class Time:
    """The timestamp: the second as `seconds` writes it, then `before` the fraction, `after`.

    The fraction has at least `digits` digits and at most nine. Not `quoted`: it is a number, and
    its place is in front of everything that a line can say.
    """

    __slots__ = ("after", "before", "digits", "quoted", "seconds")

    def __init__(
        self,
        seconds: Callable[[int], str],
        before: str,
        after: str,
        *,
        digits: int = 3,
        quoted: bool = True,
    ) -> None:
        self.seconds = seconds
        self.before = before
        self.after = after
        self.digits = digits
        self.quoted = quoted

    def text(self, time: tuple[int, str]) -> str:
        fraction = padded(time[1], self.digits)
        return f"{self.seconds(time[0])}{self.before}{fraction}{self.after}"


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

    __slots__ = ("_constants", "_number", "_places", "_unplaced", "name", "tree", "unplaced")

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
        self._number: Time | None = None
        for order, (parents, key, leaf) in enumerate(_leaves(self.tree, ())):
            place = (order, parents, key, leaf)
            parts = leaf.parts if isinstance(leaf, Either) else (leaf,)
            if isinstance(leaf, Time) and not leaf.quoted:
                self._number = leaf
            if isinstance(parts[-1], Constant):
                self._constants.append(place)
            for name in {_source(part) for part in parts if not isinstance(part, Constant)}:
                self._places.setdefault(name, []).append(place)
            if key == SPREAD:
                leaf.reserved = frozenset(_object(self.tree, parents))
        placed = {*self._places, "attributes"}
        self.unplaced = tuple(name for name in FIELDS if name not in placed)
        """Neutral fields that stand with the attributes, in this order before them."""
        self._unplaced = frozenset(self.unplaced)

    def place(self, name: str) -> str:
        """Where a neutral field, or one of the application's own, stands: a dotted path."""
        places = self._places.get(name)
        if places is None or (name not in FIELDS and name != "attributes"):
            (_, parents, key, leaf), *_ = self._places["attributes"]
            label = ".".join(leaf.function({name: ""}) or (name,))
            return ".".join((*parents, label) if key == SPREAD else (*parents, key, label))
        itself = [place for place in places if isinstance(place[3], Field)]
        _, parents, key, _ = (itself or places)[0]
        return ".".join((*parents, key))

    def render(self, record: Record) -> bytes:
        """The exact way: one record as one line."""
        document = self._document(record)
        try:
            row = encode(document)
        except ValueError:
            row = encode(_finite(document))
        if self._number is not None:
            # A float would round it.
            row = row.replace(_TIME_JSON, self._number.text(record["time"]).encode(), 1)
        return row + b"\n"

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
                value = leaf.shown(record[leaf.name])
            elif isinstance(leaf, Constant):
                value = leaf.value
            elif isinstance(leaf, Time):
                value = leaf.text(record["time"]) if leaf.quoted else _TIME
            elif isinstance(leaf, Derived):
                value = leaf.function(record[leaf.name])
            elif isinstance(leaf, Either):
                value = _first(leaf, record)
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
_TIME = "\ufdd0time\ufdd1"
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def encode(value: Any) -> bytes:
    """Compact JSON in UTF-8; lone surrogates, which UTF-8 can't carry, become question marks."""
    return _encode(value).encode("utf-8", "replace")


_TIME_JSON = encode(_TIME)


def padded(fraction: str, digits: int) -> str:
    """At least so many digits, at most nanoseconds."""
    return fraction[:9] if len(fraction) >= digits else fraction.ljust(digits, "0")


def _first(leaf: Either, record: Record) -> Any:
    for part in leaf.parts:
        if isinstance(part, Constant):
            return part.value
        if part.name in record:
            if isinstance(part, Derived):
                value = part.function(record[part.name])
            else:
                value = part.shown(record[part.name])
            if value is not None:
                return value
    return None


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
