"""The edits there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from podweave.model.errors import Path


@dataclass(frozen=True, slots=True)
class Insert:
    """Add a key to a mapping, after its other keys, or an item to a list, before that index.

    The parent must exist; where it has no value (`key:`), it becomes a list for an index and a
    mapping for a key.
    """

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Replace:
    """Give what is at `path` another value."""

    path: Path
    value: Any


@dataclass(frozen=True, slots=True)
class Remove:
    """Take away what is at `path`; `()` is the whole document."""

    path: Path


Edit = Insert | Replace | Remove
