"""Schemas: names and types are the published ones, and nothing that a record has is lost.

`published/` has names only: of ECS 9.0.0 (github.com/elastic/ecs, generated/csv/fields.csv, with
their types), and of OpenTelemetry's semantic conventions 1.44.0 (attributes of the registry).
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, LEVELS
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.schemas import catalogue as schemas
from podweave.helpers.logs.schemas.values import tls_protocol, tls_version
from podweave.model.adapter_rules import LEVELS as MODEL_LEVELS

PUBLISHED = Path(__file__).parent / "published"
CLOCK = Clock(1795400300.25, 0)
ECS_TYPES = dict(line.split(" ") for line in (PUBLISHED / "ecs-9.0.0.txt").read_text().splitlines())
OTEL_NAMES = set((PUBLISHED / "opentelemetry-1.44.0.txt").read_text().split())
POD = {
    "pod_name": "orders-0",
    "pod_namespace": "shop",
    "pod_uid": "8a1c",
    "pod_ip": "10.0.0.7",
    "node_name": "node-1",
    "service_name": "orders",
}

# The data models that schemas/splunk.py names (Common Information Model Add-on, 6.x), with HEC's
# own metadata. What CIM has no name for stands behind them.
_CIM = (
    "time host source sourcetype severity app process process_id parent_process_id process_path "
    "process_exec process_current_directory file_name src src_port src_mac dest dest_port dest_mac "
    "bytes packets bytes_in bytes_out packets_in packets_out transport protocol direction "
    "src_interface dest_interface duration action rule rule_id signature signature_id http_method "
    "http_content_type http_referrer http_user_agent status url uri_path uri_query url_domain user "
    "user_id session_id ssl_version query query_type reply_code"
)
CIM = set(_CIM.split())
CIM_SEVERITIES = {"informational", "low", "medium", "high", "critical"}
OTEL_FIELDS = {
    "Timestamp", "ObservedTimestamp", "TraceId", "SpanId", "TraceFlags", "SeverityText",
    "SeverityNumber", "Body", "Resource", "InstrumentationScope", "Attributes", "EventName",
}  # fmt: skip


def every_field() -> dict[str, Any]:
    """A record that has them all."""
    record: dict[str, Any] = {}
    for number, (name, kind) in enumerate(FIELDS.items()):
        record[name] = {INTEGER: number, DECIMAL: number / 4}.get(kind, f"some {name}")
    record.update(
        time=(1795400216, "789"),
        level="warn",
        source_address="192.0.2.7",
        destination_address="2001:db8::7",
        status=404,
        severity=4,
        event_outcome="success",
        trace_id="0af7651916cd43dd8448eb211c80319c",
        span_id="b7ad6b7169203331",
        attributes={"order": 42, "db": {"ms": 17.5}, "ok": True, "tags": ["a", "b"]},
    )
    return record


def records() -> Iterator[dict[str, Any]]:
    yield every_field()
    for format_ in catalogue.load_all():
        for line, _ in format_.samples:
            for layout in format_.layouts:
                record = layout.record(line, CLOCK)
                if record is not None:
                    record.setdefault("time", CLOCK.reading())
                    yield {**POD, "format": format_.name, "log_path": "/var/log/x", **record}
                    break


RECORDS = list(records())


def rendered(schema: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    one = schemas.load(schema)
    for record in RECORDS:
        yield record, json.loads(one.render(dict(record)))


def leaves(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, dict):
            yield from leaves(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item


def test_ecs_has_published_fields_of_the_published_types() -> None:
    for _, document in rendered("ecs"):
        for name, value in leaves(document):
            if name.startswith(("labels.", "kubernetes.")):
                assert not isinstance(value, dict)
                continue
            kind = ECS_TYPES[name]
            if kind == "long":
                assert isinstance(value, int), name
            elif kind == "ip":
                ipaddress.ip_address(value)
            elif kind == "date":
                assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z", value)
            else:
                assert isinstance(value, str), name
        assert document["ecs"]["version"].startswith("9.")
        assert document.get("event", {}).get("outcome") in (None, "success", "failure", "unknown")


@pytest.mark.parametrize("schema", ["ecs", "otel"])
def test_protocols_and_addresses_are_written_as_the_standards_have_them(schema: str) -> None:
    record = {
        **every_field(),
        "network_transport": "TCP",
        "network_protocol": "HTTP/1.1",
        "tls_version": "TLSv1.3",
        "source_mac": "52:54:00:ab:34:56",
    }
    document = json.loads(schemas.load(schema).render(record))
    network = document["network"] if schema == "ecs" else document["Attributes"]
    if schema == "ecs":
        assert (network["transport"], network["protocol"]) == ("tcp", "http")
        assert document["tls"]["version"] == "1.3"
        assert document["tls"]["version_protocol"] == "tls"
        assert document["source"]["mac"] == "52-54-00-AB-34-56"
    else:
        assert (network["network.transport"], network["network.protocol.name"]) == ("tcp", "http")
        assert network["tls.protocol.version"] == "1.3"
        assert network["tls.protocol.name"] == "tls"


@pytest.mark.parametrize(("schema", "place"), [("ecs", "labels"), ("otel", "Attributes")])
def test_no_name_is_empty(schema: str, place: str) -> None:
    record = {**every_field(), "attributes": {"": 1, "a": {"": 2}}}
    document = json.loads(schemas.load(schema).render(record))
    assert document[place]["_"] == 1
    assert document[place]["a__" if schema == "ecs" else "a._"] == 2


@pytest.mark.parametrize(
    ("text", "version", "protocol"),
    [
        ("TLSv1.2", "1.2", "tls"),
        ("tlsv12", "1.2", "tls"),
        ("TLS 1.3", "1.3", "tls"),
        ("SSLv3", "3", "ssl"),
        ("1.2", "1.2", None),
        ("DTLSv1.2", "DTLSv1.2", None),
        ("TLS", "TLS", None),
    ],
)
def test_versions_of_tls(text: str, version: str, protocol: str | None) -> None:
    assert (tls_version(text), tls_protocol(text)) == (version, protocol)


IDS = {"trace_id", "span_id"}
"""Where a text that is no id of the data model stands."""


def test_opentelemetry_has_the_fields_of_the_data_model_and_the_registrys_names() -> None:
    own = {name for record in RECORDS for name, _ in leaves(record.get("attributes", {}))}
    unplaced = set(schemas.load("otel").unplaced)
    for record, document in rendered("otel"):
        assert set(document) <= OTEL_FIELDS
        assert document["Timestamp"].isdigit()
        assert len(document["Timestamp"]) == 19 or record["time"][0] < 10**9
        assert document.get("SeverityNumber", 1) in range(1, 25)
        assert re.fullmatch("[0-9a-f]{32}", document.get("TraceId", "0" * 32))
        assert re.fullmatch("[0-9a-f]{16}", document.get("SpanId", "0" * 16))
        assert set(document.get("InstrumentationScope", {})) <= {"Name"}
        for place in ("Resource", "Attributes"):
            for name, value in document.get(place, {}).items():
                header = name.startswith(("http.request.header.", "http.response.header."))
                assert name in OTEL_NAMES or header or name in unplaced or name in own | IDS, name
                assert not isinstance(value, dict)


def test_severity_numbers_are_those_of_the_data_model() -> None:
    numbers = {}
    for level in LEVELS:
        row = schemas.load("otel").render({"time": (0, ""), "level": level, "message": ""})
        document = json.loads(row)
        numbers[document["SeverityText"]] = document["SeverityNumber"]
    assert numbers == {
        "TRACE": 1, "DEBUG": 5, "INFO": 9, "NOTICE": 10, "WARN": 13, "ERROR": 17, "FATAL": 21,
    }  # fmt: skip


def test_an_id_that_the_data_model_refuses_is_kept_as_an_attribute() -> None:
    record = {"time": (0, ""), "message": "x", "trace_id": "abc-1", "span_id": "00f067aa0ba902b7"}
    document = json.loads(schemas.load("otel").render(record))
    assert "TraceId" not in document
    assert document["SpanId"] == "00f067aa0ba902b7"
    assert document["Attributes"] == {"trace_id": "abc-1"}


@pytest.mark.parametrize("blank", ["", "   "])
def test_gelf_has_no_blank_message_or_host(blank: str) -> None:
    row = schemas.load("gelf").render({"time": (0, ""), "message": blank, "host": blank})
    assert json.loads(row)["short_message"] == "-"
    assert json.loads(row)["host"] == os.uname().nodename


def test_gelf_follows_its_rules() -> None:
    for record, document in rendered("gelf"):
        assert document["version"] == "1.1"
        assert isinstance(document["host"], str)
        assert document["short_message"] or record.get("message") == ""
        assert isinstance(document["timestamp"], int | float)
        assert document.get("level", 0) in range(8)
        for name, value in document.items():
            if name in ("version", "host", "short_message", "full_message", "timestamp", "level"):
                continue
            assert re.fullmatch(r"_[\w.\-]*", name), name
            assert name != "_id"
            assert isinstance(value, str | int | float), name
            assert not isinstance(value, bool)


def test_splunk_has_names_and_values_of_the_common_information_model() -> None:
    assert set(schemas.load("splunk").tree) >= CIM
    for _, document in rendered("splunk"):
        assert isinstance(document["time"], int | float)
        assert document.get("severity", "low") in CIM_SEVERITIES


def test_flat_has_the_neutral_names() -> None:
    for record, document in rendered("flat"):
        assert {name for name in record if name != "attributes"} <= set(document)


@pytest.mark.parametrize("name", schemas.NAMES)
def test_every_field_has_a_place_of_its_own(name: str) -> None:
    # But for those that say the same in another way: of these the first counts.
    same = {
        "ecs": {"response_bytes", "event_outcome"},
        "otel": set(),
        "splunk": {"pod_name", "request_bytes", "response_bytes", "url", "message_id", "host",
                   "db_statement"},
        "gelf": {"severity", "host"},
        "flat": set(),
    }[name]  # fmt: skip
    schema = schemas.load(name)
    whole = json.loads(schema.render(every_field()))
    for field in FIELDS:
        if field in same or field == "time":
            continue
        record = every_field()
        del record[field]
        assert json.loads(schema.render(record)) != whole, field


def test_nanoseconds_stay() -> None:
    record = {"time": (1795400216, "123456789"), "message": "x"}
    assert b'"2026-11-23T02:16:56.123456789Z"' in schemas.load("ecs").render(dict(record))
    assert b'"1795400216123456789"' in schemas.load("otel").render(dict(record))
    assert b'"timestamp":1795400216.123456789' in schemas.load("gelf").render(dict(record))
    assert b'"time":1795400216.123456789' in schemas.load("splunk").render(dict(record))


def test_what_looks_like_our_own_mark_is_only_text() -> None:
    record = {"time": (17, "5"), "host": "\ufdd0time\ufdd1", "message": "\ufdd0time\ufdd1"}
    for name in ("gelf", "splunk"):
        document = json.loads(schemas.load(name).render(dict(record)))
        assert document["host"] == "\ufdd0time\ufdd1"
        assert 17.5 in document.values()


def test_the_model_knows_the_same_levels_and_schemas() -> None:
    assert MODEL_LEVELS == LEVELS
