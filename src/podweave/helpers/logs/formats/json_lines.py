"""JSON objects, one a line, with any of the usual key names."""

from __future__ import annotations

import json

from podweave.helpers.logs.formats.keys import fill
from podweave.helpers.logs.layouts import Format
from podweave.helpers.logs.timestamps import Clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.logs.fields import Record

# NaN and Infinity are no JSON; what isn't a number stays as text.
_DECODE = json.JSONDecoder(parse_constant=str).decode


class JsonLayout:
    """Reads a line as a JSON object."""

    names: frozenset[str] = frozenset()
    format = ""
    general = False

    def record(self, line: bytes, clock: Clock) -> Record | None:
        """Read a line; None where it is no JSON object."""
        if not line.lstrip().startswith(b"{"):
            return None
        try:
            value = _DECODE(line.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
        if not isinstance(value, dict):
            return None
        record: Record = {}
        for key, item in value.items():
            fill(record, key, item, clock)
        return record


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
                b'{"level":50,"time":1795400216789,"pid":31,"hostname":"web-1","msg":"failed",'
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
                b'"ecs.version":"1.2.0","service":{"name":"shop"},"log":{"logger":"c.e.Shop"}}',
                {
                    "time": (1795400216, "789"),
                    "level": "info",
                    "message": "up",
                    "logger": "c.e.Shop",
                    "service_name": "shop",
                    "attributes": {"ecs.version": "1.2.0"},
                },
            ),
        ),
    )
}
