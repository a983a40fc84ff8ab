from __future__ import annotations

from typing import Any, NamedTuple

from podweave.model.errors import Path


class Insert(NamedTuple):
    path: Path
    value: Any


class Replace(NamedTuple):
    path: Path
    value: Any


class Remove(NamedTuple):
    path: Path


Edit = Insert | Replace | Remove
