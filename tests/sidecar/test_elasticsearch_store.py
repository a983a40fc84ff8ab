"""The elasticsearch store: the body, every item of the answer, faults, and what a name may be."""

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
from podweave.helpers.logs.delivery.batches import Batch
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.stores.elasticsearch import body_of
from podweave.helpers.loop import Loop
from podweave.helpers.wire import elasticsearch as bulk
from tests.sidecar.bulk_cluster import Cluster
from tests.sidecar.http_peer import HALF, RESET, STALL, Fault, HttpPeer, Received, Reply, http_peer
from tests.sidecar.storing import (
    KUBERNETES,
    Made,
    Storing,
    configured,
    is_delivered,
    is_divided,
    is_failed,
    making,
    piece,
    secret,
)


@pytest.fixture
def server() -> Cluster:
    return Cluster()


@pytest.fixture
def store(loop: Loop, tmp_path: Path, peer: HttpPeer) -> Iterator[Made]:
    with making(loop, tmp_path, "elasticsearch", urls=[peer.url]) as make:

        def named(**config: Any) -> Storing:
            return make(**({} if "data_stream" in config else {"index": "logs"}) | config)

        yield named


def test_lines_become_documents_once(store: Made, server: Cluster) -> None:
    storing = store()
    batch = storing.raw(b"one", b'two "quoted" \xff', b"")
    assert is_delivered(storing.send(batch))
    assert is_delivered(storing.send(batch))
    assert server.messages() == ["one", 'two "quoted" \\xff', ""]
    document = next(iter(server.documents.values()))
    assert document["kubernetes"]["pod"]["uid"] == "5f1c"
    assert document["log"]["file"]["path"] == "/var/log/a.log"
    assert storing.store.existing_records == 3


def test_the_same_line_at_another_place_is_another_document(store: Made, server: Cluster) -> None:
    storing = store()
    storing.send(storing.raw(b"tick", b"tick"))
    storing.send(storing.raw(b"tick", offset=10))
    # An inode that is used again: the same place, another line.
    storing.send(storing.raw(b"tock"))
    assert server.messages() == ["tick", "tick", "tick", "tock"]


def test_only_items_that_failed_come_again(store: Made, server: Cluster) -> None:
    server.item_faults = {
        "b": [(429, "es_rejected_execution_exception")],
        "c": [(400, "document_parsing_exception")],
        "d": [(503, "unavailable_shards_exception")],
        "e": [(403, "cluster_block_exception")],
        "f": [(404, "index_not_found_exception")],
    }
    storing = store()
    batch = storing.raw(b"a", b"b", b"c", b"d", b"e", b"f")
    outcome = storing.send(batch)
    assert outcome.again == [1, 3, 4, 5]
    assert outcome.rejected == [(2, "400 document_parsing_exception: as told")]
    assert "429 es_rejected_execution_exception" in outcome.reason
    assert is_delivered(storing.send(batch.select(outcome.again)))
    assert sorted(server.messages()) == ["a", "b", "d", "e", "f"]


@pytest.mark.parametrize("fault", [RESET, HALF, STALL])
def test_an_answer_that_is_lost_stores_nothing_twice(
    store: Made, server: Cluster, fault: Fault
) -> None:
    def lose(received: Received) -> Fault:
        server.answer(received)
        return fault

    batch = store().raw(b"one", b"two")
    with http_peer(lose) as peer:
        assert is_failed(store(urls=[peer.url], timeout=0.5).send(batch))
    assert is_delivered(store().send(batch))
    assert server.messages() == ["one", "two"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 401, 403, 404, 400])
def test_a_request_that_fails_as_a_whole_comes_again(
    store: Made, server: Cluster, status: int
) -> None:
    error = {"error": {"type": "some_exception", "reason": "because"}, "status": status}
    server.faults = [Reply(status, error, Retry_After="7")]
    storing = store()
    outcome = storing.send(storing.raw(b"one"))
    assert is_failed(outcome)
    assert "some_exception: because" in outcome.reason
    if status in (429, 503):
        assert outcome.after == 7
    assert is_delivered(storing.send(storing.raw(b"one")))


def test_too_much_at_once_is_divided(store: Made, server: Cluster) -> None:
    server.faults = [Reply(413, b"")]
    storing = store()
    outcome = storing.send(storing.raw(b"one", b"two"))
    assert is_divided(outcome)
    assert outcome.too_large


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"ok",
        b"[]",
        b'{"errors":false,"items":[{"create":{"status":201}}]}',
        b'{"errors":true,"items":[{"create":{"status":"201"}},{"create":{"status":201}}]}',
        b'{"errors":true}',
    ],
)
def test_an_answer_that_is_none_is_a_failure(store: Made, server: Cluster, answer: bytes) -> None:
    server.faults = [Reply(200, answer)]
    storing = store()
    assert is_failed(storing.send(storing.raw(b"one", b"two")))


def test_an_index_has_the_date_of_the_record(store: Made, server: Cluster) -> None:
    storing = store(index="logs-{namespace}-{label:app}-%Y.%m.%d")
    records = [
        {"@timestamp": "2026-01-31T23:59:59.999Z", "message": "a"},
        {"@timestamp": "2026-02-01T00:00:00.000Z", "message": "b"},
        {"message": "c", "@timestamp": "2025-12-31T10:00:00Z"},
    ]
    assert is_delivered(storing.send(storing.records(*records)))
    assert {index: found["message"] for (index, _), found in server.documents.items()} == {
        "logs-shop-orders-2026.01.31": "a",
        "logs-shop-orders-2026.02.01": "b",
        "logs-shop-orders-2025.12.31": "c",
    }
    storing.send(storing.raw(b"raw"))
    assert ("logs-shop-orders-2026.01.02", "raw") in {
        (index, found["message"]) for (index, _), found in server.documents.items()
    }


def test_records_of_an_adapter_go_as_they_are(store: Made, peer: HttpPeer) -> None:
    storing = store(data_stream="logs-{namespace}-default", compression="gzip", pipeline="a b")
    storing.send(storing.records({"@timestamp": "2026-01-31T23:59:59.999Z", "n": 1.0}))
    received = peer.received[0]
    assert received.fields["content-encoding"] == "gzip"
    assert received.path == "/logs-shop-default/_bulk"
    assert "pipeline=a%20b" in received.target
    assert received.content.splitlines()[1] == b'{"@timestamp":"2026-01-31T23:59:59.999Z","n":1.0}'


def test_ways_to_log_in(store: Made, peer: HttpPeer, tmp_path: Path) -> None:
    user, password = secret(tmp_path, "user", "elastic"), secret(tmp_path, "password", "pass\n")
    key = secret(tmp_path, "key", "id:key")
    encoded = secret(tmp_path, "encoded", "aWQ6a2V5")
    token = secret(tmp_path, "token", "abc")
    for config in (
        {"credentials": {"username": user, "password": password}},
        {"api_key": key},
        {"api_key": encoded},
        {"token": token},
    ):
        storing = store(**config)
        assert is_delivered(storing.send(storing.raw(b"x")))
    assert [received.fields["authorization"] for received in peer.received] == [
        "Basic ZWxhc3RpYzpwYXNz",
        "ApiKey aWQ6a2V5",
        "ApiKey aWQ6a2V5",
        "Bearer abc",
    ]


def test_a_secret_that_is_missing_is_named_and_read_again(
    store: Made, peer: HttpPeer, tmp_path: Path
) -> None:
    storing = store(api_key=str(tmp_path / "later"))
    outcome = storing.send(storing.raw(b"x"))
    assert is_failed(outcome)
    assert "later" in outcome.reason
    assert peer.received == []
    secret(tmp_path, "later", "k")
    assert is_delivered(storing.send(storing.raw(b"x")))


def test_the_next_server_is_asked_when_one_is_gone(store: Made, peer: HttpPeer) -> None:
    with http_peer(lambda received: Reply(503)) as other:
        gone = other.url
    storing = store(urls=[gone, peer.url])
    assert is_failed(storing.send(storing.raw(b"x")))
    assert is_delivered(storing.send(storing.raw(b"x")))
    assert is_delivered(storing.send(storing.raw(b"y")))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"index": "Logs"}, "is no name of an index"),
        ({"index": "a b"}, "is no name of an index"),
        ({"index": "-a"}, "doesn't begin with -"),
        ({"index": "logs-{namespac}"}, "has {namespac}; there is {namespace}"),
        ({"index": "logs-%Q"}, "has %Q; there is %Y"),
        ({"index": "a", "data_stream": "b"}, "one of them"),
        ({"index": "a", "urls": []}, "is empty"),
        ({"index": "a", "urls": ["ftp://x"]}, "must begin with http://"),
        ({"index": "a", "urls": ["http://u:p@x"]}, "belong into a Secret"),
        ({"index": "a", "urls": ["http://x?q=1"]}, "without a ?query"),
        ({"index": "a", "urls": ["http://x"], "tls": {"mode": "require"}}, "the URL is http://"),
        ({"index": "a", "typo": 1}, "is not a known key"),
        ({"index": "a", "headers": {"Content-Length": "1"}}, "is no field"),
        ({"index": "a", "token": "/t", "api_key": "/k"}, "second way to log in"),
    ],
)
def test_what_is_wrong_is_said(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        configured("elasticsearch", **{"urls": ["http://x"], **config})


_STATUSES = st.sampled_from([200, 201, 409, 429, 400, 404, 500, 503])


@given(st.lists(_STATUSES, min_size=1, max_size=30), st.integers(0, 3))
def test_every_item_of_an_answer_is_read(statuses: list[int], spaces: int) -> None:
    items = [
        {"create": {"status": status} | ({"error": {"type": "x"}} if status > 299 else {})}
        for status in statuses
    ]
    separators = ("," + " " * spaces, ":" + " " * spaces)
    errors = any(status > 299 for status in statuses)
    answer = json.dumps({"took": 1, "errors": errors, "items": items}, separators=separators)
    read = bulk.read_items(answer.encode(), len(statuses))
    again = [number for number, status in enumerate(statuses) if status in (429, 500, 503)]
    rejected = [number for number, status in enumerate(statuses) if status in (400, 404)]
    assert read.again == again
    assert [number for number, _ in read.rejected] == rejected
    assert read.existing == statuses.count(409)


@given(st.binary(max_size=200), st.integers(1, 5))
def test_no_bytes_are_taken_for_an_answer(data: bytes, count: int) -> None:
    try:
        read = bulk.read_items(data, count)
    except ValueError:
        return
    assert not read.again
    assert b"errors" in data


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), min_size=1))
def test_a_body_has_two_lines_of_json_a_record(lines: list[bytes]) -> None:
    batch = Batch([piece(lines, 7, "/a")], Origin(KUBERNETES), raw=True, read_at=0.0)
    rows = body_of(batch.pieces[0], batch).split(b"\n")
    assert rows.pop() == b""
    assert len(rows) == 2 * len(lines)
    parsed = [json.loads(row) for row in rows]
    ids = [row["create"]["_id"].encode() for row in parsed[::2]]
    assert ids == batch.ids()
    assert len(set(ids)) == len(ids)
    assert [row["message"] for row in parsed[1::2]] == [
        line.decode("utf-8", "backslashreplace") for line in lines
    ]
