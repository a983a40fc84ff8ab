"""Edits inside flow style: YAML's `{a: 1}` and `[a]`, and all of JSON.

A new entry comes with the comma and the white space that stand between its siblings.
"""

from __future__ import annotations

import re
from typing import Any, Final

from podweave.manifests.layout import Layout
from podweave.manifests.nodes import Node
from podweave.manifests.rendering import flow_item, json_text, scalar
from podweave.manifests.spans import Span, line_start

_COLON: Final = re.compile(r"[ \t\r\n]*:")


def insert_entry(layout: Layout, parent: Node, key: str, value: Any) -> list[Span]:
    """A new last entry of a mapping."""
    entry = key_text(layout, key) + _colon(layout, parent) + _value(layout, parent, value)
    return [_inserted(layout, parent, len(parent.entries), entry)]


def insert_item(layout: Layout, parent: Node, place: int, value: Any) -> list[Span]:
    """A new item of a list."""
    return [_inserted(layout, parent, place, _value(layout, parent, value))]


def replace(layout: Layout, parent: Node, place: int, value: Any) -> list[Span]:
    """Another value for a child."""
    rendered = _value(layout, parent, value)
    if parent.kind == "sequence":
        old = parent.items[place]
        return [Span(old.start, old.end, rendered)]
    key, old = parent.entries[place]
    if not old.empty:
        return [Span(old.start, old.end, rendered)]
    colon = _COLON.match(layout.text, key.end)
    end = colon.end() if colon else key.end
    return [Span(end, end, f"{'' if colon else ':'} {rendered}")]


def remove(layout: Layout, parent: Node, place: int) -> list[Span]:
    """One child less, with the comma between it and a sibling."""
    extents = _extents(layout.text, parent)
    start, end = extents[place]
    if place:
        start = extents[place - 1][1]
    elif len(extents) > 1:
        end = extents[1][0]
    return [Span(start, end, "")]


def key_text(layout: Layout, key: str) -> str:
    """A key as it is written before its colon."""
    return json_text(key) if layout.json else scalar(key, in_flow=True)


def _extents(text: str, parent: Node) -> list[tuple[int, int]]:
    """Where each child begins and ends."""
    if parent.kind == "sequence":
        return [(item.start, item.end) for item in parent.items]
    extents = []
    for key, value in parent.entries:
        end = value.end
        if value.empty:
            colon = _COLON.match(text, key.end)
            end = colon.end() if colon else key.end
            if colon and text[end : end + 1] == " ":
                end += 1  # without it, a comma would belong to the key: `{a:, b: 1}`
        extents.append((key.start, end))
    return extents


def _inserted(layout: Layout, parent: Node, place: int, rendered: str) -> Span:
    text = layout.text
    extents = _extents(text, parent)
    if not extents:
        return Span(parent.open + 1, parent.open + 1, rendered)
    between = _between(layout, parent, extents)
    if place:
        at = extents[place - 1][1]
        return Span(at, at, f",{between}{rendered}")
    at = extents[0][0]
    return Span(at, at, f"{rendered},{between}")


def _between(layout: Layout, parent: Node, extents: list[tuple[int, int]]) -> str:
    """The white space after a comma between the children."""
    text = layout.text
    first = extents[0][0]
    if _own_lines(text, parent, first):
        return layout.newline + _indent(text, first)
    if len(extents) > 1:
        return " " if text[extents[1][0] - 1].isspace() else ""
    return " " if not layout.json or _colon(layout, parent).endswith(" ") else ""


def _own_lines(text: str, parent: Node, first: int) -> bool:
    return line_start(text, first) > parent.open


def _indent(text: str, place: int) -> str:
    line = text[line_start(text, place) : place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _colon(layout: Layout, parent: Node) -> str:
    """`: ` or, in compact JSON, `:`."""
    if layout.json:
        for node in (parent, layout.tree.root):
            if node.entries:
                value = node.entries[0][1]
                return ": " if layout.text[value.start - 1].isspace() else ":"
    return ": "


def _value(layout: Layout, parent: Node, value: Any) -> str:
    if not layout.json:
        return flow_item(value)
    children = [key for key, _ in parent.entries] or parent.items
    if not children or not _own_lines(layout.text, parent, children[0].start):
        return json_text(value, colon=_colon(layout, parent))
    indent = _indent(layout.text, children[0].start)
    step = len(indent) - len(_indent(layout.text, parent.open))
    rendered = json_text(value, step=step if step > 0 else 2)
    return rendered.replace("\n", layout.newline + indent)
