"""Requests of the OpenTelemetry protocol: each record is a row, whichever way it is read."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler, ExactBatch
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.schemas import catalogue as schemas
from podweave.helpers.logs.steps.steps import Steps
from podweave.helpers.logs.stream import Stream
from podweave.helpers.logs.structured.otlp_requests import cut
from podweave.helpers.logs.structured.packed_batch import PackedBatch
from tests.adapter.lines import HURTFUL

CLOCK = Clock(1795400300.25, 0)
PATH = "/var/log/otlp.json"
(LAYOUT,) = catalogue.load("otlp-json").layouts
NANOSECONDS = 1795400216789012345

texts = st.one_of(
    st.sampled_from(
        ["", "info", "한글", 'a"b\\', "a\nb", "\ud800", '"},{"timeUnixNano":', "}]}]}]}"]
    ),
    HURTFUL.map(lambda data: data.decode("utf-8", "replace")),
)
any_values = st.recursive(
    st.one_of(
        texts.map(lambda text: {"stringValue": text}),
        st.integers(-(1 << 65), 1 << 65).map(lambda number: {"intValue": str(number)}),
        st.sampled_from([17, -1, "017", "", None]).map(lambda number: {"intValue": number}),
        st.sampled_from([0.5, 1, 1e22, "NaN"]).map(lambda number: {"doubleValue": number}),
        st.booleans().map(lambda value: {"boolValue": value}),
        st.just({}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda items: {"arrayValue": {"values": items}}),
        st.lists(st.tuples(st.sampled_from(["a", "b.c"]), inner), max_size=2).map(
            lambda pairs: {"kvlistValue": {"values": [_pair(*pair) for pair in pairs]}}
        ),
    ),
    max_leaves=4,
)


def _pair(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": value}


attributes = st.lists(
    st.builds(
        _pair, st.sampled_from(["a", "b.c", "host.name", "service.name", "order"]), any_values
    ),
    max_size=3,
)
times = st.sampled_from([str(NANOSECONDS), NANOSECONDS, "0", 0, "", "1795400216789", "soon"])


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    parts = {
        "timeUnixNano": times,
        "observedTimeUnixNano": times,
        "severityNumber": st.sampled_from([0, 1, 9, 24, 30, "SEVERITY_NUMBER_INFO"]),
        "severityText": texts,
        "body": any_values,
        "attributes": attributes,
        "traceId": st.sampled_from(["", "0af7651916cd43dd8448eb211c80319c", "<>"]),
        "spanId": st.sampled_from(["", "b7ad6b7169203331"]),
        "eventName": texts,
        "flags": st.integers(0, 1),
    }
    record = {name: draw(part) for name, part in parts.items() if draw(st.integers(0, 3))}
    return {"timeUnixNano": str(NANOSECONDS), **record}


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    some = draw(st.lists(records(), min_size=1, max_size=3))

    def scope_logs() -> dict[str, Any]:
        made: dict[str, Any] = {"logRecords": draw(st.lists(st.sampled_from(some), max_size=4))}
        if draw(st.booleans()):
            made = {"scope": draw(st.sampled_from([{}, {"name": ""}, {"name": "shop"}])), **made}
        return {**made, "schemaUrl": "https://x"} if draw(st.booleans()) else made

    def resource_logs() -> dict[str, Any]:
        made: dict[str, Any] = {"scopeLogs": [scope_logs() for _ in range(draw(st.integers(1, 2)))]}
        if draw(st.booleans()):
            made = {"resource": {"attributes": draw(attributes)}, **made}
        return {**made, "schemaUrl": "https://x"} if draw(st.booleans()) else made

    value = {"resourceLogs": [resource_logs() for _ in range(draw(st.integers(1, 2)))]}
    if draw(st.integers(0, 4)) == 0:
        value = draw(st.sampled_from(some))
    return line(value, spaced=draw(st.integers(0, 9)) == 0)


def line(value: Any, spaced: bool = False) -> bytes:
    separators = (", ", ": ") if spaced else (",", ":")
    return json.dumps(value, separators=separators, ensure_ascii=False).encode("utf-8", "replace")


@pytest.mark.parametrize("schema", ["ecs", "flat", "gelf"])
@settings(max_examples=40)
@given(lines=st.lists(requests(), min_size=1, max_size=4))
def test_fast_and_exact_are_the_same(schema: str, lines: list[bytes]) -> None:
    exact = ExactBatch(LAYOUT, schemas.load(schema), {"pod_name": "orders"})
    batch = PackedBatch(LAYOUT, schemas.load(schema), {"pod_name": "orders"})
    expected = [exact.row(each, CLOCK, PATH) for each in lines]
    for _ in range(3):
        assert batch.rows(lines, CLOCK, PATH) == expected
        made = batch.made(b"\n".join(lines) + b"\n", CLOCK, PATH)
        assert made.rows() == expected


@given(lines=st.lists(requests(), min_size=1, max_size=4))
def test_pieces_say_what_the_request_does(lines: list[bytes]) -> None:
    for each in lines:
        pieces = list(cut(each))
        if len(pieces) > 1:
            found = [LAYOUT.records(piece, CLOCK) for piece in pieces]
            whole = LAYOUT.records(each, CLOCK)
            assert found == [[one] for one in whole] if whole is not None else None in found


def record(number: int) -> dict[str, Any]:
    return {
        "timeUnixNano": str(NANOSECONDS + number),
        "severityNumber": 9,
        "body": {"stringValue": f"placed {number}"},
        "attributes": [_pair("order", {"intValue": str(number)})],
    }


def request(*numbers: int, scopes: int = 1) -> bytes:
    some = [record(number) for number in numbers]
    resource = {"attributes": [_pair("service.name", {"stringValue": "shop"})]}
    scope_logs = [{"scope": {"name": f"s{each}"}, "logRecords": some} for each in range(scopes)]
    return line({"resourceLogs": [{"resource": resource, "scopeLogs": scope_logs}]})


def read(data: bytes, step: int, **settings: Any) -> tuple[list[dict[str, Any]], Counter[str]]:
    events: Counter[str] = Counter()
    compiler = Compiler(schemas.load("flat"), {}, **settings)
    stream = Stream(compiler, [LAYOUT], PATH, events)
    lines = data.splitlines(keepends=True)
    rows = []
    for at in range(0, len(lines), step):
        rows += stream.feed(b"".join(lines[at : at + step]), CLOCK)
        # A line is out with all its rows, or waits with all of them.
        assert stream.waiting == 1
    rows += stream.flush(CLOCK)
    assert stream.waiting == 0
    return [json.loads(row) for row in rows], events


@pytest.mark.parametrize("step", [1, 2, 10])
@pytest.mark.parametrize("exact", [False, True])
def test_each_record_is_a_row_and_an_event(step: int, exact: bool) -> None:
    data = b"".join(
        request(*range(first, first + 3), scopes=2) + b"\n" for first in range(0, 30, 3)
    )
    rows, events = read(data, step, exact=exact)
    assert len(rows) == 60
    assert events == {"otlp-json": 60}
    assert [row["order"] for row in rows[:8]] == [0, 1, 2, 0, 1, 2, 3, 4]
    assert [row["logger"] for row in rows[:6]] == ["s0"] * 3 + ["s1"] * 3
    assert {row["service_name"] for row in rows} == {"shop"}
    assert rows[2]["time"] == "2026-11-23T02:16:56.789012347Z"


def test_what_follows_a_request_is_its_last_records() -> None:
    trace = b"java.lang.IllegalStateException: no stock\n\tat Orders.place(Orders.java:17)\n"
    rows, _ = read(request(1, 2) + b"\n" + trace + request(3) + b"\n", 4)
    assert ["stack_trace" in row for row in rows] == [False, True, False]
    assert rows[1]["error_type"] == "java.lang.IllegalStateException"


def test_a_step_leaves_out_records_of_a_request() -> None:
    steps = Steps([("steps[0]", {"drop": {"order": 2}})])
    rows, _ = read((request(1, 2, 3) + b"\n") * 3, 2, steps=steps)
    assert [row["order"] for row in rows] == [1, 3] * 3


def test_requests_are_read_by_one_shape() -> None:
    batch = PackedBatch(LAYOUT, schemas.load("ecs"), {})
    lines = [request(*range(100, 100 + count), scopes=count) for count in range(1, 9)]
    for _ in range(3):
        batch.rows(lines, CLOCK, PATH)
    assert batch.shapes == 1


def test_a_resource_is_not_written_a_million_times() -> None:
    resource = {"attributes": [_pair("a", {"stringValue": "x" * 100_000})]}
    some = [{"timeUnixNano": "1"}] * 1000
    value = {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": some}]}]}
    assert ExactBatch(LAYOUT, schemas.load("flat"), {}).row(line(value), CLOCK, PATH) is None
    assert PackedBatch(LAYOUT, schemas.load("flat"), {}).rows([line(value)], CLOCK, PATH) == [None]


@pytest.mark.parametrize(
    "value",
    [
        {"resourceLogs": []},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": []}]}], "imeUnixNano": 1},
        {"resourceLogs": {}, "imeUnixNano": 1},
        {"resourceLogs": [{"scopeLogs": [{"logRecords": [1]}]}], "imeUnixNano": 1},
        {"imeUnixNano": 1},
        [1, "imeUnixNano"],
    ],
)
def test_a_request_without_records_is_none(value: Any) -> None:
    assert LAYOUT.records(line(value), CLOCK) is None
