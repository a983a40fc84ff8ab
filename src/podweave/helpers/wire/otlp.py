"""OTLP/HTTP for logs: the request as protobuf or JSON, and what the answer says, without I/O.

POST /v1/logs with an ExportLogsServiceRequest. JSON has names in lowerCamelCase, 64-bit integers
as texts, ids in hexadecimal and enums as numbers.
https://opentelemetry.io/docs/specs/otlp/
https://github.com/open-telemetry/opentelemetry-proto (logs/v1/logs.proto)
"""

from __future__ import annotations

import json

from podweave.helpers.wire.protobuf import (
    BYTES,
    FIXED64,
    VARINT,
    delimited,
    double,
    fields,
    fixed64,
    key,
    varint,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

PROTOBUF = "application/x-protobuf"
JSON = "application/json"
RETRIED = (429, 502, 503, 504)
"""The only statuses after which the specification lets a client send again."""

_MASK = (1 << 64) - 1
_INT_LEAST, _INT_MOST = -(1 << 63), (1 << 63) - 1

_STRING = key(1, BYTES)
_BOOL = key(2, VARINT)
_INT = key(3, VARINT)
_DOUBLE = key(4, 1)
_ARRAY = key(5, BYTES)
_MAP = key(6, BYTES)
_FIRST = key(1, BYTES)
_SECOND = key(2, BYTES)
_TIME = key(1, FIXED64)
_SEVERITY = key(2, VARINT)
_SEVERITY_TEXT = key(3, BYTES)
_BODY = key(5, BYTES)
_ATTRIBUTE = key(6, BYTES)
_TRACE = key(9, BYTES)
_SPAN = key(10, BYTES)
_OBSERVED = key(11, FIXED64)


def protobuf_value(value: Any) -> bytes:
    """An AnyValue."""
    if isinstance(value, str):
        return delimited(_STRING, value.encode("utf-8", "replace"))
    if isinstance(value, bytes):
        return delimited(_STRING, value)
    if isinstance(value, bool):
        return _BOOL + (b"\x01" if value else b"\0")
    if isinstance(value, int):
        if _INT_LEAST <= value <= _INT_MOST:
            return _INT + varint(value & _MASK)
        return delimited(_STRING, str(value).encode())
    if isinstance(value, float):
        return double(_DOUBLE, value)
    if isinstance(value, list | tuple):
        items = b"".join(delimited(_FIRST, protobuf_value(item)) for item in value)
        return delimited(_ARRAY, items)
    if isinstance(value, dict):
        return delimited(_MAP, protobuf_attributes(_FIRST, value))
    return b""


def protobuf_attributes(tag: bytes, attributes: dict[str, Any]) -> bytes:
    """KeyValue messages, each as the repeated field `tag`."""
    parts: list[bytes] = []
    for name, value in attributes.items():
        if type(value) is str:
            # Most names come with few values: a method, a host, a logger.
            known = _known.get((name, value))
            if known is None:
                known = _key_value(name, value)
                if len(value) < _KNOWN_LENGTH:
                    if len(_known) >= _KNOWN_MOST:
                        _known.clear()
                    _known[name, value] = known
        else:
            known = _key_value(name, value)
        parts.append(delimited(tag, known))
    return b"".join(parts)


_KNOWN_MOST = 2000
_KNOWN_LENGTH = 100
_known: dict[tuple[str, str], bytes] = {}


def _key_value(name: str, value: Any) -> bytes:
    inner = protobuf_value(value)
    return delimited(_FIRST, name.encode("utf-8", "replace")) + delimited(_SECOND, inner)


def protobuf_record(
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
    parts = [fixed64(_TIME, time)]
    if severity:
        parts.append(_SEVERITY + varint(severity))
    if level:
        parts.append(delimited(_SEVERITY_TEXT, level.encode("utf-8", "replace")))
    parts.append(delimited(_BODY, protobuf_value(body)))
    if attributes:
        parts.append(protobuf_attributes(_ATTRIBUTE, attributes))
    if trace:
        parts.append(delimited(_TRACE, trace))
    if span:
        parts.append(delimited(_SPAN, span))
    parts.append(fixed64(_OBSERVED, observed))
    return b"".join(parts)


def protobuf_raw_records(lines: Iterable[bytes], time: int, attributes: dict[str, Any]) -> bytes:
    """The records, as fields of a ScopeLogs, of lines in UTF-8 that were read at `time`."""
    begin = fixed64(_TIME, time) + _BODY
    end = protobuf_attributes(_ATTRIBUTE, attributes) + fixed64(_OBSERVED, time)
    around = len(begin) + len(end)
    parts: list[bytes] = []
    for line in lines:
        size = len(line)
        string = varint(size)
        inner = 1 + len(string) + size
        value = varint(inner)
        parts += (_SECOND, varint(around + len(value) + inner), begin, value, _STRING, string, line)
        parts.append(end)
    return b"".join(parts)


def protobuf_records(records: Iterable[bytes]) -> bytes:
    """LogRecords as fields of a ScopeLogs."""
    return b"".join([delimited(_SECOND, record) for record in records])


def protobuf_request(resource: dict[str, Any], scope: str, version: str, records: bytes) -> bytes:
    """An ExportLogsServiceRequest of one resource; `records` as the functions above give them."""
    named = delimited(_FIRST, scope.encode()) + delimited(_SECOND, version.encode())
    scope_logs = delimited(_FIRST, named) + records
    about = delimited(_FIRST, protobuf_attributes(_FIRST, resource))
    return delimited(_FIRST, about + delimited(_SECOND, scope_logs))


def json_value(value: Any) -> dict[str, Any]:
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
        return {"arrayValue": {"values": [json_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": json_attributes(value)}}
    return {}


# ProtoJSON writes them as texts.
_NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def json_attributes(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": json_value(value)} for name, value in attributes.items()]


def json_record(
    time: int,
    observed: int,
    body: Any,
    severity: int,
    level: str,
    attributes: dict[str, Any],
    trace: bytes = b"",
    span: bytes = b"",
) -> dict[str, Any]:
    """A LogRecord, as protobuf_record makes it."""
    record: dict[str, Any] = {"timeUnixNano": str(time), "observedTimeUnixNano": str(observed)}
    if severity:
        record["severityNumber"] = severity
    if level:
        record["severityText"] = level
    record["body"] = json_value(body)
    if attributes:
        record["attributes"] = json_attributes(attributes)
    if trace:
        record["traceId"] = trace.hex()
    if span:
        record["spanId"] = span.hex()
    return record


def json_request(
    resource: dict[str, Any], scope: str, version: str, records: list[dict[str, Any]]
) -> bytes:
    """An ExportLogsServiceRequest of one resource."""
    scope_logs = {"scope": {"name": scope, "version": version}, "logRecords": records}
    about = {"attributes": json_attributes(resource)}
    request = {"resourceLogs": [{"resource": about, "scopeLogs": [scope_logs]}]}
    text = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def read_id(text: str, size: int) -> bytes:
    """A trace's or span's id of `size` bytes from hexadecimal; nothing for what is none."""
    if len(text) != size * 2:
        return b""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return b""
    return data if len(data) == size and any(data) else b""


def partial_success(content_type: str, content: bytes) -> tuple[int, str]:
    """How many records the answer to a request that succeeded says it rejected, and why.

    ValueError for an answer that can't be read; an empty one rejects none.
    """
    if content_type.partition(";")[0].strip().lower() == PROTOBUF:
        for number, value in fields(content):
            if number == 1 and isinstance(value, bytes):
                return _partial(value)
        return 0, ""
    if not content.strip():
        return 0, ""
    try:
        answer = json.loads(content)
        partial = answer.get("partialSuccess") or {}
        rejected = int(partial.get("rejectedLogRecords") or 0)
        return rejected, str(partial.get("errorMessage") or "")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("the answer is not that of an export of logs") from error


def _partial(data: bytes) -> tuple[int, str]:
    rejected, message = 0, ""
    for number, value in fields(data):
        if number == 1 and isinstance(value, int):
            rejected = value - (1 << 64) if value > _INT_MOST else value
        elif number == 2 and isinstance(value, bytes):
            message = value.decode("utf-8", "replace")
    return rejected, message


def status_message(content_type: str, content: bytes) -> str:
    """The message of a google.rpc.Status, which the answer to a failed request has; or ""."""
    try:
        if content_type.partition(";")[0].strip().lower() == PROTOBUF:
            for number, value in fields(content):
                if number == 2 and isinstance(value, bytes):
                    return value.decode("utf-8", "replace")[:300]
            return ""
        answer = json.loads(content)
        return str(answer.get("message") or "")[:300] if isinstance(answer, dict) else ""
    except (ValueError, RecursionError):
        return ""
