"""A session's way to its upstream, where the network is faster than the ambassador."""

from __future__ import annotations

import select
import socket
import struct
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

from podweave.helpers.ambassador.sessions.upstream_side import UpstreamSide
from podweave.helpers.ambassador.switchboard import Switchboard
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.loop import Loop

RESET = struct.pack("ii", 1, 0)


class Owner:
    def __init__(self) -> None:
        self.errors: list[DialError] = []

    def failed(self, error: DialError) -> None:
        self.errors.append(error)


class Board:
    """Gives a dial the socket that it has."""

    profile = SimpleNamespace(name="dev", tls=None, credentials=None, database=None)
    connect_timeout = 30.0

    def __init__(self, loop: Loop, sock: socket.socket) -> None:
        self.loop = loop
        self._sock = sock
        self.ended = 0

    def dial(self, done: Callable[[Any], object], *, deadline: float, attempted: Any) -> Any:
        attempted(SimpleNamespace(label="127.0.0.1:5432", host="127.0.0.1", port=5432), None)
        self.loop.call_later(0, lambda: done(self._sock))
        return SimpleNamespace(end=self._end)

    def _end(self) -> None:
        self.ended += 1


def reset_by_the_upstream() -> socket.socket:
    """A connection that was made, and reset before anybody looked."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sock = socket.create_connection(server.getsockname())
        accepted, _ = server.accept()
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        accepted.close()
    sock.setblocking(False)
    poll = select.poll()
    poll.register(sock, 0)
    assert poll.poll(60_000)
    return sock


def test_a_connection_that_is_reset_at_once_is_one_that_was_reset() -> None:
    """Not one that never was, as the system says of its other end (ENOTCONN)."""
    loop = Loop()
    owner = Owner()
    board = Board(loop, reset_by_the_upstream())
    side = UpstreamSide(cast(Switchboard, board), cast(Any, owner))
    side.dial()
    loop.step(60)
    assert [(each.reason, each.message) for each in owner.errors] == [
        ("ECONNRESET", "connect to 127.0.0.1:5432: Connection reset by peer")
    ]
    assert board.ended == 1
    loop.close()
