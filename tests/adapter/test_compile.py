"""The compiled way and the exact way from a line to a row give the same bytes."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.columns import escape, is_clean
from podweave.helpers.logs.compile import Batch, Compiler, ExactBatch
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.line_shapes import spelled_out
from podweave.helpers.logs.rare_bytes import contains
from podweave.helpers.logs.schemas import catalogue as schemas
from podweave.helpers.logs.schemas.ecs import ECS
from podweave.helpers.logs.schemas.schema import Attributes, Constant, Field, Schema, Time
from podweave.helpers.logs.schemas.values import ONLY_IPV4, ip
from podweave.helpers.logs.utf8 import is_utf8
from tests.adapter.lines import SAMPLE_LINES, mutated

LAYOUTS = [
    layout
    for format_ in catalogue.load_all()
    for layout in format_.layouts
    if isinstance(layout, Layout)
]
CLOCK = Clock(1795400300.25, 0)

# A schema that is all the compiler can meet: optional members first, objects of nothing but
# optional members, percent signs, nothing fixed at the beginning.
ODD = Schema(
    "odd",
    [
        ("who/user", Field("user")),
        ("who/agent%", Field("user_agent")),
        ("who/deep/status", Field("status")),
        ("who/deep/fixed", Constant("100 %")),
        ("short_message", Field("message")),
        ("level", Field("level")),
        ("a/b/c/thread", Field("thread")),
        ("a/b/line", Field("line")),
        ("a/pid", Field("pid")),
        ("pod", Field("pod_name")),
        ("when", Time(str, ":", "!")),
        ("rest", Attributes(lambda attributes: {f"_{k}": v for k, v in attributes.items()})),
    ],
)


WITH_SAMPLES = [
    (layout, own)
    for layout in LAYOUTS
    if (own := [line for line in SAMPLE_LINES if layout.record(line, CLOCK) is not None])
]
SCHEMAS = [ODD, *map(schemas.load, schemas.NAMES)]


@st.composite
def lines_for_layouts(draw: st.DrawFn) -> tuple[Layout, list[bytes]]:
    """A layout, with lines of its own and of others, mutated."""
    layout, own = draw(st.sampled_from(WITH_SAMPLES))
    return layout, draw(st.lists(st.one_of(mutated(own), mutated()), min_size=1, max_size=8))


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
@given(lines_for_layouts())
def test_fast_and_exact_are_the_same(schema: Schema, drawn: tuple[Layout, list[bytes]]) -> None:
    layout, lines = drawn
    path = "/var/log/한글 %d.log"
    batch = _batch(layout, schema, {"pod_name": 'or"ders%s'})
    exact = [batch.row(line, CLOCK, path) for line in lines]
    assert batch.rows(lines, CLOCK, path) == exact
    # Enough of the same for a template that knows which parts are there.
    assert batch.rows(lines * 8, CLOCK, path) == exact * 8
    assert batch.rows(lines[:1] * 8, CLOCK, path) == exact[:1] * 8
    # As cells, too; of one kind of lines, and of several.
    assert batch.made(b"\n".join(lines) + b"\n", CLOCK, path).rows() == exact
    assert batch.made((lines[0] + b"\n") * 8, CLOCK, path).rows() == exact[:1] * 8
    for row in exact:
        if row is not None:
            assert row.endswith(b"\n")
            assert row.count(b"\n") == 1
            assert isinstance(json.loads(row), dict)


@pytest.mark.parametrize(
    "layout", LAYOUTS, ids=[f"{n}-{layout.format}" for n, layout in enumerate(LAYOUTS)]
)
def test_the_compiled_way_reads_what_the_exact_one_does(layout: Layout) -> None:
    lines = [line for line in SAMPLE_LINES if layout.record(line, CLOCK) is not None]
    batch = _batch(layout, ECS, {})
    for part in ([line] for line in lines):
        assert batch.rows(part, CLOCK, "/x") == [batch.row(part[0], CLOCK, "/x")]
    assert batch.rows(lines, CLOCK, "/x") == [batch.row(line, CLOCK, "/x") for line in lines]


_ADDRESSES = [
    b"192.0.2.7",
    b"::1",
    b"256.1.1.1",
    b"01.2.3.4",
    b"shop.example",
    b"1.2.3",
    b"0.0.0.0",
]
_AGENTS = [b"-", b"", b"curl/8.5.0", "한국".encode(), b"a\xff", b"a\tb", b"a\\b", b"back\\\\"]
_REQUESTS = st.builds(
    b"GET %b%b HTTP/1.1".__mod__,
    st.tuples(
        st.sampled_from([b"/", b"/orders", b"-", "/주문".encode(), b"/a\xff", b"/a\\b", b"?", b""]),
        st.lists(st.sampled_from([b"?", b"-", b"a=b", b"%20", b"\xe2\x82", b"&"]), max_size=4).map(
            b"".join
        ),
    ),
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """A line of nginx: what a compiled template takes apart in columns is odd now and then."""
    second = draw(st.sampled_from([b"00", b"09", b"59", b"60", b"61", b"69"]))
    day = draw(st.sampled_from([b"23/Nov", b"30/Feb", b"23/Foo"]))
    zone = draw(st.sampled_from([b"+0000", b"+0930", b"-1200", b"+9999"]))
    return b'%b - - [%b/2026:02:16:%b %b] "%b" 200 %b "-" "%b"' % (
        draw(st.sampled_from(_ADDRESSES)),
        day,
        second,
        zone,
        draw(st.one_of(_REQUESTS, st.just(b"\\x16\\x03"))),
        draw(st.sampled_from([b"0", b"17", b"-"])),
        draw(st.sampled_from(_AGENTS)),
    )


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
@given(st.lists(requests(), min_size=1, max_size=12), st.booleans())
def test_columns_are_taken_apart_as_each_text_is(
    schema: Schema, lines: list[bytes], ordinary: bool
) -> None:
    layout, *_ = catalogue.load("nginx-access").layouts
    batch = _batch(layout, schema, {})
    if ordinary:
        # Most are, so that the loose pattern goes on reading them.
        lines += [catalogue.load("nginx-access").samples[0][0]] * 200
    exact = [batch.row(line, CLOCK, "/x") for line in lines]
    assert batch.rows(lines, CLOCK, "/x") == exact
    assert batch.rows(lines[:1] * 20, CLOCK, "/x") == exact[:1] * 20


@given(st.lists(st.one_of(requests(), st.sampled_from([b"", b"x", b"\tat a.b"])), min_size=1))
def test_made_rows_know_their_lines(lines: list[bytes]) -> None:
    batch = _batch(catalogue.load("nginx-access").layouts[0], ECS, {})
    data = b"\n".join(lines) + b"\n"
    rows = batch.rows(lines, CLOCK, "/x")
    for index, line in enumerate(lines):
        made = batch.made(data, CLOCK, "/x")
        assert (made.line(index), made.row(index)) == (line, rows[index])
        for other in made.missing:
            made.put(other, b"%d\n" % other)
        whole = [b"%d\n" % at if row is None else row for at, row in enumerate(rows[:index])]
        assert made.before(index, b"first\n") == b"".join([b"first\n", *whole])
    assert batch.made(data, CLOCK, "/x").lines == lines


@given(
    st.lists(st.sampled_from([b'"', b"\\", b"a", b"\\u001b["])).map(b"".join), st.integers(0, 40)
)
def test_a_rare_byte_is_looked_for_first(data: bytes, backslashes: int) -> None:
    data += b"\\a" * backslashes + data
    for text in (b'\\"', b"\\u001", b"\\"):
        assert contains(data, text) == (text in data)


@given(
    st.lists(st.sampled_from([b"a", b"\n", "한".encode(), b"\xed\xa0\x80", b"\xff", b"\xe2\x82"])),
    st.integers(4090, 4100),
)
def test_pieces_say_whether_a_chunk_is_utf8(parts: list[bytes], before: int) -> None:
    for data in (b"".join(parts), b"x" * before + b"".join(parts * 3) + b"y" * before):
        try:
            data.decode()
        except UnicodeDecodeError:
            assert not is_utf8(data)
        else:
            assert is_utf8(data)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
def test_texts_that_do_not_repeat_are_not_remembered(
    schema: Schema, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("memo", "columns"):
        monkeypatch.setattr(f"podweave.helpers.logs.{module}.MOST", 8)
    batch = Batch(catalogue.load("nginx-access").layouts[0], schema, {})
    sample = b'%b - u%d [23/Nov/2026:02:16:56 +0000] "GET /%d?q=%d HTTP/1.1" 200 7 "%b" "agent %d"'
    for address in (b"192.0.2.%d", b"h%d.example", b"2001:db8::%d"):
        for chunk in range(4):
            lines = [
                sample % (address % n, n, n, n, b"/%d" % n if n % 3 else b"-", n * 100 + chunk)
                for n in range(64)
            ]
            exact = [batch.row(line, CLOCK, "/x") for line in lines]
            assert batch.rows(lines, CLOCK, "/x") == exact


def test_only_addresses_of_ipv4_stand_for_themselves() -> None:
    for number in range(1000):
        for text in {f"{number}", f"{number:02d}", f"{number:03d}"}:
            for address in (f"{text}.0.2.7", f"192.{text}.2.7", f"192.0.2.{text}"):
                match = ONLY_IPV4.fullmatch(f"10.0.0.1\n{address}\n".encode())
                assert (match is not None) == (ip(address) is not None), address
    for others in (b"1.2.3\n", b"1.2.3.4", b"\n", b"1.2.3.4.5\n", b"1.2.3.4\n\n", b"::1\n"):
        assert ONLY_IPV4.fullmatch(others) is None


def test_a_loose_pattern_reads_a_line_as_the_strict_one_or_not_at_all() -> None:
    # Where a part that it can't read may be left out, or read as something else, it would give
    # another record.
    differ = []
    for layout in LAYOUTS:
        strict, loose = (re.compile(b"(?:%b)" % each) for each in (layout.pattern, layout.loose))
        for line in SAMPLE_LINES:
            if strict.fullmatch(line) is None:
                continue
            for place in range(0, len(line), 4):
                for odd in (b'"', b"\\", b"\xff", b"\x01"):
                    other = line[:place] + odd + line[place:]
                    if b'\\"' in other:
                        continue  # Chunks with escaped quotes are read strictly.
                    one, two = strict.fullmatch(other), loose.fullmatch(other)
                    if one and two and one.groups(b"") != two.groups(b""):
                        differ.append((layout.format, other))
    assert differ == []


_COMPILERS: dict[tuple[str, str], Compiler] = {}


def _batch(layout: Layout, schema: Schema, constants: dict[str, str]) -> ExactBatch:
    key = (schema.name, json.dumps(constants))
    if key not in _COMPILERS:
        _COMPILERS[key] = Compiler(schema, constants)
    return _COMPILERS[key].batch(layout)


@given(st.lists(st.binary(max_size=12).map(lambda text: text.replace(b"\n", b"")), min_size=1))
def test_a_column_is_escaped_as_json_escapes_each_text(column: list[bytes]) -> None:
    expected = [
        json.dumps(text.decode("utf-8", "replace"), ensure_ascii=False)[1:-1].encode()
        for text in column
    ]
    valid = all(text.decode("utf-8", "ignore").encode() == text for text in column)
    assert list(escape(column, valid)) == expected
    assert list(escape(column, valid, is_clean(b"\n".join(column)))) == expected


def test_a_quote_that_is_not_closed_does_not_swallow_the_next_line() -> None:
    layout = catalogue.load("nginx-access").layouts[0]
    good = catalogue.load("nginx-access").samples[0][0]
    open_ = good[:-1]
    batch = Batch(layout, ECS, {})
    exact = batch.row(good, CLOCK, "/x")
    for lines in ([open_, good], [good, open_, good, good], [open_, open_], [open_, b'" "', good]):
        expected = [exact if line == good else None for line in lines]
        for _ in range(3):
            assert batch.rows(lines, CLOCK, "/x") == expected


def test_an_impossible_date_gets_the_time_of_reading() -> None:
    layout = catalogue.load("python").layouts[0]
    good = b"2026-11-23 02:16:56,789 - shop - INFO - hello"
    bad = b"2026-02-30 02:16:56,789 - shop - INFO - hello"
    rows = Batch(layout, ECS, {}).rows([good, bad, good], CLOCK, "/x")
    times = [json.loads(row or b"")["@timestamp"] for row in rows]
    assert times == [
        "2026-11-23T02:16:56.789Z",
        "2026-11-23T02:18:20.250Z",
        "2026-11-23T02:16:56.789Z",
    ]


def test_a_time_of_day_is_of_another_day_later() -> None:
    line = b"23:59:59.000 [main] INFO  c.e.Shop - hello"
    (layout, *_) = [
        layout for layout in catalogue.load("log4j").layouts if layout.reads(line, Clock())
    ]
    batch = Batch(layout, ECS, {})
    just_after_midnight = Clock(1795392001, 0)
    at_night = Clock(1795392000 + 86_000, 0)
    (first,) = batch.rows([line], just_after_midnight, "/x")
    (second,) = batch.rows([line], at_night, "/x")
    assert json.loads(first or b"")["@timestamp"] == "2026-11-22T23:59:59.000Z"
    assert json.loads(second or b"")["@timestamp"] == "2026-11-23T23:59:59.000Z"


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        (b'{"n":1e999,"m":[-1e999]}', {"n": "inf", "m": ["-inf"]}),
        (b'{"n":NaN}', {"n": "NaN"}),
        (b'{"n":"\\ud800"}', {"n": "?"}),
        (b'{"a":{"b":1},"a_b":2}', {"a_b": 1, "a_b_2": 2}),
        (b'{"a":[{"b":"\xff"}]}', {"a": '[{"b":"\N{REPLACEMENT CHARACTER}"}]'}),
    ],
)
def test_what_json_can_hold_and_rows_can_not(line: bytes, labels: dict[str, object]) -> None:
    row = ExactBatch(catalogue.load("json").layouts[0], ECS, {}).row(line, CLOCK, "/x")
    assert json.loads(row or b"")["labels"] == labels


@pytest.mark.parametrize("layout", LAYOUTS)
def test_spelled_out_patterns_match_the_same(layout: Layout) -> None:
    assert spelled_out(layout.pattern) == layout.pattern
    classes = rb"\d\w\s\S.[\d.]+[^\s\]]*[]\w][^]\d]"
    left, right = re.compile(classes, re.DOTALL), re.compile(spelled_out(classes), re.DOTALL)
    assert b"\\d" not in spelled_out(classes)
    for text in (b"1a \xff\n1.2xyz]a", b"1_\tq\x001.]]a", b"9Z\v!?7ab_x"):
        assert (left.match(text) is None) == (right.match(text) is None)
