"""JSON objects, one a line, with any of the usual key names."""

from __future__ import annotations

from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.structured.json_layout import JsonLayout

FORMATS = {
    "json": Format(
        "json",
        (JsonLayout(),),
        samples=(
            (
                b'{"ts":"2026-11-23T02:16:56.789Z","level":"WARNING","msg":"slow","order":42,'
                b'"db":{"ms":17.5}}',
                {
                    "time": (1795400216, "789"),
                    "level": "warn",
                    "message": "slow",
                    "attributes": {"order": 42, "db": {"ms": 17.5}},
                },
            ),
            (
                b'{"level":50,"ts":1795400216789,"pid":31,"hostname":"web-1","msg":"failed",'
                b'"err":{"type":"Error","message":"no stock","stack":"Error: no stock\\n  at f"}}',
                {
                    "level": "error",
                    "time": (1795400216, "789"),
                    "pid": 31,
                    "host": "web-1",
                    "message": "failed",
                    "error_type": "Error",
                    "error_message": "no stock",
                    "stack_trace": "Error: no stock\n  at f",
                },
            ),
            (
                b'{"@timestamp":"2026-11-23T02:16:56.789Z","log.level":"INFO","message":"up",'
                b'"service":{"name":"shop"},"log":{"logger":"c.e.Shop"}}',
                {
                    "time": (1795400216, "789"),
                    "level": "info",
                    "message": "up",
                    "logger": "c.e.Shop",
                    "service_name": "shop",
                },
            ),
        ),
    )
}
