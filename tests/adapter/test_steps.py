"""Steps between format and schema: what is left out, masked, renamed, added."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.schemas import catalogue as schemas
from podweave.helpers.logs.steps.masks import luhn
from podweave.helpers.logs.steps.steps import Steps
from podweave.helpers.logs.stream import Stream

NOW = 1795400216
CLOCK = Clock(NOW + 84.25, 0)
Items = list[dict[str, Any]]


def steps(*items: dict[str, Any]) -> Steps:
    return Steps([(f"steps[{number}]", item) for number, item in enumerate(items)])


def record(**fields: Any) -> dict[str, Any]:
    own = {name[1:]: fields.pop(name) for name in list(fields) if name.startswith("_")}
    return {"time": (NOW, ""), **fields, **({"attributes": own} if own else {})}


@pytest.mark.parametrize(
    ("condition", "fields", "holds"),
    [
        ({"level": "warn"}, {"level": "warn"}, True),
        ({"level": ["debug", "trace"]}, {"level": "info"}, False),
        ({"level": {"atLeast": "warn"}}, {"level": "error"}, True),
        ({"level": {"atLeast": "warn"}}, {"level": "notice"}, False),
        ({"level": {"atMost": "info"}}, {"level": "debug"}, True),
        ({"status": {"atLeast": 400, "atMost": 499}}, {"status": 404}, True),
        ({"status": {"atLeast": 400, "atMost": 499}}, {"status": 500}, False),
        ({"status": 404}, {"status": 404}, True),
        ({"url_path": {"regex": "^/health"}}, {"url_path": "/healthz"}, True),
        ({"message": {"contains": "x"}}, {}, False),
        ({"user": {"exists": False}}, {}, True),
        ({"user": {"exists": True}}, {"user": "kim"}, True),
        ({"order": "42"}, {"_order": 42}, True),
        ({"ok": True}, {"_ok": True}, True),
        ({"db.ms": {"atLeast": 10}}, {"_db": {"ms": 17.5}}, True),
        ({"db.ms": {"atLeast": 10}}, {"_db": "x"}, False),
        ({"level": "warn", "user": "kim"}, {"level": "warn"}, False),
        ({}, {}, True),
    ],
)
def test_conditions(condition: dict[str, Any], fields: dict[str, Any], holds: bool) -> None:
    assert (steps({"keep": condition}).apply(record(**fields)) is not None) is holds
    assert (steps({"drop": condition}).apply(record(**fields)) is None) is holds


def test_rename_and_add() -> None:
    change = steps(
        {"rename": {"usr": "user", "message": "text", "absent": "x", "code": "status"}},
        {"add": {"team": "shop", "service_name": "orders", "user": "nobody"}},
    )
    assert change.apply(record(message="hello", _usr="kim", _code="404")) == record(
        user="kim", status=404, service_name="orders", _text="hello", _team="shop"
    )


@pytest.mark.parametrize(
    ("kind", "text", "masked"),
    [
        ("cards", "paid with 4111 1111 1111 1111 today", "paid with ***1111 today"),
        ("cards", "4111-1111-1111-1111", "***1111"),
        ("cards", "378282246310005", "***0005"),
        ("cards", "4111111111111112", "4111111111111112"),
        ("cards", "order 20261123021656789012", "order 20261123021656789012"),
        ("cards", "1795400216789", "1795400216789"),
        ("residentNumbers", "주민번호 900101-1234567.", "주민번호 900101-***."),
        ("residentNumbers", "901301-1234567", "901301-1234567"),
        ("residentNumbers", "9001011234568", "900101-***"),
        ("residentNumbers", "9001011234567", "9001011234567"),
        ("emails", "from kim@shop.example, to a+b@x.co.kr", "from ***, to ***"),
        ("emails", "user@host only @ here", "user@host only @ here"),
        ("tokens", "Authorization: Bearer abcdef0123456789", "Authorization: Bearer ***"),
        ("tokens", "jwt eyJhbGciOi.eyJzdWIiOiIx.c2ln end", "jwt *** end"),
        ("tokens", "login?user=kim&password=hunter2&x=1", "login?user=kim&password=***&x=1"),
        ("tokens", '{"api_key": "abc123", "a": 1}', '{"api_key": "***", "a": 1}'),
        ("tokens", "AKIAIOSFODNN7EXAMPLE", "***"),
        ("tokens", "the token was wrong", "the token was wrong"),
    ],
)
def test_masks(kind: str, text: str, masked: str) -> None:
    assert steps({"mask": {"kinds": [kind]}}).apply(record(message=text)) == record(message=masked)


def test_masks_reach_every_text_and_spare_other_fields() -> None:
    mask = steps({"mask": {"kinds": ["emails", "tokens", "cards"], "with": "#"}})
    found = mask.apply(
        record(
            url="/a?mail=kim@shop.example",
            _who={"mail": ["kim@shop.example", 1], "password": "x", "card": 4111111111111111},
        )
    )
    assert found == record(
        url="/a?mail=#", _who={"mail": ["#", 1], "password": "#", "card": "#1111"}
    )
    some = steps({"mask": {"kinds": ["emails"], "fields": ["message"]}})
    assert some.apply(record(message="a@b.io", url="a@b.io")) == record(message="***", url="a@b.io")
    own = steps({"mask": {"regex": r"order-\d+", "with": "order-?"}})
    assert own.apply(record(message="order-42 done")) == record(message="order-? done")


@given(st.text(alphabet="0123456789", min_size=12, max_size=18))
def test_every_number_gets_one_check_digit(digits: str) -> None:
    assert sum(luhn(digits + last) for last in "0123456789") == 1


def test_sampling_takes_a_share_and_always_the_same() -> None:
    some = steps({"sample": {"share": 0.25, "when": {"level": "info"}}})
    kept = [
        number
        for number in range(4000)
        if some.apply(record(level="info", message=f"order {number}")) is not None
    ]
    assert 800 < len(kept) < 1200
    again = [n for n in kept if some.apply(record(level="info", message=f"order {n}")) is None]
    assert again == []
    assert some.apply(record(level="error", message="x")) is not None
    assert some.dropped == {"sample": 4000 - len(kept)}


def test_rate_limits_count_by_a_field_in_the_events_own_time() -> None:
    limit = steps({"rate_limit": {"events": 2, "seconds": 10, "by": "logger"}})
    found = [
        limit.apply({"time": (NOW + second, ""), "logger": name}) is not None
        for second, name in [(0, "a"), (0, "a"), (1, "a"), (1, "b"), (20, "a"), (21, "a")]
    ]
    assert found == [True, True, False, True, True, True]


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({}, "steps[0]"),
        ({"drop": []}, "steps[0].drop"),
        ({"drop": {"a": {"like": 1}}}, "steps[0].drop.a.like"),
        ({"drop": {"a": {"regex": "("}}}, "steps[0].drop.a.regex"),
        ({"drop": {}, "keep": {}}, "steps[0].keep"),
        ({"mask": {"kinds": ["x"]}}, "steps[0].mask.kinds"),
        ({"mask": {"regex": "("}}, "steps[0].mask.regex"),
        ({"sample": {"share": 2}}, "steps[0].sample.share"),
        ({"rate_limit": {"events": 0}}, "steps[0].rate_limit.events"),
        ({"rename": {"a": ""}}, "steps[0].rename"),
        ({"add": {"a": []}}, "steps[0].add"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(item: dict[str, Any], path: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        steps(item)
    assert error.value.path == path


def rows(lines: list[bytes], format_: str, *items: dict[str, Any]) -> list[dict[str, Any]]:
    compiler = Compiler(schemas.load("flat"), {}, steps(*items))
    layouts = catalogue.load(format_).layouts
    stream = Stream(compiler, layouts, "/x", Counter())
    data = b"".join(line + b"\n" for line in lines)
    return [json.loads(row) for row in stream.feed(data, CLOCK) + stream.flush(CLOCK) if row]


PYTHON = b"2026-11-23 02:16:56,789 %s shop: %s"


def test_a_stream_leaves_out_whole_events() -> None:
    lines = [
        PYTHON % (b"INFO", b"one"),
        PYTHON % (b"DEBUG", b"two"),
        b"  more of two",
        PYTHON % (b"ERROR", b"three"),
        b"Traceback (most recent call last):",
        b'  File "a.py", line 1, in f',
        b"ValueError: of kim@shop.example",
    ]
    items: Items = [{"drop": {"level": "debug"}}, {"mask": {"kinds": ["emails"]}}]
    found = rows(lines, "python", *items)
    assert [row["message"] for row in found] == ["one", "three"]
    assert found[1]["error_message"] == "of ***"
    assert "kim" not in found[1]["stack_trace"]


def test_a_limited_event_is_counted_once() -> None:
    lines = [line for number in range(5) for line in (PYTHON % (b"INFO", b"%d" % number), b"  x")]
    found = rows(lines, "python", {"rate_limit": {"events": 3}})
    assert [row["message"] for row in found] == ["0\n  x", "1\n  x", "2\n  x"]


SECRETS = [b"4111111111111111", b"kim@shop.example", b"password=hunter2", b"900101-1234567", b"x"]


@pytest.mark.parametrize("format_", ["python", "nginx-access", "json", "logfmt"])
@given(places=st.lists(st.tuples(st.sampled_from(SECRETS), st.booleans()), max_size=8))
def test_masking_is_the_same_on_the_compiled_way(
    format_: str, places: list[tuple[bytes, bool]]
) -> None:
    lines = {
        "python": PYTHON % (b"INFO", b"to %s"),
        "nginx-access": b'1.2.3.4 - - [23/Nov/2026:02:16:56 +0000] "GET /a?%s HTTP/1.1" 200 5'
        b' "-" "-"',
        "json": b'{"msg":"to %s","level":"info","n":1}',
        "logfmt": b'msg="to %s" level=info n=1',
    }
    item = {"mask": {"kinds": ["cards", "emails", "tokens", "residentNumbers"]}}
    layout = catalogue.load(format_).layouts[0]
    schema = schemas.load("ecs")
    # In JSON an escaped text is the same text.
    made = [
        lines[format_]
        % (secret.replace(b"@", b"\\u0040") if escaped and format_ == "json" else secret)
        for secret, escaped in places
    ]
    compiled = Compiler(schema, {}, steps(item)).batch(layout)
    exact = Compiler(schema, {}, steps(item), exact=True).batch(layout)
    for _ in range(3):
        assert compiled.rows(made, CLOCK, "/x") == exact.rows(made, CLOCK, "/x")
    for row in exact.rows(made, CLOCK, "/x"):
        assert row is None or not any(secret in row for secret in SECRETS[:2])


@pytest.mark.parametrize("piece", [b"4", b"4 ", b"a@", b"a.", b"eyJ", b"password=", b"token", b"-",
                                   b"key key", b"1-", b"a-", b"bearer "])  # fmt: skip
def test_nothing_that_a_text_contains_makes_masks_slow(piece: bytes) -> None:
    # A mask that looked at every pair of places would take minutes.
    text = (piece * (200_000 // len(piece))).decode()
    mask = steps({"mask": {"kinds": ["cards", "emails", "tokens", "residentNumbers"]}})
    for whole in (text, text + "!", "password=" + text):
        mask.apply(record(message=whole))
