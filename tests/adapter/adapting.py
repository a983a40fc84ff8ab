"""A log adapter as a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.helpers.log_programs import LogProgram, whole_rows

IDENTITY = {"POD_NAMESPACE": "shop", "POD_NAME": "orders-7d9f8b6c5-x2x7q", "TZ": "UTC"}


class Adapter(LogProgram):
    """Its rows go to `out.ndjson` in its folder."""

    def __init__(self, folder: Path, **logs: Any) -> None:
        self.out = folder / "out.ndjson"
        entry = {
            "from": [str(folder / "log" / "*.log")],
            "format": "auto",
            "schema": "ecs",
            "to": [{"path": str(self.out)}],
            **logs,
        }
        config = {"program": "adapter", "name": "orders-logs", "logs": [entry]}
        super().__init__(folder, config, IDENTITY)

    def rows(self) -> list[dict[str, Any]]:
        return whole_rows(self.out.read_bytes()) if self.out.exists() else []

    def lines(self) -> int:
        """Whole rows, only counted."""
        return self.out.read_bytes().count(b"\n") if self.out.exists() else 0

    def messages(self) -> list[str]:
        return [row["message"] for row in self.rows()]
