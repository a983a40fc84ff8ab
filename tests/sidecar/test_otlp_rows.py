"""Records made by columns are those that are made one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from podweave.helpers.logs.delivery.batches import JOINT, Piece
from podweave.helpers.logs.stores import log_records
from podweave.helpers.logs.stores.otlp_json_rows import JsonRows
from podweave.helpers.logs.stores.otlp_protobuf_rows import ProtobufRows
from podweave.helpers.logs.stores.otlp_rows import Rows

READ = 1_767_323_045_250_000_000
ENCODINGS = pytest.mark.parametrize("encoding", [JsonRows, ProtobufRows])
PATH = "/var/log/a.log"


def one_by_one(rows: Rows, lines: Sequence[bytes]) -> tuple[list[bytes], Any]:
    records = [log_records.log_record(document, READ) for document in log_records.parsed(lines)]
    names = (record.attributes.get("service.name") for record in records)
    return [rows.exact(record, READ) for record in records], next(filter(None, names), "")


def check(rows: Rows, lines: Sequence[bytes]) -> None:
    """Twice: the first time teaches the shapes."""
    expected, service = one_by_one(rows, lines)
    for _ in range(2):
        found, named = rows.rows(lines, b"".join(line + b"\n" for line in lines), READ)
        assert len(found) == len(expected)
        for line, one, other in zip(lines, found, expected, strict=True):
            assert rows.alike(one, other), line
        assert named == service


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", "a\\b", '"', "\x1b[31m", "\ufffd", "GET", "\U0001f600", "x" * 200]
)
stamps = st.one_of(
    st.builds(
        "20{:02d}-{:02d}-01T{:02d}:00:{:02d}.{}Z".format,
        st.integers(0, 99), st.integers(1, 13), st.integers(0, 24), st.integers(0, 60),
        st.integers(100, 999),
    ),
    st.sampled_from(["1960-01-01T00:00:00.000Z", "2300-01-01T00:00:00.000Z", "soon", "",
        "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000+09:00", "1970-01-01T00:00:00.999Z"]),
)  # fmt: skip
values = (
    texts
    | st.booleans()
    | st.none()
    | st.integers(-(1 << 65), 1 << 65)
    | st.floats(allow_nan=False)
    | st.lists(texts | st.integers() | st.none(), max_size=2)
    | st.lists(st.dictionaries(texts, texts, max_size=1), max_size=1)
)
ids = st.sampled_from(["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", "0" * 32, "AF" * 16])
levels = st.sampled_from(["info", "WARN", "", "odd", "e\\"]) | texts
ecs = st.fixed_dictionaries(
    {"@timestamp": stamps | values, "message": texts | values},
    optional={
        "log": st.fixed_dictionaries({"level": levels | values}, optional={"logger": texts}),
        "http": st.dictionaries(st.sampled_from(["method", "status"]), values),
        "service": st.fixed_dictionaries({"name": texts | values}),
        "labels": st.dictionaries(st.sampled_from(["user", "http.method", "a"]), values),
        "trace": st.fixed_dictionaries({"id": ids | texts}),
        "span": st.fixed_dictionaries({"id": ids | texts}),
        "kubernetes": st.just({"pod": {"name": "p"}}),
        "ecs": st.just({"version": "9.0.0"}),
        "ratio": values,
    },
)
epochs = st.integers(0, 10**19 - 1).map(str) | st.sampled_from(["1769817600123456789", "x", 7])
otel = st.fixed_dictionaries(
    {"Timestamp": epochs | values, "Body": texts | values},
    optional={
        "SeverityText": levels | values,
        "SeverityNumber": st.integers(-1, 30) | values,
        "TraceId": ids | texts,
        "SpanId": ids | texts,
        "Attributes": st.dictionaries(st.sampled_from(["a", "b.c", "service.name"]), values),
        "Resource": st.dictionaries(st.sampled_from(["k8s.pod.name", "host"]), values),
        "InstrumentationScope": st.just({"Name": "a.B"}),
    },
)


def written(record: Any) -> list[bytes]:
    compact = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    return [compact.encode(), json.dumps(record, separators=(",", ":")).encode()]


@ENCODINGS
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_by_columns_as_one_by_one(encoding: Callable[[], Rows], data: st.DataObject) -> None:
    kinds = data.draw(st.lists(ecs | otel, min_size=1, max_size=3))
    lines = []
    for kind in kinds:
        # Others of the same shape: some of its texts are another's.
        for _ in range(data.draw(st.integers(1, 3))):
            changed = {
                name: data.draw(texts) if isinstance(value, str) and name != "@timestamp" else value
                for name, value in kind.items()
            }
            lines.append(data.draw(st.sampled_from(written(changed))))
    lines += data.draw(st.lists(st.binary(max_size=9).filter(lambda b: b"\n" not in b), max_size=1))
    check(encoding(), data.draw(st.permutations(lines)))


@ENCODINGS
def test_half_a_character_and_bytes_that_are_none(encoding: Callable[[], Rows]) -> None:
    line = b'{"@timestamp":"2026-01-01T00:00:00.000Z","message":"%b","a":"%b"}'
    for odd in (b"\\ud83d", b"\\ud83d\\ude00", b"\xff", b"\\u00e4", b"\x01", b"\\/", b'"'):
        rows = encoding()
        check(rows, [line % (b"plain", b"x")] * 3)
        check(rows, [line % (b"plain", b"x"), line % (odd, b"x"), line % (b"y", odd)])


@ENCODINGS
def test_lines_of_a_shape_are_made_by_columns(encoding: Callable[[], Rows]) -> None:
    """Or nothing here would be tested."""
    made = []

    class Watched(encoding):  # type: ignore[valid-type, misc]
        def exact(self, record: Any, read: int) -> bytes:
            made.append(record)
            row: bytes = super().exact(record, read)
            return row

    rows = Watched()
    for form in (
        b'{"@timestamp":"2026-10-10T13:55:36.%03dZ","log":{"level":"info"},"message":"a%d"}',
        b'{"Timestamp":"1791640536%09d","SeverityText":"INFO","SeverityNumber":9,"Body":"a%d"}',
    ):
        lines = [form % (number, number) for number in range(100)]
        for expected in (100, 0):
            made.clear()
            rows.rows(lines, b"".join(line + b"\n" for line in lines), READ)
            assert len(made) == expected


def request_of(rows: Rows, pieces: Sequence[Piece], raw: bool) -> list[LogRecord]:
    blocks = []
    for piece in pieces:
        blocks += rows.raw(piece) if raw else rows.records(piece)[0]
    content = b"".join(rows.request({"service.name": "s"}, blocks))
    if isinstance(rows, JsonRows):
        request = json_format.Parse(content, ExportLogsServiceRequest())
    else:
        request = ExportLogsServiceRequest.FromString(content)
    (resource,) = request.resource_logs
    (scope,) = resource.scope_logs
    assert (scope.scope.name, resource.resource.attributes[0].value.string_value) == (
        "podweave",
        "s",
    )
    return list(scope.log_records)


lines_of_any_bytes = st.lists(
    st.binary(max_size=300).map(lambda line: line.replace(b"\n", b"")), min_size=1, max_size=5
)


@ENCODINGS
@settings(deadline=None)
@given(lines=lines_of_any_bytes, streams=st.booleans(), data=st.data())
def test_raw_lines_are_what_the_library_reads(
    encoding: Callable[[], Rows], lines: list[bytes], streams: bool, data: st.DataObject
) -> None:
    details = None
    if streams:
        detail = st.tuples(
            st.sampled_from([b"2026-01-01T00:00:00.5Z", b""]), st.sampled_from([b"stderr", b""])
        )
        details = data.draw(st.lists(detail, min_size=len(lines), max_size=len(lines)))
    joined = data.draw(st.booleans())
    if joined:
        lines = [line.decode("utf-8", "replace").encode() + JOINT + b"more" for line in lines]
    content = b"".join(line + b"\n" for line in lines)
    piece = Piece(content, PATH, "1-2-0", 0, 1_767_323_045.25, joined=joined, details=details)
    found = request_of(encoding(), [piece, piece], raw=True)
    assert len(found) == 2 * len(lines)
    for number, record in enumerate(found):
        line = (
            lines[number % len(lines)].replace(JOINT, b"\n")
            if joined
            else lines[number % len(lines)]
        )
        time, stream = (b"", b"") if details is None else details[number % len(lines)]
        assert record.body.string_value == line.decode("utf-8", "backslashreplace")
        assert record.time_unix_nano == (1_767_225_600_500_000_000 if time else READ)
        assert record.observed_time_unix_nano == READ
        attributes = {item.key: item.value.string_value for item in record.attributes}
        expected = {"log.file.path": PATH}
        assert attributes == (expected | {"log.iostream": "stderr"} if stream else expected)


@ENCODINGS
def test_records_of_several_pieces_make_one_request(encoding: Callable[[], Rows]) -> None:
    line = b'{"@timestamp":"2026-01-01T00:00:00.000Z","message":"%d","n":%d}\n'
    data = b"".join(line % (number, number) for number in range(300))
    piece = Piece(data, PATH, "1-2-0", 0, 1_767_323_045.25)
    found = request_of(encoding(), [piece, piece], raw=False)
    assert [record.body.string_value for record in found] == [str(n) for n in range(300)] * 2
    assert [record.attributes[0].value.int_value for record in found] == list(range(300)) * 2
