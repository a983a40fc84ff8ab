"""Plain loops: a format's lines to ECS, a line at a time, as one would write it for that format.

A line is matched by the format's regular expression, or read by `json` or `csv`, or split; values
are converted and put into a dictionary; `json.dumps` writes it. What repeats (a time down to the
second, a level's word) is converted once, and what a format's fields mean is known ahead. A loop
must give the rows that the adapter does: bench/adapter says of which formats it doesn't.
"""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, LEVEL, TIME, level_of
from podweave.helpers.logs.formats.java import InstantLayout
from podweave.helpers.logs.schemas.ecs import ECS
from podweave.helpers.logs.schemas.schema import Derived, Either
from podweave.helpers.logs.structured.event_layout import CefLayout, EventLayout
from podweave.helpers.logs.structured.json_layout import JsonLayout
from podweave.helpers.logs.structured.names import UNITS
from podweave.helpers.logs.structured.otlp_layout import OtlpLayout
from podweave.helpers.logs.structured.pairs_layout import PairsLayout
from podweave.helpers.logs.structured.sink import converted, time_of
from podweave.helpers.logs.timestamps import Clock

PATH = "/var/log/app.log"
CLOCK = Clock(1_795_400_300.25, 0)
Document = dict[str, Any]
# Where a field stands, what is made of it, and whether that goes before what is there.
Setter = Callable[[Document, Any], None]
Place = tuple[tuple[str, ...], str, Callable[[Any], Any] | None, bool]


def _places(name: str) -> list[Place]:
    found: list[Place] = []
    for _, parents, key, leaf in ECS._places.get(name, ()):
        parts = leaf.parts if isinstance(leaf, Either) else (leaf,)
        for part in parts:
            if getattr(part, "name", None) == name:
                function = part.function if isinstance(part, Derived) else None
                found.append((parents, key, function, part is parts[0]))
    return found


PLACES = {name: _places(name) for name in FIELDS if name != "time"}


def put(document: Document, name: str, value: Any) -> None:
    """Put a neutral field, or one of the application's own, in its place."""
    places = PLACES.get(name)
    if not places:
        document.setdefault("labels", {})[name] = value
        return
    for parents, key, function, first in places:
        made = value if function is None else function(value)
        if made is None:
            continue
        node = document
        for parent in parents:
            node = node.setdefault(parent, {})
        if first or key not in node:
            node[key] = made


def _setter(name: str) -> Setter:
    """What puts a field in its place, in as few steps as one would write."""
    places = PLACES[name]
    if len(places) != 1 or places[0][2] is not None or len(places[0][0]) > 1:
        return lambda document, value: put(document, name, value)
    (parents, key, _, _) = places[0]
    if not parents:
        return lambda document, value: document.__setitem__(key, value)
    (parent,) = parents

    def put_one(document: Document, value: Any) -> None:
        try:
            document[parent][key] = value
        except KeyError:
            document[parent] = {key: value}

    return put_one


SETTERS = {name: _setter(name) for name in PLACES}


def moment_of(seconds: int | None, fraction: str) -> str:
    if seconds is None:
        seconds, fraction = CLOCK.reading()
    fraction = fraction[:9] if len(fraction) >= 3 else fraction.ljust(3, "0")
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{fraction}Z"


class Loop:
    """The loop of a layout."""

    def __init__(self, layout: Any) -> None:
        self.layout = layout
        self.dataset: str = layout.format
        self.moments: dict[Any, str] = {}
        self.levels: dict[Any, str] = {}

    def run(self, data: bytes) -> bytes:
        """The rows of a chunk's lines."""
        rows = []
        for line in self.lines(data.decode("utf-8", "replace")):
            document: Document = {
                "log": {"file": {"path": PATH}},
                "ecs": {"version": "9.0.0"},
                "event": {"dataset": self.dataset},
            }
            self.fill(line, document)
            rows.append(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
        rows.append("")
        return "\n".join(rows).encode()

    def lines(self, text: str) -> Iterable[Any]:
        return text.split("\n")[:-1]

    def fill(self, line: Any, document: Document) -> None:
        raise NotImplementedError

    def level(self, word: Any) -> str:
        level = self.levels.get(word)
        if level is None:
            own = self.layout.levels
            level = converted("level", "", word, True, own, CLOCK) or level_of(str(word), own)
            self.levels[word] = level
        return level

    def moment(self, said: Any) -> str:
        moment = self.moments.get(said)
        if moment is None:
            found = time_of(said, CLOCK) or CLOCK.reading()
            moment = self.moments[said] = moment_of(*found)
        return moment


class PatternLoop(Loop):
    """By the layout's regular expression."""

    def __init__(self, layout: Any) -> None:
        super().__init__(layout)
        self.regex = re.compile(layout.pattern.decode("latin-1"), re.ASCII)
        sources = {source for _, source, _ in layout.derive}
        self.groups = [
            (group, group.name if group.name in sources else "", self.putter(group))
            for group in layout.groups
        ]

    def lines(self, text: str) -> Iterable[Any]:
        if not text.isascii():
            # A pattern of bytes reads bytes.
            return text.encode().decode("latin-1").split("\n")[:-1]
        return text.split("\n")[:-1]

    def fill(self, line: str, document: Document) -> None:
        match = self.regex.fullmatch(line)
        assert match is not None
        base = fraction = ""
        sources: dict[str, str] = {}
        for (group, source, putter), text in zip(self.groups, match.groups(""), strict=True):
            if putter is None:
                if group.role == "fraction":
                    fraction = text
                else:
                    base += text
                continue
            if group.optional and (text == "" or text == "-"):
                continue
            if not text.isascii():
                text = text.encode("latin-1").decode("utf-8", "replace")
            if source:
                sources[source] = text
            putter(document, text)
        for name, source, function in self.layout.derive:
            if sources.get(source):
                derived = function(sources[source])
                if derived is not None:
                    put(document, name, derived)
        document["@timestamp"] = self.stamped(base, fraction)

    def putter(self, group: Any) -> Setter | None:
        """What converts a group's text, and puts it in its place."""
        if group.kind == TIME:
            return None
        name = group.name
        if name[0] == "_":
            return lambda document, text: None
        setter = SETTERS.get(name) or (lambda document, value: put(document, name, value))
        if group.kind == INTEGER:
            return lambda document, text: setter(document, int(text))
        if group.kind == DECIMAL:
            return lambda document, text: setter(document, float(text))
        if group.kind == LEVEL:
            return lambda document, text: setter(document, self.level(text))
        return setter

    def stamped(self, base: str, fraction: str) -> str:
        if self.layout.stamp is None:
            return moment_of(*CLOCK.reading())
        moment = self.moments.get(base)
        if moment is None:
            seconds = self.layout.stamp.parse(base.encode("latin-1"), CLOCK)
            moment = self.moments[base] = moment_of(seconds, "")[:-4]
        fraction = fraction[:9] if len(fraction) >= 3 else fraction.ljust(3, "0")
        return f"{moment}{fraction}Z"


class NamesLoop(Loop):
    """Of lines that name their fields: what a name means is found out once."""

    def __init__(self, layout: Any) -> None:
        super().__init__(layout)
        self.known: dict[str, Setter] = {}
        self.claimed: set[str] = set()

    def fill(self, line: str, document: Document) -> None:
        self.members(self.read(line), "", document)
        if "@timestamp" not in document:
            document["@timestamp"] = moment_of(*CLOCK.reading())
        if self.layout.derive:
            self.derive(document)

    def read(self, line: str) -> dict[str, Any]:
        raise NotImplementedError

    def derive(self, document: Document) -> None:
        for name, source, function in self.layout.derive:
            node: Any = document
            places = PLACES.get(source) or [(("labels",), source, None, True)]
            parents, key, _, _ = places[0]
            for parent in parents:
                node = node.get(parent, {})
            if node.get(key) and name not in self.claimed:
                derived = function(str(node[key]))
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
                return setter
        name = path.replace(".", "_")

        def label(document: Document, item: Any) -> None:
            if isinstance(item, list) and item and isinstance(item[0], dict):
                item = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
            try:
                document["labels"][name] = item
            except KeyError:
                document["labels"] = {name: item}

        return label

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
