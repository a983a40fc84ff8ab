"""CSV: by whole columns and line by line the same, and the same as Python's own reader says."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.formats.own.csv import columns_of, csv_layouts
from podweave.helpers.logs.schemas import catalogue as schemas
from tests.adapter.lines import HURTFUL

CLOCK = Clock(1795400300.25, 0)
PATH = "/var/log/app.csv"
COLUMNS = columns_of(["time", "level", "", "message", "order", "n:int", "x:float", "status"])
TIMES = ["2026-11-23 02:16:56", "2026-11-23T02:16:56.789+09:00", "23/Nov/2026:02:16:56 +0900",
         "2026/11/23 02:16:56,5", "1795400216", "1795400216.25", "1795400216789",
         "1795400216789012345"]  # fmt: skip

texts = st.one_of(
    st.sampled_from(
        ["", "-", "info", 'a "b" c', '"', '""', '","', "a,b", "'", " x ", "한글", '"-"']
    ),
    HURTFUL.map(lambda data: data.decode("utf-8", "replace").replace("\r", " ")),
)
numbers = st.sampled_from(["0", "17", "-5", "", "-", "200", "1e5", "007", "x"])


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    time = draw(st.sampled_from(TIMES))
    parts = [st.sampled_from([time, time, time, "soon", ""]), texts, texts, texts, texts]
    parts += [numbers, st.one_of(numbers, st.just("17.5")), numbers]
    return [[draw(part) for part in parts] for _ in range(draw(st.integers(1, 6)))]


def written(values: list[str], delimiter: str, quoted: bool) -> bytes:
    out = io.StringIO()
    quoting: Any = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator="").writerow(values)
    return out.getvalue().encode()


@pytest.mark.parametrize("schema", ["ecs", "flat"])
@given(
    table=tables(),
    delimiter=st.sampled_from(",;\t|"),
    quoted=st.booleans(),
)
def test_columns_and_lines_give_the_same(
    schema: str, table: list[list[str]], delimiter: str, quoted: bool
) -> None:
    lines = [written(values, delimiter, quoted) for values in table]
    layouts = csv_layouts(COLUMNS, delimiter.encode(), b'"')
    compiler = Compiler(schemas.load(schema), {})
    for layout in layouts:
        layout.format = "csv"
        batch = compiler.batch(layout)
        expected = [batch.row(line, CLOCK, PATH) for line in lines]
        assert batch.rows(lines, CLOCK, PATH) == expected
        assert batch.rows(lines * 8, CLOCK, PATH) == expected * 8
    *compiled, odd = layouts
    for line in lines:
        for layout in compiled:
            record = layout.record(line, CLOCK)
            assert record is None or record == odd.record(line, CLOCK)


@given(
    values=st.lists(texts, min_size=2, max_size=6),
    quoted=st.booleans(),
)
def test_values_are_those_that_were_written(values: list[str], quoted: bool) -> None:
    columns = columns_of([f"c{number}" for number in range(len(values))])
    compiled, odd = csv_layouts(columns, b",", b'"')
    expected: dict[str, Any] = {}
    own = {f"c{number}": text for number, text in enumerate(values) if text not in ("", "-")}
    if own:
        expected["attributes"] = own
    line = written(values, ",", quoted)
    assert compiled.record(line, CLOCK) == odd.record(line, CLOCK) == expected


@pytest.mark.parametrize("time", TIMES)
def test_a_time_however_it_is_written_is_read_by_columns(time: str) -> None:
    line = written([time, "INFO", "", "placed, at last", "42", "1", "0.5", "200"], ",", False)
    *compiled, odd = csv_layouts(COLUMNS, b",", b'"')
    (record,) = [found for each in compiled if (found := each.record(line, CLOCK)) is not None]
    assert record == odd.record(line, CLOCK)
    assert abs(record["time"][0] - 1795400216) < 86400
    assert record["message"] == "placed, at last"


@pytest.mark.parametrize(
    "line", [b'"a"b,c', b'a"b,c', b'17",c', b'"17,c', b'"a,c', b"a,b,c", b"a", b'"a""b,"c"']
)
def test_what_is_no_csv_stays_unread(line: bytes) -> None:
    for first in ("a", "a:int"):
        for layout in csv_layouts(columns_of([first, "b"]), b",", b'"'):
            assert layout.record(line, CLOCK) is None
