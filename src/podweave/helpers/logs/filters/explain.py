"""`explain FILE`: what the adapter makes of a file, and what it can't read.

Events are counted as they would come out: lines that belong together are one.
"""

from __future__ import annotations

import json
import sys
from collections import Counter

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.filters.arguments import Arguments
from podweave.helpers.logs.filters.input import BrokenArchiveError, changed, chunks
from podweave.helpers.logs.plain_lines import UNREAD
from podweave.helpers.logs.wrapped_stream import WrappedStream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.schemas.schema import Schema

JSON = "--json"
_LOOKED_AT = 16 << 20
"""Bytes of a file that are looked at."""
_SHOWN = 5
_WIDTH = 60
_OWN = ("format", "log_path")


class _Collector:
    """In a schema's place: rows are the records themselves, and those that come out count."""

    def __init__(self) -> None:
        self.events: Counter[str] = Counter()
        self.fields: Counter[str] = Counter()
        self.examples: dict[str, Any] = {}
        self.unread: list[str] = []
        self.wrappings: list[str] = []

    def render(self, record: Record) -> bytes:
        return json.dumps(record).encode("ascii") + b"\n"

    def take(self, rows: Sequence[bytes]) -> None:
        """These rows came out."""
        for row in rows:
            self._take(json.loads(row))

    def _take(self, record: Record) -> None:
        name = record["format"]
        self.events[name] += 1
        if name == UNREAD and len(self.unread) < _SHOWN:
            self.unread.append(record["message"])
        for field, value in self._flat(record):
            self.fields[field] += 1
            self.examples.setdefault(field, value)

    def _flat(self, record: Record) -> list[tuple[str, Any]]:
        members = [(key, value) for key, value in record.items() if key not in _OWN]
        flat: list[tuple[str, Any]] = []
        while members:
            key, value = members.pop(0)
            if isinstance(value, dict) and value:
                prefix = "" if key == "attributes" else f"{key}."
                members[:0] = [(f"{prefix}{name}", item) for name, item in value.items()]
            else:
                flat.append((key, value))
        return flat


def explain(arguments: Sequence[str]) -> int:
    """Say it on standard output; 0. ConfigurationError, OSError."""
    given = Arguments(arguments, (JSON,))
    found = _Collector()
    schema: Any = found
    compiler = Compiler(schema, {}, exact=True)
    stream = WrappedStream(compiler, given.layouts, given.path, Counter())
    read = 0
    broken = None
    written = changed(given.path)
    try:
        for data in chunks(given.path):
            if read >= _LOOKED_AT:
                sys.stderr.write(f"{given.path}: only the first {read >> 20} MiB looked at\n")
                break
            if data:
                found.take(stream.feed(data, Clock(zone=given.zone, until=written)))
                read += len(data)
    except BrokenArchiveError as error:
        broken = error
    found.take(stream.flush(Clock(zone=given.zone, until=written)))
    write = _as_json if JSON in given.flags else _as_text
    found.wrappings = stream.wrappings
    sys.stdout.write(write(found, given.schema))
    sys.stdout.flush()
    if broken is not None:
        raise broken
    return 0


def _main(found: _Collector) -> str:
    formats = [name for name, _ in found.events.most_common() if name != UNREAD]
    return formats[0] if formats else UNREAD


def _as_json(found: _Collector, schema: Schema) -> str:
    events = sum(found.events.values())
    unread = found.events[UNREAD]
    fields = {
        field: {"events": count, "example": _plain(field, found.examples[field])}
        for field, count in found.fields.most_common()
    }
    answer = {
        "format": _main(found),
        **({"wrappings": found.wrappings} if found.wrappings else {}),
        "events": events,
        "read": events - unread,
        "unread": unread,
        "fields": fields,
    }
    text = json.dumps(answer, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "replace").decode()


def _as_text(found: _Collector, schema: Schema) -> str:
    events = sum(found.events.values())
    if not events:
        return "no events in it\n"
    unread = found.events[UNREAD]
    lines = [f"format: {_main(found)}"]
    if found.wrappings:
        lines.append(f"inside of: {', '.join(found.wrappings)}")
    others = [
        f"{name} ({count})"
        for name, count in found.events.most_common()
        if name not in (_main(found), UNREAD)
    ]
    if others:
        lines.append(f"also in it: {', '.join(others)}")
    lines.append(f"events: {events}, {(events - unread) / events:.1%} of them read")
    if found.unread:
        lines.append(f"not read: {unread}, for example")
        lines += [f"  {_cut(text)}" for text in found.unread]
    rows = [("field", schema.name, "events", "example")]
    for field, count in found.fields.most_common():
        place = schema.place(field)
        rows.append((field, place, str(count), _cut(str(_plain(field, found.examples[field])))))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines.append("")
    for name, place, number, example in rows:
        lines.append(
            f"{name:<{widths[0]}}  {place:<{widths[1]}}  {number:>{widths[2]}}  {example}".rstrip()
        )
    return "\n".join(lines) + "\n"


def _plain(field: str, value: Any) -> Any:
    if field == "time" and isinstance(value, list):
        from podweave.helpers.logs.schemas.values import iso_seconds

        fraction = f".{value[1]}" if value[1] else ""
        return f"{iso_seconds(value[0])}{fraction}Z"
    return value


def _cut(text: str) -> str:
    shown = "".join(each if each.isprintable() else " " for each in text)
    return shown if len(shown) <= _WIDTH else shown[: _WIDTH - 1] + "…"
