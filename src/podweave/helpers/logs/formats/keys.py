"""Names that structured loggers use, and the neutral fields they mean.

What isn't known here, or has a value that doesn't fit the field, stays a field of the
application's own, under its own name: nothing is lost.
"""

from __future__ import annotations

from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, LEVEL, TEXT, TIME, level_of
from podweave.helpers.logs.timestamps import Clock, read_any, read_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.logs.fields import Record

_KEYS = {
    "time": "@timestamp timestamp time ts datetime date asctime eventtime @t timemillis "
    "time_local created_at instant",
    "level": "level severity lvl loglevel log_level levelname log.level severity_text "
    "severitytext @l priority_name",
    "message": "message msg @m @mt log event body short_message renderedmessage",
    "logger": "logger logger_name loggername log.logger name component sourcecontext category",
    "thread": "thread thread_name threadname process.thread.name",
    "thread_id": "thread_id threadid tid process.thread.id",
    "process": "process_name processname process.name",
    "pid": "pid process_id processid process.pid",
    "host": "hostname host host.name host.hostname",
    "file": "filename file log.origin.file.name",
    "line": "lineno line log.origin.file.line",
    "function": "funcname function method_name log.origin.function",
    "source_address": "remote_addr client_ip clientip remote_ip client.address source.address",
    "user": "user.name remote_user",
    "method": "request_method http.request.method",
    "url": "request_uri uri url url.original",
    "url_path": "url.path",
    "url_query": "url.query",
    "status": "status status_code http.response.status_code",
    "response_bytes": "body_bytes_sent http.response.body.bytes",
    "referrer": "http_referer referer http.request.referrer",
    "user_agent": "http_user_agent user_agent user_agent.original",
    "trace_id": "trace_id traceid trace.id otel.trace_id",
    "span_id": "span_id spanid span.id otel.span_id",
    "error_type": "error_type exception_class error.type exception.type error.kind",
    "error_message": "error_message error err error.message exception.message",
    "error_code": "error_code error.code sql_state_code",
    "stack_trace": "stack_trace stacktrace stack exc_info exception error.stack_trace "
    "error.stack exception.stacktrace exc_text",
    "service_name": "service service.name service_name",
}
_FIELD_OF = {key: field for field, keys in _KEYS.items() for key in keys.split()}

# pino, bunyan: steps of ten from trace to fatal
_NUMBER_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")

# Objects that loggers put errors into: pino and bunyan `err`, ECS `error`, log4j2 `thrown`.
_ERROR_OBJECTS = ("err", "error", "exception", "thrown")
_ERROR_PARTS = {
    "type": "error_type",
    "name": "error_type",
    "class": "error_type",
    "kind": "error_type",
    "message": "error_message",
    "msg": "error_message",
    "code": "error_code",
    "stack": "stack_trace",
    "stack_trace": "stack_trace",
    "stacktrace": "stack_trace",
    "extendedStackTrace": "stack_trace",
}
# Objects of ECS, whose members are known by their dotted names.
_DEEPEST = 4
_NESTED = ("log", "process", "http", "url", "host", "trace", "span", "service", "user", "source")


def fill(record: Record, key: str, value: Any, clock: Clock) -> None:
    """Put one of a structured line's members into the record."""
    if value is None:
        return
    if not isinstance(value, dict):
        field = _FIELD_OF.get(key) or _FIELD_OF.get(key.lower())
        if field is None or field in record or not _keep(record, field, value, clock):
            _own(record, key, value)
        return
    lower = key.lower()
    rest: dict[str, Any] = value
    if lower in _ERROR_OBJECTS:
        rest = {}
        for part, item in value.items():
            field = _ERROR_PARTS.get(part)
            if field is None or field in record or not _keep(record, field, item, clock):
                rest[part] = item
    elif lower in _NESTED:
        rest = _take(record, lower, value, clock)
    if rest or not value:
        _own(record, key, rest)


def _take(record: Record, path: str, value: dict[str, Any], clock: Clock) -> dict[str, Any]:
    """Put the members of an object that are known by dotted names into the record; the rest."""
    rest = {}
    for part, item in value.items():
        name = f"{path}.{part.lower()}"
        if isinstance(item, dict) and name.count(".") < _DEEPEST:
            left = _take(record, name, item, clock)
            if left:
                rest[part] = left
            continue
        field = _FIELD_OF.get(name)
        if field is None or field in record or not _keep(record, field, item, clock):
            rest[part] = item
    return rest


def _own(record: Record, key: str, value: Any) -> None:
    attributes = record.get("attributes")
    if attributes is None:
        record["attributes"] = {key: value}
    else:
        attributes[key] = value


def _keep(record: Record, field: str, value: Any, clock: Clock) -> bool:
    """Put a value into a neutral field; False where it doesn't fit."""
    kind = FIELDS[field]
    kept: Any = None
    if kind == TIME:
        kept = _time(value, clock)
    elif kind == LEVEL:
        if isinstance(value, str):
            kept = level_of(value)
        elif isinstance(value, int) and value in range(10, 61, 10):
            kept = _NUMBER_LEVELS[value // 10 - 1]
    elif kind == INTEGER:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
            kept = int(value)
        elif isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
            kept = value
    elif kind == DECIMAL:
        kept = float(value) if isinstance(value, int | float) else None
    elif kind == TEXT and isinstance(value, str):
        kept = value
    if kept is None:
        return False
    record[field] = kept
    return True


def _time(value: Any, clock: Clock) -> tuple[int, str] | None:
    if isinstance(value, str):
        found = read_any(value.encode("utf-8", "replace"), clock)
        if found is None and value.replace(".", "", 1).isdigit() and value.isascii():
            # An epoch as text.
            return read_number(float(value) if "." in value else int(value[:20]))
        return found
    if isinstance(value, int | float) and not isinstance(value, bool):
        return read_number(value)
    return None
