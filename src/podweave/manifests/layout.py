"""What the planners of edits know of a document, and what they both can do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from podweave.manifests.nodes import Node, Tree
from podweave.manifests.spans import Span


@dataclass(frozen=True, slots=True)
class Layout:
    """A document's text and how it is written."""

    text: str
    tree: Tree
    newline: str
    literals: bool
    """Whether multi-line strings may be written as `|` blocks."""
    json: bool
    sequence_indent: int
    """How far this document mostly indents a list under its key."""


class Style(Protocol):
    """Plans the edits inside of a parent of one style. `place` is a child's position."""

    def insert_entry(self, layout: Layout, parent: Node, key: str, value: Any) -> list[Span]:
        """A new last entry of a mapping."""

    def insert_item(self, layout: Layout, parent: Node, place: int, value: Any) -> list[Span]:
        """A new item of a list."""

    def replace(self, layout: Layout, parent: Node, place: int, value: Any) -> list[Span]:
        """Another value for a child."""

    def remove(self, layout: Layout, parent: Node, place: int) -> list[Span]:
        """One child less."""
