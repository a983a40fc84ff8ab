"""Requests of OTLP/HTTP in JSON: names in lowerCamelCase, 64-bit integers as texts, ids in
hexadecimal, enums as numbers. See otlp.py."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INT_LEAST, _INT_MOST = -(1 << 63), (1 << 63) - 1
# ProtoJSON writes them as texts.
_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_AFTER_RECORDS = len("]}]}]}")

_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def any_value(value: Any) -> dict[str, Any]:
    """An AnyValue."""
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        if _INT_LEAST <= value <= _INT_MOST:
            return {"intValue": str(value)}
        return {"stringValue": str(value)}
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return {"doubleValue": _NOT_FINITE[str(value)]}
        return {"doubleValue": value}
    if isinstance(value, list | tuple):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": key_values(value)}}
    return {}


def key_values(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": any_value(value)} for name, value in attributes.items()]


def record(
    time: int,
    observed: int,
    body: Any,
    severity: int,
    level: str,
    attributes: dict[str, Any],
    trace: bytes = b"",
    span: bytes = b"",
) -> bytes:
    """A LogRecord; times in nanoseconds, ids of 16 and 8 bytes or none."""
    members: dict[str, Any] = {"timeUnixNano": str(time), "observedTimeUnixNano": str(observed)}
    if severity:
        members["severityNumber"] = severity
    if level:
        members["severityText"] = level
    members["body"] = any_value(body)
    if attributes:
        members["attributes"] = key_values(attributes)
    if trace:
        members["traceId"] = trace.hex()
    if span:
        members["spanId"] = span.hex()
    return text_of(members)


def around_text(observed: int, attributes: dict[str, Any]) -> tuple[bytes, bytes, bytes]:
    """Of a record whose body is a text: what stands before its time, between the time and the text
    (as it stands in a string), and behind that."""
    begin, time, rest = record(0, observed, "?", 0, "", attributes).partition(b'"0"')
    middle, text, end = rest.partition(b'"?"')
    return begin + time[:1], time[-1:] + middle + text[:1], text[-1:] + end


def request(resource: dict[str, Any], scope: str, version: str) -> tuple[bytes, bytes]:
    """What stands before and behind the records, which have commas between them, in an
    ExportLogsServiceRequest of one resource."""
    scope_logs = {"scope": {"name": scope, "version": version}, "logRecords": []}
    about = {"attributes": key_values(resource)}
    text = text_of({"resourceLogs": [{"resource": about, "scopeLogs": [scope_logs]}]})
    return text[:-_AFTER_RECORDS], text[-_AFTER_RECORDS:]


def text_of(value: Any) -> bytes:
    """JSON in UTF-8; halves of a character become question marks."""
    return _dump(value).encode("utf-8", "replace")
