"""The tree of a document with the place of every key and value in the text.

Built only for documents that need it: an error wants a line, or an edit a place. The same tree
for YAML and for JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, Literal

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from podweave.manifests.scalars import resolve
from podweave.manifests.spans import before_break, line_end, line_start
from podweave.model.errors import Path

NO_BRACKET: Final = -1
"""In place of a bracket's place: `[a: 1]` has a mapping without one in its list."""

Kind = Literal["mapping", "sequence", "scalar", "alias"]


class Node:
    """One value. `start` and `end` are places in the source's text.

    `start` is the value's first character, that of its anchor or tag where it has one. `end` is
    the place after its last character; of a block collection, after its last child.
    """

    __slots__ = (
        "anchor",
        "end",
        "entries",
        "flow",
        "items",
        "kind",
        "open",
        "start",
        "style",
        "text",
    )

    def __init__(self, kind: Kind, start: int, end: int) -> None:
        self.kind: Final = kind
        self.start = start
        self.end = end
        self.open = start
        """Of a flow collection: the place of its bracket."""
        self.flow = False
        self.anchor: str | None = None
        self.style: str | None = None
        """Of a scalar: None plain, `'`, `"`, `|`, `>`."""
        self.text = ""
        """Of a scalar: its text; of an alias: the anchor's name."""
        self.entries: Sequence[tuple[Node, Node]] = ()
        self.items: Sequence[Node] = ()

    @property
    def empty(self) -> bool:
        """A value that isn't written: `key:` and nothing after it."""
        return self.kind == "scalar" and self.style is None and self.start == self.end

    def children(self) -> Iterator[Node]:
        """Values and keys, in the order of the text."""
        for key, value in self.entries:
            yield key
            yield value
        yield from self.items

    def walk(self) -> Iterator[Node]:
        """The node and everything in it."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            if node.entries or node.items:
                stack.extend(reversed([*node.children()]))


class Tree:
    """The nodes of one document and how its paths lead to them."""

    def __init__(self, root: Node) -> None:
        self.root: Final = root
        self.targets: Final[dict[int, Node]] = {}
        """id of an alias node -> the node it stands for."""

    def has(self, node: Node, key: str) -> bool:
        """Whether a mapping has a key, of its own or by a merge key."""
        return self._step(node, key) is not None

    def resolve(self, node: Node) -> Node:
        """The node an alias stands for, else the node."""
        return self.targets.get(id(node), node)

    def entry(self, node: Node, key: str) -> tuple[Node, Node] | None:
        """A mapping's own entry of that key."""
        for found in node.entries:
            if key_text(found[0]) == key and not is_merge(found[0]):
                return found
        return None

    def place(self, path: Path) -> int:
        """Where the key or list item at `path` stands, or its nearest existing ancestor."""
        node = self.root
        place = node.start
        for part in path:
            found = self._step(node, part)
            if found is None:
                return place
            place, node = found
        return place

    def _step(self, node: Node, part: str | int) -> tuple[int, Node] | None:
        node = self.resolve(node)
        if isinstance(part, int):
            if node.kind == "sequence" and 0 <= part < len(node.items):
                item = node.items[part]
                return item.start, item
            return None
        entry = self.entry(node, part)
        if entry is not None:
            return entry[0].start, entry[1]
        for key, value in node.entries:
            if not is_merge(key):
                continue
            value = self.resolve(value)
            for source in value.items if value.kind == "sequence" else [value]:
                found = self._step(source, part)
                if found is not None:
                    return found
        return None


def is_merge(key: Node) -> bool:
    """Whether a mapping's key is the merge key `<<`."""
    return key.kind == "scalar" and key.style is None and key.text == "<<"


def key_text(key: Node) -> str | None:
    """A key as the object has it."""
    if key.kind != "scalar":
        return None
    if key.style is None and key.text[:1] in _ODD:
        value = resolve(key.text)
        if value is True or value is False:
            return "true" if value else "false"
        if isinstance(value, float):
            return f"{value:g}"
        return str(value)
    return key.text


_ODD: Final = frozenset("+-.0123456789yYnNtTfFoO~")
"""First characters of plain scalars that may be no strings."""


def yaml_tree(text: str, start: int, end: int) -> Tree:
    """The tree of the one YAML document in text[start:end], which was composed before."""
    begin = line_start(text, start)
    next_event: Callable[[], Any] = CParser(text[begin:end]).get_event
    anchors: dict[str, Node] = {}
    targets: list[tuple[Node, Node]] = []
    stack: list[tuple[Node, list[Node]]] = []
    children: list[Node] = []
    root: Node | None = None
    while root is None:
        event = next_event()
        type_ = type(event)
        first = begin + event.start_mark.index
        last = begin + event.end_mark.index
        if type_ is ScalarEvent:
            node = Node("scalar", first, last)
            node.style = event.style or None
            node.text = event.value
            if node.style in ("|", ">"):
                node.end = _block_scalar_end(text, first, last)
        elif type_ is MappingEndEvent or type_ is SequenceEndEvent:
            node, outer = stack.pop()
            if type_ is MappingEndEvent:
                node.entries = list(zip(children[::2], children[1::2], strict=True))
            else:
                node.items = children
            bracketed = node.flow and node.open != NO_BRACKET
            node.end = last if bracketed else children[-1].end
            children = outer
            if node.anchor is not None:
                anchors[node.anchor] = node
            children.append(node)
            if not stack:
                root = node
            continue
        elif type_ is MappingStartEvent or type_ is SequenceStartEvent:
            node = Node("mapping" if type_ is MappingStartEvent else "sequence", first, last)
            node.flow = bool(event.flow_style)
            node.open = last - 1 if node.flow else first
            if node.flow and text[node.open] != ("{" if node.kind == "mapping" else "["):
                node.open = NO_BRACKET
            node.anchor = event.anchor
            stack.append((node, children))
            children = []
            continue
        elif type_ is AliasEvent:
            node = Node("alias", first, last)
            node.text = event.anchor
            targets.append((node, anchors[event.anchor]))
        else:
            continue
        if type_ is ScalarEvent and event.anchor is not None:
            node.anchor = event.anchor
            anchors[event.anchor] = node
        children.append(node)
        if not stack:
            root = node
    tree = Tree(root)
    for alias, target in targets:
        tree.targets[id(alias)] = target
    return tree


_BLOCK_HEADER: Final = re.compile(r"[|>]([-+0-9]*)[ \t]*(?:[ \t]#[^\r\n]*)?(?=[\r\n]|$)")


def _block_scalar_end(text: str, start: int, end: int) -> int:
    """Where the content of a block scalar ends: libyaml counts the empty lines after it too."""
    header = _BLOCK_HEADER.search(text, start, end)
    if header is None:
        return end
    if "+" in header.group(1):
        return before_break(text, end)
    body = text[header.end() : end]
    indents = [len(line) - len(line.lstrip(" ")) for line in body.splitlines() if line.strip()]
    least = min(indents, default=len(body))
    while end > header.end():
        start_of_line = line_start(text, before_break(text, end))
        line = text[start_of_line : before_break(text, end)]
        if line.strip(" ") or len(line) > least:
            return before_break(text, end)
        end = start_of_line
    return line_end(text, header.start())


_JSON_TOKEN: Final = re.compile(
    r'[ \t\r\n]*(?:([{}\[\],:])|("(?:[^"\\]|\\.)*")|([^\s{}\[\],:"]+))', re.DOTALL
)


def json_tree(text: str, start: int) -> Tree:
    """The tree of the JSON value that starts at or after `start`, which was parsed before."""
    stack: list[tuple[Node, list[Node]]] = []
    children: list[Node] = []
    place = start
    while True:
        match = _JSON_TOKEN.match(text, place)
        assert match is not None
        mark, string, word = match.groups()
        place = match.end()
        if mark in {",", ":"}:
            continue
        if mark in {"{", "["}:
            node = Node("mapping" if mark == "{" else "sequence", place - 1, place)
            node.flow = True
            stack.append((node, children))
            children = []
            continue
        if mark:
            node, outer = stack.pop()
            node.end = place
            if node.kind == "mapping":
                node.entries = list(zip(children[::2], children[1::2], strict=True))
            else:
                node.items = children
            children = outer
        else:
            node = Node("scalar", match.start(2 if string else 3), place)
            node.style = '"' if string else None
            node.text = json.loads(string) if string else word
        children.append(node)
        if not stack:
            return Tree(node)
