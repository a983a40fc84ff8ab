"""The splunk store: events, raw lines, acknowledgements, and the codes of its answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.loop import Loop
from podweave.helpers.wire import splunk_hec as hec
from tests.helpers.driving import drive
from tests.sidecar.http_peer import RESET, Fault, FaultyServer, HttpPeer, Received, Reply
from tests.sidecar.storing import (
    Made,
    configured,
    is_delivered,
    is_divided,
    is_failed,
    making,
    secret,
)


def code(status: int, number: int, text: str = "told", **more: Any) -> Reply:
    return Reply(status, {"text": text, "code": number, **more})


class Collector(FaultyServer):
    """An event collector by the documentation, its token with acknowledgement or without."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []
        self.lines: list[str] = []
        self.acknowledges = True
        self.indexed = True
        """What it says of every id that it has given."""
        self.questions = 0
        self._next = 0

    def answer(self, received: Received) -> Reply | Fault:
        if received.fields.get("authorization") != "Splunk the-token":
            return code(403, 4, "Invalid token")
        channel = received.fields.get("x-splunk-request-channel", "")
        if received.path == "/services/collector/ack":
            if not self.acknowledges:
                return code(400, 14, "ACK is disabled")
            self.questions += 1
            assert f"channel={channel}" in received.target
            ids = received.json["acks"]
            return Reply(200, {"acks": {str(each): self.indexed for each in ids}})
        if self.faults:
            return self.faults.pop(0)
        if self.acknowledges and not channel:
            return code(400, 10, "Data channel is missing")
        if channel:
            assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", channel)
        if received.path == "/services/collector/raw":
            self.lines += received.content.decode().splitlines()
        else:
            assert received.path == "/services/collector/event"
            events = list(_objects(received.content.decode()))
            for number, event in enumerate(events):
                if event["event"] == "":
                    return code(400, 13, "Event field cannot be blank", **_at(number))
                if event["event"] == "bad":
                    return code(400, 6, "Invalid data format", **_at(number))
            self.events += events
        if not self.acknowledges:
            return code(200, 0, "Success")
        self._next += 1
        return code(200, 0, "Success", ackId=self._next - 1)


def _at(number: int) -> dict[str, int]:
    return {"invalid-event-number": number}


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """Objects one after the other, as the collector reads them."""
    decoder = json.JSONDecoder()
    position = 0
    while position < len(text):
        found, position = decoder.raw_decode(text, position)
        yield found
        while text[position : position + 1].isspace():
            position += 1


@pytest.fixture
def server() -> Collector:
    return Collector()


@pytest.fixture
def store(loop: Loop, tmp_path: Path, peer: HttpPeer) -> Iterator[Made]:
    token = secret(tmp_path, "token", "the-token\n")
    with making(loop, tmp_path, "splunk", url=peer.url, token=token) as make:
        yield make


def test_lines_are_events(store: Made, server: Collector) -> None:
    storing = store(index="main", sourcetype="{label:app}")
    assert is_delivered(storing.send(storing.raw(b"one", b'"two" \xff')))
    assert server.events == [
        {
            "time": 1767323045.25,
            "host": "orders-1",
            "source": "/var/log/a.log",
            "sourcetype": "orders",
            "index": "main",
            "fields": {
                "namespace": "shop",
                "pod": "orders-1",
                "pod_uid": "5f1c",
                "node": "node-a",
            },
            "event": text,
        }
        for text in ("one", '"two" \\xff')
    ]


def test_records_are_events_with_their_own_time(store: Made, server: Collector) -> None:
    storing = store()
    records: list[dict[str, Any]] = [
        {"@timestamp": "2026-01-31T00:00:00.123456789Z", "message": "a"},
        {"@timestamp": "2026-01-31T01:00:00+01:00", "message": "b"},
    ]
    assert is_delivered(storing.send(storing.records(*records)))
    assert [event["event"] for event in server.events] == records
    assert [event["time"] for event in server.events] == [1769817600.123456789, 1769817600]


def test_records_of_splunks_schema_are_its_events(store: Made, server: Collector) -> None:
    storing = store(host="elsewhere", index="main")
    record = {"time": 1.5, "host": "own", "event": {"message": "m"}, "fields": {"a": "b"}}
    assert is_delivered(storing.send(storing.records(record, {"level": "info", "message": "x"})))
    first, second = server.events
    assert (first["time"], first["host"], first["index"]) == (1.5, "own", "main")
    assert first["event"] == {"message": "m"}
    assert first["fields"]["a"] == "b"
    assert first["fields"]["pod"] == "orders-1"
    assert second["event"] == {"level": "info", "message": "x"}


def test_records_of_the_adapters_splunk_schema(store: Made, server: Collector) -> None:
    storing = store(index="main")
    record = {
        "time": 1769817600.123456,
        "host": "own",
        "sourcetype": 'nginx "x"',
        "message": "m",
        "n": {"a": 1},
    }
    other = {"time": 2, "message": "m"}
    assert is_delivered(storing.send(storing.records(record, other)))
    first, second = server.events
    assert (first["time"], first["host"], first["sourcetype"]) == (
        1769817600.123456,
        "own",
        'nginx "x"',
    )
    assert (first["source"], first["index"]) == ("/spool/a", "main")
    assert first["event"] == {"message": "m", "n": {"a": 1}}
    assert (second["time"], second["host"], second["event"]) == (2, "orders-1", {"message": "m"})


def test_raw_lines_are_left_to_splunk(store: Made, server: Collector, peer: HttpPeer) -> None:
    storing = store(endpoint="raw", sourcetype="access combined")
    assert is_delivered(storing.send(storing.raw(b"one", b"two")))
    assert server.lines == ["one", "two"]
    assert "sourcetype=access%20combined" in peer.received[0].target
    assert "host=orders-1" in peer.received[0].target


def test_delivered_is_what_is_indexed(store: Made, server: Collector, loop: Loop) -> None:
    server.indexed = False
    storing = store()
    outcomes = [storing.begin(storing.raw(b"%d" % number, offset=number)) for number in range(3)]
    drive(loop, lambda: server.questions >= 3, 20, "three questions")
    assert outcomes == [[], [], []]
    server.indexed = True
    drive(loop, lambda: all(outcomes), 20, "all are acknowledged")
    assert all(is_delivered(outcome) for (outcome,) in outcomes)


def test_what_is_never_indexed_comes_again(store: Made, server: Collector) -> None:
    server.indexed = False
    storing = store(acknowledgement_timeout=1)
    outcome = storing.send(storing.raw(b"one"))
    assert is_failed(outcome)
    assert "not indexed within 1 s" in outcome.reason


def test_ids_that_come_twice_are_of_a_store_that_was_started_anew(
    store: Made, server: Collector, loop: Loop
) -> None:
    server.indexed = False
    storing = store()
    first = storing.begin(storing.raw(b"one"))
    drive(loop, lambda: server.questions, 20, "a question")
    server._next = 0
    second = storing.begin(storing.raw(b"two"))
    drive(loop, lambda: first, 20, "the first is given up")
    assert is_failed(first[0])
    server.indexed = True
    drive(loop, lambda: second, 20, "the second is acknowledged")
    assert is_delivered(second[0])


def test_a_token_without_acknowledgement_is_said_once(store: Made, server: Collector) -> None:
    server.acknowledges = False
    storing = store()
    for number in range(3):
        assert is_delivered(storing.send(storing.raw(b"x", offset=number)))
    (event,) = storing.events()
    assert event["event.action"] == "store.unacknowledged"
    assert len(server.events) == 3
    plain = store(acknowledgement=False)
    assert is_delivered(plain.send(plain.raw(b"x")))


def test_the_record_that_is_wrong_is_found(store: Made, server: Collector) -> None:
    storing = store()
    batch = storing.raw(b"", b"a", b"", b"bad", b"c")
    outcome = storing.send(batch)
    # Empty lines are no events, and numbers are those of the batch all the same.
    assert outcome.rejected == [(3, "code 6 Invalid data format")]
    assert outcome.again == [1, 4]
    assert is_delivered(storing.send(batch.select(outcome.again)))
    assert [event["event"] for event in server.events] == ["a", "c"]
    assert is_divided(storing.send(storing.raw(b"bad")))


def test_nothing_but_empty_lines_is_nothing_to_send(store: Made, peer: HttpPeer) -> None:
    storing = store()
    assert is_delivered(storing.send(storing.raw(b"", b"")))
    assert peer.received == []


@pytest.mark.parametrize(
    "fault",
    [
        code(503, 9, "Server is busy"),
        code(500, 8, "Internal server error"),
        code(400, 7, "Incorrect index"),
        code(403, 1, "Token disabled"),
        code(400, 11, "Invalid data channel"),
        Reply(429, b"slow down"),
        Reply(400, b"<html>a proxy</html>"),
        Reply(200, b"<html>a portal</html>"),
        RESET,
    ],
)
def test_what_is_no_records_fault_comes_again(
    store: Made, server: Collector, fault: Reply | Fault
) -> None:
    storing = store()
    server.faults = [fault]
    assert is_failed(storing.send(storing.raw(b"x")))
    assert is_delivered(storing.send(storing.raw(b"x")))


def test_a_wrong_token_loses_nothing(store: Made, tmp_path: Path) -> None:
    storing = store(token=secret(tmp_path, "other", "wrong"))
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert "code 4 Invalid token" in outcome.reason
    secret(tmp_path, "other", "the-token")
    assert is_delivered(storing.send(storing.raw(b"x")))


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ConfigurationError, match="lacks the token"):
        configured("splunk", url="http://x")
    with pytest.raises(ConfigurationError, match=r"gzip, not zstd|needs Python"):
        configured("splunk", url="http://x", token="/t", compression="zstd")


@given(st.binary(max_size=100))
def test_no_bytes_break_the_reading(data: bytes) -> None:
    for read in (hec.read_reply, hec.read_acknowledged):
        try:
            read(data)
        except ValueError:
            pass


@given(st.integers(0, 1 << 62))
def test_times_keep_their_digits(time: int) -> None:
    whole, _, fraction = hec.seconds(time).decode().partition(".")
    assert int(whole) * 10**9 + int(fraction) == time


@pytest.mark.parametrize(
    "line", [b"plain", b'"\\\t\x01', b"\xff\xe9", "재고".encode(), b" ", b"%s"]
)
def test_a_line_is_the_same_event_with_an_empty_one_beside_it(
    store: Made, server: Collector, line: bytes
) -> None:
    storing = store()
    assert is_delivered(storing.send(storing.raw(line, b"z")))
    assert is_delivered(storing.send(storing.raw(line, b"z", b"")))
    assert server.events[:2] == server.events[2:]
