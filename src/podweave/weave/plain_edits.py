"""Edits on plain objects, one after another: what `manifests.edits` does to text.

Running a Pod needs the woven object only; doing it here spares the surgery on the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from podweave.weave.edits import Edit, Insert, Remove


def apply_edits(object: Any, edits: Iterable[Edit]) -> Any:
    """A changed copy; parts that no edit touches are shared with the original."""
    copied: set[int] = set()
    top = {"": object}
    copied.add(id(top))
    for edit in edits:
        *parent_path, last = ("", *edit.path)
        parent: Any = top
        for part in parent_path:
            child = parent[part]
            if id(child) not in copied:
                child = child.copy()
                copied.add(id(child))
                parent[part] = child
            parent = child
        if isinstance(edit, Remove):
            del parent[last]
        elif isinstance(edit, Insert) and isinstance(parent, list) and isinstance(last, int):
            parent.insert(last, edit.value)
        else:
            parent[last] = edit.value
    return top.get("")
