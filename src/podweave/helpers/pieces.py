"""Pieces of bytes that go one after the other, many in one call of the kernel.

They are joined by nobody: a copy of what is sent anyway costs as much as the sending. No piece may
be empty.
"""

from __future__ import annotations

import os
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.dialing.tls_socket import TlsSocket

_AT_ONCE = 64


def send_some(sock: socket.socket | TlsSocket, pieces: list[memoryview]) -> int:
    """Send until all is sent or the socket takes no more; how many bytes that were.

    What isn't sent stays in `pieces`. OSError when the connection is lost.
    """
    plain = sock if isinstance(sock, socket.socket) else None
    total = 0
    try:
        while pieces:
            sent = sock.send(pieces[0]) if plain is None else plain.sendmsg(pieces[:_AT_ONCE])
            total += sent
            _drop(pieces, sent)
    except BlockingIOError:
        pass
    return total


def write_all(descriptor: int, pieces: list[memoryview]) -> None:
    """Write everything to a file; OSError may come after a part of it."""
    while pieces:
        _drop(pieces, os.writev(descriptor, pieces[:_AT_ONCE]))


def _drop(pieces: list[memoryview], count: int) -> None:
    """Leave out the first `count` bytes."""
    whole = 0
    while whole < len(pieces) and count >= len(pieces[whole]):
        count -= len(pieces[whole])
        whole += 1
    del pieces[:whole]
    if count:
        pieces[0] = pieces[0][count:]
