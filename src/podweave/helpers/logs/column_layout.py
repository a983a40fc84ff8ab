"""Layouts that find the same parts in all of their lines, which then are columns of a chunk."""

from __future__ import annotations

from podweave.helpers.logs.line_layout import LineLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from podweave.helpers.logs.columns import Column
    from podweave.helpers.logs.compile import ExactBatch
    from podweave.helpers.logs.timestamps import Stamp

    Derive = tuple[str, str, Callable[[str], Any]]


class Group:
    """A capturing group of a layout's pattern."""

    __slots__ = (
        *("convert", "kind", "name", "optional", "raw", "role", "safe", "unescape", "unit"),
    )

    def __init__(self, name: str, kind: str, optional: bool, role: str) -> None:
        self.name = name
        self.kind = kind
        self.optional = optional
        self.role = role
        self.safe = False
        """The text needs no escaping where the loose pattern reads it."""
        self.raw = False
        """The text is JSON already: the inside of a string, or an array."""
        self.unit = ""
        """Of a duration, see structured.sink."""
        self.convert: Callable[[bytes], Any] | None = None
        """What the text says, where that isn't the text; ValueError: the line must be read the
        exact way."""
        self.unescape: Callable[[bytes], str] | None = None
        """What a text says that may have escapes; the loose pattern reads none."""

    def sure(self) -> Group:
        """The same, not optional."""
        group = Group(self.name, self.kind, False, self.role)
        for name in ("convert", "raw", "safe", "unescape", "unit"):
            setattr(group, name, getattr(self, name))
        return group


class WholeUrl:
    """A layout's loose pattern that finds a URL in one piece: one group instead of three.

    The names are those of the fields; `path` and `query` have no group then.
    """

    __slots__ = ("groups", "name", "path", "pattern", "query")

    def __init__(self, name: str, path: str, query: str) -> None:
        self.name = name
        self.path = path
        self.query = query
        self.pattern = b""
        self.groups: list[Group] = []


class ColumnLayout(LineLayout):
    """What compile.Batch asks of a layout beside its exact way (see LineLayout).

    `pattern` and `loose` are regular expressions for a line, with a capturing group for each of
    `groups`; the loose one is for chunks without escapes, and may go on into the next line.
    `derive` makes further fields from the text of a part: (field, from, function).
    """

    pattern: bytes
    loose: bytes
    groups: list[Group]
    derive: tuple[Derive, ...]
    stamp: Stamp | None
    tree: dict[str, Any] | None = None
    """Where all attributes are always there: a tree of markers in their place (shapes.py)."""
    added: Mapping[str, Any] = {}
    """Fields of the application's own that every line has alike (steps/plans.py)."""
    lenient = True
    """The loose pattern is for all chunks in which no backslash is before a quote; else it is for
    those without backslashes and control characters."""

    @property
    def whole_url(self) -> WholeUrl | None:
        """A loose pattern for lines with a URL; None where there is none."""
        return None

    def prepared(self, columns: list[Column], data: bytes) -> list[Column]:
        """The columns as the exact way reads their texts, where that isn't as they stand there."""
        return columns

    def batch_kind(self) -> type[ExactBatch]:
        from podweave.helpers.logs.compile import Batch

        return Batch
