"""Plain loops: a format's lines to ECS, a line at a time, as one would write it for that format.

A line is matched by the format's regular expression, or read by `json` or `csv`, or split; values
are converted and put into a dictionary; `json.dumps` writes it. What repeats (a time down to the
second, a level's word) is converted once, and what a format's fields mean is known ahead. A loop
must give the rows that the adapter does: bench/adapter says of which formats it doesn't.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Any

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, LEVEL, TIME, level_of
from podweave.helpers.logs.schemas.ecs import ECS
from podweave.helpers.logs.schemas.schema import Derived, Either
from podweave.helpers.logs.structured.sink import converted, time_of

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
