"""logfmt: `key=value key="quoted value"`, as Go's loggers and Heroku write it."""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.structured.pairs_layout import PairsLayout

FORMATS = {
    "logfmt": Format(
        "logfmt",
        (PairsLayout(),),
        samples=(
            (
                b'time=2026-11-23T02:16:56.789Z level=warn msg="slow \\"order\\"" order=42 ms=17.5',
                {
                    "time": (1795400216, "789"),
                    "level": "warn",
                    "message": 'slow "order"',
                    "attributes": {"order": 42, "ms": 17.5},
                },
            ),
        ),
    )
}
