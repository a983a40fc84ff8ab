"""Bulk data goes by splice, and arrives whole whatever the other side does meanwhile."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from podweave.helpers.ambassador import pipes as pipes_module
from podweave.helpers.ambassador import plain_leg
from podweave.helpers.ambassador.relay import Relay
from podweave.helpers.loop import Loop

SIZE = 24 << 20


class Ends:
    """A relay on its loop in a thread, and its two outer ends."""

    def __init__(self, families: type[socket.socket] | None = None) -> None:
        self.loop = Loop()
        self.client, inner = tcp_pair()
        self.upstream, outer = tcp_pair()
        for sock in (inner, outer):
            sock.setblocking(False)
        self.closed: list[Relay] = []
        self.relay = Relay(self.loop, inner, outer, "dev", self.closed.append)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self.closed:
            self.loop.step(0.05)

    def close(self) -> None:
        self.client.close()
        self.upstream.close()
        self._thread.join(20)
        assert not self._thread.is_alive()
        self.loop.close()


def tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        left = socket.create_connection(listener.getsockname())
        right, _ = listener.accept()
    left.settimeout(30)
    return left, right


@pytest.fixture
def ends() -> Iterator[Ends]:
    ends = Ends()
    yield ends
    ends.close()


@pytest.fixture
def splices(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each splice moved."""
    moved: list[int] = []
    splice = os.splice

    def counting(source: int, target: int, count: int) -> int:
        result = splice(source, target, count)
        moved.append(result)
        return result

    monkeypatch.setattr(os, "splice", counting)
    return moved


DATA = os.urandom(1 << 20) * (SIZE >> 20)


def send_all(sock: socket.socket) -> threading.Thread:
    def run() -> None:
        sock.sendall(DATA)
        sock.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def receive_all(sock: socket.socket) -> str:
    digest = hashlib.sha256()
    while data := sock.recv(1 << 16):
        digest.update(data)
    return digest.hexdigest()


EXPECTED = hashlib.sha256(DATA).hexdigest()


def test_most_of_it_is_spliced_and_all_of_it_arrives(ends: Ends, splices: list[int]) -> None:
    sender = send_all(ends.client)
    assert receive_all(ends.upstream) == EXPECTED
    sender.join(20)
    # Each byte is spliced twice: into the pipe and out of it.
    assert sum(splices) > SIZE
    assert ends.relay.client.received == SIZE
    # The other way still works.
    ends.upstream.sendall(b"done")
    ends.upstream.shutdown(socket.SHUT_WR)
    assert ends.client.recv(10) == b"done"


def test_both_ways_at_once(ends: Ends, splices: list[int]) -> None:
    senders = [send_all(ends.client), send_all(ends.upstream)]
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(receive_all(ends.client)))
    reader.start()
    got.append(receive_all(ends.upstream))
    reader.join(30)
    for sender in senders:
        sender.join(20)
    assert got == [EXPECTED, EXPECTED]


def test_a_receiver_that_goes_leaves_no_pipe_behind(ends: Ends, splices: list[int]) -> None:

    def send() -> None:
        with contextlib.suppress(OSError):
            ends.client.sendall(DATA)

    sender = threading.Thread(target=send)
    sender.start()
    while sum(splices) < 1 << 20:
        ends.upstream.recv(1 << 16)
    ends.upstream.close()
    sender.join(20)
    assert plain_leg._pipes._taken == 0


def test_without_a_pipe_it_is_copied(
    ends: Ends, splices: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipes_module, "LIMIT", 0)
    sender = send_all(ends.client)
    assert receive_all(ends.upstream) == EXPECTED
    sender.join(20)
    assert splices == []


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_system_that_cannot_splice_sockets(
    ends: Ends, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    splice = os.splice
    refused: list[Any] = []

    def refusing(source: int, target: int, count: int) -> int:
        if (source == ends.relay.client.sock.fileno()) == (way == "in"):
            refused.append(target)
            raise OSError(22, "Invalid argument")
        return splice(source, target, count)

    monkeypatch.setattr(os, "splice", refusing)
    sender = send_all(ends.client)
    assert receive_all(ends.upstream) == EXPECTED
    sender.join(20)
    assert len(refused) == 1
