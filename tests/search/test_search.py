"""`podweave search`: where it looks, what it prints, what it refuses."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from podweave.cli.commands import podweave
from tests.search.stored import Stored, record


@pytest.fixture
def stored(tmp_path: Path) -> Stored:
    return Stored(tmp_path / "store")


def search(stored: Stored, *arguments: str) -> Result:
    return run("--store", str(stored.directory), *arguments)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(podweave, ["search", *arguments])


def test_a_line_says_time_level_pod_and_message(stored: Stored) -> None:
    kubernetes = {"pod": {"name": "orders-1"}, "namespace": "shop"}
    stored.write(record("order 1 failed", log={"level": "error"}, kubernetes=kubernetes))
    result = search(stored, "order")
    assert result.exit_code == 0
    assert result.stdout == "2026-01-01T00:00:00.000Z error orders-1 order 1 failed\n"


def test_the_newest_come_last_and_the_limit_keeps_them(stored: Stored) -> None:
    stored.write(*(record(f"line {number}", number) for number in (3, 1, 2)))
    stored.write(*(record(f"same {number}", 9) for number in range(3)))
    result = search(stored, "--limit", "4")
    assert [line.split(" ")[-2:] for line in result.stdout.splitlines()] == [
        ["line", "3"],
        ["same", "0"],
        ["same", "1"],
        ["same", "2"],
    ]


def test_json_gives_the_records_as_they_are_stored(stored: Stored) -> None:
    text = '{ "@timestamp" : "2026-01-01T00:00:00Z",  "message":"caf\\u00e9" , "n": 1.0}'
    stored.write(text)
    result = search(stored, "--json", "café")
    assert result.stdout == text + "\n"


def test_several_words_options_and_a_leading_minus(stored: Stored) -> None:
    stored.write(record("order ok", 1), record("order timeout", 2), record("health ok", 3))
    result = search(stored, "order", "-timeout")
    assert result.stdout.splitlines() == ["2026-01-01T00:00:01.000Z -     - order ok"]
    result = search(stored, "-health")
    assert len(result.stdout.splitlines()) == 2


def test_since_and_until_as_options(stored: Stored) -> None:
    stored.write(*(record(f"line{number}", number) for number in range(5)))
    result = search(stored, "--since", "2026-01-01T00:00:02", "--until", "2026-01-01T00:00:04")
    assert [line.split()[-1] for line in result.stdout.splitlines()] == ["line2", "line3"]


def test_lines_that_are_no_json_are_skipped_and_counted(stored: Stored) -> None:
    stored.write(record("one"), "not json", '{"half": ', record("two"), '{"mess', end="")
    stored.write()
    result = search(stored)
    assert [line.split()[-1] for line in result.stdout.splitlines()] == ["one", "two"]
    assert result.stderr == "podweave: skipped 3 lines that are no JSON\n"
    assert result.exit_code == 0


def test_values_that_are_no_objects_and_odd_types_are_no_trouble(stored: Stored) -> None:
    stored.write(
        "[1]", '"text"', "null", "5", record("x", log=[{"level": 1}]), {"message": {"a": 1}}
    )
    result = search(stored, "--json")
    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 6


def test_one_pod_only(stored: Stored) -> None:
    stored.write(record("a"), pod="orders-1")
    stored.write(record("b"), pod="orders-2")
    for name in ("orders-2", "shop/orders-2"):
        result = search(stored, "--pod", name)
        assert [line.split()[-1] for line in result.stdout.splitlines()] == ["b"]
    result = search(stored, "--pod", "other/orders-2")
    assert "no log records of Pod other/orders-2" in result.stderr


def test_messages_do_not_command_the_terminal(stored: Stored) -> None:
    stored.write(record("\x1b[2Jcleared\r\x9b31m\ttab\nnext"))
    result = search(stored)
    assert result.stdout.endswith("\\x1b[2Jcleared\\x0d\\x9b31m\ttab\n    next\n")


def test_colours_in_a_terminal(stored: Stored) -> None:
    stored.write(record("x", log={"level": "error"}))
    result = CliRunner().invoke(podweave, ["search", "--store", str(stored.directory)], color=True)
    assert "\x1b[31merror\x1b[0m" in result.stdout


def test_stores_of_running_pods_and_claims_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODWEAVE_STATE", str(tmp_path))
    Stored(tmp_path / "claims" / "shop" / "logs" / "below").write(record("kept", 1))
    Stored(tmp_path / "pods" / "shop_orders-1" / "volumes" / "store").write(record("running", 2))
    Stored(tmp_path / "pods" / "shop_orders-1" / "elsewhere").write(record("no volume", 3))
    result = run()
    assert [line.split()[-1] for line in result.stdout.splitlines()] == ["kept", "running"]


def test_no_store_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PODWEAVE_STATE", str(tmp_path))
    result = run("x")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "name a store's directory with --store" in result.stderr


def test_a_path_with_quotes_and_stars(tmp_path: Path) -> None:
    stored = Stored(tmp_path / 'it\'s *[a] "store"')
    stored.write(record("found"))
    assert search(stored, "found").stdout.endswith("found\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["(a"], "query, column 1: '(' is not closed\n"),
        (["--since", "soon"], "--since: 'soon' is no time"),
        (["--sql", "DROP VIEW logs"], "--sql: must be one SELECT"),
        (["--sql", "SELECT 1; SELECT 2"], "--sql: must be one SELECT"),
        (["--sql", "COPY (SELECT 1) TO '/tmp/x'"], "--sql: must be one SELECT"),
        (["--sql", "SELECT nothing FROM logs"], "--sql: Binder Error"),
        (["--sql", "SELEKT"], "--sql: Parser Error"),
        (["--sql", "SELECT 'x'::INT FROM logs"], "--sql: Conversion Error"),
        (["--sql", "SELECT 1", "words"], "--sql: goes without QUERY"),
        (["--sql", "SELECT * FROM read_text('/etc/passwd')"], "--sql: Permission Error"),
        (["--sql", "SELECT * FROM glob('/etc/*')"], "--sql: Permission Error"),
        (["--sql", "SET enable_external_access = true"], "--sql: must be one SELECT"),
    ],
)
def test_what_is_wrong_is_refused(stored: Stored, arguments: list[str], message: str) -> None:
    path = stored.write(record("one"))
    before = path.read_bytes()
    result = search(stored, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(message)
    assert result.stdout.count("\n") <= 1
    assert path.read_bytes() == before


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    result = run("--store", str(tmp_path / "none"))
    assert result.exit_code == 2
    assert result.stderr == f"--store: {tmp_path}/none is no directory\n"


def test_sql_over_the_view(stored: Stored) -> None:
    stored.write(
        record("a\tb", 1, log={"level": "error"}, url={"path": "/x"}),
        record("c", 2, log={"level": "error"}),
    )
    result = search(stored, "--sql", "SELECT level, count(*) AS n, max(time) FROM logs GROUP BY 1")
    assert result.stdout.splitlines() == [
        'level\tn\tmax("time")',
        "error\t2\t2026-01-01T00:00:02.000Z",
    ]
    sql = "SELECT number, message, record->>'$.url.path' AS path, NULL AS nothing FROM logs"
    result = search(stored, "--json", "--limit", "1", "--sql", sql)
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"number": 1, "message": "a\tb", "path": "/x", "nothing": None}
    ]


def test_times_with_offsets_are_compared_as_instants(stored: Stored) -> None:
    stored.write(
        {"@timestamp": "2026-01-01T09:00:01+09:00", "message": "first"},
        {"@timestamp": "2026-01-01T00:00:02Z", "message": "second"},
        {"@timestamp": "never", "message": "timeless"},
    )
    result = search(stored)
    assert [line.split()[-1] for line in result.stdout.splitlines()] == [
        "timeless",
        "first",
        "second",
    ]


def test_it_works_while_the_store_is_written(stored: Stored) -> None:
    path = stored.write(record("one"))
    with path.open("a") as writer:
        for number in range(20):
            writer.write(json.dumps(record(f"more {number}")) + '\n{"unfinished')
            writer.flush()
            assert len(search(stored).stdout.splitlines()) == 2 + number
            writer.truncate(path.stat().st_size - len('{"unfinished'))
            writer.seek(0, os.SEEK_END)


def test_packed_files_are_searched_and_counted_once(stored: Stored) -> None:
    first = stored.write(record("packed", 1))
    second = stored.write(record("both", 2))
    stored.write(record("plain", 3))
    for path in (first, second):
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
    first.unlink()
    lines = search(stored, "--limit", "9").stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["packed", "both", "plain"]
