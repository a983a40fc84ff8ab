"""What weaving did, change by change: the material of `--explain`."""

from __future__ import annotations

import msgspec


class Change(msgspec.Struct, frozen=True):
    file: str
    line: int
    """In the user's file: the nearest thing there that holds what was added."""
    workload: str
    """`Deployment/orders`."""
    path: str
    """In the woven object."""
    what: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.workload}: {self.path}: {self.what} — {self.reason}"
