"""`podweave explain` and `podweave normalize`, as they are called."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from podweave.helpers.logs.formats import catalogue
from tests.helpers.processes import archive

NGINX = catalogue.load("nginx-access").samples[0][0]
LINES = [NGINX] * 9 + [b"what is this"]


def run(*arguments: str, given: bytes | None = None, tool: bool = True) -> Any:
    helpers = [sys.executable, "-I", "-S", str(archive())]
    command = [sys.executable, "-m", "podweave"] if tool else helpers
    return subprocess.run(
        [*command, *arguments],
        input=given,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "TZ": "UTC"},
    )


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "access.log"
    path.write_bytes(b"".join(line + b"\n" for line in LINES))
    return path


def test_normalize_writes_one_record_an_event_in_order(log: Path) -> None:
    result = run("normalize", str(log))
    assert result.returncode == 0, result.stderr
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["message"] for row in rows[:2]] == ["GET /orders/42?full=1 HTTP/1.1"] * 2
    assert rows[9]["message"] == "what is this"
    assert rows[0]["http"]["response"]["status_code"] == 200
    assert len(rows) == 10


def test_normalize_is_a_filter_by_itself_in_a_container(log: Path) -> None:
    tool = run("normalize", "--schema", "flat", "-", given=log.read_bytes())
    helper = run("normalize", "--schema=flat", "-", given=log.read_bytes(), tool=False)
    assert tool.returncode == helper.returncode == 0
    rows = [json.loads(line) for line in helper.stdout.splitlines()]
    assert rows[0]["status"] == 200
    assert rows[0]["log_path"] == "stdin"
    assert tool.stdout.splitlines()[:9] == helper.stdout.splitlines()[:9]


def test_a_line_without_newline_and_a_trace_come_out_whole() -> None:
    text = b"2026-11-23 02:16:56,789 ERROR shop: no\nTraceback (most recent call last):\n"
    text += b'  File "a.py", line 1, in f\nValueError: stock'
    result = run("normalize", "-", given=text)
    (row,) = [json.loads(line) for line in result.stdout.splitlines()]
    assert row["error"]["type"] == "ValueError"
    assert row["error"]["stack_trace"].endswith("ValueError: stock")


def test_gzipped_files_of_several_members(log: Path, tmp_path: Path) -> None:
    packed = tmp_path / "access.log.1.gz"
    packed.write_bytes(gzip.compress(log.read_bytes()) + gzip.compress(log.read_bytes()))
    for path, given in ((str(packed), None), ("-", packed.read_bytes())):
        result = run("normalize", path, given=given)
        assert result.returncode == 0, result.stderr
        assert len(result.stdout.splitlines()) == 20


def test_what_is_written_slowly_comes_out_before_the_end() -> None:
    command = [sys.executable, "-I", "-S", str(archive()), "normalize", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(NGINX + b"\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["source"]["address"] == "192.0.2.7"
        process.stdin.close()
        assert process.stdout.read() == b""
    assert process.returncode == 0


def test_a_reader_that_goes_away_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "long.log"
    path.write_bytes((NGINX + b"\n") * 20_000)
    command = [sys.executable, "-I", "-S", str(archive()), "normalize", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_zone_and_own_format(tmp_path: Path) -> None:
    path = tmp_path / "own.log"
    path.write_bytes(b"2026-11-23 02:16:56|WARN|slow\n")
    own = json.dumps({"regex": r"(?P<time>[^|]*)\|(?P<level>[^|]*)\|(?P<message>.*)"})
    result = run("normalize", "--format", own, "--time-zone", "Asia/Seoul", str(path))
    assert result.returncode == 0, result.stderr
    row = json.loads(result.stdout)
    assert row["@timestamp"] == "2026-11-22T17:16:56.000Z"
    assert row["log"]["level"] == "warn"


def test_dates_without_a_year_are_of_before_the_files_last_change(tmp_path: Path) -> None:
    path = tmp_path / "syslog.1"
    path.write_bytes(b"Dec 31 23:59:58 web-1 shop[31]: hello\nJan  1 00:00:01 web-1 shop[31]: hi\n")
    new_year = 1704067202  # 2024-01-01T00:00:02Z
    os.utime(path, (new_year, new_year))
    result = run("normalize", str(path))
    times = [json.loads(line)["@timestamp"] for line in result.stdout.splitlines()]
    assert times == ["2023-12-31T23:59:58.000Z", "2024-01-01T00:00:01.000Z"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--format", "nope", "LOG"], "nope"),
        (["--format", '{"regex": "("}', "LOG"], "regular expression"),
        (["--format", '{"glob": "x"}', "LOG"], "glob"),
        (["--schema", "xml", "LOG"], "xml"),
        (["--time-zone", "Asia/Seol", "LOG"], "Asia/Seol"),
        (["/no/such/file"], "No such file"),
        (["FOLDER"], "is a folder"),
        (["XZ"], "compressed by xz"),
        ([], "FILE"),
        (["--nope", "LOG"], "--nope"),
    ],
)
def test_wrong_usage_is_told(log: Path, arguments: list[str], said: str) -> None:
    packed = log.with_name("access.log.1.xz")
    packed.write_bytes(lzma.compress(log.read_bytes()))
    places = {"LOG": str(log), "FOLDER": str(log.parent), "XZ": str(packed)}
    given = [places.get(argument, argument) for argument in arguments]
    for tool in (True, False):
        for program in ("normalize", "explain"):
            result = run(program, *given, tool=tool)
            assert result.returncode == 2
            assert said in result.stderr.decode()
            assert result.stdout == b""


def test_explain_counts_events_and_shows_what_is_unread(log: Path) -> None:
    result = run("explain", str(log))
    assert result.returncode == 0, result.stderr
    text = result.stdout.decode()
    assert "format: nginx-access" in text
    assert "events: 10, 90.0% of them read" in text
    assert "  what is this" in text
    (status,) = [line.split() for line in text.splitlines() if line.startswith("status ")]
    assert status == ["status", "http.response.status_code", "9", "200"]


def test_explain_for_programs(log: Path) -> None:
    answer = json.loads(run("explain", "--json", str(log)).stdout)
    assert list(answer) == ["format", "events", "read", "unread", "fields"]
    assert (answer["format"], answer["events"]) == ("nginx-access", 10)
    assert (answer["read"], answer["unread"]) == (9, 1)
    assert answer["fields"]["status"] == {"events": 9, "example": 200}


def test_explain_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.write_bytes(b"")
    assert json.loads(run("explain", "--json", str(path)).stdout) == {
        "format": "unread",
        "events": 0,
        "read": 0,
        "unread": 0,
        "fields": {},
    }
    assert run("explain", str(path)).stdout == b"no events in it\n"


def test_explain_of_events_that_go_on_from_chunk_to_chunk(tmp_path: Path) -> None:
    """What is held back for its next line comes out after events that were made later."""
    path = tmp_path / "traces.log"
    trace = b"".join(b"\tat com.example.Orders.f%d(Orders.java:%d)\n" % (n, n) for n in range(400))
    head = b"2026-11-23 02:16:56,789 ERROR [main] c.e.Orders - no\njava.io.IOException: disk\n"
    path.write_bytes((head + trace) * 40)
    answer = json.loads(run("explain", "--json", str(path)).stdout)
    assert (answer["events"], answer["read"]) == (40, 40)
    assert answer["fields"]["stack_trace"]["events"] == 40


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "cp949"])
def test_encodings_are_found(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "shop.log"
    text = "2026-11-23 02:16:56,789 INFO shop.orders: 주문이 접수되었습니다\r\n"
    path.write_bytes((text * 3000 + text.rstrip("\r\n")).encode(encoding))
    for name, given in ((str(path), None), ("-", path.read_bytes())):
        result = run("normalize", "--schema", "flat", name, given=given)
        assert result.returncode == 0, result.stderr
        rows = [json.loads(line) for line in result.stdout.splitlines()]
        assert [row["message"] for row in rows] == ["주문이 접수되었습니다"] * 3001
        assert {row["format"] for row in rows} == {"python"}


def test_a_very_long_line_comes_out_in_pieces_between_characters() -> None:
    text = "한" * 1_500_000
    result = run("normalize", "--schema", "flat", "-", given=text.encode())
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) > 1
    assert "".join(row["message"] for row in rows) == text


@pytest.mark.parametrize("program", ["normalize", "explain"])
def test_of_a_broken_gzip_file_what_can_be_read_comes_out(log: Path, program: str) -> None:
    whole = gzip.compress(log.read_bytes() + b'{"msg":"last"}\n')
    for broken, said in ((whole[:-6], "ends too early"), (whole + b"what?", "incorrect header")):
        result = run(program, "-", given=broken)
        assert result.returncode == 1
        assert said in result.stderr.decode()
        assert (
            b"last" in result.stdout if program == "normalize" else b"events: 11" in result.stdout
        )
    padded = run(program, "-", given=whole + bytes(1000))
    assert (padded.returncode, padded.stderr) == (0, b"")


def test_a_filter_goes_on_when_another_version_is_installed() -> None:
    command = [sys.executable, "-m", "podweave", "normalize", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(NGINX + b"\n")
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"{")
        # Not by a path at which another archive may stand by now.
        arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")
        assert any(each.startswith(b"/proc/self/fd/") for each in arguments)
        process.stdin.close()
    assert process.returncode == 0
