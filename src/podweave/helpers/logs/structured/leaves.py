"""Leaves: the values of a line that may be others in the next, while its names stay.

A line is taken apart into literal text and leaves (Parts), and its values are put together again
with the leaves in their places. What becomes of a leaf in the record says what it may be in other
lines, and where it goes (shapes.py).
"""

from __future__ import annotations

from podweave.helpers.logs.structured.sink import JsonFloat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podweave.helpers.logs.timestamps import Stamp

    Parts = list["bytes | Leaf"]


class Leaf:
    """`written`: as what it is written (see below); `path`: its dotted name."""

    __slots__ = (
        *("convert", "filled", "path", "patterns", "stamp", "unescape", "value", "written"),
    )

    def __init__(self, written: str, path: str, value: Any) -> None:
        self.written = written
        self.path = path
        self.patterns: tuple[bytes, bytes] | None = None
        """A text's strict and loose pattern, where they aren't the usual ones."""
        self.filled = False
        """A text that is never empty."""
        self.stamp: Stamp | None = None
        """The only way to write a timestamp there."""
        self.unescape: Callable[[bytes], str] | None = None
        self.convert: Callable[[bytes], Any] | None = None
        """See layouts.Group."""
        self.value: Any = value
        value.leaf = self


QUOTED = "quoted"
"""A JSON string without its quotes."""
PAIR_QUOTED = "pair-quoted"
"""The same in a pair, where fewer escapes are known."""
BARE = "bare"
"""Text without quotes, up to a space."""
PLAIN = "plain"
"""Text without quotes, up to what stands between pairs."""
WHOLE = "whole"
FRACTION = "fraction"
PAIR_FRACTION = "pair-fraction"
"""A number with a fraction; in a pair, `-0.5` is a text."""
ARRAY = "array"
"""An array of texts and numbers, written as JSON is written here."""
VALUES = "values"
"""Any other array of no arrays or objects."""
OBJECTS = "objects"
"""An array with arrays or objects in it."""


class LeafValue:
    """A value that stands for a leaf: the base of the classes below."""

    leaf: Leaf
    field: str
    """What it is called among a shape's groups, where it has no neutral field (shapes.py)."""


class LeafText(str, LeafValue):
    pass


class LeafInteger(int, LeafValue):
    pass


class LeafFloat(JsonFloat, LeafValue):
    pass


class LeafList(list["Any"], LeafValue):
    pass


def leaf_float(text: str) -> LeafFloat:
    value = LeafFloat(text)
    value.text = text
    return value
