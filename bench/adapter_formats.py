"""Each format of the catalogue: how fast it is read, against a loop over lines, and recognised.

The loop is what one would write for the format: a line is matched by the format's regular
expression (or read as JSON, or as pairs), a dictionary is filled, numbers are converted, times
are converted once a second, and `json.dumps` writes it. It knows the schema's places ahead.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.detect import every_layout, rank
from podweave.helpers.logs.envelope import Envelope
from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, LEVEL, TIME, level_of
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.schemas.ecs import ECS
from podweave.helpers.logs.schemas.schema import Derived, Either, Schema
from podweave.helpers.logs.stream import Stream
from podweave.helpers.logs.timestamps import Clock

CHUNK_LINES = 500
DIGITS = re.compile(rb"(?<![\w:/.+\-])\d{3,9}(?![\w:/+\-])")


def varied(format_: Any, number: int, count: int, chance: random.Random) -> list[bytes]:
    """Lines like the sample, with other numbers where the format still reads them."""
    sample = format_.samples[number][0]
    clock = Clock(1_795_400_300.25, 0)
    layout = next(each for each in format_.layouts if each.reads(sample, clock))

    def other(match: re.Match[bytes]) -> bytes:
        length = len(match[0])
        return b"%d" % chance.randrange(10 ** (length - 1), 10**length)

    lines = []
    for _ in range(count):
        line = DIGITS.sub(other, sample)
        lines.append(line if layout.reads(line, clock) else sample)
    return lines


def _places(name: str) -> list[tuple[tuple[str, ...], str, Callable[[Any], Any]]]:
    """Where a neutral field stands in ECS, and what is made of it."""
    found = []
    for _, parents, key, leaf in ECS._places.get(name, ()):
        parts = leaf.parts if isinstance(leaf, Either) else (leaf,)
        for part in parts:
            if getattr(part, "name", None) == name:
                function = part.function if isinstance(part, Derived) else None
                found.append((parents, key, function))
    return found  # type: ignore[return-value]


class Loop:
    """The loop of a format's layout."""

    def __init__(self, layout: Any) -> None:
        self.layout = layout
        self.stamps: dict[Any, str] = {}
        self.clock = Clock(1_795_400_300.25, 0)
        self.fixed = {"ecs": {"version": "9.0.0"}, "event": {"dataset": layout.format}}
        self.plans = {name: _places(name) for name in FIELDS}
        if not getattr(layout, "structured", False):
            self.regex = layout.line

    def run(self, data: bytes) -> str:
        rows = []
        structured = getattr(self.layout, "structured", False)
        for line in data.split(b"\n")[:-1]:
            document: dict[str, Any] = {
                "ecs": {"version": "9.0.0"},
                "event": {"dataset": self.layout.format},
            }
            if structured:
                self.fill_structured(line, document)
            else:
                self.fill(line, document)
            rows.append(json.dumps(document, ensure_ascii=False, separators=(",", ":")))
        return "\n".join(rows)

    def fill(self, line: bytes, document: dict[str, Any]) -> None:
        match = self.regex.fullmatch(line)
        assert match is not None
        base, fraction = b"", ""
        for group, value in zip(self.layout.groups, match.groups(b""), strict=True):
            if group.kind == TIME:
                if group.role == "fraction":
                    fraction = value.decode()
                else:
                    base += value
                continue
            if value in (b"", b"-") or group.name[0] == "_":
                continue
            text: Any = value.decode()
            if group.kind == INTEGER:
                text = int(text)
            elif group.kind == DECIMAL:
                text = float(text)
            elif group.kind == LEVEL:
                text = level_of(text)
            self.put(document, group.name, text)
        if self.layout.stamp is not None:
            moment = self.stamps.get(base)
            if moment is None:
                seconds = self.layout.stamp.parse(base, self.clock) or 0
                moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
                self.stamps[base] = moment
            document["@timestamp"] = f"{moment}.{fraction or '000'}Z"

    def fill_structured(self, line: bytes, document: dict[str, Any]) -> None:
        # As the format reads it, without what isn't needed for its own keys.
        record = self.layout.record(line, self.clock)
        seconds, fraction = record.pop("time", (0, ""))
        moment = self.stamps.get(seconds)
        if moment is None:
            moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
            self.stamps[seconds] = moment
        document["@timestamp"] = f"{moment}.{fraction or '000'}Z"
        labels = record.pop("attributes", None)
        for name, value in record.items():
            self.put(document, name, value)
        if labels:
            document["labels"] = labels

    def put(self, document: dict[str, Any], name: str, value: Any) -> None:
        plan = self.plans.get(name)
        if not plan:
            document.setdefault("labels", {})[name] = value
            return
        for parents, key, function in plan:
            # An array, as of addresses in Kubernetes' audit log, stays as it is.
            as_it_is = function is None or isinstance(value, list)
            made = value if as_it_is else function(value)
            if made is None:
                continue
            node = document
            for parent in parents:
                node = node.setdefault(parent, {})
            node[key] = made


class JsonLoop(Loop):
    """With a table of keys: what an author who knows the lines would write."""

    def __init__(self, layout: Any, sample: bytes) -> None:
        super().__init__(layout)
        self.keys: dict[str, Any] = {}
        self.sample = json.loads(sample)
        self.record = layout.record(sample, self.clock)

    def fill_structured(self, line: bytes, document: dict[str, Any]) -> None:
        value = json.loads(line)
        for key, item in value.items():
            found = self.layout.keys.find(key)
            if found is None or isinstance(item, dict):
                document.setdefault("labels", {})[key] = item
            elif item is None:
                continue
            elif found[0] == "time":
                moment = self.stamps.get(item)
                if moment is None:
                    from podweave.helpers.logs.structured.sink import time_of

                    seconds, fraction = time_of(item, self.clock) or (0, "")
                    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
                    moment = self.stamps[item] = f"{text}.{fraction or '000'}Z"
                document["@timestamp"] = moment
            else:
                kind = FIELDS[found[0]]
                if kind == INTEGER:
                    item = int(item)
                elif kind == DECIMAL:
                    item = float(item)
                elif kind == LEVEL:
                    item = level_of(str(item))
                self.put(document, found[0], item)


def _particular(layout: Any, line: bytes) -> Any:
    """Of an envelope the layout of the program's message."""
    if not isinstance(layout, Envelope):
        return layout
    clock = Clock(1_795_400_300.25, 0)
    return next((each for each in layout.every() if each.reads(line, clock)), layout)


def _cpu(work: Callable[[], object], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        begin = time.process_time()
        work()
        best = min(best, time.process_time() - begin)
    return best


def ratio(format_: Any, number: int, lines: int, schema: Schema = ECS) -> tuple[float, float]:
    """(times the loop, MiB per CPU-second) of a format on lines like one of its samples."""
    chance = random.Random(number)
    made = varied(format_, number, lines, chance)
    chunks = [
        b"\n".join(made[at : at + CHUNK_LINES]) + b"\n" for at in range(0, lines, CHUNK_LINES)
    ]
    clock = Clock(1_795_400_300.25, 0)
    stream = Stream(Compiler(schema, {}), format_.layouts, "/var/log/app.log", Counter())
    stream.feed(chunks[0], clock)

    def ours() -> None:
        for chunk in chunks:
            b"".join(stream.feed(chunk, clock))

    layout = _particular(
        next(each for each in format_.layouts if each.reads(made[0], clock)), made[0]
    )
    kind = JsonLoop if made[0].startswith(b"{") and getattr(layout, "structured", False) else None
    loop = kind(layout, made[0]) if kind else Loop(layout)

    def theirs() -> None:
        for chunk in chunks:
            loop.run(chunk).encode()

    ours()
    adapter, plain = _cpu(ours, 3), _cpu(theirs, 2)
    size = sum(map(len, chunks)) / (1 << 20)
    return plain / adapter, size / adapter


def recognition(files: int, seed: int = 1) -> tuple[float, float]:
    """(share of files recognised, milliseconds a file), of samples with one left out."""
    chance = random.Random(seed)
    clock = Clock(1_795_400_300.25, 0)
    formats = catalogue.load_all()
    layouts: Sequence[Any] = every_layout()
    right = 0
    spent = 0.0
    for _ in range(files):
        format_ = chance.choice(formats)
        samples = [line for line, _ in format_.samples]
        if len(samples) > 1:
            del samples[chance.randrange(len(samples))]
        lines = [chance.choice(samples) for _ in range(chance.choice((5, 20, 50)))]
        begin = time.process_time()
        found = rank(lines, layouts, clock)
        spent += time.process_time() - begin
        right += bool(found) and found[0].format == format_.name
    return right / files, spent / files * 1000
