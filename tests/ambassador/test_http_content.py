"""Content on its way through: any way of cutting gives the same, and others read it the same."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.ambassador.http.content import Chunks, Counted, UntilClose
from podweave.helpers.wire.http1_grammar import ProtocolError
from podweave.helpers.wire.http1_message import Data, End
from podweave.helpers.wire.http1_response import ResponseParser
from tests.cutting import cut_at

CHUNKED = b"2;x=1\r\nab\r\n1;\r\nc\r\n00a\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

chunk_pieces = st.lists(
    st.sampled_from(
        [b"3\r\nabc\r\n", b"1;a=b\r\nx\r\n", b"0\r\n\r\n", b"0\r\n", b"A: b\r\n", b"\r\n", b"\r",
         b"\n", b"3", b";", b"ab", b"\x00", b"Content-Length: 1\r\n", b"f" * 20, b"x" * 300]
    ),
    max_size=8,
).map(b"".join)  # fmt: skip
cuts = st.lists(st.integers(0, 400), max_size=8)


def through(data: bytes, at: list[int], *, bare: bool = False) -> tuple[bytes, int, bool, bool]:
    """What is passed on, how much is used, whether it is complete, whether it is refused."""
    content = Chunks(bare)
    passed, total = b"", 0
    try:
        for piece in cut_at(data, at):
            if content.done:
                break
            part, used = content.take(piece)
            passed += part
            total += used
            assert used == len(piece) or content.done
    except ProtocolError:
        return b"", 0, False, True
    return passed, total, content.done, False


@pytest.mark.parametrize("at", range(len(CHUNKED)))
def test_extensions_are_left_out_and_all_else_is_passed_on(at: int) -> None:
    passed, used, done, _ = through(CHUNKED + b"next", [at])
    assert passed == b"2\r\nab\r\n1\r\nc\r\n00a\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"
    assert used == len(CHUNKED)
    assert done
    assert through(CHUNKED, [at], bare=True)[0] == b"abc0123456789"


@given(chunk_pieces, cuts)
def test_any_way_of_cutting_passes_on_the_same(data: bytes, at: list[int]) -> None:
    for bare in (False, True):
        assert through(data, at, bare=bare) == through(data, [], bare=bare)


@given(chunk_pieces, cuts)
def test_the_parser_of_the_house_agrees(data: bytes, at: list[int]) -> None:
    parser = ResponseParser()
    parser.expect("GET")
    parser.receive(HEAD + data)
    body, done, refused = b"", False, False
    try:
        parser.next_event()
        while not done and (event := parser.next_event()) is not None:
            if isinstance(event, Data):
                body += event.content
            done = isinstance(event, End)
    except ProtocolError:
        refused = True
    passed, _, complete, bad = through(data, at, bare=True)
    if b"Content-Length" in data:
        # In trailers the ambassador refuses it, and the parser leaves it to its caller.
        assert not complete or done
    else:
        assert (complete, bad) == (done, refused)
    if complete:
        assert passed == body


@given(chunk_pieces, cuts)
def test_what_is_passed_on_h11_reads_the_same(data: bytes, at: list[int]) -> None:
    passed, _, complete, _ = through(data, at)
    if not complete:
        return
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(HEAD + passed)
    body = b""
    while not isinstance(event := connection.next_event(), h11.EndOfMessage):
        if isinstance(event, h11.Data):
            body += bytes(event.data)
    assert body == through(data, at, bare=True)[0]
    assert connection.trailing_data[0] == b""


@pytest.mark.parametrize(
    "data",
    [
        b"-1\r\n", b"0x1\r\na\r\n", b" 1\r\na\r\n", b"1 \r\na\r\n", b"1\na\r\n", b"1\r\nab\r\n",
        b"1;\x00\r\na\r\n", b"f" * 17 + b"\r\n", b"1" * 300, b"0\r\nbroken\r\n\r\n",
        b"0\r\nContent-Length: 3\r\n\r\n", b"0\r\nTransfer-Encoding: x\r\n\r\n",
        b"0\r\nAuthorization: x\r\n\r\n", b"1\r\na\rb", b"\r\n", b"0\r\n" + b"A: b\r\n" * 2000,
    ],
)  # fmt: skip
def test_broken_chunks_are_refused(data: bytes) -> None:
    assert through(data, [])[3]


@given(st.binary(max_size=50), st.integers(0, 40), cuts)
def test_counted_content(data: bytes, length: int, at: list[int]) -> None:
    content = Counted(length)
    passed, total = b"", 0
    for piece in cut_at(data, at):
        if content.done:
            break
        part, used = content.take(piece)
        passed += part
        total += used
    assert passed == data[:length]
    assert total == len(passed)
    assert content.done is (len(data) >= length)


def test_content_until_the_close() -> None:
    content = UntilClose(chunk=True)
    assert content.take(b"hello") == (b"5\r\nhello\r\n", 5)
    assert not content.done
    assert content.end() == b"0\r\n\r\n"
    assert content.done
    plain = UntilClose(chunk=False)
    assert plain.take(b"hello") == (b"hello", 5)
    assert plain.end() == b""
