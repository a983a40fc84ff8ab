"""Whatever stands in a record, every store over HTTP makes a request of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from podweave.helpers.loop import Loop
from tests.sidecar.http_peer import Received, Reply, http_peer
from tests.sidecar.storing import Storing, is_delivered, piece, secret

_NAMES = st.sampled_from(
    ["@timestamp", "time", "timestamp", "Timestamp", "timeUnixNano", "level", "log", "log.level",
     "severityNumber", "SeverityText", "event", "fields", "attributes", "Attributes", "body",
     "Resource", "short_message", "message", "_x", "labels", "trace.id", "span.id", "service"]
)  # fmt: skip
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text()
    | st.sampled_from(["2026-01-02T03:04:05Z", "0001-01-01T00:00:00Z"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
_RECORDS = st.lists(st.dictionaries(_NAMES, _VALUES, max_size=6) | _VALUES, min_size=1, max_size=3)


def answer(received: Received) -> Reply:
    if received.path.endswith("/_bulk"):
        count = received.content.count(b'{"create":{"_id"')
        return Reply(200, {"errors": False, "items": [{"create": {"status": 201}}] * count})
    if received.path.startswith("/services"):
        return Reply(200, {"text": "Success", "code": 0})
    return Reply(200)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_RECORDS)
@example([{"event": None, "time": None, "fields": 1}])
def test_any_record_can_be_sent(loop: Loop, tmp_path: Path, records: list[Any]) -> None:
    lines = [json.dumps(record).encode() for record in records]
    with http_peer(answer) as peer:
        url = peer.url
        stores: list[tuple[str, dict[str, Any]]] = [
            ("elasticsearch", {"urls": [url], "data_stream": "logs"}),
            ("splunk", {"url": url, "token": secret(tmp_path, "token", "t")}),
            ("loki", {"url": url}),
            ("loki", {"url": url, "structured_metadata": False}),
            ("otlp", {"url": url}),
            ("otlp", {"url": url, "encoding": "json"}),
            ("s3", {"endpoint": url, "bucket": "logs"}),
            ("http", {"url": url, "format": "array"}),
        ]
        for kind, config in stores:
            storing = Storing(loop, tmp_path, kind, **config)
            outcome = storing.send(storing.batch([piece(lines, 0, "/a")], raw=False))
            storing.close()
            assert is_delivered(outcome), (kind, outcome.reason)
        assert len(peer.received) == len(stores)
