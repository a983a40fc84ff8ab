"""Lines of the OpenTelemetry protocol's JSON: a log record, or a request with any number of them.

What a request says of a record's resource and scope is the record's as well, so each one is read
as a request with nothing else in it.
"""

from __future__ import annotations

import json
import re

from podweave.helpers.logs.structured.json_layout import NAME, STRING, VALUE, JsonLayout
from podweave.helpers.logs.structured.sink import Sink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.compile import ExactBatch
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.structured.leaves import Parts

    # A resource, a scope, a log record.
    _One = tuple[dict[str, Any], dict[str, Any], dict[str, Any]]

INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
"""64 bits, as a text."""
_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
_NUMBERS = {str(number): _LEVELS[(number - 1) // 4] for number in range(1, 25)}
_NAMES = {
    "service.name": "service_name",
    "service.version": "service_version",
    "host.name": "host",
    "exception.type": "error_type",
    "exception.message": "error_message",
    "exception.stacktrace": "stack_trace",
    "thread.name": "thread",
    "code.function": "function",
    "code.filepath": "file",
}
TIMES = ("timeUnixNano", "observedTimeUnixNano")
NO_TIME = (None, "", "0", 0)
"""A time that isn't known."""
_MOST = 8 << 20
"""Bytes that resources and scopes may take, written with each of a line's records."""


# Also what attributes are called.
_NAMED = re.compile(b'("key" ?: ?' + STRING + b"|" + NAME + rb"|\n)" + VALUE)


class OtlpLayout(JsonLayout):
    """Reads a request that has any records, or a record by itself."""

    named = _NAMED
    several = True

    def __init__(self) -> None:
        super().__init__()
        # Of either time.
        self.literals = (b'imeUnixNano"',)
        self.levels = _NUMBERS

    def batch_kind(self) -> type[ExactBatch]:
        from podweave.helpers.logs.structured.packed_batch import PackedBatch

        return PackedBatch

    def reads(self, line: bytes, clock: Clock) -> bool:
        return self.record(line, clock) is not None

    def record(self, line: bytes, clock: Clock) -> Record | None:
        """Its last record: what follows the line may belong to that one."""
        records = self.records(line, clock)
        return None if records is None else records[-1]

    def records(self, line: bytes, clock: Clock) -> list[Record] | None:
        value = self.decode(line)
        if value is None:
            return None
        records: list[Record] = []
        around = 0
        try:
            for resource, scope, record in _each(value):
                sink = Sink(clock, self.keys, self.levels)
                if records:
                    around += len(str(resource)) + len(str(scope))
                    if around > _MOST:
                        return None
                _put(resource, scope, record, sink)
                records.append(sink.record)
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        return records or None

    def apart(self, line: bytes, singles: frozenset[str]) -> tuple[Parts, dict[str, Any]] | None:
        from podweave.helpers.logs.structured.otlp_parts import take_apart

        apart = take_apart(line)
        return apart if apart is not None and len(list(_each(apart[1]))) == 1 else None

    def put(self, value: dict[str, Any], sink: Sink) -> None:
        ((resource, scope, record),) = _each(value)
        _put(resource, scope, record, sink)


def _each(value: dict[str, Any]) -> Iterator[_One]:
    if "resourceLogs" not in value:
        if any(name in value for name in TIMES):
            yield {}, {}, value
        return
    for resource_logs in value["resourceLogs"]:
        resource = resource_logs.get("resource", {})
        for scope_logs in resource_logs.get("scopeLogs", ()):
            scope = scope_logs.get("scope", {})
            for record in scope_logs.get("logRecords", ()):
                yield resource, scope, record


def _put(
    resource: dict[str, Any], scope: dict[str, Any], record: dict[str, Any], sink: Sink
) -> None:
    for name in TIMES:
        time = record.get(name)
        if time not in NO_TIME and sink.keep("time", "", time, True):
            break
    for level in (record.get("severityNumber"), record.get("severityText")):
        if level and sink.keep("level", "", level, True):
            break
    body = any_value(record.get("body"))
    if body is not None:
        sink.keep("message", "", text_of(body), True)
    ids = ("trace_id", record.get("traceId")), ("span_id", record.get("spanId"))
    for field, said in (*ids, ("logger", scope.get("name"))):
        if said:
            sink.keep(field, "", said, True)
    attributes: dict[str, Any] = {}
    if record.get("eventName"):
        attributes["event.name"] = record["eventName"]
    for pair in (*resource.get("attributes", ()), *record.get("attributes", ())):
        key, item = pair["key"], any_value(pair.get("value", {}))
        field = _NAMES.get(key, "")
        if item is None:
            continue
        if not field or not isinstance(item, str) or not sink.keep(field, "", item, True):
            attributes[key] = item
    if attributes:
        sink.record["attributes"] = attributes


def text_of(said: Any) -> str:
    """A record's body as a text."""
    return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)


def any_value(value: Any) -> Any:
    """What an AnyValue says."""
    if not isinstance(value, dict):
        return value
    inner: Any
    kind, inner = next(iter(value.items()), ("", None))
    if kind == "intValue" and isinstance(inner, str) and INTEGER.fullmatch(inner):
        return int(inner)
    if kind == "arrayValue" and isinstance(inner, dict):
        return [any_value(item) for item in inner.get("values", ())]
    if kind == "kvlistValue" and isinstance(inner, dict):
        return {item["key"]: any_value(item.get("value", {})) for item in inner.get("values", ())}
    return inner
