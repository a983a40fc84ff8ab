"""What is done to whole chunks at once is what would be done line by line."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.delivery.rows import between, interleave
from podweave.helpers.logs.newlines import count_newlines
from podweave.helpers.pieces import send_some, write_all

TEXTS = st.lists(st.binary(max_size=8), max_size=6)


@given(st.binary() | st.lists(st.sampled_from([b"\n", b"x", b"\r"])).map(b"".join))
def test_newlines_are_counted(data: bytes) -> None:
    assert count_newlines(data) == data.count(b"\n")


@given(TEXTS, st.data())
def test_columns_become_rows(texts: list[bytes], data: st.DataObject) -> None:
    count = len(texts)
    column = st.binary(max_size=4) | st.lists(st.binary(max_size=4), min_size=count, max_size=count)
    columns = [
        *data.draw(st.lists(column, max_size=3)),
        texts,
        *data.draw(st.lists(column, min_size=1, max_size=3)),
    ]
    expected = b"".join(
        each if isinstance(each, bytes) else each[row] for row in range(count) for each in columns
    )
    assert interleave(count, *columns) == expected


@given(TEXTS.filter(bool), st.binary(max_size=4), st.binary(max_size=4))
def test_each_line_stands_between(texts: list[bytes], begin: bytes, end: bytes) -> None:
    lines = [text.replace(b"\n", b"") for text in texts]
    data = b"".join(line + b"\n" for line in lines)
    expected = b"".join(begin + line + end for line in lines)
    assert b"".join(between(data, begin, end)) == expected


PIECES = st.lists(st.binary(min_size=1, max_size=9).map(lambda one: one * 3000), max_size=100)


@given(PIECES)
def test_pieces_are_sent_as_far_as_the_socket_takes_them(pieces: list[bytes]) -> None:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        left = [memoryview(piece) for piece in pieces]
        expected = b"".join(pieces)
        sent, got = 0, b""
        while left:
            sent += send_some(near, left)
            assert b"".join(left) == expected[sent:]
            got += far.recv(1 << 20)
        while len(got) < sent:
            got += far.recv(1 << 20)
    assert (sent, got) == (len(expected), expected)


def test_more_pieces_than_one_call_takes_are_written(tmp_path: Path) -> None:
    pieces = [b"%d\n" % number for number in range(2000)]
    descriptor = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    try:
        write_all(descriptor, [memoryview(piece) for piece in pieces])
    finally:
        os.close(descriptor)
    assert (tmp_path / "file").read_bytes() == b"".join(pieces)
