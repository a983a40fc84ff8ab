"""Requests of OTLP/HTTP in protobuf. See otlp.py, and
https://github.com/open-telemetry/opentelemetry-proto (logs/v1/logs.proto)."""

from __future__ import annotations

from podweave.helpers.wire.protobuf import (
    BYTES,
    FIXED64,
    VARINT,
    delimited,
    double,
    fixed64,
    key,
    varint,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MASK = (1 << 64) - 1
_INT_LEAST, _INT_MOST = -(1 << 63), (1 << 63) - 1

_STRING = key(1, BYTES)
_BOOL = key(2, VARINT)
_INT = key(3, VARINT)
_DOUBLE = key(4, 1)
_ARRAY = key(5, BYTES)
_MAP = key(6, BYTES)
_FIRST = key(1, BYTES)
RECORD = key(2, BYTES)
"""Of a LogRecord in a ScopeLogs."""
_SECOND = RECORD
TIME = key(1, FIXED64)
_SEVERITY = key(2, VARINT)
_SEVERITY_TEXT = key(3, BYTES)
_BODY = key(5, BYTES)
_ATTRIBUTE = key(6, BYTES)
TRACE = key(9, BYTES)
SPAN = key(10, BYTES)
_OBSERVED = key(11, FIXED64)

_KNOWN_MOST = 2000
_KNOWN_LENGTH = 100
_known: dict[tuple[str, str], bytes] = {}


def any_value(value: Any) -> bytes:
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
        items = b"".join(delimited(_FIRST, any_value(item)) for item in value)
        return delimited(_ARRAY, items)
    if isinstance(value, dict):
        return delimited(_MAP, _key_values(_FIRST, value))
    return b""


def attributes(values: dict[str, Any]) -> bytes:
    """The attributes of a LogRecord."""
    return _key_values(_ATTRIBUTE, values)


def _key_values(tag: bytes, values: dict[str, Any]) -> bytes:
    """KeyValue messages, each as the repeated field `tag`."""
    parts: list[bytes] = []
    for name, value in values.items():
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


def _key_value(name: str, value: Any) -> bytes:
    inner = any_value(value)
    return delimited(_FIRST, name.encode("utf-8", "replace")) + delimited(_SECOND, inner)


def severity_of(number: int, level: str) -> bytes:
    """SeverityNumber and SeverityText, those that there are."""
    parts = [_SEVERITY + varint(number)] if number else []
    if level:
        parts.append(delimited(_SEVERITY_TEXT, level.encode("utf-8", "replace")))
    return b"".join(parts)


def observed_at(time: int) -> bytes:
    return fixed64(_OBSERVED, time)


def record(
    time: int,
    observed: int,
    body: Any,
    severity: int,
    level: str,
    values: dict[str, Any],
    trace: bytes = b"",
    span: bytes = b"",
) -> bytes:
    """A LogRecord; times in nanoseconds, ids of 16 and 8 bytes or none."""
    parts = [fixed64(TIME, time), severity_of(severity, level)]
    parts.append(delimited(_BODY, any_value(body)))
    parts.append(attributes(values))
    if trace:
        parts.append(delimited(TRACE, trace))
    if span:
        parts.append(delimited(SPAN, span))
    parts.append(observed_at(observed))
    return b"".join(parts)


def body_head(size: int) -> bytes:
    """What stands before a body that is a text of so many bytes."""
    string = _STRING + varint(size)
    return _BODY + varint(len(string) + size) + string


def attribute_head(name: str, size: int) -> bytes:
    """What stands before an attribute's value that is a text of so many bytes."""
    string = _STRING + varint(size)
    value = _SECOND + varint(len(string) + size) + string
    named = delimited(_FIRST, name.encode("utf-8", "replace"))
    return _ATTRIBUTE + varint(len(named) + len(value) + size) + named + value


def request(resource: dict[str, Any], scope: str, version: str, size: int) -> bytes:
    """What stands before the records (RECORD, length, LogRecord; `size` bytes in all) in an
    ExportLogsServiceRequest of one resource."""
    named = delimited(_FIRST, scope.encode()) + delimited(_SECOND, version.encode())
    scope_begin = delimited(_FIRST, named)
    scope_head = _SECOND + varint(len(scope_begin) + size) + scope_begin
    about = delimited(_FIRST, _key_values(_FIRST, resource))
    return _FIRST + varint(len(about) + len(scope_head) + size) + about + scope_head
