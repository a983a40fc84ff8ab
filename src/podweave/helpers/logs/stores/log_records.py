"""The parts of a record that a store asks for by name: time, severity, message, attributes.

Records are JSON in one of the adapter's schemas, and known by their keys:

    schema   time                         severity                message        known by
    ECS      @timestamp (RFC 3339)        log.level               message        @timestamp
    OTel     Timestamp (ns, as a text)    SeverityNumber, -Text   Body           Timestamp, Body
    Splunk   time (s)                     log_level               message        time
    GELF     timestamp (s)                level (syslog)          short_message  short_message

OTel's names may be those of OTLP's JSON as well (timeUnixNano, body), Splunk's an event of its
collector (time, event, fields); ECS's may be nested ({"log":{"level":…}}) or dotted
({"log.level":…}). Raw lines have no parts but themselves, and the time of their reading.
"""

from __future__ import annotations

import json
import os
import re

from podweave.helpers.wire.dates import days

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.delivery.batches import Batch, Piece

SECOND = 1_000_000_000
LATEST = (1 << 63) - 1
"""Nanoseconds since the epoch: what 64 bits hold, in the year 2262."""

# Between records, so that a line that isn't one value shows; random, so that none can have it.
_MARK = os.urandom(8).hex()
_BETWEEN = b',"%b",' % _MARK.encode()

# The severity numbers of OpenTelemetry's data model, by the words of all schemas.
SEVERITIES = {
    "trace": 1,
    "verbose": 1,
    "debug": 5,
    "info": 9,
    "information": 9,
    "informational": 9,
    "notice": 10,
    "warn": 13,
    "warning": 13,
    "error": 17,
    "err": 17,
    "critical": 21,
    "crit": 21,
    "fatal": 21,
    "alert": 22,
    "emerg": 24,
    "emergency": 24,
    "panic": 24,
}
_OTEL_NAMES = frozenset(("Timestamp", "Body", "timeUnixNano", "body"))
_SYSLOG_WORDS = ("emerg", "alert", "crit", "error", "warn", "notice", "info", "debug")


class LogRecord:
    """`time` is in nanoseconds since the epoch; `severity` 0 where there is none.

    `attributes` are flat: names with dots, values that are texts, numbers, booleans or arrays.
    """

    __slots__ = ("attributes", "body", "level", "severity", "span", "time", "trace")

    def __init__(self, time: int, body: Any) -> None:
        self.time = time
        self.body = body
        self.level = ""
        self.severity = 0
        self.trace = ""
        self.span = ""
        self.attributes: dict[str, Any] = {}


def documents(batch: Batch) -> list[tuple[Any, int]]:
    """Each record of a batch that isn't raw, parsed, and when it was read (in nanoseconds)."""
    read: list[tuple[Any, int]] = []
    for piece in batch.pieces:
        time = read_time(piece)
        read += [(document, time) for document in parsed(piece.texts())]
    return read


def parsed(lines: Sequence[bytes]) -> list[Any]:
    """Each line, parsed; one that isn't JSON comes as a text."""
    try:
        # One call for all costs half of one for each.
        found: list[Any] = json.loads(b"[%b]" % _BETWEEN.join(lines))
        if len(found) != 2 * len(lines) - 1 or found[1::2].count(_MARK) != len(lines) - 1:
            raise ValueError("lines that are not a value each")
        return found[::2]
    except (ValueError, RecursionError):
        return [_document(line) for line in lines]


def _document(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return line.decode("utf-8", "backslashreplace")


def read_time(piece: Piece) -> int:
    """When it was read; a float has the microseconds, and no more than noise behind them."""
    return round(piece.seconds * 1_000_000) * 1000


def raw_times(piece: Piece) -> Sequence[int]:
    """For each record of a piece of raw lines: when it was written, if that stands beside it,
    else when it was read."""
    read = read_time(piece)
    if piece.details is None:
        return [read] * piece.count()
    times = []
    for time in piece.times():
        stamp = nanoseconds(time.decode("latin-1"))
        times.append(read if stamp is None else stamp)
    return times


_ECS_BEGIN = re.compile(rb'\{"@timestamp":"([^"\\]{19,40})"(?:,"log":\{"level":"([^"\\]*)")?')


def time_and_level(line: bytes, read: int) -> tuple[int, str]:
    """Of a record that was read at `read` (ns): the adapter's own ECS isn't parsed for it."""
    match = _ECS_BEGIN.match(line)
    if match is not None and (match[2] is not None or b"level" not in line):
        time = nanoseconds(match[1].decode("latin-1"))
        if time is not None:
            return time, (match[2] or b"").decode("utf-8", "replace")
    record = log_record(_document(line), read)
    return record.time, record.level


def log_record(document: Any, read: int) -> LogRecord:
    """The parts of a parsed document that was read at `read` (ns)."""
    record = _log_record(document, read)
    if not 0 <= record.time <= LATEST:
        record.time = read
    return record


def _log_record(document: Any, read: int) -> LogRecord:
    if not isinstance(document, dict):
        return LogRecord(read, document if isinstance(document, str) else _text(document))
    if "@timestamp" in document:
        return _ecs(document, read)
    if "short_message" in document:
        return _gelf(document, read)
    if not _OTEL_NAMES.isdisjoint(document):
        return _otel(document, read)
    if "time" in document:
        return _splunk(document, read)
    return _ecs(document, read)


def nanoseconds(text: str) -> int | None:
    """RFC 3339 to nanoseconds since the epoch; None for what is none, or not from 1970 to 2262."""
    time = _nanoseconds(text)
    return time if time is not None and 0 <= time <= LATEST else None


def _nanoseconds(text: str) -> int | None:
    seconds = _memo.get(text[:19])
    if seconds is None:
        try:
            seconds = _seconds(text[:19])
        except (ValueError, IndexError):
            return None
        if len(_memo) > 1000:
            _memo.clear()
        _memo[text[:19]] = seconds
    rest = text[19:]
    fraction = 0
    if rest[:1] in (".", ","):
        digits = rest[1:].rstrip("Zz")
        for sign in "+-":
            digits = digits.partition(sign)[0]
        if not (digits.isascii() and digits.isdigit()):
            return None
        fraction = int(digits[:9].ljust(9, "0"))
        rest = rest[1 + len(digits) :]
    if rest in ("Z", "z", ""):
        return seconds * SECOND + fraction
    offset = rest[1:].replace(":", "")
    if rest[0] not in "+-" or len(offset) != 4 or not (offset.isascii() and offset.isdigit()):
        return None
    east = int(offset[:2]) * 3600 + int(offset[2:]) * 60
    return (seconds + (east if rest[0] == "-" else -east)) * SECOND + fraction


_memo: dict[str, int] = {}


def _seconds(text: str) -> int:
    if len(text) != 19 or text[10] not in "T t" or text[4] != "-" or text[13] != ":":
        raise ValueError(text)
    day = days(int(text[:4]), int(text[5:7]), int(text[8:10]))
    return day * 86400 + int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])


def flatten(prefix: str, value: dict[str, Any], flat: dict[str, Any]) -> None:
    """Nested objects to names with dots; nulls are left out."""
    for key, item in value.items():
        name = prefix + key
        if isinstance(item, dict):
            flatten(f"{name}.", item, flat)
        elif item is not None:
            flat[name] = item


def _ecs(document: dict[str, Any], read: int) -> LogRecord:
    flat: dict[str, Any] = {}
    for key, item in document.items():
        if isinstance(item, dict):
            # What is known of the Pod goes with the batch.
            if key != "kubernetes":
                flatten(f"{key}.", item, flat)
        elif item is not None:
            flat[key] = item
    stamp = flat.pop("@timestamp", None)
    time = nanoseconds(stamp) if isinstance(stamp, str) else None
    record = LogRecord(read if time is None else time, flat.pop("message", None))
    if record.body is None:
        record.body = _text(document)
    _set_level(record, flat.pop("log.level", None))
    record.trace = _text(flat.pop("trace.id", ""))
    record.span = _text(flat.pop("span.id", ""))
    flat.pop("ecs.version", None)
    if "labels" in document:
        flat = {_unlabelled(name, flat): value for name, value in flat.items()}
    record.attributes = flat
    return record


def _unlabelled(name: str, flat: dict[str, Any]) -> str:
    """The application's own name of a field, where it isn't one of ECS as well."""
    plain = name.removeprefix("labels.")
    return name if plain in flat else plain


def _gelf(document: dict[str, Any], read: int) -> LogRecord:
    record = LogRecord(_epoch(document.get("timestamp"), read), document["short_message"])
    level = document.get("level")
    word = document.get("_level_name")
    if isinstance(word, str):
        _set_level(record, word)
    elif isinstance(level, int) and 0 <= level < len(_SYSLOG_WORDS):
        _set_level(record, _SYSLOG_WORDS[level])
    for name, value in document.items():
        if name.startswith("_") and isinstance(value, dict):
            flatten(f"{name[1:]}.", value, record.attributes)
        elif name.startswith("_") and value is not None:
            record.attributes[name[1:]] = value
    record.attributes.pop("level_name", None)
    if isinstance(document.get("full_message"), str):
        record.attributes["full_message"] = document["full_message"]
    _take_trace(record)
    return record


def _splunk(document: dict[str, Any], read: int) -> LogRecord:
    record = LogRecord(_epoch(document.get("time"), read), "")
    event = document.get("event", document)
    if "event" in document and isinstance(document.get("fields"), dict):
        flatten("", document["fields"], record.attributes)
    if isinstance(event, dict):
        flatten("", event, record.attributes)
        record.attributes.pop("time", None)
        record.body = record.attributes.pop("message", None)
        if record.body is None:
            record.body = _text(event)
    else:
        record.body = event
    for name in ("log_level", "level", "severity"):
        if isinstance(record.attributes.get(name), str):
            _set_level(record, record.attributes.pop(name))
            break
    _take_trace(record)
    return record


def _otel(document: dict[str, Any], read: int) -> LogRecord:
    # The data model's own spelling begins with capitals, OTLP's doesn't.
    fields = {name[:1].lower() + name[1:]: value for name, value in document.items()}
    time = read
    for name in ("timeUnixNano", "timestamp", "observedTimeUnixNano"):
        value = fields.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            time = int(value[:19])
        elif isinstance(value, int) and not isinstance(value, bool):
            time = value
        elif isinstance(value, str):
            time = nanoseconds(value) or read
        else:
            continue
        break
    record = LogRecord(time, _any_value(fields.get("body", "")))
    _set_level(record, fields.get("severityText"))
    number = fields.get("severityNumber")
    if isinstance(number, int) and 0 < number <= 24:
        record.severity = number
    record.trace = _text(fields.get("traceId", ""))
    record.span = _text(fields.get("spanId", ""))
    scope, resource = fields.get("instrumentationScope"), fields.get("resource")
    if isinstance(scope, dict) and isinstance(scope.get("Name"), str):
        record.attributes["otel.scope.name"] = scope["Name"]
    if isinstance(resource, dict):
        flatten("", resource, record.attributes)
        for name in [each for each in record.attributes if each.startswith("k8s.")]:
            # What is known of the Pod goes with the batch.
            del record.attributes[name]
    attributes = fields.get("attributes")
    if isinstance(attributes, list):
        attributes = {
            item["key"]: _any_value(item.get("value"))
            for item in attributes
            if isinstance(item, dict) and isinstance(item.get("key"), str)
        }
    if isinstance(attributes, dict):
        flatten("", attributes, record.attributes)
    return record


def _any_value(value: Any) -> Any:
    """OTLP's JSON spelling of a value ({"stringValue": "…"}), or a plain one."""
    if not isinstance(value, dict) or len(value) != 1:
        return value
    ((kind, inner),) = value.items()
    if kind in ("stringValue", "boolValue", "doubleValue"):
        return inner
    if kind == "intValue":
        try:
            return int(inner)
        except (TypeError, ValueError):
            return inner
    return value


def _set_level(record: LogRecord, level: Any) -> None:
    if isinstance(level, str) and level:
        record.level = level
        record.severity = SEVERITIES.get(level.lower(), 0)


def _take_trace(record: LogRecord) -> None:
    for name in ("trace_id", "trace.id", "traceId"):
        if isinstance(record.attributes.get(name), str):
            record.trace = record.attributes.pop(name)
            break
    for name in ("span_id", "span.id", "spanId"):
        if isinstance(record.attributes.get(name), str):
            record.span = record.attributes.pop(name)
            break


def _epoch(value: Any, read: int) -> int:
    """Seconds since the epoch, a number or a text of one."""
    if isinstance(value, str):
        # Not by way of float: its 53 bits end at the microseconds.
        whole, _, fraction = value.partition(".")
        digits = whole + fraction
        if whole and digits.isascii() and digits.isdigit():
            return int(whole[:12]) * SECOND + int(fraction[:9].ljust(9, "0"))
        return read
    if isinstance(value, bool) or not isinstance(value, int | float):
        return read
    if not 0 <= value < 1 << 40:
        return read
    return int(value) * SECOND + round(value % 1 * 1_000_000) * 1000


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
