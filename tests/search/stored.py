"""A store with records in it, written as the log sidecar lays it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class Stored:
    """Writes records to `directory`; each file is one call."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.files = 0

    def write(self, *records: Any, pod: str = "orders-1", end: str = "\n") -> Path:
        """Objects are dumped, text is written as it stands."""
        self.files += 1
        folder = self.directory / "shop" / pod
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"20260101T000000Z-{self.files}.ndjson"
        lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
        path.write_text("\n".join(lines) + end if lines else "")
        return path


def record(message: str, second: int = 0, **fields: Any) -> dict[str, Any]:
    return {"@timestamp": f"2026-01-01T00:00:{second:02d}.000Z", "message": message, **fields}
