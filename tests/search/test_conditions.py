"""What a query finds: DuckDB's answer against a plain reading of the same records."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.cli.searching.conditions import condition
from podweave.cli.searching.database import LogDatabase
from podweave.cli.searching.query import All, Either, Field, Not, Query, Word, parse
from tests.search.stored import Stored, record

NOW = datetime(2026, 1, 1, 0, 1, tzinfo=UTC)

RECORDS = [
    record("order 1 placed", 1, log={"level": "INFO"}, http={"response": {"status_code": 200}}),
    record("Order 2 FAILED: out of stock", 2, log={"level": "error"}, http="a text"),
    record("order 3 slow", 3, **{"log.level": "WARN"}, http={"response": {"status_code": "503"}}),
    record('say "stock"\n\tat Java', 4, log="text", level="debug", tags=["Blue", "red"]),
    record("재고 부족", 5, url={"path": "/orders/50%_x"}, n=1.5),
    record("no level", 6, http={"response": {"status_code": None}}, n=[1], off=False),
]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> LogDatabase:
    stored = Stored(tmp_path_factory.mktemp("store"))
    return LogDatabase([str(stored.write(*RECORDS))])


def found(database: LogDatabase, query: str) -> list[int]:
    rows = database.newest(condition(parse(query), NOW), 100)
    return [row[0].second for row in rows]


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("", [1, 2, 3, 4, 5, 6]),
        ("*", [1, 2, 3, 4, 5, 6]),
        ("-*", []),
        ("* slow", [3]),
        ("*slow*", [3]),
        ("o*er", [1, 2, 3, 5]),
        ("or*2", []),
        ("F*LED*", [2]),
        ("/or*50%_*", [5]),
        ("재*", [5]),
        ('"*"', []),
        ("ORDER", [1, 2, 3, 5]),
        ("order stock", [2]),
        ('"out of stock"', [2]),
        ('"order out"', []),
        ('"say \\"stock\\""', [4]),
        ("부족", [5]),
        ("-order", [4, 6]),
        ("order -stock", [1, 3, 5]),
        ("slow OR placed", [1, 3]),
        ("order (slow OR placed)", [1, 3]),
        ("-(slow OR placed) order", [2, 5]),
        ("level:error", [2]),
        ("level:ERROR", [2]),
        ("level:warning", [3]),
        ("level:info", [1]),
        ("level:debug", [4]),
        ("-level:error", [1, 3, 4, 5, 6]),
        ("level:*", [1, 2, 3, 4]),
        ("-level:*", [5, 6]),
        ("status:200", [1]),
        ("status:>=500", [3]),
        ("http.response.status_code:>100", [1, 3]),
        ("status:<=200", [1]),
        ("status:*", [1, 3]),
        ("path:/orders/*", [5]),
        ("path:/orders/50%_x", [5]),
        ("path:/orders/50__x*", []),
        ("path:*_x", [5]),
        ("http:text", []),
        ('http:"a text"', [2]),
        ("tags:blue", [4]),
        ("tags:blu", []),
        ("n:1.50", [5]),
        ("n:>1", [5]),
        ("off:false", [6]),
        ("message:order", [1, 2, 3]),
        ("message:order*placed", [1]),
        ('message:="order 3 slow"', [3]),
        ("no.such.field:x", []),
        ("since:57s", [3, 4, 5, 6]),
        ("until:57s", [1, 2]),
        ("since:2026-01-01T00:00:02 until:2026-01-01T09:00:04+09:00", [2, 3]),
        ("@timestamp:>=2026-01-01T00:00:05", [5, 6]),
        ('"\'; DROP VIEW records; --"', []),
    ],
)
def test_a_query_finds(database: LogDatabase, query: str, seconds: list[int]) -> None:
    assert found(database, query) == seconds


def plainly(query: Query, text: str) -> bool:
    """Words against the record's text, the whole of the reference."""
    match query:
        case Word(word, False):
            within = json.dumps(word, ensure_ascii=False)[1:-1].lower()
            message = json.loads(text)["message"].lower()
            return within in text.lower() or word.lower() in message
        case Not(term):
            return not plainly(term, text)
        case All(terms):
            return all(plainly(term, text) for term in terms)
        case Either(terms):
            return any(plainly(term, text) for term in terms)
        case Field(name, _, value):
            return str(json.loads(text).get(name, "")).lower() == value.lower()
    raise AssertionError(query)


words = st.text(alphabet="aAbB\"\\' %_;?", min_size=1, max_size=4).map(Word)
fields = st.builds(Field, st.just("f"), st.just(":"), st.text("aAb", min_size=1, max_size=2))
queries: st.SearchStrategy[Query] = st.recursive(
    words | fields,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda terms: All(tuple(terms)), st.lists(inner, max_size=3)),
        st.builds(lambda terms: Either(tuple(terms)), st.lists(inner, min_size=1, max_size=3)),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(
    queries,
    st.lists(
        st.tuples(st.text("aAbB\"\\' %\n", max_size=6), st.text("aAb", max_size=2)),
        min_size=1,
        max_size=8,
    ),
)
def test_the_same_as_a_plain_reading(
    tmp_path_factory: pytest.TempPathFactory, query: Query, pairs: list[tuple[str, str]]
) -> None:
    stored = Stored(tmp_path_factory.mktemp("store"))
    texts = [
        json.dumps({"m": number, "message": message, "f": value})
        for number, (message, value) in enumerate(pairs)
    ]
    path: Path = stored.write(*texts)
    database = LogDatabase([str(path)])
    rows: list[Any] = database.newest(condition(query, NOW), 100)
    database.close()
    assert [row[4] for row in rows] == [text for text in texts if plainly(query, text)]
