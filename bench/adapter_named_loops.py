"""Plain loops over lines that name their fields (JSON, pairs, events, OTLP), and over CSV."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from typing import Any

from adapter_loops import (
    CLOCK,
    SETTERS,
    Document,
    Loop,
    PatternLoop,
    Setter,
    moment_of,
    put,
)

from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, LEVEL, TIME
from podweave.helpers.logs.formats.java_json import InstantLayout
from podweave.helpers.logs.structured.event_layout import CefLayout, EventLayout
from podweave.helpers.logs.structured.json_layout import JsonLayout
from podweave.helpers.logs.structured.names import UNITS
from podweave.helpers.logs.structured.otlp_layout import OtlpLayout
from podweave.helpers.logs.structured.pairs_layout import PairsLayout
from podweave.helpers.logs.structured.sink import converted


class NamesLoop(Loop):
    """Of lines that name their fields: what a name means is found out once."""

    def __init__(self, layout: Any) -> None:
        super().__init__(layout)
        self.known: dict[str, Setter] = {}
        self.claimed: set[str] = set()
        self.sources = {source for _, source, _ in layout.derive}
        self.said: dict[str, Any] = {}

    def fill(self, line: str, document: Document) -> None:
        self.said.clear()
        self.members(self.read(line), "", document)
        if "@timestamp" not in document:
            document["@timestamp"] = moment_of(*CLOCK.reading())
        if self.sources:
            self.derive(document)

    def read(self, line: str) -> dict[str, Any]:
        raise NotImplementedError

    def derive(self, document: Document) -> None:
        for name, source, function in self.layout.derive:
            said = self.said.get(source)
            if said and name not in self.claimed:
                derived = function(str(said))
                if derived is not None:
                    SETTERS[name](document, derived)

    def members(self, members: dict[str, Any], before: str, document: Document) -> None:
        known = self.known
        for key, item in members.items():
            path = before + key
            if isinstance(item, dict):
                self.members(item, path + ".", document)
            elif item is not None:
                if path not in known:
                    known[path] = self.setter(path, item)
                known[path](document, item)

    def setter(self, path: str, item: Any) -> Setter:
        """What puts the values of that name in their place; `item` is one of them."""
        found = self.layout.keys.find(path)
        if found is not None and found[0] not in self.claimed and not isinstance(item, bool):
            setter = self.field(path, found[0], found[1], item)
            if setter is not None:
                self.claimed.add(found[0])
                return self.noted(found[0], setter)
        name = path.replace(".", "_")

        def label(document: Document, item: Any) -> None:
            if isinstance(item, list) and item and isinstance(item[0], dict):
                item = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
            try:
                document["labels"][name] = item
            except KeyError:
                document["labels"] = {name: item}

        return self.noted(path, label)

    def noted(self, source: str, setter: Setter) -> Setter:
        """Keeps what others are derived from."""
        if source not in self.sources:
            return setter
        said = self.said

        def note(document: Document, item: Any) -> None:
            said[source] = item
            setter(document, item)

        return note

    def field(self, path: str, field: str, unit: str, item: Any) -> Setter | None:
        kind = FIELDS[field]
        if isinstance(item, list):
            if kind == TIME or len(item) != 1 or not isinstance(item[0], str):
                return None
            inner = self.field(path, field, unit, item[0])
            return inner and (lambda document, item: inner(document, item[0]))
        if kind == TIME:
            return self.time
        put = SETTERS[field]
        if kind == LEVEL:
            return lambda document, item: put(document, self.level(item))
        if kind == INTEGER and isinstance(item, str):
            return (lambda document, item: put(document, int(item))) if item.isdigit() else None
        if kind == INTEGER:
            return put if isinstance(item, int) else None
        if kind == DECIMAL and isinstance(item, str):
            levels = self.layout.levels
            if converted(field, unit, item, True, levels, CLOCK) is None:
                return None
            return lambda document, item: put(
                document, converted(field, unit, item, True, levels, CLOCK)
            )
        if kind == DECIMAL:
            scale = UNITS[unit or "s"]
            return lambda document, item: put(document, item / scale)
        if isinstance(item, str):
            return put
        if self.layout.keys.owns(path) and isinstance(item, int):
            return lambda document, item: put(document, str(item))
        return None

    def time(self, document: Document, item: Any) -> None:
        moment = self.moments.get(item)
        document["@timestamp"] = self.moment(item) if moment is None else moment


class JsonLoop(NamesLoop):
    def read(self, line: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(line)
        strip = self.layout.strip
        if strip:
            value = {key.removeprefix(strip): item for key, item in value.items()}
        return value

    def fill(self, line: str, document: Document) -> None:
        super().fill(line, document)
        if document.get("message", "").endswith("\n"):
            document["message"] = document["message"][:-1]


class InstantLoop(JsonLoop):
    """Of log4j's times in two parts."""

    def fill(self, line: str, document: Document) -> None:
        super().fill(line, document)
        nanoseconds = document["labels"].pop("instant_nanoOfSecond")
        document["@timestamp"] = f"{document['@timestamp'][:-5]}.{nanoseconds:09d}Z"


_NUMBER = re.compile(r"(?:0|-?[1-9]\d{0,17})(\.\d{1,9})?")


class PairsLoop(NamesLoop):
    def __init__(self, layout: Any) -> None:
        super().__init__(layout)
        self.pairs = re.compile(layout.pair.pattern.decode("latin-1"), re.ASCII).findall

    def read(self, line: str) -> dict[str, Any]:
        if not self.layout.quoted:
            return dict(self.pairs(line))
        values: dict[str, Any] = {}
        for name, quoted, bare in self.pairs(line):
            if quoted:
                values[name] = quoted.replace('\\"', '"') if "\\" in quoted else quoted
                continue
            number = _NUMBER.fullmatch(bare)
            if number is None:
                values[name] = bare
            else:
                values[name] = float(bare) if number[1] else int(bare)
        return values


_KEY = re.compile(r"(?:^| )([A-Za-z_][\w.\-\[\]]*)=")
_ESCAPED = re.compile(r"\\(.)")


class EventLoop(NamesLoop):
    """Of CEF and LEEF."""

    def __init__(self, layout: Any) -> None:
        super().__init__(layout)
        self.head = re.compile(layout.head.pattern.decode("latin-1"), re.ASCII)
        self.cef = isinstance(layout, CefLayout)

        self.claimed = set(self.head.groupindex) - {"name"}

    def fill(self, line: str, document: Document) -> None:
        self.said.clear()
        head = self.head.match(line)
        assert head is not None
        values = self.values(line[head.end() :], head)
        for name, text in head.groupdict().items():
            if not text or text == "-" or name[0] == "_":
                continue
            if name == "time":
                self.time(document, text)
            elif name == "name" and "msg" not in values:
                document["message"] = text
            else:
                if name in self.sources:
                    self.said[name] = text
                put(document, name, int(text) if name == "priority" else text)
        self.members(values, "", document)
        if "@timestamp" not in document:
            document["@timestamp"] = moment_of(*CLOCK.reading())
        self.derive(document)

    def values(self, extension: str, head: re.Match[str]) -> dict[str, Any]:
        if self.cef:
            _, *parts = _KEY.split(extension)
            values = dict(zip(parts[::2], parts[1::2], strict=True))
            if "\\" in extension:
                values = {name: _ESCAPED.sub(r"\1", text) for name, text in values.items()}
            return values
        return dict(part.split("=", 1) for part in extension.split(head["_delimiter"] or "\t"))


_OTLP_LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
_OTLP_NAMES = {
    "service.name": "service_name",
    "service.version": "service_version",
    "host.name": "host",
    "exception.type": "error_type",
    "exception.message": "error_message",
    "exception.stacktrace": "stack_trace",
}


class OtlpLoop(Loop):
    """Of requests with one record, or records."""

    def fill(self, line: str, document: Document) -> None:
        record = json.loads(line)
        resource: Any = {}
        scope: Any = {}
        if "resourceLogs" in record:
            resource_logs = record["resourceLogs"][0]
            scope_logs = resource_logs["scopeLogs"][0]
            resource = resource_logs.get("resource", {})
            scope = scope_logs.get("scope", {})
            record = scope_logs["logRecords"][0]
        stamp = record["timeUnixNano"]
        second = stamp[:-9]
        moment = self.moments.get(second)
        if moment is None:
            moment = self.moments[second] = moment_of(int(second), "")[:-4]
        document["@timestamp"] = f"{moment}{stamp[-9:]}Z"
        document["log"]["level"] = _OTLP_LEVELS[(record["severityNumber"] - 1) // 4]
        document["message"] = record["body"]["stringValue"]
        if record.get("traceId"):
            document["trace"] = {"id": record["traceId"]}
        if record.get("spanId"):
            document["span"] = {"id": record["spanId"]}
        if scope.get("name"):
            document["log"]["logger"] = scope["name"]
        for pair in (*resource.get("attributes", ()), *record.get("attributes", ())):
            ((kind, item),) = pair["value"].items()
            key = pair["key"]
            name = _OTLP_NAMES.get(key)
            if name is not None:
                put(document, name, item)
            else:
                label = int(item) if kind == "intValue" else item
                document.setdefault("labels", {})[key.replace(".", "_")] = label


class CsvLoop(Loop):
    """With Python's own reader."""

    def __init__(self, layout: Any, columns: list[tuple[str, str]], delimiter: str) -> None:
        super().__init__(layout)
        self.columns = columns
        self.delimiter = delimiter

    def lines(self, text: str) -> Iterable[Any]:
        return csv.reader(text.split("\n")[:-1], delimiter=self.delimiter)

    def fill(self, line: list[str], document: Document) -> None:
        for (name, kind), text in zip(self.columns, line, strict=True):
            if not text or text == "-":
                continue
            if kind == TIME:
                document["@timestamp"] = self.moment(text)
            elif kind == LEVEL:
                put(document, name, self.level(text))
            else:
                put(document, name, int(text) if kind == INTEGER else text)


def loop_of(layout: Any) -> Loop:
    """The loop of a layout, but for CSV's."""
    for kind, loop in _LOOPS:
        if isinstance(layout, kind):
            return loop(layout)
    return PatternLoop(layout)


_LOOPS: tuple[tuple[type, type[Loop]], ...] = (
    (OtlpLayout, OtlpLoop),
    (InstantLayout, InstantLoop),
    (JsonLayout, JsonLoop),
    (PairsLayout, PairsLoop),
    (EventLayout, EventLoop),
)
