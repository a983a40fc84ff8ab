"""Each format of the catalogue: how fast it is read, against a plain loop (adapter_loops.py), and
recognised."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import adapter_loops
import adapter_named_loops

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.detect import every_layout, rank
from podweave.helpers.logs.envelope import Envelope
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.schemas.ecs import ECS
from podweave.helpers.logs.schemas.schema import Schema
from podweave.helpers.logs.stream import Stream

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


def _loop(layout: Any, line: bytes) -> adapter_loops.Loop:
    """The loop of a layout; of an envelope that of the program's message."""
    clock = Clock(1_795_400_300.25, 0)
    dataset = layout.record(line, clock).get("format", layout.format)
    if isinstance(layout, Envelope):
        own = (each for each in layout.every() if each.format == dataset)
        layout = next((each for each in own if each.reads(line, clock)), layout)
    loop = adapter_named_loops.loop_of(layout)
    loop.dataset = dataset
    return loop


def _cpu(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def csv_lines(header: bytes, count: int, chance: random.Random) -> list[bytes]:
    """Lines below a header: every fourth message has a delimiter in quotes, or quotes doubled."""
    delimiter = b"\t" if b"\t" in header else b";" if b";" in header else b","
    lines = []
    for number in range(count):
        row = []
        for name in header.replace(b'"', b"").split(delimiter):
            text = b"shop-%d" % chance.randrange(100)
            if name in (b"time", b"timestamp", b"date"):
                text = b"2026-11-23 02:%02d:%02d" % divmod(number // 50 % 3600, 60)
            elif name in (b"level", b"severity"):
                text = chance.choice((b"INFO", b"WARN"))
            elif name == b"message":
                text = b"order %d placed" % chance.randrange(10**6)
                if number % 4 == 0:
                    text = b'"%b, ""%b"""' % (text, delimiter)
            row.append(text)
        lines.append(delimiter.join(row))
    return lines


def ratio(format_: Any, number: int, lines: int, schema: Schema = ECS) -> tuple[float, float, bool]:
    """(times the loop, MiB per CPU-second, whether both give the same rows) of a format on lines
    like one of its samples."""
    chance = random.Random(number)
    clock = Clock(1_795_400_300.25, 0)
    stream = Stream(Compiler(schema, {}), format_.layouts, adapter_loops.PATH, Counter())
    sample = format_.samples[number][0]
    if format_.name == "csv":
        made = csv_lines(sample, lines, chance)
        header = next(each for each in format_.layouts if each.reads(sample, clock))
        stream.feed(sample + b"\n", clock)
        delimiter = header.marker[-1:].decode()
        columns = header.announces(sample).beside[-1].columns
        loop: adapter_loops.Loop = adapter_named_loops.CsvLoop(header, columns, delimiter)
    else:
        made = varied(format_, number, lines, chance)
        layout = next(each for each in format_.layouts if each.reads(made[0], clock))
        loop = _loop(layout, made[0])
    chunks = [
        b"\n".join(made[at : at + CHUNK_LINES]) + b"\n" for at in range(0, lines, CHUNK_LINES)
    ]
    stream.feed(chunks[0], clock)

    def ours() -> None:
        for chunk in chunks:
            b"".join(stream.take(chunk, clock))

    def theirs() -> None:
        for chunk in chunks:
            loop.run(chunk)

    ours()
    # The first row is of the event that was held back.
    _, *rows = stream.feed(chunks[-1], clock)
    expected = loop.run(chunks[-1]).splitlines()
    same = list(map(json.loads, rows)) == list(map(json.loads, expected[:-1]))
    adapter = plain = float("inf")
    for _ in range(3):
        # In turns, since others may be at work as well.
        adapter, plain = min(adapter, _cpu(ours)), min(plain, _cpu(theirs))
    size = sum(map(len, chunks)) / (1 << 20)
    return plain / adapter, size / adapter, same


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
