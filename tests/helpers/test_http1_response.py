"""Reading responses: where each ends, what is refused, and that cuts make no difference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.wire.http1_grammar import ProtocolError
from podweave.helpers.wire.http1_response import Response, ResponseParser
from tests.cutting import cut_up
from tests.helpers.http1_events import Seen, note


def parse(chunks: list[bytes], *methods: str, end: bool = False) -> Seen:
    """The events of `chunks`."""
    parser = ResponseParser()
    for method in methods:
        parser.expect(method)
    seen: Seen = []
    try:
        for chunk in [chunk for chunk in chunks if chunk] + [b""] * end:
            parser.receive(chunk)
            while (event := parser.next_event()) is not None:
                if isinstance(event, Response):
                    seen.append(("response", event.status, event.reason, event.keep_alive))
                else:
                    note(seen, event)
    except ProtocolError as error:
        return [*seen, ("error", error.status)]
    if seen and seen[-1][0] == "response" and (rest := parser.rest()):
        seen.append(("rest", rest))
    return seen


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=1\r\nok\r\n0\r\nTrailer: t\r\n\r\n"
)
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
REST = b"HTTP/1.1 200 OK\r\n\r\nall of it"


def test_content_by_length_by_chunks_and_by_the_end() -> None:
    assert parse([OK, CHUNKED, REST], "GET", "POST", "GET", end=True) == [
        ("response", 200, "OK", True), ("data", b"ok"), ("end",),
        ("response", 200, "OK", True), ("data", b"ok"), ("end", ("trailer", "t")),
        ("response", 200, "OK", False), ("data", b"all of it"), ("end",),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n"),
    ],
)
def test_no_content_whatever_the_fields_say(method: str, head: bytes) -> None:
    seen = parse([head + OK], method, "GET")
    assert [entry[0] for entry in seen] == ["response", "end", "response", "data", "end"]


def test_interim_responses_come_before_the_final_one() -> None:
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    statuses = [entry[1] for entry in parse([CONTINUE + hints + OK], "PUT") if len(entry) == 4]
    assert statuses == [100, 103, 200]


@pytest.mark.parametrize(
    ("method", "head"),
    [
        ("GET", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"),
        ("CONNECT", b"HTTP/1.1 200 OK\r\n\r\n"),
    ],
)
def test_another_protocol_follows(method: str, head: bytes) -> None:
    seen = parse([head + b"\x81\x00HTTP/1.1"], method)
    assert [entry[0] for entry in seen] == ["response", "rest"]
    assert seen[1] == ("rest", b"\x81\x00HTTP/1.1")


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x, Close", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: Keep-Alive", True),
        (b"HTTP/1.1 200\r\nContent-Length: 0", True),
        (b"HTTP/1.1 200 \r\nContent-Length: 0", True),
        (b"HTTP/1.1 200 OK", False),
    ],
)
def test_keep_alive(head: bytes, keep_alive: bool) -> None:
    assert parse([head + b"\r\n\r\n"], "GET")[0][3] is keep_alive


@pytest.mark.parametrize(
    "message",
    [
        b"\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 999 OK\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1 200 O\x00K\r\n\r\n",
        b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 40_000,
    ],
)
def test_a_broken_response_is_the_upstreams_fault(message: bytes) -> None:
    assert parse([message], "GET") == [("error", 502)]


@pytest.mark.parametrize("length", range(len(CHUNKED)))
def test_an_end_within_a_response_is_an_error(length: int) -> None:
    assert parse([CHUNKED[:length]], "GET", end=True)[-1] == ("error", 502)


@pytest.mark.parametrize("said", [b"\x15\x03\x01\x00\x02\x02\x50", b"220 mail ESMTP\r\n", b"H2"])
def test_who_speaks_something_else_is_not_waited_for(said: bytes) -> None:
    assert parse([said], "GET") == [("error", 502)]


def test_what_nobody_asked_for_is_an_error() -> None:
    assert parse([OK + OK], "GET")[-1] == ("error", 502)
    assert parse([OK], end=True) == [("error", 502)]


def test_idle() -> None:
    parser = ResponseParser()
    assert parser.idle
    parser.expect("GET")
    assert not parser.idle
    parser.receive(OK)
    while parser.next_event() is not None:
        pass
    assert parser.idle
    parser.receive(b"H")
    assert not parser.idle


pieces = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 304 x\r\n", b"\r\n", b"\r", b"\n", b":", b" ",
        b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n",
        b"3\r\nabc\r\n", b"0\r\n\r\n", b"abc", b"\x00", b"\xff", b"x" * 12_000,
    ]
)  # fmt: skip
anything = st.one_of(
    st.lists(pieces, max_size=14).map(b"".join),
    st.lists(st.sampled_from([OK, CONTINUE, CHUNKED, REST]), max_size=5).map(b"".join),
    st.binary(max_size=200),
)


@given(
    cut_up(anything),
    st.lists(st.sampled_from(["GET", "HEAD", "CONNECT"]), max_size=4),
    st.booleans(),
)
def test_any_way_of_cutting_gives_the_same_events(
    message_and_chunks: tuple[bytes, list[bytes]], methods: list[str], end: bool
) -> None:
    message, chunks = message_and_chunks
    assert parse(chunks, *methods, end=end) == parse([message], *methods, end=end)
