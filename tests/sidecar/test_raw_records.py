"""Lines wrapped into JSON: valid for any bytes, and as json.dumps would have it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.delivery.batches import Piece
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.raw_records import timestamp

KUBERNETES: dict[str, object] = {"namespace": "shop", "pod": {"name": "orders-1"}}


def wrapped(
    data: bytes, path: str = "/var/log/a.log", kubernetes: dict[str, object] = KUBERNETES
) -> list[dict[str, object]]:
    piece = Piece(data, path, "1-2-0", 0, 1767225600.5)
    ndjson = b"".join(piece.ndjson(Origin(kubernetes), True))
    assert ndjson.endswith(b"\n")
    return [json.loads(line) for line in ndjson[:-1].split(b"\n")]


def test_a_record_says_when_where_and_what() -> None:
    assert wrapped(b'GET "/x"\t\\\n') == [
        {
            "@timestamp": "2026-01-01T00:00:00.500Z",
            "message": 'GET "/x"\t\\',
            "log": {"file": {"path": "/var/log/a.log"}},
            "kubernetes": KUBERNETES,
        }
    ]


def test_without_a_pod_there_is_no_kubernetes_field() -> None:
    (record,) = wrapped(b"x\n", kubernetes={})
    assert set(record) == {"@timestamp", "message", "log"}


def test_bytes_that_are_not_utf8_can_still_be_seen() -> None:
    (record,) = wrapped(b"caf\xe9 \xed\x95\x9c\xea\n")
    assert record["message"] == "caf\\xe9 한\\xea"


def test_a_path_that_is_not_utf8() -> None:
    (record,) = wrapped(b"x\n", b"/log/\xff.log".decode("utf-8", "surrogateescape"))
    assert record["log"] == {"file": {"path": "/log/\\xff.log"}}


@given(st.lists(st.binary().map(lambda line: line.replace(b"\n", b"")), min_size=1))
def test_any_bytes_make_valid_json_one_record_a_line(lines: list[bytes]) -> None:
    records = wrapped(b"".join(line + b"\n" for line in lines))
    # Whether bytes are UTF-8 is asked chunk by chunk, but answered alike for each line.
    assert [record["message"] for record in records] == [
        line.decode("utf-8", "backslashreplace") for line in lines
    ]


@given(st.lists(st.text().map(lambda line: line.replace("\n", "")), min_size=1))
def test_any_text_comes_back_as_it_was(lines: list[str]) -> None:
    records = wrapped("".join(line + "\n" for line in lines).encode("utf-8", "ignore"))
    assert [record["message"] for record in records] == [
        line.encode("utf-8", "ignore").decode() for line in lines
    ]


@given(st.floats(0, 4e9))
def test_timestamps_have_one_form(seconds: float) -> None:
    assert len(timestamp(seconds)) == len("2026-01-01T00:00:00.500Z")
