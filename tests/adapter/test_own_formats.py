"""Formats of the user's own: grok, csv, and layouts as applications' configurations have them."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Batch, Compiler, ExactBatch
from podweave.helpers.logs.formats.own import catalogue, grok_patterns
from podweave.helpers.logs.formats.own.expressions import OwnLayout
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.schemas.flat import FLAT
from podweave.helpers.logs.stream import Stream
from tests.adapter.own_expressions import EXPRESSIONS
from tests.adapter.own_layout_strings import LAYOUT_STRINGS
from tests.adapter.own_lines import NOW

CLOCK = Clock(NOW + 84.25, 0)


def read(key: str, value: Any, line: bytes) -> dict[str, Any] | None:
    for layout in catalogue.load(key, value).layouts:
        record: dict[str, Any] | None = layout.record(line, CLOCK)
        if record is not None:
            return record
    return None


CASES = [*LAYOUT_STRINGS, *EXPRESSIONS]


@pytest.mark.parametrize(("key", "value", "line", "expected"), CASES)
def test_a_line_is_read(key: str, value: Any, line: bytes, expected: dict[str, Any]) -> None:
    assert read(key, value, line) == expected


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("time", "2026-11-23 02:16:56.789", (NOW, "789")),
        ("time", "1795400216789", (NOW, "789")),
        ("time", "1795400216", (NOW, "")),
        ("time", "soon", None),
        ("level", "WARNING", "warn"),
        ("pid", "17", 17),
        ("pid", "007", 7),
        ("pid", "+1", 1),
        ("pid", "-5", -5),
        ("pid", "0x1", None),
        ("pid", "1234567890123456789", None),
        ("duration", "0.25", 0.25),
        ("duration", "007", 7.0),
        ("duration", "-.5", -0.5),
        ("duration", "1e5", None),
        ("thread", "007", "007"),
    ],
)
def test_a_text_is_of_its_fields_kind_in_every_format(name: str, text: str, kept: Any) -> None:
    record = (
        {"message": "x", "attributes": {name: text}}
        if kept is None
        else {"message": "x", name: kept}
    )
    line = text.encode() + b"|x"
    for key, value in (
        ("regex", rf"(?P<{name}>[^|]*)\|(?P<message>.*)"),
        ("grok", rf"(?<{name}>[^|]*)\|%{{GREEDYDATA:message}}"),
        ("csv", {"columns": [name, "message"], "delimiter": "|"}),
    ):
        assert read(key, value, line) == record, key


@pytest.mark.parametrize(("key", "value", "line", "expected"), CASES)
def test_the_compiled_way_gives_the_same(
    key: str, value: Any, line: bytes, expected: dict[str, Any]
) -> None:
    for layout in catalogue.load(key, value).layouts:
        batch = Compiler(FLAT, {}).batch(layout)
        exact = ExactBatch(layout, FLAT, {})
        lines = [line, line[:-3], b"", line + b" more", line.replace(b" ", b"  "), line]
        assert batch.rows(lines, CLOCK, "/x") == exact.rows(lines, CLOCK, "/x")


COMPILED = [
    (key, value, line)
    for key, value, line, _ in CASES
    # Patterns of the user's own are read line by line.
    if not (isinstance(value, dict) and "patterns" in value)
]


@pytest.mark.parametrize(("key", "value", "line"), COMPILED)
def test_the_usual_way_is_compiled(key: str, value: Any, line: bytes) -> None:
    layouts = catalogue.load(key, value).layouts
    reading = next(layout for layout in layouts if layout.reads(line, CLOCK))
    assert isinstance(Compiler(FLAT, {}).batch(reading), Batch)


def test_every_pattern_of_grok_is_a_regular_expression() -> None:
    for name in grok_patterns.PATTERNS:
        for layout in catalogue.load("grok", f"%{{{name}:x}} %{{GREEDYDATA:message}}").layouts:
            assert layout.record(b"\n", CLOCK) is None


@given(
    st.lists(
        st.sampled_from(
            ["%d", "%t", "%c", "%-5p", "%20t", "%m", "%X{a}", "%L", "[", "] ", " - ", ":"]
        ),
        min_size=2,
        max_size=9,
    ),
    st.text(alphabet=" []-:ab1", max_size=60),
)
def test_no_layout_is_slow_or_differs_when_compiled(words: list[str], text: str) -> None:
    try:
        (layout,) = catalogue.load("log4j", "".join(words)).layouts
    except ValueError:
        return
    lines = [text.encode(), b"2026-11-23 02:16:56 " + text.encode(), b"x"]
    batch, exact = Batch(layout, FLAT, {}), ExactBatch(layout, FLAT, {})
    assert batch.rows(lines, CLOCK, "/x") == exact.rows(lines, CLOCK, "/x")


PIECES = (b"a", b" ", b"]", b"[", b" - ", b"] ", b":", b'"', b"(a", b" (", b"1", b"a.", b'" "')


@pytest.mark.parametrize(("key", "value", "line", "expected"), CASES)
def test_nothing_that_a_line_contains_makes_it_slow(
    key: str, value: Any, line: bytes, expected: dict[str, Any]
) -> None:
    layouts = [
        layout
        for layout in catalogue.load(key, value).layouts
        if isinstance(layout, Layout) and not isinstance(layout, OwnLayout)
    ]
    for piece in PIECES:
        for eighths in (0, 3, 5, 8):
            head = line[: len(line) * eighths // 8]
            begin = time.process_time()
            for layout in layouts:
                layout.record(head + piece * (40_000 // len(piece)), CLOCK)
            if time.process_time() - begin > 0.25:
                short = _seconds(layouts, head + piece * (10_000 // len(piece)))
                long = _seconds(layouts, head + piece * (80_000 // len(piece)))
                assert long < short * 24, (head, piece)


def _seconds(layouts: list[Layout], line: bytes) -> float:
    begin = time.process_time()
    for layout in layouts:
        layout.record(line, CLOCK)
    return time.process_time() - begin


def rows(key: str, value: Any, data: bytes) -> list[bytes]:
    stream = Stream(Compiler(FLAT, {}), catalogue.load(key, value).layouts, "/x.log", Counter())
    return stream.feed(data, CLOCK) + stream.flush(CLOCK)


def test_a_header_names_the_columns() -> None:
    found = rows(
        "csv",
        {},
        b"timestamp,Level,shop,message\n"
        b"2026-11-23 02:16:56,WARN,seoul,slow\n"
        b'2026-11-23 02:16:57,INFO,busan,"a, b"\n',
    )
    assert len(found) == 3
    assert b'"message":"timestamp,Level,shop,message"' in found[0]
    assert b'"message":"slow"' in found[1]
    assert b'"level":"warn"' in found[1]
    assert b'"shop":"seoul"' in found[1]
    assert b'"message":"a, b"' in found[2]
