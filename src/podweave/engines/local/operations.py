"""A step of a set-up as data: planned first, printed by --dry-run, executed in order."""

from __future__ import annotations

from typing import Protocol


class Operation(Protocol):
    """One step. `describe` says in one line what `run` does."""

    def describe(self) -> str: ...
