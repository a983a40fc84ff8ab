"""The stores against real servers, where $PODWEAVE_PEERS has them (see real_peers)."""

from __future__ import annotations

import gzip
import json
import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from podweave.helpers.logs.delivery.batches import Batch, Piece
from podweave.helpers.loop import Loop
from tests.sidecar import real_peers
from tests.sidecar.shipping import Sidecar
from tests.sidecar.storing import Storing, is_delivered, is_failed, secret
from tests.waiting import wait_until


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not real_peers.has(name), reason=f"needs $PODWEAVE_PEERS/{name}")


def now_batch(storing: Storing, *lines: bytes, raw: bool = True) -> Batch:
    """Lines that were read just now: servers refuse what is years old."""
    data = b"".join(line + b"\n" for line in lines)
    piece = Piece(data, "/var/log/a.log", "801-1a2b-0", 0, time.time())
    return storing.batch([piece], raw=raw)


ENGINES = [
    pytest.param("opensearch", marks=needs("opensearch")),
    pytest.param("elasticsearch", marks=needs("elasticsearch")),
]


@pytest.fixture(scope="module", params=ENGINES)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with real_peers.search_engine(request.param, tmp_path_factory.mktemp("engine") / "said") as url:
        yield url


def search(url: str, index: str) -> list[dict[str, Any]]:
    assert real_peers.get(f"{url}/{index}/_refresh", "POST") is not None
    found = real_peers.get(f"{url}/{index}/_search?size=1000&sort=_doc")
    return [hit["_source"] for hit in found["hits"]["hits"]]


def test_a_search_engine_stores_each_record_once(engine: str, loop: Loop, tmp_path: Path) -> None:
    storing = Storing(
        loop, tmp_path, "elasticsearch", urls=[engine], index="once", compression="gzip"
    )
    batch = now_batch(storing, b"one", b'two "q" \xff', b"", b"one")
    for _ in range(3):
        assert is_delivered(storing.send(batch, 60))
    storing.close()
    stored = search(engine, "once")
    assert sorted(record["message"] for record in stored) == ["", "one", "one", 'two "q" \\xff']
    assert stored[0]["kubernetes"]["pod"]["uid"] == "5f1c"
    assert storing.store.existing_records == 8


def test_a_search_engine_names_the_records_that_it_refuses(
    engine: str, loop: Loop, tmp_path: Path
) -> None:
    mapping = {"mappings": {"properties": {"n": {"type": "long"}}}}
    assert real_peers.get(f"{engine}/typed", "PUT", mapping) is not None
    storing = Storing(loop, tmp_path, "elasticsearch", urls=[engine], index="typed")
    time_ = "2026-01-02T03:04:05.000Z"
    outcome = storing.send(
        storing.records(
            {"@timestamp": time_, "n": 1},
            {"@timestamp": time_, "n": "no number"},
            {"@timestamp": time_, "n": 3},
        ),
        60,
    )
    storing.close()
    assert outcome.again == []
    ((number, reason),) = outcome.rejected
    assert number == 1
    assert "pars" in reason
    assert [record["n"] for record in search(engine, "typed")] == [1, 3]


def test_an_index_that_is_blocked_loses_nothing(engine: str, loop: Loop, tmp_path: Path) -> None:
    """What a search engine does by itself when its disk is full."""
    assert real_peers.get(f"{engine}/full", "PUT", {}) is not None
    block = {"index.blocks.read_only_allow_delete": True}
    assert real_peers.get(f"{engine}/full/_settings", "PUT", block) is not None
    storing = Storing(loop, tmp_path, "elasticsearch", urls=[engine], index="full")
    batch = now_batch(storing, b"one", b"two")
    outcome = storing.send(batch, 60)
    assert (outcome.again, outcome.rejected) == ([0, 1], [])
    block["index.blocks.read_only_allow_delete"] = False
    assert real_peers.get(f"{engine}/full/_settings", "PUT", block) is not None
    assert is_delivered(storing.send(batch, 60))
    storing.close()
    assert len(search(engine, "full")) == 2


def test_a_sidecar_that_is_killed_again_and_again_stores_each_line_once(
    engine: str, sidecar: Sidecar
) -> None:
    store = {"urls": [engine], "index": "killed", "batch": {"records": 50}}
    sidecar.config["logs"][0]["stores"] = [{"elasticsearch": store}]
    lines = [f"line {number % 10}" for number in range(5000)]
    draw = random.Random(7)

    def count() -> int:
        real_peers.get(f"{engine}/killed/_refresh?ignore_unavailable=true", "POST")
        found = real_peers.get(f"{engine}/killed/_count?ignore_unavailable=true")
        # While its shards are being made, an index has no answer.
        return int(found["count"]) if found else 0

    def reach(wanted: int) -> None:
        wait_until(lambda: count() >= wanted, 60, f"{wanted} documents")

    for start in range(0, len(lines), 500):
        part = lines[start : start + 500]
        sidecar.append("a.log", "".join(f"{line}\n" for line in part).encode())
        sidecar.start()
        reach(start + draw.randrange(1, 500))
        sidecar.stop(signal.SIGKILL)
    # One more for the last life, which must be up before it can be ended in order.
    sidecar.append("a.log", b"the last\n")
    sidecar.start()
    reach(len(lines) + 1)
    assert sidecar.stop() == 0
    assert count() == len(lines) + 1


# The distribution of Elasticsearch for integration tests comes without the module for them.
@pytest.mark.parametrize("engine", ENGINES[:1], indirect=True)
def test_a_data_stream_takes_records(engine: str, loop: Loop, tmp_path: Path) -> None:
    template = {"index_patterns": ["logs-*"], "data_stream": {}, "priority": 500}
    assert real_peers.get(f"{engine}/_index_template/podweave", "PUT", template) is not None
    name = "logs-{namespace}-x"
    storing = Storing(loop, tmp_path, "elasticsearch", urls=[engine], data_stream=name)
    batch = now_batch(storing, b"one", b"two")
    for _ in range(2):
        assert is_delivered(storing.send(batch, 60))
    storing.close()
    assert len(search(engine, "logs-shop-x")) == 2
    found = real_peers.get(f"{engine}/_data_stream/logs-shop-x")
    assert found["data_streams"][0]["name"] == "logs-shop-x"


@needs("elasticsearch")
def test_elasticsearch_lets_in_whom_it_knows(loop: Loop, tmp_path: Path) -> None:
    """Over TLS. It has API keys to refuse, but none to give: that takes a module which the
    distribution lacks."""
    authority = trustme.CA()
    ca = tmp_path / "ca.crt"
    authority.cert_pem.write_to_path(ca)
    with real_peers.search_engine("elasticsearch", tmp_path / "said", authority) as url:
        password = secret(tmp_path, "password", real_peers.PASSWORD)
        login = {"username": secret(tmp_path, "user", real_peers.USER), "password": password}
        known: dict[str, Any] = {"credentials": login}
        stranger: dict[str, Any] = {"api_key": secret(tmp_path, "key", "nobody:nothing")}
        common = {"urls": [url], "index": "in", "tls": {"ca": str(ca)}}
        for way in (known, stranger, {}):
            storing = Storing(loop, tmp_path, "elasticsearch", **common, **way)
            outcome = storing.send(now_batch(storing, b"one"), 60)
            storing.close()
            assert is_delivered(outcome) is (way is known)
            if way is not known:
                assert is_failed(outcome)
                assert "401 Unauthorized security_exception" in outcome.reason
        assert real_peers.get(f"{url}/in/_refresh", "POST", None, authority) is not None
        assert real_peers.get(f"{url}/in/_count", ca=authority)["count"] == 1


def test_a_pipeline_that_is_missing_is_no_records_fault(
    engine: str, loop: Loop, tmp_path: Path
) -> None:
    storing = Storing(
        loop, tmp_path, "elasticsearch", urls=[engine], index="piped", pipeline="missing"
    )
    outcome = storing.send(now_batch(storing, b"one"), 60)
    storing.close()
    assert outcome.again is None or outcome.again == [0], outcome.rejected
    assert "pipeline" in outcome.reason


@needs("otelcol")
@pytest.mark.parametrize("encoding", ["protobuf", "json"])
@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_collector_understands_records(
    loop: Loop, tmp_path: Path, encoding: str, compression: str
) -> None:
    with real_peers.collector(tmp_path) as (url, said):
        storing = Storing(
            loop, tmp_path, "otlp", url=url, encoding=encoding, compression=compression
        )
        record = {
            "@timestamp": "2026-01-02T03:04:05.123456789Z",
            "log": {"level": "error"},
            "message": "it broke",
            "http": {"response": {"status_code": 500}},
            "labels": {"ratio": 0.5, "ok": False, "list": ["a", 1]},
            "trace": {"id": "0af7651916cd43dd8448eb211c80319c"},
            "span": {"id": "b7ad6b7169203331"},
        }
        assert is_delivered(storing.send(storing.records(record), 60))
        assert is_delivered(storing.send(now_batch(storing, b"raw \xff line"), 60))
        storing.close()
        wait_until(lambda: "raw \\xff line" in said.read_text(), 20, "both are told")
        text = said.read_text()
    assert "2026-01-02 03:04:05.123456789 +0000 UTC" in text
    assert "SeverityText: error" in text
    assert "SeverityNumber: Error(17)" in text
    assert "Body: Str(it broke)" in text
    assert "-> http.response.status_code: Int(500)" in text
    assert "-> ratio: Double(0.5)" in text
    assert "-> ok: Bool(false)" in text
    assert '-> list: Slice(["a",1])' in text
    assert "Trace ID: 0af7651916cd43dd8448eb211c80319c" in text
    assert "Span ID: b7ad6b7169203331" in text
    assert "-> k8s.pod.uid: Str(5f1c)" in text
    assert "-> log.file.path: Str(/var/log/a.log)" in text


@needs("versitygw")
def test_an_s3_server_verifies_the_signature(loop: Loop, tmp_path: Path) -> None:
    with real_peers.versity(tmp_path, "theuser", "thesecret") as (url, folder):
        (folder / "logs").mkdir()
        config = {
            "endpoint": url,
            "bucket": "logs",
            "credentials": {
                "access_key_id": secret(tmp_path, "id", "theuser"),
                "secret_access_key": secret(tmp_path, "key", "thesecret\n"),
            },
            "key": "a b/{namespace}/{label:app}+=~/%Y/{id}.ndjson",
        }
        storing = Storing(loop, tmp_path, "s3", **config)
        batch = now_batch(storing, b"one", b"two")
        assert is_delivered(storing.send(batch, 60))
        assert is_delivered(storing.send(batch, 60))
        (path,) = (path for path in folder.rglob("*.gz"))
        rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
        assert [row["message"] for row in rows] == ["one", "two"]
        assert re.fullmatch(r"a b/shop/orders\+=~/\d{4}/[0-9a-f-]+\.ndjson\.gz", str(
            path.relative_to(folder / "logs")
        ))  # fmt: skip
        storing.close()
        config["credentials"] = {
            "access_key_id": secret(tmp_path, "id", "theuser"),
            "secret_access_key": secret(tmp_path, "key", "wrong"),
        }
        storing = Storing(loop, tmp_path, "s3", **config)
        outcome = storing.send(batch, 60)
        assert is_failed(outcome)
        assert "SignatureDoesNotMatch" in outcome.reason
        storing.close()


@pytest.fixture(scope="module")
def loki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with real_peers.grafana_loki(tmp_path_factory.mktemp("loki")) as url:
        yield url


def query(url: str, selector: str) -> list[dict[str, Any]]:
    import urllib.parse

    start = int((time.time() - 7200) * 1e9)
    parameters = urllib.parse.urlencode({"query": selector, "start": start, "limit": 1000})
    found = real_peers.get(f"{url}/loki/api/v1/query_range?{parameters}&direction=forward")
    streams: list[dict[str, Any]] = found["data"]["result"]
    return streams


@needs("loki")
def test_loki_takes_lines_once_and_in_order(loki: str, loop: Loop, tmp_path: Path) -> None:
    storing = Storing(loop, tmp_path, "loki", url=loki)
    batch = now_batch(storing, b"one", b"tick", b"tick", b'two "q"', b"")
    for _ in range(3):
        assert is_delivered(storing.send(batch, 60))
    storing.close()

    def lines() -> list[str]:
        return [
            entry[1]
            for stream in query(loki, '{namespace="shop", service_name="orders"}')
            for entry in stream["values"]
        ]

    wait_until(lambda: len(lines()) >= 5, 30, "Loki finds them")
    assert lines() == ["one", "tick", "tick", 'two "q"', ""]
    (stream,) = query(loki, '{namespace="shop"} | pod_uid="5f1c" |= "two"')
    assert stream["stream"]["filename"] == "/var/log/a.log"


@needs("loki")
def test_loki_refuses_what_is_too_old(loki: str, loop: Loop, tmp_path: Path) -> None:
    storing = Storing(loop, tmp_path, "loki", url=loki, labels={"case": "old"})
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    batch = now_batch(
        storing,
        b'{"@timestamp":"%b.000Z","message":"new"}' % stamp.encode(),
        b'{"@timestamp":"2001-01-01T00:00:00.000Z","message":"old"}',
        raw=False,
    )
    outcome = storing.send(batch, 60)
    assert outcome.divide
    first, second = batch.halves()
    assert is_delivered(storing.send(first, 60))
    outcome = storing.send(second, 60)
    assert outcome.divide
    assert "timestamp" in outcome.reason
    storing.close()
