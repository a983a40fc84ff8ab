"""Lines that name their fields: shapes and the exact way give the same bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.compile import Compiler, ExactBatch
from podweave.helpers.logs.formats import catalogue
from podweave.helpers.logs.schemas import catalogue as schemas
from podweave.helpers.logs.structured.batch import MOST_SHAPES, StructuredBatch
from podweave.helpers.logs.structured.interface import StructuredLayout
from podweave.helpers.logs.structured.json_layout import NUMBER, TEXT, JsonLayout
from podweave.helpers.logs.structured.pairs_layout import PairsLayout
from podweave.helpers.logs.structured.shapes import make_shape
from tests.adapter.lines import HURTFUL, mutated

CLOCK = Clock(1795400300.25, 0)
PATH = "/var/log/한글 %d.log"
CONSTANTS = {"pod_name": "orders", "service_name": "shop"}

LAYOUTS: dict[str, Any] = {
    "json": JsonLayout(),
    "strict": JsonLayout(
        {"request.ip": "source_address", "took": "duration:ms", "id": "", "code": "request_id",
         "headers.agent": "user_agent"},
        requires={"level": ("info", "warn"), "ts": NUMBER, "msg": TEXT},
        derive=(("url_path", "url", lambda url: url.partition("?")[0]),),
        strip="_",
    ),
    "logfmt": PairsLayout({"took": "duration", "id": ""}),
    "ltsv": PairsLayout({"reqtime": "duration"}, between=b"\t", assign=b":", quoted=False),
    "cef": catalogue.load("cef").layouts[0],
    "cef-syslog": catalogue.load("cef").layouts[1],
    "leef": catalogue.load("leef").layouts[0],
}  # fmt: skip

texts = st.one_of(
    st.sampled_from(["", "info", "warn", "200", "12ms", "1.5", "-", "true", "2026-11-23 02:16:56",
                     "1795400216", "a b", "한글", "\x7f", "a\n", "tail\\n", "0a1b", "192.0.2.7",
                     "-5", "\ud800", "<é>", "\u2028", "x=y", "1e5", "1795400216.789"]),
    st.text(max_size=6),
    HURTFUL.map(lambda data: data.decode("utf-8", "replace")),
)  # fmt: skip
numbers = st.one_of(
    st.sampled_from([0, -1, 200, 17, 1795400216, 1795400216789, 1795400216123456789, 10**20, 30]),
    st.integers(-(10**19), 10**19),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.5, 1e-7, 1e22, -0.0, 1795400216.789, 100.0]),
)
scalars = st.one_of(texts, numbers, st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["ms", "name", "ip", "agent", "a.b", "id"]), inner),
    ),
    max_leaves=6,
)
NAMES = ["ts", "level", "msg", "status", "took", "err", "id", "_own", "a_b", "a", "url", "pid",
         "request", "headers", "service", "trace_id", "code", "partition", "labels", "version",
         "host", "short_message"]  # fmt: skip
USUAL: dict[str, Any] = {"ts": 1795400216.5, "level": "info", "msg": "placed"}


@st.composite
def alike(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Objects with mostly the same keys, in the same order, and mostly the same types."""
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=7))
    first = {**(USUAL if draw(st.booleans()) else {}), **{name: draw(values) for name in names}}
    objects = [first]
    for _ in range(draw(st.integers(1, 5))):
        other = dict(first)
        for name in names:
            if draw(st.integers(0, 2)) == 0:
                other[name] = draw(values)
        objects.append(other)
    return objects


def json_line(value: Any, spaced: bool, ascii_only: bool) -> bytes:
    separators = (", ", ": ") if spaced else (",", ":")
    text = json.dumps(value, separators=separators, ensure_ascii=ascii_only)
    return text.encode("utf-8", "replace")


def check(name: str, schema: str, lines: list[bytes]) -> None:
    layout = LAYOUTS[name]
    layout.format = layout.format or name
    batch = StructuredBatch(layout, schemas.load(schema), CONSTANTS)
    expected = [batch.row(line, CLOCK, PATH) for line in lines]
    for _ in range(3):
        assert batch.rows(lines, CLOCK, PATH) == expected
    assert batch.made(b"\n".join(lines) + b"\n", CLOCK, PATH).rows() == expected


@pytest.mark.parametrize("schema", schemas.NAMES)
@given(objects=alike(), spaced=st.booleans(), ascii_only=st.booleans())
def test_json_lines(
    schema: str, objects: list[dict[str, Any]], spaced: bool, ascii_only: bool
) -> None:
    lines = [json_line(value, spaced, ascii_only) for value in objects]
    check("json", schema, lines)
    check("strict", schema, lines)


@pytest.mark.parametrize("schema", ["ecs", "flat"])
@settings(max_examples=40)
@given(groups=st.lists(alike(), min_size=2, max_size=4), chance=st.randoms())
def test_lines_of_several_shapes(
    schema: str, groups: list[list[dict[str, Any]]], chance: Any
) -> None:
    lines = [json_line(value, False, False) for group in groups for value in group] * 2
    chance.shuffle(lines)
    check("json", schema, lines)
    check("json", schema, [*lines, b"", b'{"a":"', b'{"a":1}', b'"a":', b"\xff"])


def test_lines_are_sorted_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    layout = catalogue.load("json").layouts[0]
    batch = StructuredBatch(layout, schemas.load("ecs"), {})
    lines = [rb'{"k%d":1,"msg":"\"x\": %d"}' % (number % 8, number) for number in range(80)]
    expected = [batch.row(line, CLOCK, PATH) for line in lines]
    for _ in range(2):
        assert batch.rows(lines, CLOCK, PATH) == expected
    assert batch.shapes == 8

    def never(*_: object) -> None:
        raise AssertionError("read the exact way")

    monkeypatch.setattr(layout, "record", never, raising=False)
    assert batch.rows(lines, CLOCK, PATH) == expected
    assert batch.made(b"\n".join(lines) + b"\n", CLOCK, PATH).rows() == expected


@st.composite
def pairs(draw: st.DrawFn) -> list[bytes]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=2, max_size=6))
    kinds = [draw(st.sampled_from(["bare", "quoted", "alone", "number"])) for _ in names]
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        parts = []
        for name, kind in zip(names, kinds, strict=True):
            value = draw(scalars)
            text = "" if value is None else str(value)
            if kind == "quoted":
                text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
            elif kind == "number":
                text = str(draw(numbers))
            parts.append(name if kind == "alone" else f"{name}={text}")
        lines.append(" ".join(parts).replace("\n", "\\n").encode("utf-8", "replace"))
    return lines


@pytest.mark.parametrize("schema", schemas.NAMES)
@given(lines=pairs())
@example(lines=[b"took=0 status= level=info"] * 4 + [b"took=1.0825699336492107 status= level=info"])
def test_pairs(schema: str, lines: list[bytes]) -> None:
    check("logfmt", schema, lines)
    check("ltsv", schema, [line.replace(b" ", b"\t").replace(b"=", b":") for line in lines])


HEADS = ["", "<13>", "<134>", "<0134>"]
STAMPS = ["Nov 23 02:16:56", "2026-11-23T02:16:56.789Z", "2026-11-23 02:16:56", "Feb 31 02:16:56"]
EVENT_KEYS = ["src", "msg", "spt", "rt", "cs1", "name", "host", "vendor", "cs1Label", "sev", "in"]
event_texts = st.one_of(
    texts.map(lambda text: text.replace("\n", " ")),
    st.sampled_from(["a\\=b", "a=b c", "x y=z", " a", "a ", "\\", "a\\ b", "a\\|b", "a  b", "-7"]),
    st.sampled_from(["GET /?a=b&c=d", "Nov 23 2026 02:16:56", "1795400216789", "443", "0443"]),
)


@st.composite
def events(draw: st.DrawFn) -> list[str]:
    """Events with mostly the same names."""
    names = draw(st.lists(st.sampled_from(EVENT_KEYS), max_size=6))
    head = draw(st.lists(event_texts, min_size=6, max_size=6))
    values = [draw(event_texts) for _ in names]
    lines = []
    for _ in range(draw(st.integers(1, 5))):
        for some in (head, values):
            for index in range(len(some)):
                if draw(st.integers(0, 3)) == 0:
                    some[index] = draw(event_texts)
        pairs = "\t".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        lines.append("|".join(head) + "|" + pairs)
    return lines


@pytest.mark.parametrize("schema", schemas.NAMES)
@given(lines=events(), priority=st.sampled_from(HEADS), stamp=st.sampled_from(STAMPS))
def test_events(schema: str, lines: list[str], priority: str, stamp: str) -> None:
    encoded = [line.encode("utf-8", "replace") for line in lines]
    cef = [b"CEF:0|" + line.replace(b"\t", b" ") for line in encoded]
    check("cef", schema, cef)
    check("cef-syslog", schema, [f"{priority}{stamp} fw-1 ".encode() + line for line in cef])
    check("leef", schema, [b"LEEF:1.0|" + line for line in encoded])
    check("leef", schema, [b"LEEF:2.0|a|b|c|d|x09|" + line for line in encoded])


def test_an_events_own_time() -> None:
    for text, fraction in ((b"Nov 23 2026 02:16:56.789 UTC", "789"), (b"1795400216789", "789")):
        line = b"CEF:0|a|b|1|17|no stock|High|rt=%b src=192.0.2.7 cs1=x y" % text
        record = LAYOUTS["cef"].record(line, CLOCK)
        assert record["time"] == (1795400216, fraction)
        assert record["level"] == "error"
        assert record["attributes"]["cs1"] == "x y"
        check("cef", "ecs", [line] * 3)


STRUCTURED = [
    layout
    for format_ in catalogue.load_all()
    for layout in format_.layouts
    if isinstance(layout, StructuredLayout)
]


def test_the_catalogue_has_structured_layouts() -> None:
    assert {"json", "logfmt", "cef", "otlp-json"} <= {layout.format for layout in STRUCTURED}


@given(lines=st.lists(mutated(), min_size=1, max_size=6))
def test_the_catalogues_own(lines: list[bytes]) -> None:
    for layout in STRUCTURED:
        if any(layout.record(line, CLOCK) is not None for line in lines):
            batch = StructuredBatch(layout, schemas.load("ecs"), CONSTANTS)
            expected = [batch.row(line, CLOCK, PATH) for line in lines]
            for _ in range(3):
                assert batch.rows(lines, CLOCK, PATH) == expected


@pytest.mark.parametrize(
    "line",
    [
        b'{"ts":1795400216.789123456,"level":"info","msg":"a \\"b\\"\\n","x":[1,"a"],"f":0.25}',
        b'{"level":30,"time":1795400216789,"pid":31,"hostname":"web-1","msg":"ok","ok":true}',
        b'{"time":"2026-11-23T02:16:56.789Z","level":"INFO","msg":"ok","req":{"id":"x","ms":1.5}}',
        b'{"timestamp": "2026-11-23T02:16:56", "message": "ok", "status": 200}',
        b'ts=2026-11-23T02:16:56.789Z level=info msg="order placed" order=42 took=1.5ms',
        b"level=info dur=0.25 ip=192.0.2.7 ok",
        b'{"level":"info","msg":"ok","spans":[{"id":42,"at":[1,{"x":"\\u00e9"}]},{"id":43}]}',
        b'{"level":"info","msg":"ok","tags":["a", "b"],"none":[],"odd":[1.50,null,"\xff"]}',
    ],
)
@pytest.mark.parametrize("schema", schemas.NAMES)
def test_usual_lines_have_shapes(schema: str, line: bytes) -> None:
    name = "json" if line.startswith(b"{") else "logfmt"
    layout = catalogue.load(name).layouts[0]
    batch = Compiler(schemas.load(schema), {}).batch(layout)
    exact = batch.row(line, CLOCK, PATH)
    assert isinstance(batch, StructuredBatch)
    for _ in range(3):
        assert batch.rows([line] * 3, CLOCK, PATH) == [exact] * 3
    assert batch.shapes == 1
    assert make_shape(layout, line).names >= {"message"} - {"ok"} or b"msg" not in line


def test_a_time_of_seconds_and_nanoseconds_has_a_shape() -> None:
    _, layout = catalogue.load("log4j-json").layouts
    lines = [
        b'{"instant":{"epochSecond":1795400216,"nanoOfSecond":%d},"level":"INFO","loggerName":"x"}'
        % nanoseconds
        for nanoseconds in (789000000, 17, 0, 999999999)
    ]
    odd = [lines[0].replace(b"789000000", text) for text in (b"-1", b"1e3", b"1000000000")]
    batch = StructuredBatch(layout, schemas.load("flat"), {})
    expected = [batch.row(line, CLOCK, PATH) for line in lines + odd]
    for _ in range(3):
        assert batch.rows(lines + odd, CLOCK, PATH) == expected
    assert batch.shapes == 1
    assert b'"2026-11-23T02:16:56.000000017Z"' in (expected[1] or b"")


def test_arrays_of_any_length_have_one_shape() -> None:
    layout = catalogue.load("tracing-json").layouts[0]
    spans = [b'{"name":"a","x":"\\"]"}', b'{"name":"b","deep":[[{"y":1e1}]]}', b'{"a":1,"a":2}']
    lines = [
        b'{"timestamp":"2026-11-23T02:16:56Z","level":"INFO","fields":{},"target":"x","spans":[%b]}'
        % b",".join(spans[:count])
        for count in (1, 2, 3)
    ]
    for name in schemas.NAMES:
        batch = StructuredBatch(layout, schemas.load(name), {})
        expected = [batch.row(line, CLOCK, PATH) for line in lines]
        for _ in range(3):
            assert batch.rows(lines, CLOCK, PATH) == expected
        assert batch.shapes == 1


def test_the_shapes_of_a_file_are_few() -> None:
    layout = catalogue.load("json").layouts[0]
    batch = StructuredBatch(layout, schemas.load("ecs"), {})
    lines = [b'{"msg":"x","key%d":1}' % number for number in range(200)]
    expected = [batch.row(line, CLOCK, PATH) for line in lines]
    for _ in range(3):
        assert batch.rows(lines, CLOCK, PATH) == expected
    assert batch.shapes == MOST_SHAPES


class Counting(StructuredBatch):
    """Counts the lines that are read the exact way."""

    exact = 0

    def row(self, line: bytes, clock: Clock, path: str, again: bool = False) -> bytes | None:
        self.exact += 1
        return super().row(line, clock, path, again)


def test_shapes_that_are_no_more_make_room_for_others() -> None:
    layout = catalogue.load("json").layouts[0]
    batch = Counting(layout, schemas.load("ecs"), {})

    def made(word: bytes) -> int:
        """How many lines of a chunk of that application's were read the exact way."""
        lines = [b'{"msg":"x","%b%d":1}' % (word, n % MOST_SHAPES) for n in range(240)]
        expected = [ExactBatch.row(batch, line, CLOCK, PATH) for line in lines]
        before = batch.exact
        assert batch.made(b"\n".join(lines) + b"\n", CLOCK, PATH).rows() == expected
        assert batch.shapes <= MOST_SHAPES
        return batch.exact - before

    assert [made(b"old") for _ in range(3)][-1] == 0
    chunks = 0
    while made(b"new"):
        chunks += 1
        assert chunks < 1000
    assert made(b"new") == 0
