"""The loki store: streams, times and the order in them, and what becomes of what is too old."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.loop import Loop
from podweave.helpers.wire import loki
from tests.sidecar.http_peer import (
    HALF,
    RESET,
    Fault,
    FaultyServer,
    HttpPeer,
    Received,
    Reply,
)
from tests.sidecar.storing import (
    Made,
    configured,
    is_delivered,
    is_divided,
    is_failed,
    making,
    piece,
)

OLD = 1_600_000_000 * 10**9


class Loki(FaultyServer):
    """Takes what the documentation allows; one of two that are alike in time and line."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[tuple[str, int, str], dict[str, str]] = {}

    def serve(self, received: Received) -> Reply | Fault:
        assert (received.method, received.path) == ("POST", "/loki/api/v1/push")
        assert received.fields["content-type"] == "application/json"
        refused = 0
        for stream in received.json["streams"]:
            labels = stream["stream"]
            assert labels
            assert all(re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", name) for name in labels)
            before = 0
            for time, line, *about in stream["values"]:
                assert isinstance(time, str)
                assert int(time) >= before
                before = int(time)
                assert all(isinstance(value, str) for value in (about or [{}])[0].values())
                if int(time) < OLD:
                    refused += 1
                else:
                    key = (json.dumps(labels, sort_keys=True), int(time), line)
                    self.entries[key] = about[0] if about else {}
        if refused:
            return Reply(400, f"entry for stream has timestamp too old, total ignored: {refused}")
        return Reply(204)

    def lines(self) -> list[str]:
        return [line for _, _, line in sorted(self.entries, key=lambda key: key[1])]


@pytest.fixture
def server() -> Loki:
    return Loki()


@pytest.fixture
def store(loop: Loop, tmp_path: Path, peer: HttpPeer) -> Iterator[Made]:
    with making(loop, tmp_path, "loki", url=peer.url) as make:
        yield make


def test_lines_go_as_they_are_in_their_order(store: Made, server: Loki, peer: HttpPeer) -> None:
    storing = store(tenant="shop", labels={"app": "{label:app}", "cluster": "eu"})
    batch = storing.raw(b"tick", b"tick", b'"x" \xff', b"")
    assert is_delivered(storing.send(batch))
    assert is_delivered(storing.send(batch))
    assert server.lines() == ["tick", "tick", '"x" \\xff', ""]
    ((labels, time, _), about) = next(iter(server.entries.items()))
    assert json.loads(labels) == {"app": "orders", "cluster": "eu"}
    assert time // 1_000_000 == 1767323045250
    assert about == {
        "pod": "orders-1",
        "pod_uid": "5f1c",
        "node": "node-a",
        "filename": "/var/log/a.log",
    }
    assert peer.received[0].fields["x-scope-orgid"] == "shop"
    assert peer.received[0].fields["content-encoding"] == "gzip"


def test_an_entry_is_known_again_however_it_is_sent(store: Made, server: Loki) -> None:
    storing = store()
    stamp = "2026-01-31T00:00:00.5Z"
    batch = storing.records(*({"@timestamp": stamp, "n": number % 3} for number in range(10)))
    assert is_delivered(storing.send(batch))
    for part in batch.halves():
        assert is_delivered(storing.send(part))
    assert [json.loads(line)["n"] for line in server.lines()] == [n % 3 for n in range(10)]


def test_records_have_their_own_time_and_level(store: Made, server: Loki) -> None:
    storing = store()
    records: list[dict[str, Any]] = [
        {"@timestamp": "2026-01-31T00:00:01.000Z", "log": {"level": "error"}, "message": "b"},
        {"@timestamp": "2026-01-31T00:00:00.123456789Z", "log.level": "info", "message": "a"},
    ]
    assert is_delivered(storing.send(storing.records(*records)))
    assert [json.loads(line)["message"] for line in server.lines()] == ["a", "b"]
    found = sorted(server.entries.items(), key=lambda item: item[0][1])
    assert [about["level"] for _, about in found] == ["info", "error"]
    assert found[0][0][1] == 1769817600123456789
    assert json.loads(found[0][0][0]) == {"namespace": "shop", "service_name": "orders"}


def test_without_structured_metadata_a_file_is_a_stream(store: Made, server: Loki) -> None:
    storing = store(structured_metadata=False)
    pieces = [piece([b"one"], 0, "/a"), piece([b"two"], 0, "/b")]
    assert is_delivered(storing.send(storing.batch(pieces, raw=True)))
    streams = {json.loads(labels)["filename"] for labels, _, _ in server.entries}
    assert streams == {"/a", "/b"}
    assert all(about == {} for about in server.entries.values())


def test_what_is_too_old_is_found_by_division(store: Made, server: Loki) -> None:
    storing = store()
    batch = storing.records(
        {"@timestamp": "2026-01-31T00:00:00Z", "message": "new"},
        {"@timestamp": "2001-01-31T00:00:00Z", "message": "old"},
    )
    assert is_divided(storing.send(batch))
    new, old = batch.halves()
    assert is_delivered(storing.send(new))
    outcome = storing.send(old)
    assert is_divided(outcome)
    assert "too old" in outcome.reason
    assert len(server.entries) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Reply(429, "rate limit", Retry_After="3"),
        Reply(500),
        Reply(503),
        Reply(401, "no org id"),
        Reply(404),
        Reply(400, "stream includes structured metadata, but this feature is disallowed"),
        RESET,
        HALF,
    ],
)
def test_what_is_no_records_fault_comes_again(
    store: Made, server: Loki, fault: Reply | Fault
) -> None:
    storing = store()
    server.faults = [fault]
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert outcome.after == (3 if isinstance(fault, Reply) and fault.status == 429 else None)
    assert is_delivered(storing.send(storing.raw(b"x")))


def test_a_web_page_is_no_success(store: Made, server: Loki) -> None:
    server.faults = [
        Reply(200, b"\n<!doctype html><title>Welcome</title>", Content_Type="text/html")
    ]
    storing = store()
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert "does the URL name another server?" in outcome.reason
    assert is_delivered(storing.send(storing.raw(b"x")))


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ConfigurationError, match="letters, digits and _"):
        configured("loki", url="http://x", labels={"a-b": "c"})
    with pytest.raises(ConfigurationError, match="namespac"):
        configured("loki", url="http://x", labels={"a": "{namespac}"})


@given(st.lists(st.integers(0, 20)))
def test_times_become_distinct_and_stay_in_order(times: list[int]) -> None:
    ordered = sorted(time * 10_000_000 for time in times)
    result = loki.distinct(ordered)
    assert all(before < after for before, after in pairwise(result))
    assert all(0 <= moved - time < 1_000_000 for time, moved in zip(ordered, result, strict=True))


@given(st.text())
def test_a_labels_name_is_one(text: str) -> None:
    assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", loki.label_name(text))
