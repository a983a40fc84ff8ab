"""Layouts of lines that name their own fields."""

from __future__ import annotations

from podweave.helpers.logs.line_layout import LineLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Mapping
    from typing import Any

    from podweave.helpers.logs.column_layout import Derive
    from podweave.helpers.logs.compile import ExactBatch
    from podweave.helpers.logs.structured.leaves import Parts
    from podweave.helpers.logs.structured.names import KeyTable
    from podweave.helpers.logs.structured.sink import Sink


class StructuredLayout(LineLayout):
    """What StructuredBatch and Shape ask of a layout beside its exact way (see LineLayout).

    `keys`: which names mean which neutral fields. `derive` makes further fields from the text of
    one: (field, from, function). `named` finds the names in lines, and their newlines; what it
    overlooks costs time only.
    """

    keys: KeyTable
    derive: tuple[Derive, ...]
    named: re.Pattern[bytes]
    only: Mapping[str, tuple[str, ...]] = {}
    """The only texts of a path, where others make a line one of another layout."""
    between = b""
    """What stands between two pairs, where there are pairs."""

    def apart(self, line: bytes, singles: frozenset[str]) -> tuple[Parts, Any] | None:
        """A line's parts, and its members with leaves for values (leaves.py); None for a line of
        another kind. `singles`: paths of arrays of one text that stand for the text."""
        raise NotImplementedError

    def put(self, members: Any, sink: Sink) -> None:
        """Put what `apart` gives into the sink, as the exact way puts a line's members."""
        raise NotImplementedError

    def batch_kind(self) -> type[ExactBatch]:
        from podweave.helpers.logs.structured.batch import StructuredBatch

        return StructuredBatch
