"""A log sidecar as a process of its own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tests.helpers.log_programs import LogProgram, whole_rows

IDENTITY = {"POD_NAMESPACE": "shop", "POD_NAME": "orders-1", "POD_UID": "5f1c"}


class Sidecar(LogProgram):
    """Its records go to `store/` in its folder."""

    def __init__(self, folder: Path, **config: Any) -> None:
        self.store = folder / "store"
        entry = {
            "from": [str(folder / "log" / "*.log")],
            "stores": [{"files": {"directory": str(self.store)}}],
        }
        config = {"program": "sidecar", "name": "ship", "logs": [entry], **config}
        super().__init__(folder, config, IDENTITY)

    def files(self) -> list[Path]:
        """In the order of writing."""
        place = self.store / "shop" / "orders-1"
        key = re.compile(r"(.*)-(\d+)\.ndjson").fullmatch

        def order(path: Path) -> tuple[str, int]:
            match = key(path.name)
            assert match is not None, path
            return match[1], int(match[2])

        return sorted(place.iterdir(), key=order) if place.exists() else []

    def records(self) -> list[dict[str, Any]]:
        return [record for path in self.files() for record in whole_rows(path.read_bytes())]

    def messages(self) -> list[str]:
        return [record["message"] for record in self.records()]
