"""Formats of the user's own: grok, csv, and layouts as applications' configurations have them."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.compile import Batch, Compiler, ExactBatch
from podweave.helpers.logs.formats.own import catalogue, grok_patterns, log4j
from podweave.helpers.logs.formats.own.expressions import OwnLayout
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.schemas.flat import FLAT
from podweave.helpers.logs.stream import Stream
from podweave.helpers.logs.timestamps import Clock
from podweave.model.grok_names import GROK_NAMES
from podweave.model.own_formats import CONVERSION_WORDS, OWN_FORMATS

NOW = 1795400216
CLOCK = Clock(NOW + 84.25, 0)
NGINX = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent" rt=$request_time urt="$upstream_response_time" $pipe'
)
SPRING = (
    "%clr(%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}){faint} %clr(${LOG_LEVEL_PATTERN:-%5p}) "
    "%clr(${PID:- }){magenta} %clr(---){faint} %clr([%15.15t]){faint} "
    "%clr(%-40.40logger{39}){cyan} %clr(:){faint} %m%n${LOG_EXCEPTION_CONVERSION_WORD:-%wEx}"
)


def read(key: str, value: Any, line: bytes) -> dict[str, Any] | None:
    for layout in catalogue.load(key, value).layouts:
        record: dict[str, Any] | None = layout.record(line, CLOCK)
        if record is not None:
            return record
    return None


CASES: list[tuple[str, Any, bytes, dict[str, Any]]] = [
    (
        "log4j",
        "%d{ISO8601} [%t] %-5level %logger - %msg%n",
        b"2026-11-23 02:16:56,789 [MSC service thread 1-2] INFO  c.e.Orders - slow - yes",
        {
            "time": (NOW, "789"),
            "thread": "MSC service thread 1-2",
            "level": "info",
            "logger": "c.e.Orders",
            "message": "slow - yes",
        },
    ),
    (
        "log4j",
        "[%d] %p %m (%c)%n",
        b"[2026-11-23 02:16:56,789] INFO [Server 0] started (x) (kafka.server.KafkaServer)",
        {
            "time": (NOW, "789"),
            "level": "info",
            "message": "[Server 0] started (x)",
            "logger": "kafka.server.KafkaServer",
        },
    ),
    (
        "log4j",
        "%r [%t] %p %c %x - %m%n",
        b"467 [main] INFO org.apache.log4j.examples.Sort  - Exiting main method.",
        {
            "thread": "main",
            "level": "info",
            "logger": "org.apache.log4j.examples.Sort",
            "message": "Exiting main method.",
            "attributes": {"relative": 467},
        },
    ),
    (
        "log4j",
        "%d{dd/MMM/yyyy:HH:mm:ss Z} %p %m",
        b"23/Nov/2026:11:16:56 +0900 WARN hi",
        {"time": (NOW, ""), "level": "warn", "message": "hi"},
    ),
    (
        "log4j",
        "%d{UNIX_MILLIS} %p %m%n",
        b"1795400216789 WARN hi",
        {"time": (NOW, "789"), "level": "warn", "message": "hi"},
    ),
    (
        "log4j",
        "%d{yyyy-MM-dd HH:mm:ss}{GMT+09:00} %m",
        b"2026-11-23 11:16:56 hi",
        {"time": (NOW, ""), "message": "hi"},
    ),
    (
        "logback",
        "%d{yyyy-MM-dd HH:mm:ss.SSS, Asia/Seoul} %m%n",
        b"2026-11-23 11:16:56.789 hi",
        {"time": (NOW, "789"), "message": "hi"},
    ),
    (
        "log4j",
        "%d{MM/dd hh:mm:ss a} %m",
        b"11/23 02:16:56 AM hi",
        {"time": (NOW, ""), "message": "hi"},
    ),
    (
        "logback",
        "%d{HH:mm:ss.SSS, UTC} %highlight(%-5level) [%15.15t] %cyan(%logger{36}):%L "
        "[%X{traceId},%X{spanId:-none}] - %msg%n%ex",
        b"02:16:56.789 INFO  [main thing     ] c.e.Shop:17 [abc,] - hi - there",
        {
            "time": (NOW, "789"),
            "level": "info",
            "thread": "main thing",
            "logger": "c.e.Shop",
            "line": 17,
            "trace_id": "abc",
            "message": "hi - there",
        },
    ),
    (
        "logback",
        SPRING,
        b"2026-11-23T11:16:56.789+09:00  INFO 1 --- [           main] "
        b"o.s.b.w.embedded.tomcat.TomcatWebServer  : Tomcat started on port 8080",
        {
            "time": (NOW, "789"),
            "level": "info",
            "pid": 1,
            "thread": "main",
            "logger": "o.s.b.w.embedded.tomcat.TomcatWebServer",
            "message": "Tomcat started on port 8080",
        },
    ),
    (
        "python",
        "%(asctime)s.%(msecs)03d [%(levelname)-8s] %(name)s:%(lineno)d: %(message)s",
        b"2026-11-23 02:16:56.789 [INFO    ] shop.orders:17: hi: x",
        {
            "time": (NOW, "789"),
            "level": "info",
            "logger": "shop.orders",
            "line": 17,
            "message": "hi: x",
        },
    ),
    (
        "python",
        "{asctime} {levelname:<8} {name} {message} [{request_id}]",
        b"2026-11-23 02:16:56,789 INFO     shop hello [a] x [r-17]",
        {
            "time": (NOW, "789"),
            "level": "info",
            "logger": "shop",
            "message": "hello [a] x",
            "request_id": "r-17",
        },
    ),
    (
        "python",
        {"format": "$asctime ${levelno} $shop $message", "datefmt": "%d/%b/%Y %H:%M:%S %z"},
        b"23/Nov/2026 02:16:56 +0000 40 seoul hi",
        {
            "time": (NOW, ""),
            "level": "error",
            "message": "hi",
            "attributes": {"shop": "seoul"},
        },
    ),
    (
        "nginx",
        NGINX,
        b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /o/42?full=1 HTTP/1.1" 200 512 "-" '
        b'"curl/8.5.0" rt=0.043 urt="0.001, 0.040" .',
        {
            "time": (NOW, ""),
            "source_address": "192.0.2.7",
            "message": "GET /o/42?full=1 HTTP/1.1",
            "method": "GET",
            "url": "/o/42?full=1",
            "url_path": "/o/42",
            "url_query": "full=1",
            "http_version": "1.1",
            "status": 200,
            "response_body_bytes": 512,
            "user_agent": "curl/8.5.0",
            "duration": 0.043,
            "upstream_duration": 0.04,
            "attributes": {"pipe": "."},
        },
    ),
    (
        "nginx",
        "log_format main escape=default '$remote_addr [$time_local] '\n  '\"$request\" $status';",
        b'192.0.2.7 [23/Nov/2026:02:16:56 +0000] "\\x16\\x03" 400',
        {
            "time": (NOW, ""),
            "source_address": "192.0.2.7",
            "message": "\\x16\\x03",
            "status": 400,
        },
    ),
    (
        "apache",
        r'LogFormat "%v:%p %h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\" %D" x',
        b'shop.example:443 192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET / HTTP/1.1" 200 512 '
        b'"-" "a \\"b\\" c" 1234',
        {
            "time": (NOW, ""),
            "server_name": "shop.example",
            "destination_port": 443,
            "source_address": "192.0.2.7",
            "message": "GET / HTTP/1.1",
            "method": "GET",
            "url": "/",
            "url_path": "/",
            "http_version": "1.1",
            "status": 200,
            "response_bytes": 512,
            "user_agent": 'a \\"b\\" c',
            "duration": 0.001234,
        },
    ),
    (
        "apache",
        "%h %{%Y-%m-%d %H:%M:%S}t %m %U%q %H %s %{ms}T",
        b"192.0.2.7 2026-11-23 02:16:56 GET /a/b?c=d HTTP/1.1 200 17",
        {
            "time": (NOW, ""),
            "source_address": "192.0.2.7",
            "method": "GET",
            "url_path": "/a/b",
            "url_query": "c=d",
            "network_protocol": "HTTP/1.1",
            "status": 200,
            "duration": 0.017,
        },
    ),
    (
        "csv",
        {"columns": ["time", "level", "", "n:int", "message"]},
        b'"2026-11-23 02:16:56","WARN",x,17,"hello, ""you"""',
        {"time": (NOW, ""), "level": "warn", "message": 'hello, "you"', "attributes": {"n": 17}},
    ),
    (
        "csv",
        {"columns": ["timestamp", "level", "shop", "message"], "delimiter": "\t", "header": True},
        b"2026-11-23 02:16:56\tERROR\tseoul\tno stock",
        {
            "time": (NOW, ""),
            "level": "error",
            "message": "no stock",
            "attributes": {"shop": "seoul"},
        },
    ),
    (
        "grok",
        r"%{TIMESTAMP_ISO8601:timestamp} %{LOGLEVEL:level} \[%{DATA:thread}\] %{JAVACLASS:class} - "
        r"%{GREEDYDATA:message}",
        b"2026-11-23 02:16:56,789 INFO [main x] com.example.Foo - hi - x",
        {
            "time": (NOW, "789"),
            "level": "info",
            "thread": "main x",
            "logger": "com.example.Foo",
            "message": "hi - x",
        },
    ),
    (
        "grok",
        "%{IP:client} %{WORD:method} %{URIPATHPARAM:request} %{NUMBER:bytes:int} %{NUMBER:took}",
        b"2001:db8::7 GET /index.html?a=b 15824 0.043",
        {
            "source_address": "2001:db8::7",
            "method": "GET",
            "url": "/index.html?a=b",
            "response_bytes": 15824,
            "message": "2001:db8::7 GET /index.html?a=b 15824 0.043",
            "attributes": {"took": "0.043"},
        },
    ),
    (
        "grok",
        {
            "match": [
                "^nothing %{INT:n}$",
                r"%{QUEUEID:queue}: <(?<[who][name]>[^>]*)> %{INT:n:int}",
            ],
            "patterns": {"QUEUEID": "[0-9A-F]{10,11}"},
        },
        b"first BEF25A72965: <a@b> 17 x",
        {
            "queue": "BEF25A72965",
            "message": "first BEF25A72965: <a@b> 17 x",
            "attributes": {"who.name": "a@b", "n": 17},
        },
    ),
    (
        "grok",
        "%{COMBINEDAPACHELOG}",
        b'192.0.2.7 - kim [23/Nov/2026:02:16:56 +0000] "GET /a HTTP/1.1" 200 - "-" "curl" more',
        {
            "time": (NOW, ""),
            "source_address": "192.0.2.7",
            "user": "kim",
            "message": "GET /a HTTP/1.1",
            "method": "GET",
            "url": "/a",
            "url_path": "/a",
            "http_version": "1.1",
            "status": 200,
            "user_agent": "curl",
        },
    ),
    (
        "grok",
        "%{SYSLOGLINE}",
        b"Nov 23 02:16:56 web-1 app[31]: hi",
        {"time": (NOW, ""), "host": "web-1", "process": "app", "pid": 31, "message": "hi"},
    ),
]


@pytest.mark.parametrize(("key", "value", "line", "expected"), CASES)
def test_a_line_is_read(key: str, value: Any, line: bytes, expected: dict[str, Any]) -> None:
    assert read(key, value, line) == expected
    assert OWN_FORMATS[key](value) is None


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("time", "2026-11-23 02:16:56.789", (NOW, "789")),
        ("time", "1795400216789", (NOW, "789")),
        ("time", "1795400216", (NOW, "")),
        ("time", "soon", None),
        ("level", "WARNING", "warn"),
        ("pid", "17", 17),
        ("pid", "007", 7),
        ("pid", "+1", 1),
        ("pid", "-5", -5),
        ("pid", "0x1", None),
        ("pid", "1234567890123456789", None),
        ("duration", "0.25", 0.25),
        ("duration", "007", 7.0),
        ("duration", "-.5", -0.5),
        ("duration", "1e5", None),
        ("thread", "007", "007"),
    ],
)
def test_a_text_is_of_its_fields_kind_in_every_format(name: str, text: str, kept: Any) -> None:
    record = (
        {"message": "x", "attributes": {name: text}}
        if kept is None
        else {"message": "x", name: kept}
    )
    line = text.encode() + b"|x"
    for key, value in (
        ("regex", rf"(?P<{name}>[^|]*)\|(?P<message>.*)"),
        ("grok", rf"(?<{name}>[^|]*)\|%{{GREEDYDATA:message}}"),
        ("csv", {"columns": [name, "message"], "delimiter": "|"}),
    ):
        assert read(key, value, line) == record, key


@pytest.mark.parametrize(("key", "value", "line", "expected"), CASES)
def test_the_compiled_way_gives_the_same(
    key: str, value: Any, line: bytes, expected: dict[str, Any]
) -> None:
    for layout in catalogue.load(key, value).layouts:
        batch = Compiler(FLAT, {}).batch(layout)
        exact = ExactBatch(layout, FLAT, {})
        lines = [line, line[:-3], b"", line + b" more", line.replace(b" ", b"  "), line]
        assert batch.rows(lines, CLOCK, "/x") == exact.rows(lines, CLOCK, "/x")


COMPILED = [
    (key, value, line)
    for key, value, line, _ in CASES
    # Patterns of the user's own are read line by line.
    if not (isinstance(value, dict) and "patterns" in value)
]


@pytest.mark.parametrize(("key", "value", "line"), COMPILED)
def test_the_usual_way_is_compiled(key: str, value: Any, line: bytes) -> None:
    layouts = catalogue.load(key, value).layouts
    reading = next(layout for layout in layouts if layout.reads(line, CLOCK))
    assert isinstance(Compiler(FLAT, {}).batch(reading), Batch)


WRONG: list[tuple[str, Any, str, str | None]] = [
    ("log4j", "%d %z %m", "%z", "%z"),
    ("log4j", "%d{yyyy-QQ} %m", "QQ", None),
    ("log4j", "%d{HH:mm:ss}{Asia/Nowhere} %m", "Asia/Nowhere", None),
    ("log4j", "%c%m", "nothing stands between", None),
    ("log4j", "%p %m%n%c", "before its end", None),
    ("log4j", "${LOG_PATTERN} %m", "property", "property"),
    ("log4j", "no words", "no field", "conversion word"),
    ("log4j", "%highlight %m", "parentheses", None),
    ("log4j", 17, "text", "text"),
    ("python", "%(asctime) %(message)s", "names no attribute", None),
    ("python", {"format": "%(asctime)s", "datefmt": "%Q"}, "%Q", None),
    ("python", {"fmt": "x"}, "datefmt", "datefmt"),
    ("nginx", "$remote_addr $", "names no variable", None),
    ("nginx", "{'a': '$status'}", "JSON", "JSON"),
    ("apache", "%h %y", "%y", "%y"),
    ("apache", "%h %{x}T", "unit", None),
    ("csv", {"columns": []}, "columns", "columns"),
    ("csv", {"columns": ["a", "a"]}, "twice", "twice"),
    ("csv", {"columns": ["a:date"]}, "NAME:int", "NAME:int"),
    ("csv", {"columns": ["a"], "delimiter": ",,"}, "delimiter", "delimiter"),
    ("csv", {"colums": ["a"]}, "columns", "columns"),
    ("csv", {"header": False}, "columns", "columns"),
    ("grok", "%{NOSUCH:x}", "NOSUCH", "NOSUCH"),
    ("grok", "%{INT:x:date}", "float", "float"),
    ("grok", "no fields", "names no field", "names no field"),
    ("grok", {"match": "%{A:x}", "patterns": {"A": "%{A}"}}, "back to themselves", None),
    ("grok", "(%{INT:x}", "regular expression", None),
    ("grok", [], "text", "text"),
    ("python", "asctime", "has no field", "names no attribute"),
    ("nginx", "remote_addr", "has no field", "names no variable"),
    ("grok", "%{LOGLEVELS:x}", "LOGLEVELS", "did you mean"),
]
"""A value, what the helper says of it, and what is said before a Pod runs (None: nothing)."""


@pytest.mark.parametrize(("key", "value", "said", "before"), WRONG)
def test_what_is_wrong_is_told(key: str, value: Any, said: str, before: str | None) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        catalogue.load(key, value)
    found = OWN_FORMATS[key](value)
    assert found is None if before is None else before in str(found)


def test_both_sides_know_the_same_names() -> None:
    assert set(OWN_FORMATS) == set(catalogue.KEYS)
    assert set(GROK_NAMES) == set(grok_patterns.PATTERNS)
    assert set(CONVERSION_WORDS) == log4j.KNOWN


def test_every_pattern_of_grok_is_a_regular_expression() -> None:
    for name in grok_patterns.PATTERNS:
        for layout in catalogue.load("grok", f"%{{{name}:x}} %{{GREEDYDATA:message}}").layouts:
            assert layout.record(b"\n", CLOCK) is None


@given(
    st.lists(
        st.sampled_from(
            ["%d", "%t", "%c", "%-5p", "%20t", "%m", "%X{a}", "%L", "[", "] ", " - ", ":"]
        ),
        min_size=2,
        max_size=9,
    ),
    st.text(alphabet=" []-:ab1", max_size=60),
)
def test_no_layout_is_slow_or_differs_when_compiled(words: list[str], text: str) -> None:
    try:
        (layout,) = catalogue.load("log4j", "".join(words)).layouts
    except ValueError:
        return
    lines = [text.encode(), b"2026-11-23 02:16:56 " + text.encode(), b"x"]
    batch, exact = Batch(layout, FLAT, {}), ExactBatch(layout, FLAT, {})
    assert batch.rows(lines, CLOCK, "/x") == exact.rows(lines, CLOCK, "/x")


PIECES = (b"a", b" ", b"]", b"[", b" - ", b"] ", b":", b'"', b"(a", b" (", b"1", b"a.", b'" "')


@pytest.mark.parametrize(("key", "value", "line", "expected"), CASES)
def test_nothing_that_a_line_contains_makes_it_slow(
    key: str, value: Any, line: bytes, expected: dict[str, Any]
) -> None:
    layouts = [
        layout
        for layout in catalogue.load(key, value).layouts
        if isinstance(layout, Layout) and not isinstance(layout, OwnLayout)
    ]
    for piece in PIECES:
        for eighths in (0, 3, 5, 8):
            head = line[: len(line) * eighths // 8]
            begin = time.process_time()
            for layout in layouts:
                layout.record(head + piece * (40_000 // len(piece)), CLOCK)
            if time.process_time() - begin > 0.25:
                short = _seconds(layouts, head + piece * (10_000 // len(piece)))
                long = _seconds(layouts, head + piece * (80_000 // len(piece)))
                assert long < short * 24, (head, piece)


def _seconds(layouts: list[Layout], line: bytes) -> float:
    begin = time.process_time()
    for layout in layouts:
        layout.record(line, CLOCK)
    return time.process_time() - begin


def rows(key: str, value: Any, data: bytes) -> list[bytes]:
    stream = Stream(Compiler(FLAT, {}), catalogue.load(key, value).layouts, "/x.log", Counter())
    return stream.feed(data, CLOCK) + stream.flush(CLOCK)


def test_a_header_names_the_columns() -> None:
    found = rows(
        "csv",
        {},
        b"timestamp,Level,shop,message\n"
        b"2026-11-23 02:16:56,WARN,seoul,slow\n"
        b'2026-11-23 02:16:57,INFO,busan,"a, b"\n',
    )
    assert len(found) == 3
    assert b'"message":"timestamp,Level,shop,message"' in found[0]
    assert b'"message":"slow"' in found[1]
    assert b'"level":"warn"' in found[1]
    assert b'"shop":"seoul"' in found[1]
    assert b'"message":"a, b"' in found[2]
