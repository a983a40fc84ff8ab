"""Markers: stand-ins for values, to find out where a schema puts them.

A template is made before any line's values are known. A schema's function for attributes is
given markers of the values' types instead; where one comes out again, the value belongs.
"""

from __future__ import annotations

from podweave.helpers.logs.fields import DECIMAL, INTEGER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Marker:
    """What a field's value looks like: the base of the classes below."""

    field: str
    made: Callable[[Any], Any] | None = None
    """What was made of the field's value, if it isn't the value itself."""

    @staticmethod
    def of(field: str, kind: str) -> Any:
        """The marker of a field of that kind."""
        marker: Any = _CLASSES.get(kind, _Text)()
        if kind == OBJECTS:
            marker.append({})
        marker.field = field
        return marker

    def through(self, function: Callable[[Any], Any]) -> Any:
        """The marker of the text that a function makes of the field's value."""
        marker: Any = _Text()
        marker.field = self.field
        marker.made = function
        return marker


LIST = "list"
"""The kind of an array of texts and numbers, kept as it is."""
OBJECTS = "objects"
"""The kind of an array with arrays or objects in it."""


class _Text(str, Marker):
    pass


class _Integer(int, Marker):
    pass


class _Decimal(float, Marker):
    pass


class _List(list["Any"], Marker):
    pass


_CLASSES = {INTEGER: _Integer, DECIMAL: _Decimal, LIST: _List, OBJECTS: _List}
