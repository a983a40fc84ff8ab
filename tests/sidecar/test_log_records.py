"""Parts of records, names made of templates, compression: the pieces that the stores share."""

from __future__ import annotations

import gzip
import json
import zlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.delivery.batches import Batch
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.stores.compression import compress
from podweave.helpers.logs.stores.log_records import (
    documents,
    log_record,
    nanoseconds,
    time_and_level,
)
from podweave.helpers.logs.stores.name_templates import NameTemplate, pod_values
from podweave.helpers.wire.protobuf import BYTES, FIXED64, delimited, fields, fixed64, key, varint
from tests.sidecar.storing import KUBERNETES, piece

_MOMENTS = st.datetimes(datetime(1970, 1, 2), datetime(2199, 1, 1))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
_NAMES = st.sampled_from(
    ["@timestamp", "time", "timestamp", "Timestamp", "timeUnixNano", "level", "log", "log.level",
     "severityNumber", "SeverityText", "event", "fields", "attributes", "Attributes", "body",
     "Body", "Resource", "short_message", "message", "_x", "labels", "trace", "span.id"]
)  # fmt: skip


@given(_MOMENTS, st.integers(0, 999_999_999), st.integers(0, 9), st.integers(-14 * 60, 14 * 60))
def test_times_are_read_to_the_nanosecond(
    moment: datetime, nano: int, digits: int, offset: int
) -> None:
    moment = moment.replace(microsecond=0)
    written = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    fraction = f"{nano:09d}"[:digits]
    text = written + (f".{fraction}" if fraction else "")
    expected = int(moment.replace(tzinfo=UTC).timestamp()) * 10**9 + int(fraction.ljust(9, "0"))
    assert nanoseconds(text + "Z") == expected
    zone = timezone(timedelta(minutes=offset))
    local = moment.replace(tzinfo=zone)
    sign = "-" if offset < 0 else "+"
    suffix = f"{sign}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    assert nanoseconds(text + suffix) == expected - offset * 60 * 10**9
    assert int(local.timestamp()) * 10**9 == nanoseconds(written + suffix)


@given(st.text())
def test_no_text_breaks_the_reading_of_times(text: str) -> None:
    nanoseconds(text)
    nanoseconds(f"2026-01-02T03:04:05{text}")


@pytest.mark.parametrize(
    "document",
    [
        {"@timestamp": "0001-01-01T00:00:00Z"},
        {"@timestamp": "9999-01-01T00:00:00Z"},
        {"timeUnixNano": -1},
        {"timeUnixNano": 1 << 70},
        {"time": 1e11},
        {"time": "999999999999"},
        {"short_message": "x", "timestamp": -5.5},
    ],
)
def test_a_time_that_64_bits_cannot_hold_is_none(document: dict[str, Any]) -> None:
    assert log_record(document, 7).time == 7


@given(st.dictionaries(_NAMES, _JSON) | _JSON)
def test_whatever_a_record_is_it_has_parts(document: Any) -> None:
    record = log_record(document, 7)
    assert isinstance(record.time, int)
    assert 0 <= record.time < 1 << 63
    assert 0 <= record.severity <= 24
    assert isinstance(record.level, str)
    assert isinstance(record.trace, str)
    assert not any(isinstance(value, dict) and value for value in record.attributes.values())


@given(st.dictionaries(_NAMES, _JSON))
def test_the_short_way_to_time_and_level_says_what_the_long_way_does(
    document: dict[str, Any],
) -> None:
    line = json.dumps(document, separators=(",", ":")).encode()
    record = log_record(json.loads(line), 7)
    assert time_and_level(line, 7) == (record.time, record.level)


def test_the_short_way_is_taken_by_the_adapters_records() -> None:
    line = b'{"@timestamp":"2026-01-02T03:04:05.000000001Z","log":{"level":"warn"},"x":broken}'
    assert time_and_level(line, 7) == (1767323045000000001, "warn")


@given(st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), min_size=1))
def test_lines_that_are_not_json_stay_apart(lines: list[bytes]) -> None:
    batch = Batch([piece(lines, 0, "/a")], Origin(KUBERNETES), raw=False, read_at=0.0)
    assert len(documents(batch)) == len(lines)


def test_lines_that_are_json_together_only_stay_apart() -> None:
    lines = [b"1", b"2,3", b'{"a":1}', b"[1", b"2]"]
    batch = Batch([piece(lines, 0, "/a")], Origin(KUBERNETES), raw=False, read_at=0.0)
    assert [document for document, _ in documents(batch)] == [1, "2,3", {"a": 1}, "[1", "2]"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{namespace}/{pod}-{service}", "shop/orders-1-orders"),
        ("{label:app}{label:none}", "orders"),
        ("{uid}@{node}", "5f1c@node-a"),
        ("%Y.%m.%d-%H%M%S %j %G-%V", "2026.01.02-030405 002 2026-01"),
        ("100%%", "100%"),
    ],
)
def test_templates(text: str, expected: str) -> None:
    template = NameTemplate(text, "at", dated=True)
    assert template.fill(pod_values(Origin(KUBERNETES)), 1767323045.25) == expected


def test_a_value_is_never_taken_for_a_template() -> None:
    template = NameTemplate("{a}-%Y", "at", ("a",), dated=True)
    assert template.fill({"a": "%m{b}"}, 0.0) == "%m{b}-1970"
    assert NameTemplate("%Y {a}", "at", ("a",)).fill({"a": "x"}) == "%Y x"


@pytest.mark.parametrize("text", ["{", "}", "{a", "a}", "{}", "{nobody}", "{label:}", "%", "%q"])
def test_what_is_no_template(text: str) -> None:
    with pytest.raises(ConfigurationError, match="at: "):
        NameTemplate(text, "at", dated=True)


@given(st.lists(st.binary(max_size=200)))
def test_gzip_is_the_same_for_the_same_pieces(pieces: list[bytes]) -> None:
    packed = compress(pieces, "gzip")
    assert packed == compress(pieces, "gzip")
    assert gzip.decompress(b"".join(packed)) == b"".join(pieces)
    assert zlib.decompress(b"".join(packed), 31) == b"".join(pieces)


@given(st.integers(0, (1 << 64) - 1), st.integers(1, 1 << 20), st.binary(max_size=300))
def test_fields_of_protobuf(number: int, field: int, data: bytes) -> None:
    message = (
        key(field, 0)
        + varint(number)
        + fixed64(key(field, FIXED64), number)
        + delimited(key(field, BYTES), data)
    )
    fixed = number.to_bytes(8, "little")
    assert list(fields(message)) == [(field, number), (field, fixed), (field, data)]


@given(st.binary(max_size=100))
def test_no_bytes_break_the_reading_of_protobuf(data: bytes) -> None:
    try:
        list(fields(data))
    except ValueError:
        pass
