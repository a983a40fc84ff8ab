"""Every format reads its own samples, and no layout breaks the rules that layouts live by."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Batch
from podweave.helpers.logs.detect import rank
from podweave.helpers.logs.envelope import Envelope
from podweave.helpers.logs.fields import FIELDS, LEVELS
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.formats.own.expressions import OwnLayout
from podweave.helpers.logs.layouts import Format, Layout
from podweave.helpers.logs.schemas.ecs import ECS
from podweave.helpers.logs.structured.pairs_layout import PairsLayout

FORMATS = catalogue.load_all()
SAMPLES = [
    pytest.param(format_, line, expected, id=f"{format_.name}-{number}")
    for format_ in FORMATS
    for number, (line, expected) in enumerate(format_.samples)
]


def _layouts() -> Iterator[Layout]:
    for format_ in FORMATS:
        for layout in format_.layouts:
            if isinstance(layout, Layout):
                yield layout
            if isinstance(layout, Envelope) and (layout.only or layout.format == "syslog-rfc5424"):
                yield from layout.every()


# The path of the file says which of the two it is (detect.every_layout).
SAME_LINES = {"apache-access": "nginx-access"}
LAYOUT_VALUES = list(_layouts())
LAYOUTS = [
    pytest.param(layout, id=f"{layout.format}-{number}")
    for number, layout in enumerate(LAYOUT_VALUES)
]
PAIRS_PATTERNS = [
    pattern.pattern
    for format_ in FORMATS
    for layout in format_.layouts
    if isinstance(layout, PairsLayout)
    for pattern in (layout.line, layout.pair)
]


@pytest.fixture
def clock() -> Clock:
    return Clock(1795400300.25, 0)


def read(format_: Format, line: bytes, clock: Clock) -> dict[str, Any] | None:
    for layout in format_.layouts:
        record: dict[str, Any] | None = layout.record(line, clock)
        if record is not None:
            return record
    return None


@pytest.mark.parametrize(("format_", "line", "expected"), SAMPLES)
def test_a_format_reads_its_samples(
    format_: Format, line: bytes, expected: dict[str, Any], clock: Clock
) -> None:
    assert read(format_, line, clock) == expected


@pytest.mark.parametrize(("format_", "line", "expected"), SAMPLES)
def test_samples_use_the_neutral_vocabulary(
    format_: Format, line: bytes, expected: dict[str, Any]
) -> None:
    assert set(expected) <= {*FIELDS, "attributes"}
    assert expected.get("level", "info") in LEVELS


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.name)
def test_a_format_is_recognised_by_its_samples(format_: Format, clock: Clock) -> None:
    lines = [line for line, _ in format_.samples]
    layouts = [layout for other in FORMATS for layout in other.layouts]
    for left_out in range(min(len(lines), 12)):
        rest = lines[:left_out] + lines[left_out + 1 :] or lines
        found = rank(rest, layouts, clock)[0].format
        assert found in (format_.name, SAME_LINES.get(format_.name))


def test_every_format_has_a_sample_and_a_loadable_alias() -> None:
    assert all(format_.samples for format_ in FORMATS)
    assert {catalogue.load(alias).name for alias in catalogue.ALIASES} <= set(catalogue.NAMES)
    with pytest.raises(KeyError):
        catalogue.load("nonsense")


@pytest.mark.parametrize("pattern", [rb'a[^"]*', rb"(?:\s+)", rb"(x|\W)", rb"\n", rb"[\s]?"])
def test_the_search_for_newlines_finds_them(pattern: bytes) -> None:
    assert _single_characters_matching_newline(pattern)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_part_of_a_layout_can_match_a_newline(layout: Layout) -> None:
    # A pattern runs over a whole chunk; one that could cross a line would swallow others.
    assert _single_characters_matching_newline(layout.pattern) == []


@pytest.mark.parametrize(
    "pattern", [*(layout.pattern for layout in LAYOUT_VALUES), *PAIRS_PATTERNS], ids=repr
)
def test_no_group_is_repeated_possessively(pattern: bytes) -> None:
    # Before 3.11.5 (Debian 12 has 3.11.2) `re` doesn't step back when the last round of such a
    # group fails halfway: what follows is then looked for in the wrong place.
    assert _possessive_groups(pattern) == []


@pytest.mark.parametrize("pattern", [rb"(?:ab)?+a", rb"[(](?:x(?:ab)*+)", rb"(a)++"])
def test_possessive_groups_are_found(pattern: bytes) -> None:
    assert len(_possessive_groups(pattern)) == 1


def test_half_a_byte_order_mark_stays_in_the_message(clock: Clock) -> None:
    # The full-width digit begins with the first two bytes of the mark.
    line = "<165>1 2003-10-11T22:14:15.003Z host app 42 ID47 - \uff11件".encode()
    record = read(catalogue.load("syslog-rfc5424"), line, clock)
    assert record is not None
    assert record["message"] == "\uff11件"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_groups_that_may_not_take_part_are_marked_absent(layout: Layout) -> None:
    # Otherwise they would come out as empty texts, or break a number.
    sure = _groups_that_always_take_part(layout.pattern)
    for index, group in enumerate(layout.groups, start=1):
        if group.kind != "time" and group.name != "message" and index not in sure:
            assert group.optional, group.name


def _possessive_groups(pattern: bytes) -> list[str]:
    parser: Any = re._parser  # type: ignore[attr-defined]
    found = []

    def look(node: Any) -> None:
        if isinstance(node, parser.SubPattern):
            for operation, argument in node:
                if str(operation) == "POSSESSIVE_REPEAT":
                    body = argument[2]
                    if len(body) != 1 or str(body[0][0]) not in ("IN", "LITERAL", "NOT_LITERAL"):
                        found.append(str(body))
                look(argument)
        elif isinstance(node, list | tuple):
            for part in node:
                look(part)

    look(parser.parse(pattern))
    return found


def _single_characters_matching_newline(pattern: bytes) -> list[str]:
    parser: Any = re._parser  # type: ignore[attr-defined]
    found = []

    def look(node: Any) -> None:
        if isinstance(node, parser.SubPattern):
            for operation, argument in node:
                if str(operation) in ("IN", "LITERAL", "NOT_LITERAL", "ANY", "CATEGORY"):
                    single = parser.SubPattern(parser.State(), [(operation, argument)])
                    if _matches_newline(single):
                        found.append(f"{operation} {argument}")
                else:
                    look(argument)
        elif isinstance(node, list | tuple):
            for part in node:
                look(part)

    def _matches_newline(single: Any) -> bool:
        compiler: Any = re._compiler  # type: ignore[attr-defined]
        code = compiler._code(single, 0)
        engine: Any = compiler._sre
        one = engine.compile(b"", 0, code, 0, {}, (None,))
        return one.match(b"\n") is not None

    look(parser.parse(pattern))
    return found


def _groups_that_always_take_part(pattern: bytes) -> set[int]:
    parser: Any = re._parser  # type: ignore[attr-defined]
    sure: set[int] = set()

    def look(node: Any) -> None:
        for operation, argument in node:
            name = str(operation)
            if name == "SUBPATTERN":
                if argument[0] is not None:
                    sure.add(argument[0])
                look(argument[3])
            elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
                if argument[0] > 0:
                    look(argument[2])
            elif name == "ATOMIC_GROUP":
                look(argument)

    look(parser.parse(pattern))
    return sure


ADVERSARIES = (
    b"a", b" ", b"-", b".", b"[", b"]", b"(", b")", b'"', b"\\", b":", b"a.", b"a=b ", b"[a",
    b'"a', b'\\"', b"a:", b" - ", b"(a", b" (a.B", b", client: ", b"1", b"[]", b'[a="', b"A.a",
    b"1 ", b"a ", b"\t", b"a\t", b"- ", b"1/", b"a, ", b"{a", b"=", b";", b"<", b'a="b" ', b"/",
    b"1.1 ", b"1:1 ", b"a=",
)  # fmt: skip


@pytest.mark.parametrize("format_", FORMATS, ids=lambda format_: format_.name)
def test_nothing_that_a_line_contains_makes_it_slow(format_: Format, clock: Clock) -> None:
    # A pattern that looks at every pair of places takes seconds for what others take a millisecond.
    lines = [line for line, _ in format_.samples]
    for number, piece in enumerate(ADVERSARIES):
        for turn, line in enumerate((b"", *lines)):
            for eighths in ((number + turn) % 8, (number + turn + 3) % 8, 8):
                head = line[: len(line) * eighths // 8]
                if _seconds(format_, head + piece * (40_000 // len(piece)), clock) > 0.25:
                    short = _seconds(format_, head + piece * (10_000 // len(piece)), clock)
                    long = _seconds(format_, head + piece * (80_000 // len(piece)), clock)
                    assert long < short * 24, (head, piece)


STRUCTURED = [
    pytest.param(layout, id=f"{layout.format}-{number}")
    for number, layout in enumerate(
        layout for format_ in FORMATS for layout in format_.layouts if hasattr(layout, "named")
    )
]


@pytest.mark.parametrize("layout", STRUCTURED)
def test_names_are_found_in_one_pass(layout: Any) -> None:
    def seconds(line: bytes) -> float:
        begin = time.process_time()
        layout.named.findall(line)
        return time.process_time() - begin

    for piece in (*ADVERSARIES, b'"a":', b'\\"', b"|a", b"\ta:", b"^a="):
        if seconds(piece * (40_000 // len(piece))) > 0.1:
            short, long = piece * (10_000 // len(piece)), piece * (80_000 // len(piece))
            assert seconds(long) < seconds(short) * 24, piece


def _seconds(format_: Format, line: bytes, clock: Clock) -> float:
    """CPU time of reading a line."""
    begin = time.process_time()
    read(format_, line, clock)
    return time.process_time() - begin


def test_own_expressions_name_neutral_fields_and_others(clock: Clock) -> None:
    layout = OwnLayout(
        r"(?P<time>\S+ \S+)\|(?P<level>\w*)\|(?P<status>\S+)\|(?P<shop>[^|]*)\|(?P<message>.*)"
    )
    assert layout.record(b"2026-11-23 02:16:56,5|WARN|200|seoul|hello", clock) == {
        "time": (1795400216, "5"),
        "level": "warn",
        "status": 200,
        "message": "hello",
        "attributes": {"shop": "seoul"},
    }
    assert layout.record(b"yesterday noon|-|abc||hello", clock) is None
    assert layout.record(b"yesterday noon||abc||hello", clock) == {
        "message": "hello",
        "attributes": {"time": "yesterday noon", "status": "abc"},
    }
    assert layout.record(b"something else", clock) is None


@pytest.mark.parametrize("expression", ["(", "no groups", "(?P<a>x)(?P<a>y)"])
def test_an_own_expression_that_is_none_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match=r"regular expression|named groups"):
        OwnLayout(expression)


def test_a_field_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="named twice"):
        Layout(rb"%{WORD:user} %{WORD:user}")


def test_a_batch_gives_none_in_the_place_of_a_line_that_does_not_fit(clock: Clock) -> None:
    layout = catalogue.load("python").layouts[0]
    line = b"2026-11-23 02:16:56,789 - shop - INFO - hello"
    rows = Batch(layout, ECS, {}).rows([line, b"else", b"", line], clock, "/x")
    assert rows[1:3] == [None, None]
    assert rows[0] == rows[3] == Batch(layout, ECS, {}).row(line, clock, "/x")
