"""Lines that each have a time of reading: the compiled way gives each its own."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.detect import every_layout
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.line_times import LineClock
from podweave.helpers.logs.schemas import catalogue as schemas
from podweave.helpers.logs.stream import Stream
from tests.adapter.test_compile import CLOCK, SCHEMAS, lines_for_layouts

TIMES = [
    b"2026-11-23T02:16:56.789012345Z",
    b"2026-11-23T11:16:57.5+09:00",
    b"2024-02-29T23:59:59Z",
    b"2026-02-30T00:00:00.000000001Z",
    b"no time",
    b"",
]
_COMPILERS = {schema.name: Compiler(schema, {}) for schema in SCHEMAS}


def _runs(texts: list[bytes]) -> list[tuple[int, list[bytes]]]:
    if len(set(texts)) == 1 or texts[0] == texts[-1]:
        return [(0, texts)]
    runs: list[tuple[int, list[bytes]]] = []
    for index, text in enumerate(texts):
        if not index or text != texts[index - 1]:
            runs.append((index, []))
        runs[-1][1].append(text)
    return runs


@pytest.mark.parametrize("schema", ["ecs", "splunk", "otel"])
@given(lines_for_layouts(), st.data())
def test_each_row_has_the_time_of_its_line(
    schema: str, drawn: tuple[Layout, list[bytes]], data: st.DataObject
) -> None:
    layout, lines = drawn
    lines = lines * 3
    times = data.draw(
        st.lists(st.sampled_from(TIMES), min_size=len(lines), max_size=len(lines)), "times"
    )
    clock = LineClock(times, CLOCK)
    assert [(begin, end) for begin, end, _ in clock.spans() or [(0, len(times), clock)]] == [
        (at, at + len(list(same))) for at, same in _runs([time[:13] for time in times])
    ]
    batch = _COMPILERS[schema].batch(layout)
    exact = [batch.row(line, clock.at(index), "/x") for index, line in enumerate(lines)]
    assert batch.rows(lines, clock, "/x") == exact


@pytest.mark.parametrize("name", ["json", "logfmt", "uvicorn", "syslog-rfc3164"])
def test_only_lines_without_a_time_of_their_own_take_it(name: str) -> None:
    line = {
        "json": b'{"msg":"hello"}',
        "logfmt": b"level=info msg=hello",
        "uvicorn": b"INFO:     Started server process [1]",
        "syslog-rfc3164": b"Nov 23 02:16:58 web-1 shop[31]: hello",
    }[name]
    times = [b"2025-11-23T02:16:%02d.789012345Z" % second for second in range(50)]
    layout = next(each for each in catalogue.load(name).layouts if each.reads(line, CLOCK))
    batch = Compiler(schemas.load("ecs"), {}).batch(layout)
    for _ in range(2):  # the second time by shape
        found = batch.rows([line] * 50, LineClock(times, Clock(1795400300.25, 0)), "/x")
        rows = [json.loads(row or b"")["@timestamp"] for row in found]
        if name == "syslog-rfc3164":
            # Its year is that of the runtime's time.
            assert rows == ["2025-11-23T02:16:58.000Z"] * 50
        else:
            assert rows == [time.decode() for time in times]


def test_a_time_of_day_is_of_the_day_of_its_line() -> None:
    line = b"10:16:58.789 [main] INFO  c.e.Shop - hello\n"
    times = [b"2026-11-%02dT10:16:59Z" % day for day in range(1, 31) for _ in range(4)]
    stream = Stream(Compiler(schemas.load("ecs"), {}), every_layout(), "/x", Counter())
    clock = Clock(1795400300.25, 0)
    rows = stream.feed(line * len(times), LineClock(times, clock)) + stream.flush(clock)
    found = [json.loads(row)["@timestamp"] for row in rows]
    assert found == [f"{time[:10].decode()}T10:16:58.789Z" for time in times]


def test_clocks_of_parts_and_of_several_chunks() -> None:
    clock = LineClock(TIMES, CLOCK)
    assert clock.at(0).reading() == (1795400216, "789012345")
    assert clock.at(4).reading() == CLOCK.reading()
    some = clock.of([2, 0])
    assert isinstance(some, LineClock)
    assert some.times == [TIMES[2], TIMES[0]]
    both = some.following(clock)
    assert isinstance(both, LineClock)
    assert both.times == [*TIMES, TIMES[2], TIMES[0]]
    assert CLOCK.of([1]) is CLOCK.at(3) is CLOCK.following(None) is CLOCK
