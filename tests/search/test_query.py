"""The query language, read and refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.cli.searching.conditions import condition, pointers
from podweave.cli.searching.query import (
    All,
    Either,
    Field,
    Not,
    Query,
    Time,
    Word,
    moment,
    parse,
)
from podweave.model.errors import InputError

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("", All(())),
        ("   ", All(())),
        ("orders", Word("orders")),
        ("orders failed", All((Word("orders"), Word("failed")))),
        ("orders AND failed", All((Word("orders"), Word("failed")))),
        ('"out of stock"', Word("out of stock")),
        (r'"a \"quoted\" \\ word"', Word('a "quoted" \\ word')),
        ("level:error", Field("level", ":", "error")),
        ('message:"not found"', Field("message", ":", "not found", quoted=True)),
        ('user.name:""', Field("user.name", ":", "", quoted=True)),
        ("http.response.status_code:>=500", Field("http.response.status_code", ">=", "500")),
        ("n:<5", Field("n", "<", "5")),
        ("n:=5", Field("n", "=", "5")),
        ("@timestamp:*", Field("@timestamp", ":", "*")),
        ("-word", Not(Word("word"))),
        ("*", All(())),
        ("** orders", All((All(()), Word("orders")))),
        ("*orders*", Word("orders")),
        ("time*out", Word("time*out", wildcard=True)),
        ('"*"', Word("*")),
        ("-level:debug", Not(Field("level", ":", "debug"))),
        ("-(a b)", Not(All((Word("a"), Word("b"))))),
        ("a b OR c", Either((All((Word("a"), Word("b"))), Word("c")))),
        ("a (b OR c)", All((Word("a"), Either((Word("b"), Word("c")))))),
        ("a OR(b)", Either((Word("a"), Word("b")))),
        ("or and ORDER", All((Word("or"), Word("and"), Word("ORDER")))),
        ("12:30:45", Word("12:30:45")),
        ("http://localhost:5432/x", Word("http://localhost:5432/x")),
        ("call(x)", Word("call(x)")),
        ("(call(x))", Word("call(x)")),
        ("-", Word("-")),
        ("a-b", Word("a-b")),
        ("since:5m", Time(True, timedelta(minutes=5))),
        ("until:2026-01-02", Time(False, datetime(2026, 1, 2, tzinfo=UTC))),
        ("재고:부족", All((Word("재고:부족"),)).terms[0]),
    ],
)
def test_queries_mean(text: str, query: Query) -> None:
    assert parse(text) == query


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ('say "hello', 5, "the quotation mark is not closed"),
        ("(a OR b", 1, "'(' is not closed"),
        ("a)", 2, "')' closes nothing"),
        ("a OR", 5, "a word or a field is missing here"),
        ("OR a", 1, "a word or a field is missing here"),
        ("a AND", 6, "nothing follows AND"),
        ("()", 2, "a word or a field is missing here"),
        ("a level:", 3, "'level' has no value"),
        ("--jsn", 1, "no such option"),
        ("since:yesterday", 7, "'yesterday' is no time: write 30s"),
        ("since:>5m", 1, "since takes no >"),
        ("(" * 60 + "a" + ")" * 60, 52, "more than 50 parentheses"),
    ],
)
def test_wrong_queries_are_refused_with_their_place(text: str, column: int, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text)
    first, line, mark = str(caught.value).split("\n")
    assert first.startswith(f"query, column {column}: {message}")
    assert line == f"  {text}"
    assert mark.index("^") == column + 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("300ms", timedelta(milliseconds=300)),
        ("1.5h", timedelta(minutes=90)),
        ("2w", timedelta(days=14)),
        ("2026-01-02T03:04:05+09:00", datetime(2026, 1, 1, 18, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    ],
)
def test_times(text: str, expected: datetime | timedelta) -> None:
    assert moment(text) == expected


def test_short_names_are_the_ecs_fields() -> None:
    assert pointers("level") == ["/log/level", "/log.level", "/level"]
    assert pointers("a/b.c~d") == ["/a~1b/c~0d", "/a~1b.c~0d"]


@given(st.text(alphabet='ab:"()-\\*>=.@ ORANDsince5m한', max_size=40))
def test_no_text_is_a_crash(text: str) -> None:
    try:
        query = parse(text)
    except InputError:
        return
    sql, parameters = condition(query, NOW)
    assert sql.count("?") == len(parameters)


@given(st.text(max_size=40))
def test_what_the_user_wrote_is_never_in_the_sql(text: str) -> None:
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    sql, parameters = condition(parse(quoted), NOW)
    empty, _ = condition(parse('""'), NOW)
    assert sql == empty
    assert parameters[1] == text
