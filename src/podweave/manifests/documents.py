"""A file of manifests as it was read: its text, its documents, and the place of every value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

from podweave.manifests.nodes import Tree, json_tree, yaml_tree
from podweave.model.errors import InputError, Path

_BEFORE_CONTENT: Final = re.compile(r"(?:%[^\n]*\n)*(?:---(?=\s))?(?:[ \t\r\n]+|#[^\r\n]*)*")
"""Directives, the marker, white space and comments."""

Format = Literal["yaml", "json"]


class Document:
    """One YAML document or JSON value of a source."""

    __slots__ = ("_tree", "end", "file", "format", "index", "object", "start", "text")

    def __init__(
        self,
        file: str,
        index: int,
        object: dict[str, Any],
        *,
        text: str,
        start: int,
        end: int,
        format: Format,
    ) -> None:
        self.file: Final = file
        """As the user named it; `-` is standard input."""
        self.index: Final = index
        """Position among the documents of the file that aren't empty."""
        self.object: Final = object
        """Plain values, resolved as Kubernetes does."""
        self.text: Final = text
        """Of the whole source."""
        self.start: Final = start
        self.end: Final = end
        self.format: Final = format
        self._tree: Tree | None = None

    @property
    def tree(self) -> Tree:
        """The nodes, with their places in `text`; made when first asked for."""
        if self._tree is None:
            if self.format == "json":
                self._tree = json_tree(self.text, self.start)
            else:
                self._tree = yaml_tree(self.text, self.start, self.end)
        return self._tree

    def line(self, path: Path = ()) -> int:
        """The line, from 1, of the key or list item at `path` or its nearest existing ancestor.

        Of a value in a mapping it is the key's line: that is where one looks for it.
        """
        if not path:
            before = _BEFORE_CONTENT.match(self.text, self.start)
            return line_of(self.text, before.end() if before else self.start)
        return line_of(self.text, self.tree.place(path))

    def error(self, message: str, path: Path = ()) -> InputError:
        """An error about the value at `path`, with file and line."""
        return InputError(message, path=path, file=self.file, line=self.line(path))


class Source:
    """One file."""

    __slots__ = ("documents", "encoding", "file", "text")

    def __init__(
        self, file: str, text: str, documents: Sequence[Document], encoding: str = "utf-8"
    ) -> None:
        self.file: Final = file
        self.text: Final = text
        self.documents: Final = list(documents)
        self.encoding: Final = encoding
        """What to encode with when the text is written back."""


def line_of(text: str, place: int) -> int:
    """The number, from 1, of the line that has the character at `place`."""
    return text.count("\n", 0, place) + 1
