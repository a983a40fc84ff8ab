"""One document's text while it is edited: from paths to spans."""

from __future__ import annotations

from operator import eq
from typing import Any, Final

from podweave.manifests import block_style, flow_style
from podweave.manifests.composing import copy
from podweave.manifests.documents import Document
from podweave.manifests.layout import Layout, Style
from podweave.manifests.nodes import NO_BRACKET, Node, Tree, is_merge, json_tree, yaml_tree
from podweave.manifests.rendering import plain
from podweave.manifests.spans import Span, replaced
from podweave.manifests.steps import Edit, Insert, Remove
from podweave.model.errors import InputError, Path

UNSAFE: Final = (
    "the file is written in a way that can't be edited safely: write what is around the edited "
    "values in plain block style"
)
_NULLS: Final = frozenset(("", "~", "null", "Null", "NULL"))


class Region:
    """One document while it is edited.

    To read the text again for every edit would be the greater part of the work. So edits are
    planned on the same nodes as long as they are in different places, and only then made.
    """

    def __init__(self, document: Document, text: str, literals: bool, newline: str) -> None:
        self.object: Any = copy(document.object)
        self._text = text
        self._document = document
        self._literals = literals
        self._newline = newline
        self._layout: Layout | None = None
        self._sequence_indent: int | None = None
        self._spans: list[Span] = []
        self._parents: list[Path] = []
        """Of the edits whose spans are planned."""

    @property
    def text(self) -> str:
        """The text after all edits."""
        self._make()
        return self._text

    def _make(self) -> None:
        if self._spans:
            self._text = replaced(self._text, self._spans)
            self._layout = None
            self._spans = []
            self._parents = []

    def _current(self, path: Path) -> Layout:
        if self._layout is None:
            as_json = self._document.format == "json"
            text = self._text
            tree = json_tree(text, 0) if as_json else yaml_tree(text, 0, len(text))
            if self._sequence_indent is None:
                self._sequence_indent = self._measured(tree, path)
            self._layout = Layout(
                text=text,
                tree=tree,
                newline=self._newline,
                literals=self._literals,
                json=as_json,
                sequence_indent=self._sequence_indent,
            )
        return self._layout

    def _error(self, message: str, path: Path) -> InputError:
        return self._document.error(message, path)

    def apply(self, step: Edit) -> None:
        """Change the text, and the object that it must read as."""
        if not step.path:
            raise self._error("only Remove is for a whole document", ())
        if any(all(map(eq, step.path, parent)) for parent in self._parents):
            self._make()  # one path leads to the other
        value = None if isinstance(step, Remove) else plain(step.value)
        parent, spans = self._plan(step, value)
        if any(_touch(one, other) for one in spans for other in self._spans):
            self._make()
            parent, spans = self._plan(step, value)
        self._spans += spans
        self._parents.append(step.path[:-1])
        self._apply_to_object(step, parent.flow, value)

    def _plan(self, step: Edit, value: Any) -> tuple[Node, list[Span]]:
        """The parent of what is edited, and the spans."""
        layout = self._current(step.path)
        parent, chain = self._parent(layout.tree, step.path)
        self._unshared(layout.tree, chain, step)
        style: Style = flow_style if parent.flow else block_style
        try:
            return parent, self._planned(layout, style, chain, step, value)
        except LookupError:
            raise self._error(UNSAFE, step.path) from None
        except ValueError as error:
            raise self._error(f"the value can't be written as JSON: {error}", step.path) from None

    def _measured(self, tree: Tree, path: Path) -> int:
        """Measured once: what is inserted keeps to it."""
        try:
            return block_style.sequence_indent(self._text, tree)
        except LookupError:
            raise self._error(UNSAFE, path) from None

    def _planned(
        self, layout: Layout, style: Style, chain: list[Node], step: Edit, value: Any
    ) -> list[Span]:
        parent = chain[-1]
        last = step.path[-1]
        if parent.open == NO_BRACKET:
            raise self._error("a mapping without braces in a list: write the braces", step.path)
        if isinstance(step, Insert):
            if parent.kind == "scalar":
                return self._filled(layout, chain, step, value)
            if isinstance(last, str):
                return style.insert_entry(layout, parent, last, value)
            if not 0 <= last <= len(parent.items):
                raise self._error(f"no place {last} in the list", step.path)
            return style.insert_item(layout, parent, last, value)
        place = self._child(layout.tree, parent, step.path)
        if isinstance(step, Remove):
            return style.remove(layout, parent, place)
        return style.replace(layout, parent, place, value)

    def _parent(self, tree: Tree, path: Path) -> tuple[Node, list[Node]]:
        node = tree.root
        chain = [node]
        for depth, part in enumerate(path[:-1]):
            node = self._step(tree, node, part, path[: depth + 1])
            chain.append(node)
        last = path[-1]
        if node.kind == "alias":
            raise self._error(
                f"the value is the alias *{node.text}, and what it stands for is used elsewhere "
                "too: write it out here",
                path[:-1],
            )
        wanted = "sequence" if isinstance(last, int) else "mapping"
        if node.kind != wanted and not (node.kind == "scalar" and node.empty and len(chain) > 1):
            if node.kind == "scalar" and node.style is None and node.text in _NULLS:
                raise self._error(
                    "there is no value here: write [] or {}, so that it can be filled", path[:-1]
                )
            what = "a list" if wanted == "sequence" else "a mapping"
            raise self._error(f"this is not {what}", path[:-1])
        return node, chain

    def _step(self, tree: Tree, node: Node, part: str | int, path: Path) -> Node:
        if node.kind == "alias":
            raise self._error(
                f"the value is the alias *{node.text}, and what it stands for is used elsewhere "
                "too: write it out here",
                path[:-1],
            )
        if isinstance(part, int):
            if node.kind == "sequence" and 0 <= part < len(node.items):
                return node.items[part]
        elif node.kind == "mapping":
            entry = tree.entry(node, part)
            if entry is not None:
                return entry[1]
            if self._merged(tree, node, part):
                raise self._error(
                    f"{part} comes here by a merge key `<<`: write it out here to have it edited",
                    path[:-1],
                )
        raise self._error("there is nothing here", path)

    @staticmethod
    def _merged(tree: Tree, node: Node, part: str) -> bool:
        return any(is_merge(key) for key, _ in node.entries) and tree.has(node, part)

    def _child(self, tree: Tree, parent: Node, path: Path) -> int:
        """The position of what the path's last part means, among the parent's children."""
        found = self._step(tree, parent, path[-1], path)
        if parent.kind == "sequence":
            return parent.items.index(found)
        return [value for _, value in parent.entries].index(found)

    def _unshared(self, tree: Tree, chain: list[Node], step: Edit) -> None:
        """Raise where the edit would show in another place of the document."""
        if not tree.targets:
            if isinstance(step, Insert) and isinstance(step.path[-1], str):
                self._new_key(tree, chain[-1], step.path)
            return
        shared = {id(target): target for target in tree.targets.values()}
        for depth, node in enumerate(chain):
            if id(node) in shared:
                raise self._error(
                    f"the value is anchored as &{node.anchor} and used elsewhere too: an edit "
                    "here would change both, so write it out in one of the places",
                    step.path[:depth],
                )
        if isinstance(step, Insert):
            if isinstance(step.path[-1], str):
                self._new_key(tree, chain[-1], step.path)
            return
        inside = {id(node) for node in self._step(tree, chain[-1], step.path[-1], step.path).walk()}
        for alias, target in tree.targets.items():
            if id(target) in inside and alias not in inside:
                raise self._error(
                    f"the anchor &{target.anchor} in it is used elsewhere: write the value out "
                    "there first",
                    step.path,
                )

    def _new_key(self, tree: Tree, parent: Node, path: Path) -> None:
        key = path[-1]
        assert isinstance(key, str)
        if parent.kind == "mapping" and tree.has(parent, key):
            merged = tree.entry(parent, key) is None
            raise self._error(
                "the key comes here by a merge key `<<` already: write it out here"
                if merged
                else "the key is there already",
                path,
            )

    def _filled(self, layout: Layout, chain: list[Node], step: Insert, value: Any) -> list[Span]:
        """Insert into a key or item that has no value yet."""
        last = step.path[-1]
        if isinstance(last, int) and last != 0:
            raise self._error(f"no place {last} in the list", step.path)
        if chain[-2].flow:
            raise self._error(
                "there is no value here: write [] or {}, so that it can be filled", step.path[:-1]
            )
        whole = [value] if isinstance(last, int) else {last: value}
        return block_style.fill(layout, chain[-2], chain[-1], whole)

    def _apply_to_object(self, step: Edit, flow: bool, value: Any) -> None:
        holder: Any = None
        at: str | int = 0
        parent = self.object
        for part in step.path[:-1]:
            holder, at = parent, part
            parent = parent[part]
        last = step.path[-1]
        if parent is None:
            parent = holder[at] = [] if isinstance(last, int) else {}
        if isinstance(step, Remove):
            del parent[last]
            if not parent and not flow and holder is not None:
                holder[at] = None
        elif isinstance(step, Insert) and isinstance(last, int):
            parent.insert(last, value)
        else:
            parent[last] = value


def _touch(one: Span, other: Span) -> bool:
    return one.start <= other.end and other.start <= one.end
