"""Recognition: of a file's format, from samples of which one is left out."""

from __future__ import annotations

import random
from collections import Counter

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.detect import every_layout, rank
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.schemas.ecs import ECS
from podweave.helpers.logs.stream import Stream

CLOCK = Clock(1795400300.25, 0)
FILES = 400


def test_of_a_hundred_files_at_least_98_are_recognised() -> None:
    chance = random.Random(5)
    formats = catalogue.load_all()
    layouts = every_layout()
    wrong: Counter[tuple[str, str]] = Counter()
    for _ in range(FILES):
        format_ = chance.choice(formats)
        lines = [line for line, _ in format_.samples]
        if len(lines) > 1:
            del lines[chance.randrange(len(lines))]
        found = rank(chance.choices(lines, k=chance.choice((5, 20, 50))), layouts, CLOCK)
        name = found[0].format if found else "unread"
        if name != format_.name:
            wrong[format_.name, name] += 1
    assert sum(wrong.values()) <= FILES * 0.02, wrong


def test_most_formats_that_never_come_are_never_compiled() -> None:
    layouts = every_layout()
    for layout in layouts:
        if isinstance(layout, Layout):
            layout._line = None
    line = catalogue.load("klog").samples[0][0]
    stream = Stream(Compiler(ECS, {}), layouts, "/x", Counter())
    stream.feed((line + b"\n") * 200, CLOCK)
    assert stream.format == "klog"
    compiled = {layout.format for layout in layouts if getattr(layout, "_line", None) is not None}
    assert len(compiled) < len(catalogue.NAMES) / 3


def test_a_format_reads_its_samples_in_one_file_as_it_does_alone() -> None:
    # A layout for particular lines goes before its format's one for all others, however few.
    for format_ in catalogue.load_all():
        ranked = rank([line for line, _ in format_.samples], format_.layouts, CLOCK)
        for line, expected in format_.samples:
            records = (layout.record(line, CLOCK) for layout in ranked)
            assert next(filter(None, records)) == expected, line
