"""Formats whose events are several lines, recognised among all formats, however they are cut."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.detect import every_layout
from podweave.helpers.logs.schemas.flat import FLAT
from podweave.helpers.logs.stream import Stream

NOW = 1795400216
CLOCK = Clock(NOW + 84.25, 0)


NEST = (
    b"\x1b[32m[Nest] 31  - \x1b[39m11/23/2026, 2:16:56 AM \x1b[32m    LOG\x1b[39m "
    b"\x1b[38;5;3m[Orders] \x1b[39m\x1b[32mplaced\x1b[39m\n"
    b"\x1b[31m[Nest] 31  - \x1b[39m11/23/2026, 2:16:57 AM \x1b[31m  ERROR\x1b[39m "
    b"\x1b[38;5;3m[Orders] \x1b[39m\x1b[31mno stock\x1b[39m\n"
    b"Error: sold out\n"
    b"    at Object.<anonymous> (/app/orders.js:3:97)\n"
    b"    at node:internal/main/run_main_module:28:49\n"
    b"\x1b[32m[Nest] 31  - \x1b[39m11/23/2026, 2:16:57 AM \x1b[32m    LOG\x1b[39m "
    b"\x1b[38;5;3m[Orders] \x1b[39m\x1b[32mObject:\x1b[39m\n"
    b"{\n"
    b'  "order": 42\n'
    b"}\n"
    b"\n"
    b"\x1b[32m[Nest] 31  - \x1b[39m11/23/2026, 2:16:58 AM \x1b[32m    LOG\x1b[39m "
    b"\x1b[38;5;3m[Orders] \x1b[39m\x1b[32mplaced\x1b[39m\n"
    b"Error: of nobody in particular\n"
)


@pytest.mark.parametrize("cut", [0, 1, 3])
def test_what_nest_writes_to_a_terminal(cut: int) -> None:
    rows = read(NEST, cut)
    assert [row["message"] for row in rows] == [
        "placed",
        "no stock",
        'Object:\n{\n  "order": 42\n}',
        "placed",
        "Error: of nobody in particular",
    ]
    assert (rows[1]["error_type"], rows[1]["error_message"]) == ("Error", "sold out")
    assert rows[1]["stack_trace"].startswith("Error: sold out\n    at Object")
    assert {row["format"] for row in rows[:4]} == {"nestjs"}


@pytest.mark.parametrize("cut", [0, 1])
def test_what_nobody_caught_is_an_event_of_its_own(cut: int) -> None:
    rows = read(
        b"Nov 23, 2026 2:16:57 AM com.example.Orders place\n"
        b"SEVERE: failed\n"
        b'Exception in thread "main" java.lang.IllegalStateException: no stock\n'
        b"\tat com.example.Orders.place(Orders.java:17)\n"
        b"Caused by: java.io.IOException: disk\n"
        b"\t... 1 more\n",
        cut,
    )
    assert [row["level"] for row in rows] == ["error", "error"]
    assert rows[0]["message"] == "failed"
    assert rows[1]["message"].startswith("Exception in thread")
    assert rows[1]["error_type"] == "java.lang.IllegalStateException"
    assert rows[1]["error_message"] == "no stock"
    assert rows[1]["stack_trace"].endswith("... 1 more")


@pytest.mark.parametrize("cut", [0, 1])
def test_a_statement_of_several_lines_stays_whole(cut: int) -> None:
    rows = read(
        b"2026-11-23 02:16:56.789 UTC [31] kim@orders ERROR:  division by zero\n"
        b"2026-11-23 02:16:56.789 UTC [31] kim@orders STATEMENT:  select 1/0\n"
        b"\t from orders\n",
        cut,
    )
    assert [row["format"] for row in rows] == ["postgresql", "postgresql"]
    assert rows[1]["db_statement"] == rows[1]["message"] == "select 1/0\n\t from orders"


@pytest.mark.parametrize("cut", [0, 1])
def test_what_uvicorn_and_its_application_write(cut: int) -> None:
    rows = read(
        b"INFO:     Started server process [31]\n"
        b'INFO:     192.0.2.7:51234 - "GET /orders HTTP/1.1" 200 OK\n'
        b"INFO:     placed 42\n"
        b"ERROR:    Exception in ASGI application\n"
        b"Traceback (most recent call last):\n"
        b'  File "/app/shop.py", line 3, in place\n'
        b"ValueError: no stock\n",
        cut,
    )
    assert [row["format"] for row in rows] == ["uvicorn", "uvicorn", "python", "uvicorn"]
    assert rows[1]["status"] == 200
    assert (rows[2]["level"], rows[2]["message"]) == ("info", "placed 42")
    assert rows[3]["error_type"] == "ValueError"


def read(data: bytes, cut: int = 0) -> list[dict[str, Any]]:
    """The rows of a file's lines, fed whole or a few lines at a time."""
    stream = Stream(Compiler(FLAT, {}), every_layout(), "/x.log", Counter())
    lines = data.splitlines(keepends=True)
    step = cut or len(lines)
    rows: list[bytes] = []
    for at in range(0, len(lines), step):
        rows += stream.feed(b"".join(lines[at : at + step]), CLOCK)
    rows += stream.flush(CLOCK)
    return [json.loads(row) for row in rows]


JAVA = (
    b"Nov 23, 2026 2:16:56 AM com.example.Orders place\n"
    b"WARNING: slow\n"
    b"Nov 23, 2026 2:16:57 AM com.example.Orders place\n"
    b"SEVERE: failed\n"
    b"java.lang.IllegalStateException: no stock\n"
    b"\tat com.example.Orders.place(Orders.java:17)\n"
    b"\tat com.example.Shop.main(Shop.java:3)\n"
    b"Nov 23, 2026 2:16:58 AM com.example.Orders place\n"
    b"INFO: placed\n"
)
DOTNET = (
    b"info: Microsoft.Hosting.Lifetime[14]\n"
    b"      Now listening on: http://localhost:5000\n"
    b"fail: Shop.Orders[17]\n"
    b"      no stock\n"
    b"      System.InvalidOperationException: no stock\n"
    b"         at Shop.Orders.Place() in /src/Orders.cs:line 17\n"
    b"info: Shop.Orders[0]\n"
    b"      placed 42\n"
)
SLOW = (
    b"# Time: 2026-11-23T02:16:56.789012Z\n"
    b"# User@Host: shop[shop] @ web-1 [192.0.2.7]  Id:     8\n"
    b"# Query_time: 2.000123  Lock_time: 0.000005 Rows_sent: 1  Rows_examined: 17\n"
    b"use orders;\n"
    b"SET timestamp=1795400214;\n"
    b"SELECT *\n"
    b"FROM orders;\n"
    b"# Time: 261123  2:16:57\n"
    b"# User@Host: root[root] @ localhost []\n"
    b"# Thread_id: 9  Schema: orders  QC_hit: No\n"
    b"# Query_time: 1.5  Lock_time: 0.1  Rows_sent: 0  Rows_examined: 0\n"
    b"SET timestamp=1795400217;\n"
    b"DELETE FROM orders;\n"
    b"# User@Host: root[root] @ localhost []\n"
    b"# Thread_id: 9  Schema:   QC_hit: No\n"
    b"# Query_time: 0.5  Lock_time: 0.1  Rows_sent: 0  Rows_examined: 0\n"
    b"SET timestamp=1795400217;\n"
    b"COMMIT;\n"
)
POSTGRES = (
    b'2026-11-23 02:16:56.789 UTC,"a","o",42,"[local]",6740a1b9.2a,3,"SELECT",2026-11-23 02:16:50 '
    b'UTC,3/17,0,LOG,00000,"statement: select 1",,,,,,,,,"psql","client backend",,0\n'
    b'2026-11-23 02:16:57.000 UTC,"a","o",42,"[local]",6740a1b9.2a,4,"SELECT",2026-11-23 02:16:50 '
    b'UTC,3/17,0,ERROR,42P01,"relation ""order"" does not exist",,,,,,"select *\n'
    b'from ""order""\n'
    b'where true",15,,"psql","client backend",,0\n'
    b'2026-11-23 02:16:58.000 UTC,"a","o",42,"[local]",6740a1b9.2a,5,"SELECT",2026-11-23 02:16:50 '
    b'UTC,3/17,0,LOG,00000,"statement: select 2",,,,,,,,,"psql","client backend",,0\n'
)
LOGURU = (
    b"2026-11-23 02:16:56.789 | ERROR    | shop:place:17 - failed\n"
    b"Traceback (most recent call last):\n"
    b"\n"
    b'> File "shop.py", line 17, in <module>\n'
    b"    1 / 0\n"
    b"\n"
    b"ZeroDivisionError: division by zero\n"
    b"2026-11-23 02:16:57.000 | INFO     | shop:place:18 - placed\n"
)


@pytest.mark.parametrize("data", [JAVA, DOTNET, SLOW, POSTGRES, LOGURU])
def test_how_the_lines_are_cut_makes_no_difference(data: bytes) -> None:
    whole = read(data)
    for cut in (1, 2, 3):
        assert read(data, cut) == whole


def test_a_head_and_its_message_of_java_util_logging() -> None:
    first, second, third = read(JAVA)
    assert first["message"] == "slow"
    assert first["level"] == "warn"
    assert first["class_name"] == "com.example.Orders"
    assert second["message"] == "failed"
    assert second["level"] == "error"
    assert second["error_type"] == "java.lang.IllegalStateException"
    assert second["error_message"] == "no stock"
    assert "Shop.java:3" in second["stack_trace"]
    assert third["message"] == "placed"
    assert {row["format"] for row in (first, second, third)} == {"java-util-logging"}


def test_a_head_and_its_message_of_dotnets_console() -> None:
    first, second, third = read(DOTNET)
    assert first["message"] == "Now listening on: http://localhost:5000"
    assert first["logger"] == "Microsoft.Hosting.Lifetime"
    assert second["message"] == "no stock"
    assert second["level"] == "error"
    assert second["error_type"] == "System.InvalidOperationException"
    assert third["message"] == "placed 42"


def test_entries_of_the_slow_query_log() -> None:
    first, second, third = read(SLOW)
    assert first["db_statement"] == "SELECT *\nFROM orders;"
    assert first["duration"] == 2.000123
    assert first["user"] == "shop"
    assert first["source_address"] == "192.0.2.7"
    assert first["db_name"] == "orders"
    assert first["db_connection_id"] == 8
    assert first["db_rows"] == 1
    assert first["time"].startswith("2026-11-23T02:16:56.789012")
    assert second["db_statement"] == "DELETE FROM orders;"
    assert second["time"].startswith("2026-11-23T02:16:57")
    assert second["db_connection_id"] == 9
    assert third["db_statement"] == "COMMIT;"
    assert "db_name" not in third


def test_texts_with_newlines_in_postgresqls_csvlog() -> None:
    first, second, third = read(POSTGRES)
    assert first["message"] == "statement: select 1"
    assert second["message"] == 'relation "order" does not exist'
    assert second["db_statement"] == 'select *\nfrom "order"\nwhere true'
    assert second["level"] == "error"
    assert third["message"] == "statement: select 2"


def test_a_traceback_with_a_mark_in_it() -> None:
    first, second = read(LOGURU)
    assert first["error_type"] == "ZeroDivisionError"
    assert first["message"] == "failed"
    assert second["message"] == "placed"


def test_a_csv_with_a_header() -> None:
    rows = read(
        b"timestamp,level,logger,order,message\n"
        b"2026-11-23 02:16:56,WARN,shop,42,slow\n"
        b'2026-11-23 02:16:57,INFO,shop,43,"placed, at last"\n'
        b"2026-11-23 02:16:58,ERROR,shop,44,no stock\n"
    )
    assert [row["message"] for row in rows[1:]] == ["slow", "placed, at last", "no stock"]
    assert [row["level"] for row in rows[1:]] == ["warn", "info", "error"]
    assert {row["format"] for row in rows} == {"csv"}
    assert rows[2]["order"] == "43"
