"""Markers: stand-ins for values, to find out where a schema puts them.

A template is made before any line's values are known. A schema's function for attributes is
given markers of the values' types instead; where one comes out again, the value belongs.
"""

from __future__ import annotations

from podweave.helpers.logs.fields import DECIMAL, INTEGER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Marker:
    """What a field's value looks like: the base of the classes below."""

    field: str

    @staticmethod
    def of(field: str, kind: str) -> Any:
        """The marker of a field of that kind."""
        marker: Any = {INTEGER: _Integer, DECIMAL: _Decimal, LIST: _List}.get(kind, _Text)()
        marker.field = field
        return marker


LIST = "list"
"""The kind of an array of texts and numbers, kept as it is."""


class _Text(str, Marker):
    pass


class _Integer(int, Marker):
    pass


class _Decimal(float, Marker):
    pass


class _List(list, Marker):  # type: ignore[type-arg]
    pass
