"""Lines in the wrapping of container tools are read as their programs wrote them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.formats.own import catalogue as own_formats
from podweave.helpers.logs.schemas.flat import FLAT
from podweave.helpers.logs.wrapped_stream import WrappedStream
from tests.adapter.lines import SAMPLE_LINES, mutated, traces

PATH = "/var/log/pods/shop_web-1_8d1e/web/0.log"
CLOCK = Clock(1795400300.25, 0)
NGINX = catalogue.load("nginx-access").samples[0][0]
SPRING = [
    b"2026-11-23 02:16:56.789 ERROR 1 --- [nio-8080-exec-1] c.e.Orders : no stock",
    b"java.lang.IllegalStateException: no stock",
    b"\tat com.example.Orders.place(Orders.java:42)",
]


def stamp(number: int) -> bytes:
    return b"2026-11-23T02:%02d:%02d.%09dZ" % (number // 60 % 60, number % 60, number + 1)


def cri(number: int, line: bytes, stream: bytes = b"stdout", tag: bytes = b"F") -> bytes:
    return b"%b %b %b %b" % (stamp(number), stream, tag, line)


def docker(number: int, line: bytes, stream: bytes = b"stdout", tag: bytes = b"F") -> bytes:
    ended = line.decode() + ("\n" if tag == b"F" else "")
    record = {"log": ended, "stream": stream.decode(), "time": stamp(number).decode()}
    # As Go writes it, and with everything that it may escape.
    return json.dumps(record, separators=(",", ":"), ensure_ascii=number % 2 == 0).encode()


def stream(layouts: Any = None) -> WrappedStream:
    return WrappedStream(Compiler(FLAT, {}), layouts, PATH, Counter())


def rows(lines: list[bytes], layouts: Any = None, cut: int = 1000) -> list[dict[str, Any]]:
    one = stream(layouts)
    out: list[bytes] = []
    for begin in range(0, len(lines), cut):
        out += one.feed(b"\n".join(lines[begin : begin + cut]) + b"\n", CLOCK)
    return [json.loads(row) for row in out + one.flush(CLOCK)]


@pytest.mark.parametrize("wrap", [cri, docker])
def test_the_lines_inside_are_read_in_turn(wrap: Any) -> None:
    lines: list[bytes] = []
    for number in range(40):
        lines.append(wrap(number, NGINX))
        lines += [wrap(number, line, b"stderr") for line in SPRING]
        lines.append(wrap(number, b"\x1b[31m[error] it says\x1b[0m", b"stderr"))
    found = rows(lines)
    assert Counter((row["format"], row["stream"]) for row in found) == {
        ("nginx-access", "stdout"): 40,
        ("spring-boot", "stderr"): 40,
        ("cri" if wrap is cri else "docker-json", "stderr"): 40,
    }
    web = next(row for row in found if row["format"] == "nginx-access")
    trace, kept = [row for row in found if row["stream"] == "stderr"][:2]
    assert web["status"] == 200
    assert web["time"] == "2026-11-22T17:16:56.000Z"
    assert trace["error_type"] == "java.lang.IllegalStateException"
    assert trace["stack_trace"].endswith("(Orders.java:42)")
    assert trace["time"] == "2026-11-23T02:16:56.789Z"
    # What has no time of its own has the runtime's, to the nanosecond.
    assert kept["time"] == stamp(0).decode()
    assert (kept["level"], kept["message"]) == ("error", "[error] it says")


@pytest.mark.parametrize("wrap", [cri, docker])
@pytest.mark.parametrize("cut", [1, 2, 1000])
def test_parts_of_a_line_are_put_together(wrap: Any, cut: int) -> None:
    half = len(NGINX) // 2
    lines = [
        wrap(1, NGINX[:half], tag=b"P"),
        wrap(2, b"of another stream", b"stderr"),
        wrap(3, NGINX[half:]),
        wrap(4, b"the end of it never", b"stderr", b"P"),
    ]
    found = {row["stream"]: row for row in rows(lines[:3], cut=cut)}
    assert found["stdout"]["url"] == "/orders/42?full=1"
    assert found["stderr"]["message"] == "of another stream"
    last = rows(lines, cut=cut)[-1]
    assert (last["message"], last["time"]) == ("the end of it never", stamp(4).decode())


def test_a_line_that_never_ends_is_cut() -> None:
    lines = [cri(number, b"x" * 16384, tag=b"P") for number in range(100)]
    found = rows(lines)
    assert [len(row["message"]) for row in found] == [1 << 20, 100 * 16384 - (1 << 20)]


def test_composes_prefixes_say_whose_line_it_is() -> None:
    redis = catalogue.load("redis").samples[0][0]
    lines = [b"web-1    | " + NGINX, b"\x1b[36mredis-1  | \x1b[0m" + redis, b"app-12   |"] * 20
    found = rows(lines)
    assert Counter((row["format"], row["container_name"]) for row in found) == {
        ("nginx-access", "web-1"): 20,
        ("redis", "redis-1"): 20,
    }
    assert found[0]["service_name"] == "web"


def test_kubectls_prefixes_and_timestamps() -> None:
    lines = []
    for number in range(30):
        for line in (NGINX, b"hello there"):
            name = b"nginx" if line == NGINX else b"app"
            lines.append(b"[pod/web-5d4f-x2x7q/%b] %b %b" % (name, stamp(number), line))
    found = rows(lines)
    assert Counter((row["format"], row["container_name"]) for row in found) == {
        ("nginx-access", "nginx"): 30,
        ("unread", "app"): 30,
    }
    assert {row["pod_name"] for row in found} == {"web-5d4f-x2x7q"}
    plain = [row for row in found if row["container_name"] == "app"]
    assert [row["message"] for row in plain] == ["hello there"] * 30
    assert [row["time"] for row in plain] == [stamp(number).decode() for number in range(30)]


def test_the_pods_own_name_gives_way_to_the_one_that_is_told() -> None:
    one = WrappedStream(Compiler(FLAT, {"pod_name": "collector"}), None, PATH, Counter())
    out = one.feed(b"[pod/web-1/nginx] hello\n", CLOCK) + one.flush(CLOCK)
    assert json.loads(out[0])["pod_name"] == "web-1"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (
            "/var/log/pods/shop_orders-7d9f8b6c5-x2x7q_8d1e-4f/web/0.log",
            {
                "pod_namespace": "shop",
                "pod_name": "orders-7d9f8b6c5-x2x7q",
                "pod_uid": "8d1e-4f",
                "container_name": "web",
                "service_name": "orders",
            },
        ),
        (
            f"/var/log/containers/orders-0_shop_web-{'0a' * 32}.log",
            {
                "pod_namespace": "shop",
                "pod_name": "orders-0",
                "container_name": "web",
                "container_id": "0a" * 32,
                "service_name": "orders",
            },
        ),
        (
            f"/var/lib/docker/containers/{'0a' * 32}/{'0a' * 32}-json.log",
            {"container_id": "0a" * 32},
        ),
        ("/var/log/app/web.log", {}),
    ],
)
def test_the_path_of_a_nodes_file_says_whose_it_is(path: str, fields: dict[str, str]) -> None:
    compiler = Compiler(FLAT, {"pod_name": "collector-x2x7q", "service_name": "collector"})
    one = WrappedStream(compiler, None, path, Counter())
    (row,) = one.feed(cri(1, b"hello") + b"\n", CLOCK) + one.flush(CLOCK)
    known = {"pod_name": "collector-x2x7q", "service_name": "collector"} | fields
    found = json.loads(row)
    assert {name: found.get(name) for name in known} == known


def test_lines_in_between_that_are_not_wrapped_are_kept() -> None:
    lines = [cri(number, NGINX) for number in range(40)]
    lines[20:20] = [b"a tool was here"]
    found = rows(lines)
    assert [row["message"] for row in found if row["format"] != "nginx-access"] == [
        "a tool was here"
    ]
    assert "stream" not in next(row for row in found if row["format"] != "nginx-access")
    assert len(found) == 41


@pytest.mark.parametrize("name", catalogue.NAMES)
def test_samples_of_other_formats_are_not_taken_for_wrapped(name: str) -> None:
    lines = [line for line, _ in catalogue.load(name).samples] * 8
    one = stream()
    one.recognise(b"\n".join(lines) + b"\n", CLOCK)
    wrapped = {"cri": "cri", "docker-json": "docker-json"}
    assert (one._wrapping.name if one._wrapping else None) == wrapped.get(name)


def test_levels_between_bars_are_no_containers() -> None:
    for line in (b"INFO   | started", b"orders | started"):
        assert {row["message"] for row in rows([line] * 20)} == {line.decode()}


def test_a_format_that_is_named_is_that_of_the_lines_inside() -> None:
    (row,) = rows([cri(1, NGINX)], catalogue.load("nginx-access").layouts)
    assert (row["format"], row["status"], row["stream"]) == ("nginx-access", 200, "stdout")
    for name in ("cri", "docker-json"):
        wrap = cri if name == "cri" else docker
        (row,) = rows([wrap(1, NGINX)], catalogue.load(name).layouts)
        assert row["status"] == 200


def test_an_own_format_of_the_wrapped_lines_goes_first() -> None:
    own = own_formats.load("regex", r"(?P<time>\S+) (?P<stream>\S+) F (?P<message>.*)").layouts
    (row,) = rows([cri(1, NGINX)], own)
    assert (row["format"], row["message"]) == ("regex", NGINX.decode())


texts = st.one_of(
    st.sampled_from(SAMPLE_LINES), mutated(), traces, st.text(max_size=20).map(str.encode)
).map(lambda line: line.decode("utf-8", "replace").replace("\n", " ").replace("\r", " ").encode())


def _STREAM(row: dict[str, Any]) -> str:  # noqa: N802
    return str(row.get("stream"))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(texts, st.sampled_from([b"stdout", b"stderr"])), min_size=1, max_size=30),
    st.integers(1, 8),
)
def test_both_runtimes_say_the_same_whatever_way_it_is_cut(
    lines: list[tuple[bytes, bytes]], cut: int
) -> None:
    one, other = (
        [wrap(number, line, own) for number, (line, own) in enumerate(lines)]
        for wrap in (cri, docker)
    )
    found = rows(one)
    for again in (rows(other), rows(one, cut=cut)):
        for row in (*found, *again):
            row["format"] = {"cri": "kept", "docker-json": "kept"}.get(row["format"], row["format"])
        assert sorted(again, key=_STREAM) == sorted(found, key=_STREAM)
    # Nothing is lost: each line that says something is in some row.
    said = json.dumps(found, ensure_ascii=False)
    assert said.count('"stream"') >= (1 if any(line.strip() for line, _ in lines) else 0)


def test_what_is_out_is_told_though_another_stream_is_silent() -> None:
    one = stream()
    one.take(cri(0, b"begun", b"stderr") + b"\n", CLOCK)
    assert one.waiting == 1
    chunk = b"".join(cri(number, NGINX) + b"\n" for number in range(400))
    waiting = []
    for _ in range(20):
        one.take(chunk, CLOCK)
        waiting.append(one.waiting)
    assert waiting[0] == 2
    assert max(waiting) <= 1 + 2 + 256 * 1024 // (400 * len(NGINX))
    assert waiting[-1] == 1  # The last event of stdout.
    assert one.flush(CLOCK)
    assert one.waiting == 0


def test_a_part_waits_for_the_rest_of_its_line() -> None:
    one = stream()
    for _ in range(3):
        one.take(cri(0, NGINX) + b"\n", CLOCK)
    one.flush(CLOCK)
    assert one.take(cri(0, b"a part, ", tag=b"P") + b"\n", CLOCK) == []
    assert one.waiting == 1
    one.take(cri(0, b"of stderr", b"stderr") + b"\n", CLOCK)
    assert one.waiting == 2
    assert len(one.flush(CLOCK, over=False)) == 1
    assert one.waiting == 2
    out = one.feed(cri(0, b"the rest") + b"\n", CLOCK) + one.flush(CLOCK)
    assert [json.loads(row)["message"] for row in out] == ["a part, the rest"]
    assert one.waiting == 0


def test_text_of_no_format_is_read_in_bulk_and_traces_in_it_join() -> None:
    lines = [cri(number, b"request %d served" % number) for number in range(1500)]
    trace = [b"Traceback (most recent call last):", b'  File "a.py", line 1, in f', b"KeyError: 1"]
    lines += [cri(1500, line) for line in trace]
    lines += [cri(1501, line) for line in (b"it failed", SPRING[1], SPRING[2])]
    lines += [cri(1502, b"[warning] slow")]
    found = rows(lines, cut=100)
    assert len(found) == 1500 + 4
    assert found[1400]["message"] == "request 1400 served"
    assert found[1400]["time"] == stamp(1400).decode()
    assert found[1500]["error_type"] == "KeyError"
    # Beneath a line of no format a trace is an event of its own.
    assert [row["message"] for row in found[1501:]] == [
        "it failed",
        SPRING[1].decode(),
        "[warning] slow",
    ]
    assert "Orders.java" in found[1502]["stack_trace"]
    assert found[1503]["level"] == "warn"
