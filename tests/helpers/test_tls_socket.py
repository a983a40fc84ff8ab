"""A TlsSocket by itself: bytes in pieces of any size, and the memory that it gives back."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import ssl
from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podweave.helpers.dialing.tls_socket import TlsSocket
from tests.ambassador.certificates import Authority
from tests.ambassador.test_tls_leg import ServerContext

SIZES = st.sampled_from([1, 100, 16383, 16384, 16385, 40000, 65535, 65536, 65537, 200_000])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return Authority(tmp_path_factory.mktemp("tls")).server_context("localhost")


@pytest.fixture(scope="module")
def client() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    return made


class Pair:
    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext) -> None:
        ours, theirs = socket.socketpair()
        for sock in (ours, theirs):
            sock.setblocking(False)
        self.ours = TlsSocket(ours, client, "localhost")
        self.theirs = TlsSocket(theirs, cast(ssl.SSLContext, ServerContext(server)), "")
        waiting = {self.ours, self.theirs}
        while waiting:
            waiting = {each for each in waiting if each.handshake()}

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def pair(client: ssl.SSLContext, server: ssl.SSLContext) -> Iterator[Pair]:
    made = Pair(client, server)
    yield made
    made.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(SIZES, min_size=1, max_size=30), st.lists(SIZES, min_size=1, max_size=5))
def test_pieces_of_any_size_make_no_difference(
    client: ssl.SSLContext, server: ssl.SSLContext, sends: list[int], reads: list[int]
) -> None:
    """Also beyond the size from which a transfer counts as bulk: 1 MB in whole buffers."""
    pair = Pair(client, server)
    whole = bytes(range(251)) * (sum(sends) // 251 + 1)
    whole = whole[: sum(sends)]
    ends = [sum(sends[: count + 1]) for count in range(len(sends))]
    received = bytearray()
    sent = offered = turn = 0
    while len(received) < len(whole):
        if sent < len(whole):
            # What was offered once must be offered again.
            offered = max(offered, next(end for end in ends if end > sent))
            with contextlib.suppress(BlockingIOError):
                sent += pair.ours.send(whole[sent:offered])
        else:
            pair.ours._flush()
        with contextlib.suppress(BlockingIOError):
            while True:
                buffer = bytearray(reads[turn % len(reads)])
                turn += 1
                received += buffer[: pair.theirs.recv_into(buffer)]
                # What isn't told by this, epoll tells.
                if not pair.theirs.buffered:
                    break
    assert bytes(received) == whole
    pair.close()


class _Mallinfo(ctypes.Structure):
    """mallinfo(3), struct mallinfo2."""

    _fields_ = tuple((f"field{number}", ctypes.c_size_t) for number in range(10))


def allocated() -> int:
    """Bytes that are taken from the C library."""
    mallinfo = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo is None:
        pytest.skip("this C library doesn't tell what is allocated")
    mallinfo.restype = _Mallinfo
    taken: int = mallinfo().field7
    return taken


def test_session_tickets_leave_no_buffer_behind(pair: Pair) -> None:
    """They come with the first answer, and who asks only once would keep 16 KB for output."""
    buffer = bytearray(100)
    pair.ours.send(b"question")
    assert pair.theirs.recv_into(buffer) == 8
    pair.theirs.send(b"answer")
    assert pair.ours.recv_into(buffer) == 6
    assert pair.ours._object.version() == "TLSv1.3"
    before = allocated()
    pair.ours._object.write(b"")
    assert before - allocated() < 4096


def test_nothing_can_be_done_with_what_was_given_up(pair: Pair) -> None:
    pair.ours.discard()
    with pytest.raises(OSError, match="given up"):
        pair.ours.recv(10)
    with pytest.raises(OSError, match="given up"):
        pair.ours.send(b"x")
    with pytest.raises(OSError, match="given up"):
        pair.ours.shutdown()
    assert pair.ours.raw.fileno() >= 0
    pair.ours.close()
    pair.ours.close()
