"""A file's lines become rows: one an event, in order, whatever way the input is cut."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.detect import every_layout
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.formats.own.expressions import OwnLayout
from podweave.helpers.logs.join import JOINED_LIMIT
from podweave.helpers.logs.schemas.ecs import ECS
from podweave.helpers.logs.stream import Stream
from tests.adapter.lines import lines as any_lines

PATH = "/var/log/app.log"
CLOCK = Clock(1795400300.25, 0)


def stream(format_: str = "auto", events: Counter[str] | None = None) -> Stream:
    layouts = every_layout() if format_ == "auto" else catalogue.load(format_).layouts
    return Stream(Compiler(ECS, {}), layouts, PATH, Counter() if events is None else events)


def rows(data: bytes, format_: str = "auto", events: Counter[str] | None = None) -> list[Any]:
    one = stream(format_, events)
    out = one.feed(data, CLOCK) + one.flush(CLOCK)
    return [json.loads(row) for row in out]


def test_formats_are_recognised_line_by_line() -> None:
    for name in catalogue.NAMES:
        if name == "apache-access":  # writes what nginx writes
            continue
        format_ = catalogue.load(name)
        for line, record in format_.samples:
            (row,) = rows(line + b"\n")
            # A program's line in syslog is of its own format.
            assert row["event"]["dataset"] == record.get("format", name), line


def test_the_path_says_whose_an_access_log_is() -> None:
    line = b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET / HTTP/1.1" 200 5 "-" "curl"\n'
    one = Stream(Compiler(ECS, {}), every_layout("/var/log/apache2/a.log"), PATH, Counter())
    assert one.feed(line, CLOCK) + one.flush(CLOCK)
    assert one.format == "apache-access"


def test_a_header_says_how_the_lines_after_it_are_laid_out() -> None:
    lines = [
        b"#Software: Microsoft Internet Information Services 10.0",
        b"#Fields: date time cs-method cs-uri-stem sc-status time-taken c-ip x-shop",
        *[b"2026-11-23 02:16:56 GET /a 200 15 192.0.2.7 seoul"] * 100,
        b"#Fields: date time c-ip sc-status",
        b"2026-11-23 02:16:58 192.0.2.9 500",
    ]
    whole = rows(b"\n".join(lines) + b"\n")
    assert [row["event"]["dataset"] for row in whole] == ["iis"] * len(lines)
    assert whole[2]["labels"] == {"x_shop": "seoul"}
    assert whole[2]["event"]["duration"] == 15_000_000
    assert whole[-1]["source"]["ip"] == "192.0.2.9"
    assert whole[-1]["http"]["response"]["status_code"] == 500
    one = stream()
    pieces = [row for line in lines for row in one.feed(line + b"\n", CLOCK)] + one.flush(CLOCK)
    assert [json.loads(row) for row in pieces] == whole


def test_an_exported_journal_is_an_event_a_block() -> None:
    message = "no stock\n  한글\n"
    length = len(message.encode()).to_bytes(8, "little")
    entry = (
        b"__CURSOR=s=739ad;i=4ece7\n__REALTIME_TIMESTAMP=1795400216789012\n_PID=31\nPRIORITY=3\n"
        b"_HOSTNAME=web-1\nSYSLOG_IDENTIFIER=shop\n_CMDLINE=shop --port 80\nMESSAGE\n"
        + length
        + message.encode()
        + b"\n_SYSTEMD_UNIT=shop.service\n\n"
    )
    whole = rows(entry * 40)
    assert len(whole) == 40
    for row in (whole[0], whole[-1]):
        assert row["@timestamp"] == "2026-11-23T02:16:56.789012Z"
        assert row["message"] == message
        assert row["log"]["level"] == "error"
        assert row["process"]["pid"] == 31
        assert row["host"]["hostname"] == "web-1"
        assert row["labels"]["_SYSTEMD_UNIT"] == "shop.service"
        assert row["event"]["dataset"] == "journald-export"
    one = stream("journald-export")
    data = entry * 3
    lines = [line + b"\n" for line in data.split(b"\n")[:-1]]
    pieces = [row for line in lines for row in one.feed(line, CLOCK)] + one.flush(CLOCK)
    assert [json.loads(row) for row in pieces] == whole[:3]


def test_a_run_of_apt_is_one_event() -> None:
    data = (
        b"\nStart-Date: 2026-11-23  02:16:56\nCommandline: apt-get install curl\n"
        b"Requested-By: kim (1000)\nInstall: curl:amd64 (7.88.1-10), libcurl4:amd64 (7.88.1-10)\n"
        b"Error: Sub-process /usr/bin/dpkg returned an error code (1)\n"
        b"End-Date: 2026-11-23  02:17:01\n"
    )
    events = rows(data * 30)
    assert len(events) == 30
    for row in events:
        assert row["@timestamp"] == "2026-11-23T02:16:56.000Z"
        assert row["message"] == "apt-get install curl"
        assert row["user"]["name"] == "kim"
        assert row["event"]["dataset"] == "apt-history"
        assert (row["event"]["action"], row["event"]["outcome"]) == ("install", "failure")
        assert row["labels"]["install"].startswith("curl:amd64")


@pytest.mark.parametrize(
    ("line", "format_", "level", "message"),
    [
        (
            b"\x1b[2m2026-11-23T02:16:56.789012Z\x1b[0m \x1b[32m INFO\x1b[0m "
            b"\x1b[2mshop\x1b[0m\x1b[2m:\x1b[0m placed",
            "tracing",
            "info",
            "placed",
        ),
        (
            b"2026-11-23 02:16:56 [\x1b[32m\x1b[1minfo     \x1b[0m] \x1b[1morder placed\x1b[0m"
            b"                   \x1b[36morder\x1b[0m=\x1b[35m42\x1b[0m",
            "structlog",
            "info",
            "order placed                   order=42",
        ),
        (
            b'{"level":"\\u001b[32mwarn\\u001b[39m","message":"\\\\u001b[1m is bold",'
            b'"timestamp":"2026-11-23T02:16:56.789Z"}',
            "winston",
            "warn",
            "\\u001b[1m is bold",
        ),
    ],
)
def test_colours_are_taken_out(line: bytes, format_: str, level: str, message: str) -> None:
    for row in rows((line + b"\n") * 20):
        assert row["event"]["dataset"] == format_
        assert row["log"]["level"] == level
        assert row["message"] == message
        assert row["@timestamp"].startswith("2026-11-23T02:16:56")


def test_several_formats_in_a_file() -> None:
    nginx = catalogue.load("nginx-access").samples[0][0]
    python = catalogue.load("python").samples[1][0]
    events: Counter[str] = Counter()
    mixed = [nginx, python, b"what is this", nginx, b'{"msg":"hello","level":"info"}'] * 100
    out = rows(b"\n".join(mixed) + b"\n", events=events)
    assert [row["event"]["dataset"] for row in out[:5]] == [
        "nginx-access",
        "python",
        "unread",
        "nginx-access",
        "json",
    ]
    assert out[2]["message"] == "what is this"
    assert out[2]["@timestamp"] == "2026-11-23T02:18:20.250Z"
    assert events == {"nginx-access": 200, "python": 100, "unread": 100, "json": 100}


def test_the_format_is_chosen_anew_when_lines_stop_fitting() -> None:
    nginx = catalogue.load("nginx-access").samples[0][0] + b"\n"
    python = catalogue.load("python").samples[1][0] + b"\n"
    one = stream()
    one.feed(nginx * 100, CLOCK)
    assert one.format == "nginx-access"
    for _ in range(10):
        one.feed(python * 100, CLOCK)
    assert one.format == "python"


@pytest.mark.parametrize("size", [1, 7, 64, 100])
def test_a_file_that_nothing_read_is_tried_again(size: int) -> None:
    python = catalogue.load("python").samples[1][0] + b"\n"
    events: Counter[str] = Counter()
    one = stream(events=events)
    one.feed(b"what is this\n" * 3001, CLOCK)
    for _ in range(1000 // size):
        one.feed(python * size, CLOCK)
    assert events["unread"] - 3001 <= 10 * max(size, 8)


def test_a_named_format_stays_with_its_layouts() -> None:
    assert rows(b'{"msg":"hello"}\n', "python")[0]["event"]["dataset"] == "unread"


def test_crlf_is_a_line_end() -> None:
    (row,) = rows(b"2026-11-23 02:16:56,789 INFO shop: hello\r\n")
    assert row["message"] == "hello"


JAVA = b"""\
2026-11-23 02:16:56,789 [main] ERROR c.e.Orders - cannot place order
java.lang.IllegalStateException: no stock
\tat c.e.Orders.place(Orders.java:42)
\t... 3 more
Caused by: java.io.IOException: disk full
\tat c.e.Disk.write(Disk.java:7)
"""
PYTHON = b"""\
2026-11-23 02:16:56,789 ERROR shop: cannot place order
Traceback (most recent call last):
  File "shop.py", line 3, in place
    raise KeyError(item)
KeyError: 'pen'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "shop.py", line 5, in place
    raise ValueError("no stock")
shop.errors.StockError: no stock
"""
GO = b"""\
panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.(*Shop).place(0xc000010000, {0x0, 0x0})
\t/app/shop.go:42 +0x1d
main.main()
\t/app/main.go:7 +0x25
exit status 2
"""
NODE = b"""\
2026-11-23T02:16:56.789Z ERROR cannot place order
TypeError: Cannot read properties of undefined (reading 'price')
    at place (/app/shop.js:3:7)
    at process.processTicksAndRejections (node:internal/process/task_queues:95:5) {
  code: 'E_STOCK'
}
"""
DOTNET = b"""\
2026-11-23 02:16:56.789 [ERROR] cannot place order
System.InvalidOperationException: no stock
   at Shop.Orders.Place(Order order) in /src/Orders.cs:line 42
   --- End of inner exception stack trace ---
   at Shop.Program.Main()
"""
HEADLESS = b"""\
Traceback (most recent call last):
  File "shop.py", line 3, in <module>
    main()
RuntimeError: cannot start
"""


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        pytest.param(JAVA, "java.lang.IllegalStateException", "no stock", id="java"),
        pytest.param(PYTHON, "shop.errors.StockError", "no stock", id="python"),
        pytest.param(GO, "panic", "runtime error: index out of range [3] with length 3", id="go"),
        pytest.param(
            NODE,
            "TypeError",
            "Cannot read properties of undefined (reading 'price')",
            id="node",
        ),
        pytest.param(DOTNET, "System.InvalidOperationException", "no stock", id="dotnet"),
    ],
)
def test_stack_traces_join_their_event(text: bytes, kind: str, said: str) -> None:
    after = b"2026-11-23 02:16:57,000 INFO shop: next\n"
    out = rows(text + after + text)
    assert len(out) == 3
    assert out[0] == out[2]
    assert out[1]["message"] == "next"
    assert out[0]["log"]["level"] == "error"
    assert out[0]["error"]["type"] == kind
    assert out[0]["error"]["message"] == said
    *_, last = text.decode().rstrip().split("\n")
    assert out[0]["error"]["stack_trace"].endswith(last)
    assert "stack_trace" not in out[0]["message"]


def test_a_trace_without_a_log_line_before_it_is_an_event() -> None:
    first, second, third = rows(HEADLESS + b"starting again\n" + HEADLESS)
    assert first == third
    assert second["message"] == "starting again"
    assert first["message"] == "Traceback (most recent call last):"
    assert first["error"] == {
        "type": "RuntimeError",
        "message": "cannot start",
        "stack_trace": HEADLESS.decode().rstrip(),
    }


def test_other_indented_lines_belong_to_the_message() -> None:
    text = b"2026-11-23 02:16:56,789 INFO shop: config\n  a=1\n  b=2\n\n"
    (row,) = rows(text + b"\n")
    assert row["message"] == "config\n  a=1\n  b=2"
    assert "error" not in row


def test_an_endless_event_is_cut() -> None:
    text = b"2026-11-23 02:16:56,789 INFO shop: dump\n" + (b" " + b"x" * 99 + b"\n") * 10_000
    out = rows(text)
    assert 4 <= len(out) <= 5
    joined = "\n".join(row["message"] for row in out)
    assert joined.count("x" * 99) == 10_000
    assert max(len(row["message"]) for row in out) <= JOINED_LIMIT


@pytest.mark.parametrize("format_", ["auto", "log4j", "nginx-access", "json"])
@given(lines=st.lists(any_lines, max_size=30), cuts=st.lists(st.integers(1, 5), max_size=30))
def test_any_cut_of_the_input_gives_the_same_rows(
    format_: str, lines: list[bytes], cuts: list[int]
) -> None:
    data = b"".join(line + b"\n" for line in lines)
    whole = stream(format_)
    expected = whole.feed(data, CLOCK) + whole.flush(CLOCK)
    pieces = stream(format_)
    found: list[bytes] = []
    left = lines
    for cut in [*cuts, len(lines)]:
        found += pieces.feed(b"".join(line + b"\n" for line in left[:cut]), CLOCK)
        left = left[cut:]
    found += pieces.flush(CLOCK)
    assert found == expected
    assert pieces.waiting == 0
    for row in found:
        assert isinstance(json.loads(row), dict)
        assert row.count(b"\n") == 1


@given(lines=st.lists(any_lines, max_size=60))
def test_no_line_is_lost_and_none_overtakes(lines: list[bytes]) -> None:
    numbered = [b"%s ~~%d~~" % (line, number) for number, line in enumerate(lines)]
    one = Stream(Compiler(ECS, {}), every_layout(), PATH, Counter())
    out = one.feed(b"".join(line + b"\n" for line in numbered), CLOCK) + one.flush(CLOCK)
    text = b"".join(out)
    places = [text.find(b"~~%d~~" % number) for number in range(len(lines))]
    assert -1 not in places
    assert _rows_of(places, out) == sorted(_rows_of(places, out))


def _rows_of(places: list[int], out: list[bytes]) -> list[int]:
    ends = []
    end = 0
    for row in out:
        end += len(row)
        ends.append(end)
    return [next(index for index, end in enumerate(ends) if place < end) for place in places]


def test_waiting_counts_the_chunks_that_are_not_wholly_out() -> None:
    line = b"2026-11-23 02:16:56,789 INFO shop: hello\n"
    layout = OwnLayout(r"(?P<time>\S+ \S+) (?P<message>\S.*)")
    one = Stream(Compiler(ECS, {}), [layout], PATH, Counter())
    assert one.waiting == 0
    one.feed(line, CLOCK)
    assert one.waiting == 1
    one.feed(b" more\n", CLOCK)
    assert one.waiting == 2
    one.feed(b" more\n" + line, CLOCK)
    assert one.waiting == 1
    assert len(one.flush(CLOCK)) == 1
    assert one.waiting == 0
