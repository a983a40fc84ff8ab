"""The otlp store: requests read with OpenTelemetry's own messages, and answers by the spec."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from podweave.helpers.loop import Loop
from podweave.helpers.wire import otlp, otlp_json, otlp_protobuf
from tests.sidecar.http_peer import (
    HALF,
    RESET,
    STALL,
    Fault,
    FaultyServer,
    HttpPeer,
    Received,
    Reply,
)
from tests.sidecar.storing import (
    Made,
    is_delivered,
    is_divided,
    is_failed,
    making,
)

PROTOBUF = "application/x-protobuf"


class Receiver(FaultyServer):
    """Parses requests strictly."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []

    def serve(self, received: Received) -> Reply | Fault:
        assert (received.method, received.path) == ("POST", "/v1/logs")
        request = ExportLogsServiceRequest()
        kind = received.fields["content-type"]
        if kind == PROTOBUF:
            request.ParseFromString(received.content)
            assert request.SerializeToString()
        else:
            assert kind == "application/json"
            json_format.Parse(_with_base64_ids(received.content), request)
        self.requests.append(request)
        return Reply(200, ExportLogsServiceResponse().SerializeToString(), Content_Type=kind)

    def records(self) -> list[Any]:
        return [
            record
            for request in self.requests
            for resource in request.resource_logs
            for scope in resource.scope_logs
            for record in scope.log_records
        ]


def _with_base64_ids(content: bytes) -> str:
    """OTLP's JSON has ids in hexadecimal, where protobuf's own has base64."""
    import base64

    found = json.loads(content)
    for resource in found["resourceLogs"]:
        for scope in resource["scopeLogs"]:
            for record in scope["logRecords"]:
                for name in ("traceId", "spanId"):
                    if name in record:
                        record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    return json.dumps(found)


def plain(value: Any) -> Any:
    """An AnyValue as Python has it."""
    kind = value.WhichOneof("value")
    if kind is None:
        return None
    inner = getattr(value, kind)
    if kind == "array_value":
        return [plain(item) for item in inner.values]
    if kind == "kvlist_value":
        return {item.key: plain(item.value) for item in inner.values}
    return inner


def attributes(of: Any) -> dict[str, Any]:
    return {item.key: plain(item.value) for item in of.attributes}


@pytest.fixture
def server() -> Receiver:
    return Receiver()


@pytest.fixture
def store(loop: Loop, tmp_path: Path, peer: HttpPeer) -> Iterator[Made]:
    with making(loop, tmp_path, "otlp", url=peer.url) as make:
        yield make


encodings = pytest.mark.parametrize("encoding", ["protobuf", "json"])

ECS = {
    "@timestamp": "2026-01-31T00:00:00.123456789Z",
    "log": {"level": "warn", "logger": "a.B"},
    "message": "it broke",
    "ecs": {"version": "9.0.0"},
    "trace": {"id": "0af7651916cd43dd8448eb211c80319c"},
    "span": {"id": "b7ad6b7169203331"},
    "http": {"response": {"status_code": 500}},
    "service": {"name": "the-service"},
    "kubernetes": {"pod": {"uid": "5f1c"}},
    "labels": {"ratio": 0.5, "ok": True, "list": ["a", 1, None]},
}


@encodings
def test_a_record_has_its_parts(store: Made, server: Receiver, encoding: str) -> None:
    storing = store(encoding=encoding, attributes={"deployment.environment.name": "dev"})
    assert is_delivered(storing.send(storing.records(ECS)))
    (record,) = server.records()
    assert record.time_unix_nano == 1769817600123456789
    assert record.observed_time_unix_nano == 1767323045250000000
    assert (record.severity_number, record.severity_text) == (13, "warn")
    assert plain(record.body) == "it broke"
    assert record.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert record.span_id.hex() == "b7ad6b7169203331"
    assert attributes(record) == {
        "log.logger": "a.B",
        "http.response.status_code": 500,
        "service.name": "the-service",
        "ratio": 0.5,
        "ok": True,
        "list": ["a", 1, None],
    }
    (resource,) = server.requests[0].resource_logs
    assert attributes(resource.resource) == {
        "service.name": "the-service",
        "k8s.namespace.name": "shop",
        "k8s.pod.name": "orders-1",
        "k8s.pod.uid": "5f1c",
        "k8s.pod.ip": "10.0.0.9",
        "k8s.node.name": "node-a",
        "k8s.pod.label.app": "orders",
        "deployment.environment.name": "dev",
    }
    assert resource.scope_logs[0].scope.name == "podweave"


@encodings
def test_raw_lines_are_bodies(store: Made, server: Receiver, encoding: str) -> None:
    storing = store(encoding=encoding)
    lines = [b"one", b"", b"\xff\xc3\xa4", b"x" * 300]
    assert is_delivered(storing.send(storing.raw(*lines)))
    records = server.records()
    assert [plain(record.body) for record in records] == ["one", "", "\\xffä", "x" * 300]
    assert {record.time_unix_nano for record in records} == {1767323045250000000}
    assert attributes(records[0]) == {"log.file.path": "/var/log/a.log"}
    (resource,) = server.requests[0].resource_logs
    assert attributes(resource.resource)["service.name"] == "orders"


def test_records_of_every_schema(store: Made, server: Receiver) -> None:
    storing = store()
    records: list[dict[str, Any]] = [
        {"version": "1.1", "short_message": "g", "timestamp": 1.5, "level": 3, "_user": "u"},
        {"short_message": "h", "level": 4, "_level_name": "warn", "full_message": "trace"},
        {"time": "1.123456789", "event": "s", "fields": {"level": "debug", "a": {"b": 1}}},
        {"time": 2, "event": {"message": "m", "severity": "fatal"}},
        {"time": 3.25, "host": "h", "severity": "low", "log_level": "notice", "message": "n"},
        {"timeUnixNano": "7", "severityNumber": 9, "body": {"stringValue": "o"}},
        {
            "Timestamp": "8",
            "SeverityText": "ERROR",
            "Body": "p",
            "InstrumentationScope": {"Name": "a.B"},
            "Resource": {"service.name": "x", "k8s.pod.name": "y"},
            "Attributes": {"k": "v"},
        },
        {"@timestamp": "broken", "log.level": "info", "message": "dotted"},
        {"anything": "else"},
    ]
    assert is_delivered(storing.send(storing.records(*records)))
    found = [
        (plain(record.body), record.time_unix_nano, record.severity_number, attributes(record))
        for record in server.records()
    ]
    read = 1767323045250000000
    assert found == [
        ("g", 1_500_000_000, 17, {"user": "u"}),
        ("h", read, 13, {"full_message": "trace"}),
        ("s", 1_123_456_789, 5, {"a.b": 1}),
        ("m", 2_000_000_000, 21, {}),
        ("n", 3_250_000_000, 10, {"host": "h", "severity": "low"}),
        ("o", 7, 9, {}),
        ("p", 8, 17, {"otel.scope.name": "a.B", "service.name": "x", "k": "v"}),
        ("dotted", read, 9, {}),
        ('{"anything":"else"}', read, 0, {"anything": "else"}),
    ]


@pytest.mark.parametrize("kind", [PROTOBUF, "application/json; charset=utf-8"])
def test_a_partial_success_is_said_and_never_sent_again(
    store: Made, server: Receiver, kind: str
) -> None:
    answer = ExportLogsServiceResponse()
    answer.partial_success.rejected_log_records = 2
    answer.partial_success.error_message = "too long"
    written = json_format.MessageToJson(answer).encode()
    content = answer.SerializeToString() if kind == PROTOBUF else written
    server.faults = [Reply(200, content, Content_Type=kind)]
    storing = store()
    assert is_delivered(storing.send(storing.raw(b"a", b"b", b"c")))
    (event,) = storing.events()
    assert event["event.action"] == "store.partial_success"
    assert (event["rejected_records"], event["message"]) == (2, "too long")
    assert storing.store.dropped_records == 2


def test_a_web_page_is_no_success(store: Made, server: Receiver) -> None:
    server.faults = [
        Reply(200, b"\n<!doctype html><title>Welcome</title>", Content_Type="text/html")
    ]
    storing = store()
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert "does the URL name another server?" in outcome.reason
    assert is_delivered(storing.send(storing.raw(b"x")))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_be_sent_again_is(store: Made, server: Receiver, status: int) -> None:
    server.faults = [Reply(status, {"message": "busy"}, Retry_After="5")]
    storing = store()
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert outcome.after == 5
    assert "busy" in outcome.reason
    assert is_delivered(storing.send(storing.raw(b"x")))


@pytest.mark.parametrize("status", [400, 422, 500, 501])
def test_what_may_not_be_sent_again_becomes_dead_letters(
    store: Made, server: Receiver, status: int
) -> None:
    server.faults = [Reply(status, {"message": "no"})]
    storing = store()
    outcome = storing.send(storing.raw(b"x", b"y"))
    assert outcome.again == []
    assert [number for number, _ in outcome.rejected] == [0, 1]


@pytest.mark.parametrize("status", [301, 401, 403, 404, 407])
def test_a_receiver_that_refuses_everybody_loses_nothing(
    store: Made, server: Receiver, status: int
) -> None:
    server.faults = [Reply(status)]
    storing = store()
    assert is_failed(storing.send(storing.raw(b"x")))


@pytest.mark.parametrize("fault", [RESET, HALF, STALL])
def test_faults_of_the_network(store: Made, server: Receiver, fault: Fault) -> None:
    storing = store(timeout=0.5)
    server.faults = [fault]
    assert is_failed(storing.send(storing.raw(b"x")))
    assert is_delivered(storing.send(storing.raw(b"x")))


def test_too_much_at_once_is_divided(store: Made, server: Receiver) -> None:
    server.faults = [Reply(413)]
    storing = store()
    assert is_divided(storing.send(storing.raw(b"x", b"y")))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), inner),
    max_leaves=8,
)  # fmt: skip


@given(_VALUES)
def test_values_are_what_the_library_reads(value: Any) -> None:
    read = AnyValue.FromString(otlp_protobuf.any_value(value))
    assert plain(read) == value
    parsed = json_format.Parse(json.dumps(otlp_json.any_value(value)), AnyValue())
    assert plain(parsed) == value


@given(st.binary(max_size=100), st.sampled_from([PROTOBUF, "application/json", ""]))
def test_no_bytes_break_the_reading_of_answers(data: bytes, kind: str) -> None:
    otlp.status_message(kind, data)
    try:
        otlp.partial_success(kind, data)
    except ValueError:
        pass


@given(st.text(max_size=40))
def test_no_text_is_taken_for_an_id(text: str) -> None:
    found = otlp.read_id(text, 16)
    assert not found or found.hex() == text.lower()
