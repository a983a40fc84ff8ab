"""Edits inside YAML's block style: whole lines in, whole lines out.

New lines are put in before the line break of the line they follow, with a break of their own
ahead: so the same works at the end of a file that doesn't end with one, and taking out a line
with the break ahead of it gives back what was there.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final

from podweave.manifests.layout import Layout
from podweave.manifests.nodes import Node, Tree
from podweave.manifests.rendering import block_lines, flow, indented
from podweave.manifests.spans import Span, after_break, before_break, line_end, line_start

_STEP: Final = 2
_DASH_BEFORE: Final = re.compile(r"((?:[-?:][ \t]+|[ \t])*-)(?:[ \t]+(?:#.*)?)?")
_QUESTION_BEFORE: Final = re.compile(r"\?[ \t]+$")
_NO_CONTENT: Final = re.compile(r"[ \t]*(?:#.*)?")
_COLON: Final = re.compile(r"(?:[ \t]*(?:#[^\r\n]*)?[\r\n]+)*[ \t]*:")
"""Right after a key, or after one with a `?`, lines below it."""


def insert_entry(layout: Layout, parent: Node, key: str, value: Any) -> list[Span]:
    """A new last entry of a mapping."""
    text = layout.text
    first = _entry_start(text, parent.entries[0][0])
    return [_lines_after(layout, parent.end, _column(text, first), {key: value})]


def insert_item(layout: Layout, parent: Node, place: int, value: Any) -> list[Span]:
    """A new item of a list."""
    text = layout.text
    dash = _dash(text, parent.items[0])
    column = _column(text, dash)
    if place:
        return [_lines_after(layout, parent.items[place - 1].end, column, [value])]
    start = line_start(text, dash)
    lines = _rendered(layout, [value])
    if text[start:dash].strip(" \t"):
        # `- - a`: the list begins on the line of another indicator.
        indent = layout.newline + " " * column
        return [Span(dash, dash, indent.join([*lines, ""]))]
    previous = _content_before(text, start)
    if previous is None:
        lines = indented(lines, " " * column)
        return [Span(start, start, layout.newline.join([*lines, ""]))]
    return [_lines_after(layout, previous, column, [value])]


def fill(layout: Layout, parent: Node, empty: Node, whole: Any) -> list[Span]:
    """A first entry or item for a key or list item without a value."""
    text = layout.text
    if parent.kind == "mapping":
        key = next(key for key, value in parent.entries if value is empty)
        column = _column(text, _entry_start(text, key))
        column += layout.sequence_indent if isinstance(whole, list) else _STEP
    else:
        column = _column(text, _dash(text, empty)) + _STEP
    return [_lines_after(layout, empty.end, column, whole)]


def replace(layout: Layout, parent: Node, place: int, value: Any) -> list[Span]:
    """Another value for a child."""
    text = layout.text
    if parent.kind == "mapping":
        key, old = parent.entries[place]
        start = _entry_start(text, key)
        colon = _COLON.match(text, key.end)
        head = colon.end() if colon else key.end
        column = _column(text, start)
        step = layout.sequence_indent if isinstance(value, list) else _STEP
    else:
        old = parent.items[place]
        head = _dash(text, old) + 1
        column = _column(text, head) - 1
        step = _STEP
    same_line = line_end(text, head) == line_end(text, old.start)
    if isinstance(value, dict | list) and value:
        lines = indented(_rendered(layout, value), " " * (column + step))
        new = "".join(layout.newline + line for line in lines)
        if same_line:
            return [Span(head, old.end, new)]
        return [Span(line_end(text, head), old.end, new)]
    inline = _inline(layout, value, column)
    if old.start == old.end or not same_line:
        spans = [Span(head, head, f" {inline}")]
        if not same_line:
            spans.append(Span(line_end(text, head), old.end, ""))
        return spans
    return [Span(old.start, old.end, inline)]


def remove(layout: Layout, parent: Node, place: int) -> list[Span]:
    """One child less; the last one leaves its parent without a value."""
    text = layout.text
    if parent.kind == "mapping":
        starts = [_entry_start(text, key) for key, _ in parent.entries]
        end = parent.entries[place][1].end
    else:
        starts = [_dash(text, item) for item in parent.items]
        end = parent.items[place].end
    start = starts[place]
    line = line_start(text, start)
    if not text[line:start].strip(" \t"):
        if line_start(text, max(line - 1, 0)) == line:
            return [Span(line, after_break(text, line_end(text, end)), "")]
        return [Span(before_break(text, line), line_end(text, end), "")]
    if place + 1 < len(starts):
        return [Span(start, starts[place + 1], "")]
    blank = len(text[line:start]) - len(text[line:start].rstrip(" \t"))
    return [Span(start - blank, end, "")]


def sequence_indent(text: str, tree: Tree) -> int:
    """How far a document mostly indents a list under its key; as kubectl does, if in doubt."""
    seen: Counter[int] = Counter({0: 0})
    for node in tree.root.walk():
        if node.kind != "mapping" or node.flow:
            continue
        for key, value in node.entries:
            if value.kind == "sequence" and not value.flow:
                own = _column(text, _dash(text, value.items[0]))
                seen[max(own - _column(text, _entry_start(text, key)), 0)] += 1
    return seen.most_common(1)[0][0]


def _rendered(layout: Layout, value: Any) -> list[str]:
    return block_lines(value, layout.sequence_indent, literals=layout.literals)


def _lines_after(layout: Layout, place: int, column: int, whole: Any) -> Span:
    """New lines after the line at `place`, its comment included."""
    end = line_end(layout.text, place)
    lines = indented(_rendered(layout, whole), " " * column)
    return Span(end, end, "".join(layout.newline + line for line in lines))


def _inline(layout: Layout, value: Any, column: int) -> str:
    """A scalar or an empty collection, to follow a key or dash in its line."""
    lines = [flow(value)] if isinstance(value, dict | list) else _rendered(layout, value)
    return layout.newline.join([lines[0], *indented(lines[1:], " " * column)])


def _column(text: str, place: int) -> int:
    return place - line_start(text, place)


def _entry_start(text: str, key: Node) -> int:
    """Where a key's entry begins: at the key, or at the `?` before it."""
    line = line_start(text, key.start)
    question = _QUESTION_BEFORE.search(text[line : key.start])
    return line + question.start() if question else key.start


def _dash(text: str, item: Node) -> int:
    """The place of the dash before a list item."""
    line = line_start(text, item.start)
    found = _DASH_BEFORE.fullmatch(text[line : item.start])
    while found is None:
        line = line_start(text, before_break(text, line))
        found = _DASH_BEFORE.fullmatch(text[line : line_end(text, line)])
        if found is None and line <= 1:
            raise LookupError("no dash before a list item, by the lines that editors see")
    return line + found.end(1) - 1


def _content_before(text: str, line: int) -> int | None:
    """A place in the nearest line above that is neither blank nor a comment."""
    while True:
        above = line_start(text, before_break(text, line))
        if above == line:
            return None
        if not _NO_CONTENT.fullmatch(text[above : line_end(text, above)]):
            return above
        line = above
