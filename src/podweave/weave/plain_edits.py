"""Edits on plain objects, one after another: what `manifests.edits` does to text.

Running a Pod needs the woven object only; doing it here spares the surgery on the text.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from podweave.manifests.edits import Edit, Insert, Remove
from podweave.model.errors import Path


def apply_edits(object: Any, edits: Iterable[Edit]) -> Any:
    """A changed copy; parts that no edit touches are shared with the original."""
    top = {"": object}
    copied = {id(top)}
    for edit in edits:
        path: Path = ("", *edit.path)
        parent: Any = top
        for part, following in pairwise(path):
            child = parent[part]
            if child is None:
                # Where nothing is written a list or a mapping begins.
                child = [] if isinstance(following, int) else {}
                copied.add(id(child))
                parent[part] = child
            elif id(child) not in copied:
                child = child.copy()
                copied.add(id(child))
                parent[part] = child
            parent = child
        last = path[-1]
        if isinstance(edit, Remove):
            del parent[last]
        elif isinstance(edit, Insert) and isinstance(last, int):
            parent.insert(last, edit.value)
        else:
            parent[last] = edit.value
    return top.get("")
