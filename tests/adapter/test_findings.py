"""Lines that no format reads: whole, with the timestamp and the level that are in them."""

from __future__ import annotations

from typing import Any

import pytest

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.findings import findings

NOW = 1795400216
CLOCK = Clock(NOW + 84.25, 0)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b"what is this", {}),
        (b"shop|2026-11-23 02:16:56,789|WARN|slow", {"time": (NOW, "789"), "level": "warn"}),
        (b"(a) Nov 23 02:16:56 [error] b", {"time": (NOW, ""), "level": "error"}),
        (b"at 23/Nov/2026:02:16:56 +0000 for ever", {"time": (NOW, "")}),
        (b"at 2026-99-23 02:16:56", {}),
        (b"no INFORMATION here, no .info( either", {}),
        (b"x" * 300 + b" ERROR", {}),
        (b"\xff level=debug", {"level": "debug"}),
        (b"Log started: 2026-11-23  02:16:56", {"time": (NOW, "")}),
        (b"error: no stock", {"level": "error"}),
        (b"of error: no stock", {}),
    ],
)
def test_what_is_found(line: bytes, found: dict[str, Any]) -> None:
    assert findings(line, CLOCK) == {"message": line.decode("utf-8", "replace"), **found}
