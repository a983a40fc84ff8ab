"""Requests as others read them: h11, and llhttp by way of httptools.

What the ambassador takes and passes on, both read as one request, the same one. What it takes as
it came, they read the same or refuse. What readers differ on is refused.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import h11
import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.ambassador.http.content import Chunks, Counted
from podweave.helpers.ambassador.http.fields import read_line
from podweave.helpers.ambassador.http.policy import HttpPolicy
from podweave.helpers.ambassador.http.request_head import choose_route, read, write
from podweave.helpers.wire.http1_grammar import CHUNKED, ProtocolError


class Read(NamedTuple):
    """A request, as somebody reads it; `used` are its bytes."""

    method: bytes
    target: bytes
    body: bytes
    used: int


def passed_on(data: bytes) -> tuple[bytes, Read] | None:
    """The bytes for the upstream and what the ambassador took them for; None: refused."""
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:
        return None
    try:
        head = read(data[:end])
        policy = HttpPolicy()
        forwarded = write(head, choose_route(head, policy), "", b"a")
        content = Chunks() if head.length == CHUNKED else Counted(head.length or 0)
        bare = Chunks(bare=True) if head.length == CHUNKED else Counted(head.length or 0)
        body, used = content.take(data[end:])
        plain, _ = bare.take(data[end:])
    except ProtocolError:
        return None
    if not content.done:
        return None
    return forwarded + body, Read(head.method, head.target, plain, end + used)


def by_h11(data: bytes) -> Read | None:
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    head, body = None, b""
    try:
        while not isinstance(event := connection.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA or event is h11.PAUSED:
                return None
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
    except h11.RemoteProtocolError:
        return None
    assert head is not None
    return Read(head.method, head.target, body, len(data) - len(connection.trailing_data[0]))


def by_llhttp(data: bytes) -> list[Read] | None:
    """All requests of `data`; llhttp doesn't say where each ends. None: refused."""
    found: list[list[Any]] = []

    class Protocol:
        def on_message_begin(self) -> None:
            found.append([b"", b"", b"", False])

        def on_url(self, url: bytes) -> None:
            found[-1][1] += url

        def on_body(self, body: bytes) -> None:
            found[-1][2] += body

        def on_headers_complete(self) -> None:
            found[-1][0] = parser.get_method()

        def on_message_complete(self) -> None:
            found[-1][3] = True

    parser = httptools.HttpRequestParser(Protocol())
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        pass
    except httptools.HttpParserError:
        return None
    return [Read(each[0], each[1], each[2], 0) for each in found if each[3]]


def compare(data: bytes) -> bool:
    """Whether the ambassador takes it; AssertionError where somebody reads it otherwise."""
    taken = passed_on(data)
    if taken is None:
        return False
    forwarded, own = taken
    theirs = by_h11(forwarded)
    assert theirs is not None, forwarded
    assert (theirs.method, theirs.body, theirs.used) == (own.method, own.body, len(forwarded))
    several = by_llhttp(forwarded)
    if several is not None:
        # llhttp knows a list of methods, and refuses the others.
        assert [(each.method, each.body) for each in several] == [(own.method, own.body)]
    theirs = by_h11(data)
    if theirs is not None:
        assert (theirs.method, theirs.body, theirs.used) == (own.method, own.body, own.used)
    several = by_llhttp(data[: own.used])
    if several is not None:
        assert [(each.method, each.body) for each in several] == [(own.method, own.body)]
    return True


def message(*lines: str, body: bytes = b"") -> bytes:
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


CHUNKS = b"3\r\nabc\r\n0\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
POST = ("POST / HTTP/1.1", "Host: a")

TAKEN = [
    message("GET / HTTP/1.1", "Host: a"),
    message("GET / HTTP/1.1", "Host: a:80", "Empty:"),
    message("GET /?a=b&c=[d]|e HTTP/1.1", "Host: [::1]:8080"),
    message("GET http://a/b HTTP/1.1", "Host: a"),
    message("OPTIONS * HTTP/1.1", "Host: a"),
    message("DELETE / HTTP/1.1", "Host: a", "X: \xe9\xff"),
    message("GET / HTTP/1.1", "Host: a", "X:\t tabs \t"),
    message("GET / HTTP/1.0"),
    message(*POST, "Content-Length: 3", body=b"abc" + SMUGGLED),
    message(*POST, "Content-Length: 0", body=SMUGGLED),
    message(*POST, "Content-Length: 0003", body=b"abc"),
    message(*POST, "Transfer-Encoding: chunked", body=CHUNKS + SMUGGLED),
    message(*POST, "Transfer-Encoding: CHUNKED", body=CHUNKS),
    message(*POST, "Transfer-Encoding: chunked", body=b"3;ext=1\r\nabc\r\n0\r\nT: 1\r\n\r\n"),
    message(*POST, "Transfer-Encoding: chunked", body=b"003\r\nabc\r\n000\r\n\r\n"),
    message(*POST, "Connection: Transfer-Encoding", "Transfer-Encoding: chunked", body=CHUNKS),
    message(*POST, "Connection: Content-Length", "Content-Length: 3", body=b"abc"),
    message("GET / HTTP/1.1", "Host: a", "Content-Length: 3", body=b"abc"),
    message("GET / HTTP/1.1", "Host: a", "Connection: close", "Connection: x"),
]

REFUSED = [
    message(*POST, "Content-Length: 3", "Transfer-Encoding: chunked", body=CHUNKS),
    message(*POST, "Transfer-Encoding: chunked", "Content-Length: 3", body=CHUNKS),
    message(*POST, "Content-Length: 3", "Content-Length: 3", body=b"abc"),
    message(*POST, "Content-Length: 3", "Content-Length: 4", body=b"abcd"),
    message(*POST, "Content-Length: 3, 3", body=b"abc"),
    message(*POST, "Content-Length: +3", body=b"abc"),
    message(*POST, "Content-Length: -3", body=b"abc"),
    message(*POST, "Content-Length: 3 3", body=b"abc"),
    message(*POST, "Content-Length: 0x3", body=b"abc"),
    message(*POST, "Content-Length: 3.0", body=b"abc"),
    message(*POST, "Content-Length: 1_0", body=b"abcdefghij"),
    message(*POST, "Content-Length: \xb3", body=b"abc"),
    message(*POST, "Content-Length:", body=b"abc"),
    message(*POST, "Content-Length : 3", body=b"abc"),
    message(*POST, "Content-Length\t: 3", body=b"abc"),
    message(*POST, " Content-Length: 3", body=b"abc"),
    message(*POST, "Content-Length: 99999999999999999999", body=b"abc"),
    message(*POST, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", body=CHUNKS),
    message(*POST, "Transfer-Encoding: chunked, chunked", body=CHUNKS),
    message(*POST, "Transfer-Encoding: chunked, identity", body=CHUNKS),
    message(*POST, "Transfer-Encoding: identity", body=CHUNKS),
    message(*POST, "Transfer-Encoding: gzip, chunked", body=CHUNKS),
    message(*POST, "Transfer-Encoding: xchunked", body=CHUNKS),
    message(*POST, "Transfer-Encoding: chunked;x=1", body=CHUNKS),
    message(*POST, 'Transfer-Encoding: "chunked"', body=CHUNKS),
    message(*POST, "Transfer-Encoding: \x0bchunked", body=CHUNKS),
    message(*POST, "Transfer-Encoding: chunked\x00", body=CHUNKS),
    message(*POST, "Transfer-Encoding : chunked", body=CHUNKS),
    message(*POST, "Transfer-Encoding:", " chunked", body=CHUNKS),
    message(*POST, "X: y\nTransfer-Encoding: chunked", body=CHUNKS),
    message(*POST, "X: y\rTransfer-Encoding: chunked", body=CHUNKS),
    message("POST / HTTP/1.0", "Transfer-Encoding: chunked", body=CHUNKS),
    message(*POST, "Transfer-Encoding: chunked", body=b"3\nabc\n0\n\n"),
    message(*POST, "Transfer-Encoding: chunked", body=b"0x3\r\nabc\r\n0\r\n\r\n"),
    message(*POST, "Transfer-Encoding: chunked", body=b"3 \r\nabc\r\n0\r\n\r\n"),
    message(*POST, "Transfer-Encoding: chunked", body=b"-3\r\nabc\r\n0\r\n\r\n"),
    message(*POST, "Transfer-Encoding: chunked", body=b"3\r\nabcd\r\n0\r\n\r\n"),
    message(*POST, "Transfer-Encoding: chunked", body=b"3;a\nb\r\nabc\r\n0\r\n\r\n"),
    message(*POST, "Transfer-Encoding: chunked", body=b"fffffffffffffffff3\r\nabc\r\n0\r\n\r\n"),
    message("GET / HTTP/1.1"),
    message("GET / HTTP/1.1", "Host: a", "Host: b"),
    message("GET / HTTP/1.1", "Host: a", "Host: a"),
    message("GET / HTTP/1.1", "Host: a, b"),
    message("GET / HTTP/1.1", "Host: a/b"),
    message("GET / HTTP/1.1", "Host: user@a"),
    message("GET / HTTP/1.1", "Host:"),
    message("GET http://b/ HTTP/1.1", "Host: a"),
    message("GET //a@b http://b/ HTTP/1.1", "Host: a"),
    message("GET ftp://a/ HTTP/1.1", "Host: a"),
    message("GET a HTTP/1.1", "Host: a"),
    message("GET /a#b HTTP/1.1", "Host: a"),
    message("GET /a\x7f HTTP/1.1", "Host: a"),
    message("GET /\xe9 HTTP/1.1", "Host: a"),
    message("GET * HTTP/1.1", "Host: a"),
    message("CONNECT a:80 HTTP/1.1", "Host: a:80"),
    message("GET  / HTTP/1.1", "Host: a"),
    message("GET /  HTTP/1.1", "Host: a"),
    message("GET\t/ HTTP/1.1", "Host: a"),
    message(" GET / HTTP/1.1", "Host: a"),
    message("GET / HTTP/1.1 ", "Host: a"),
    message("GET / http/1.1", "Host: a"),
    message("GET / HTTP/1.2", "Host: a"),
    message("GET / HTTP/2.0", "Host: a"),
    message("GET / HTTP/01.1", "Host: a"),
    message("GET /", "Host: a"),
    message("GET / HTTP/1.1", "Host: a", "A: b", " folded"),
    message("GET / HTTP/1.1", "Host: a", "no colon"),
    message("GET / HTTP/1.1", "Host: a", ": no name"),
    message("GET / HTTP/1.1", "Host: a", "A b: c"),
    message("GET / HTTP/1.1", "Host: a", "A(b): c"),
    message("GET / HTTP/1.1", "Host: a", "A\x00: c"),
    message("GET / HTTP/1.1", "Host: a", "A: b\x00c"),
    message("GET / HTTP/1.1", "Host: a", "A: b\x1fc"),
    message("GET / HTTP/1.1", "Host: a", "A: b\x7fc"),
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"GET / HTTP/1.1\r\nHost: a\n\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("data", TAKEN)
def test_what_is_taken_everybody_reads_the_same(data: bytes) -> None:
    assert compare(data)


@pytest.mark.parametrize("data", REFUSED)
def test_what_is_ambiguous_is_refused(data: bytes) -> None:
    assert not compare(data)


PIECES = [
    b"GET / HTTP/1.1\r\n", b"POST /x HTTP/1.1\r\n", b"POST / HTTP/1.0\r\n", b"Host: a\r\n",
    b"Content-Length: 3\r\n", b"Content-Length:3\r\n", b"content-length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n", b"transfer-encoding:chunked\r\n", b"Connection: close\r\n",
    b"Connection: Host, content-length, transfer-encoding\r\n", b"Expect: 100-continue\r\n",
    b"Transfer-Encoding: identity\r\n", b"X: y\r\n", b"X: y\n", b" folded\r\n", b"X : y\r\n",
    b"\r\n", b"\n", b"\r", b" ", b":", b"\x00", b"abc", b"3\r\nabc\r\n", b"0\r\n\r\n", b"0\r\n",
    SMUGGLED,
]  # fmt: skip
mangled = st.lists(st.sampled_from(PIECES), max_size=9).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A message of the corpus with some bytes changed, put in or left out."""
    data = bytearray(draw(st.sampled_from(TAKEN + REFUSED)))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        how = draw(st.integers(0, 2))
        byte = draw(st.sampled_from(list(b"\r\n\t :;,0139aG/\x00\x0b\x7f\x80\xff")))
        if how == 0:
            data[at : at + 1] = bytes([byte])
        elif how == 1:
            data[at:at] = bytes([byte])
        else:
            del data[at : at + 1]
    return bytes(data)


@settings(max_examples=400)
@given(mangled | mutated())
def test_nobody_reads_otherwise_whatever_comes(data: bytes) -> None:
    compare(data)


def test_a_line_is_known_by_all_its_bytes() -> None:
    assert read_line(b"Host: a") == (b"host", b"a", b"Host: a")
    assert read_line(b"HOST:a ") == (b"host", b"a", b"HOST:a ")
