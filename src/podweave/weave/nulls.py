"""The spellings of nothing: a key without a value, `~`, `null`.

Weaving may have to write a list where there was nothing, and unweaving gives back nothing in the
same spelling.
"""

from __future__ import annotations

from podweave.manifests.documents import Document
from podweave.manifests.nodes import Node
from podweave.model.errors import Path

SPELLINGS = ("~", "null", "Null", "NULL")


def is_blank(document: Document, path: Path) -> bool:
    """Whether a value is null because nothing is written after its key. Such a key takes
    entries, and when they are taken away again, it is as it was."""
    node = _node(document, path)
    return node is not None and node.empty


def spelling(document: Document, path: Path) -> str:
    """How a null is written."""
    node = _node(document, path)
    text = "" if node is None else document.text[node.start : node.end]
    return text if text in SPELLINGS else "null"


def respelled(document: Document, nulls: list[tuple[Path, str]]) -> list[tuple[int, int, str]]:
    """The spans of a document's text, and what to write there, so that nulls are as before."""
    spans = []
    for path, text in nulls:
        node = _node(document, path)
        if (
            node is not None
            and text in SPELLINGS
            and document.text[node.start : node.end] == "null"
        ):
            spans.append((node.start, node.end, text))
    return spans


def _node(document: Document, path: Path) -> Node | None:
    tree = document.tree
    node = tree.root
    for part in path:
        node = tree.resolve(node)
        if isinstance(part, int):
            if not 0 <= part < len(node.items):
                return None
            node = node.items[part]
        else:
            entry = tree.entry(node, part)
            if entry is None:
                return None
            node = entry[1]
    return node
