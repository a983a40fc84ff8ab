"""The HTTP/1.1 parser: what it takes, what it refuses, and that cuts make no difference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.wire.http1 import (
    HEAD_LIMIT,
    ProtocolError,
    Request,
    RequestParser,
)
from podweave.helpers.wire.http1_writing import request, response
from tests.cutting import cut_up
from tests.helpers.http1_events import Seen, note


def parse(chunks: list[bytes], *, end: bool = False) -> Seen:
    """The events of `chunks`."""
    parser = RequestParser()
    seen: Seen = []
    try:
        for chunk in [chunk for chunk in chunks if chunk] + [b""] * end:
            parser.receive(chunk)
            while (event := parser.next_event()) is not None:
                if isinstance(event, Request):
                    fields = tuple(event.fields)
                    seen.append(
                        ("request", event.method, event.target, event.minor, fields,
                         event.keep_alive)
                    )  # fmt: skip
                else:
                    note(seen, event)
    except ProtocolError as error:
        seen.append(("error", error.status))
    return seen


GET = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST /profile HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nqa"
CHUNKED = (
    b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;x=1\r\nqa\r\n1\r\n!\r\n0\r\nTrailer: t\r\n\r\n"
)


def test_a_request_and_its_parts() -> None:
    assert parse([GET]) == [
        ("request", "GET", "/metrics", 1, (("host", "localhost"),), True),
        ("end",),
    ]


def test_content_by_length_and_by_chunks_and_pipelined() -> None:
    seen = parse([POST + CHUNKED + GET])
    assert [entry[0] for entry in seen] == [
        "request", "data", "end", "request", "data", "end", "request", "end",
    ]  # fmt: skip
    assert seen[1] == ("data", b"qa")
    assert seen[4] == ("data", b"qa!")
    assert seen[5] == ("end", ("trailer", "t"))


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"GET / HTTP/1.1\r\nHost: a", True),
        (b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close", False),
        (b"GET / HTTP/1.0", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive", False),
    ],
)
def test_keep_alive(head: bytes, keep_alive: bool) -> None:
    assert parse([head + b"\r\n\r\n"])[0][5] is keep_alive


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, b"\r\n\r\n"),
        (400, b"GET /\r\n\r\n"),
        (400, b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        (400, b"G\x00T / HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n"),
        (400, b"GET / HTTP/\x00.\x00\r\nHost: a\r\n\r\n"),
        (505, b"GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        (400, b"GET / http/1.1\r\nHost: a\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\x00\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"),
        (400, b"GET / HTTP/1.1\r\nHost: a\r\n: empty\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \xb2\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n"),
        (
            400,
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n",
        ),
        (400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n"),
        (400, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n"),
        (501, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: " + b"a" * HEAD_LIMIT + b"\r\n\r\n"),
        (431, b"a" * HEAD_LIMIT),
    ],
)
def test_what_is_ambiguous_or_broken_is_refused(status: int, message: bytes) -> None:
    assert parse([message]) == [("error", status)]


@pytest.mark.parametrize(
    "chunks",
    [
        b"-1\r\n",
        b"0x1\r\na\r\n",
        b" 1\r\na\r\n",
        b"1\na\r\n0\r\n\r\n",
        b"1\r\nab\r\n",
        b"1;\x00\r\na\r\n",
        b"fffffffffffffffff\r\n",
        b"1" * 300,
        b"0\r\nbroken trailer\r\n\r\n",
    ],
)
def test_broken_chunks_are_refused(chunks: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert parse([head + chunks])[-1] == ("error", 400)


@pytest.mark.parametrize("length", range(1, len(CHUNKED)))
def test_an_end_within_a_request_is_refused(length: int) -> None:
    assert parse([CHUNKED[:length]], end=True)[-1] == ("error", 400)


def test_an_end_between_requests_is_no_error() -> None:
    assert parse([GET], end=True) == parse([GET])


pieces = st.sampled_from(
    [
        b"GET / HTTP/1.1\r\n", b"Host: a\r\n", b"\r\n", b"\r", b"\n", b":", b" ",
        b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
        b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc", b"\x00", b"\xff", b"x" * 3000,
    ]
)  # fmt: skip
anything = st.one_of(
    st.lists(pieces, max_size=14).map(b"".join),
    st.lists(st.sampled_from([GET, POST, CHUNKED]), max_size=5).map(b"".join),
    st.binary(max_size=200),
)


@given(cut_up(anything), st.booleans())
def test_any_way_of_cutting_gives_the_same_events(
    message_and_chunks: tuple[bytes, list[bytes]], end: bool
) -> None:
    message, chunks = message_and_chunks
    assert parse(chunks, end=end) == parse([message], end=end)


def test_a_response() -> None:
    assert response(200, b"ok\n", keep_alive=False) == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n"
        b"Connection: close\r\n\r\nok\n"
    )
    assert response(405, b"no", fields=(("Allow", "GET"),), head_only=True) == (
        b"HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 2\r\nAllow: GET\r\n\r\n"
    )


def test_a_request() -> None:
    assert request("POST", "/_bulk", [("Host", "es:9200")], b"{}\n") == (
        b"POST /_bulk HTTP/1.1\r\nHost: es:9200\r\nContent-Length: 3\r\n\r\n{}\n"
    )
    assert request("GET", "/", [("Host", "a")]) == b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize(
    ("method", "target", "value"),
    [("GET", "/a b", "v"), ("GET", "/\r\nX: y", "v"), ("GET", "/", "v\r\nX: y"), ("G T", "/", "v")],
)
def test_a_request_that_would_be_another_one_is_not_written(
    method: str, target: str, value: str
) -> None:
    with pytest.raises(ValueError, match=r"space|line end"):
        request(method, target, [("Host", "a"), ("X", value)])
