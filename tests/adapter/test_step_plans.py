"""Steps on the compiled way: the same rows, and the same counts, as on the exact one."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Batch, Compiler, ExactBatch
from podweave.helpers.logs.detect import every_layout
from podweave.helpers.logs.envelope_batch import EnvelopeBatch
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.schemas import catalogue as schemas
from podweave.helpers.logs.steps.steps import Steps
from podweave.helpers.logs.stream import Stream
from podweave.helpers.logs.structured.batch import StructuredBatch
from tests.adapter.lines import SAMPLE_LINES, mutated
from tests.adapter.test_compile import CLOCK

CONSTANTS = {"pod_name": "orders-1", "service_name": "orders"}
LAYOUTS = every_layout()
READ = [
    (layout, own)
    for layout in LAYOUTS
    if (own := [line for line in SAMPLE_LINES if layout.record(line, CLOCK) is not None])
]

names = st.sampled_from(
    ["level", "status", "message", "url_path", "logger", "user", "order", "source_address",
     "duration", "format", "log_path", "pod_name", "db.ms", "user.name", "pid", "thread"]
)  # fmt: skip
tests = st.one_of(
    st.sampled_from(["info", "error", "/x", "orders-1", "placed 42", 200, 42, True, "cri"]),
    st.lists(st.sampled_from(["info", "warn", "main", 404, 42]), min_size=1, max_size=3),
    st.builds(lambda value: {"atLeast": value}, st.sampled_from([17, 200, 400])),
    st.builds(lambda value: {"exists": value}, st.booleans()),
    st.builds(lambda value: {"contains": value}, st.sampled_from(["a", "order", "."])),
    st.just({"regex": "^[a-m]"}),
)
conditions = st.one_of(
    st.dictionaries(names, tests, min_size=1, max_size=2), st.just({"level": {"atLeast": "warn"}})
)
items = st.one_of(
    st.builds(lambda c: {"drop": c}, conditions),
    st.builds(lambda c: {"keep": c}, conditions),
    st.builds(lambda c: {"sample": {"share": 0.5, "when": c}}, conditions),
    st.builds(lambda n: {"rate_limit": {"events": 2, "by": n}}, names),
    st.builds(
        lambda old, new: {"rename": {old: new}},
        names,
        st.sampled_from(["user", "logger", "shop", "order_id", "status", "pod_name", "event_code"]),
    ),
    st.builds(
        lambda name, value: {"add": {name: value}},
        st.sampled_from(["team", "environment", "level", "pod_name", "order", "time", "status"]),
        st.sampled_from(["shop", 7, True, "warn", 1.5]),
    ),
    st.just({"mask": {"kinds": ["emails", "cards", "tokens"]}}),
)


def steps(chosen: list[dict[str, Any]]) -> Steps:
    return Steps([(f"steps[{n}]", value) for n, value in enumerate(chosen)])


@st.composite
def lines_of_layouts(draw: st.DrawFn) -> tuple[Any, list[bytes]]:
    layout, own = draw(st.sampled_from(READ))
    more = st.one_of(st.sampled_from(own), mutated(own), mutated())
    return layout, draw(st.lists(more, min_size=1, max_size=6))


@pytest.mark.parametrize("schema", ["ecs", "flat", "gelf"])
@settings(max_examples=80)
@given(drawn=lines_of_layouts(), chosen=st.lists(items, min_size=1, max_size=3))
def test_compiled_and_exact_are_the_same(
    schema: str, drawn: tuple[Any, list[bytes]], chosen: list[dict[str, Any]]
) -> None:
    layout, lines = drawn
    try:
        steps(chosen)
    except ConfigurationError:
        reject()  # A level is at least no number.
    one, other = steps(chosen), steps(chosen)
    fast = Compiler(schemas.load(schema), CONSTANTS, one).batch(layout)
    exact = ExactBatch(layout, schemas.load(schema), CONSTANTS, other)
    for part in (lines, lines * 9, [b"x@y.zz", *lines] * 3):
        one.dropped.clear()
        other.dropped.clear()
        assert fast.rows(part, CLOCK, "/x") == exact.rows(part, CLOCK, "/x")
        assert one.dropped == other.dropped


@pytest.mark.parametrize(
    ("format_", "chosen", "kind"),
    [
        ("nginx-access", [{"drop": {"url_path": "/healthz"}}], Batch),
        ("nginx-access", [{"keep": {"status": {"atLeast": 400}}}], Batch),
        ("nginx-access", [{"sample": {"share": 0.1}}], Batch),
        ("nginx-access", [{"rate_limit": {"events": 100, "by": "source_address"}}], Batch),
        ("nginx-access", [{"rename": {"user": "user_id"}}, {"add": {"team": "shop"}}], Batch),
        ("json", [{"drop": {"level": "debug"}}], StructuredBatch),
        ("json", [{"rename": {"order": "order_id"}}, {"add": {"team": "shop"}}], StructuredBatch),
        ("syslog-rfc3164", [{"drop": {"process": "CRON"}}], EnvelopeBatch),
        ("nginx-access", [{"mask": {"regex": "x"}}], ExactBatch),
    ],
)
def test_what_is_compiled(format_: str, chosen: list[dict[str, Any]], kind: type) -> None:
    layout = catalogue.load(format_).layouts[0]
    batch = Compiler(schemas.load("ecs"), CONSTANTS, steps(chosen)).batch(layout)
    assert type(batch) is kind
    if isinstance(batch, StructuredBatch):
        line = (
            b'{"time":"2026-11-23T02:16:56Z","level":"info","msg":"placed","order":%d,"usr":"kim"}'
        )
        rows = batch.rows([line % number for number in range(40)], CLOCK, "/x")
        assert batch.shapes
        assert rows == [batch.row(line % number, CLOCK, "/x") for number in range(40)]


def test_an_access_log_without_its_health_checks() -> None:
    line = catalogue.load("nginx-access").samples[0][0]
    health = line.replace(b"/orders/42?full=1", b"/healthz")
    chosen = steps(
        [
            {"drop": {"url_path": "/healthz"}},
            {"add": {"team": "shop", "environment": "prod"}},
            {"mask": {"kinds": ["emails"]}},
        ]
    )
    compiler = Compiler(schemas.load("ecs"), CONSTANTS, chosen)
    stream = Stream(compiler, catalogue.load("nginx-access").layouts, "/x", Counter())
    mail = line.replace(b"full=1", b"to=kim@shop.example")
    data = b"".join(each + b"\n" for each in [line, health, health, mail] * 50)
    out = b"".join([*stream.take(data, Clock()), *stream.flush(Clock())])
    rows = [json.loads(row) for row in out.splitlines()]
    assert [row["url"]["original"] for row in rows] == [
        "/orders/42?full=1",
        "/orders/42?to=***",
    ] * 50
    assert {row["labels"]["team"] for row in rows} == {"shop"}
    assert {row["service"]["environment"] for row in rows} == {"prod"}
    assert chosen.dropped == {"drop": 100}


def test_a_field_is_added_once() -> None:
    line = catalogue.load("nginx-access").samples[0][0]
    chosen = [{"add": {"environment": "shop"}}, {"add": {"environment": "else"}}]
    layout = catalogue.load("nginx-access").layouts[0]
    batch = Compiler(schemas.load("ecs"), {}, steps(chosen)).batch(layout)
    assert type(batch) is Batch
    (row,) = batch.rows([line], CLOCK, "/x")
    assert json.loads(row or b"")["service"]["environment"] == "shop"


def test_what_only_looks_like_a_time_leaves_no_line_out() -> None:
    line = catalogue.load("nginx-access").samples[0][0]
    broken = line.replace(b"[23/", b'["3/')
    layout = catalogue.load("nginx-access").layouts[0]
    batch = Compiler(schemas.load("ecs"), {}, steps([{"drop": {"status": 200}}])).batch(layout)
    assert batch.rows([line, broken, line], CLOCK, "/x") == [b"", None, b""]


def test_conditions_may_ask_for_what_is_known_beside_the_line() -> None:
    line = catalogue.load("nginx-access").samples[0][0]
    for condition in ({"log_path": {"contains": "debug"}}, {"format": "nginx-access"}):
        batch = Compiler(schemas.load("ecs"), CONSTANTS, steps([{"drop": condition}])).batch(
            catalogue.load("nginx-access").layouts[0]
        )
        assert isinstance(batch.layout, Layout)
        assert batch.rows([line] * 3, CLOCK, "/var/log/debug.log") == [b""] * 3
        here = batch.rows([line], CLOCK, "/var/log/access.log")
        assert (here == [b""]) == ("format" in condition)
