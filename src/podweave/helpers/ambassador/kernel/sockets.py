"""Connections to a local port that somebody else than its listener answers."""

from __future__ import annotations

import os
import socket

from podweave.helpers.wire import sock_diag
from podweave.helpers.wire.netlink import DONE, ERROR, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podweave.helpers.wire.sock_diag import TcpSocket

_SOCK_DIAG = 4
_RECEIVE = 1 << 16
_SECONDS = 2.0
_LOOPBACK = b"\x7f\0\0\x01"


class DivertedSockets:
    """Those of the Pod's clients that the kernel has connected to an upstream by itself."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sequence = 0
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG
        )
        self._socket.settimeout(_SECONDS)

    def find(self) -> dict[int, TcpSocket]:
        """By the client's own port. OSError when the kernel can't say."""
        clients = {
            sock.local_port: sock
            for sock in self._ask(remote_port=self._port)
            if sock.remote == _LOOPBACK
        }
        if clients:
            for sock in self._ask(local_port=self._port):
                # Its other end is with the listener: no connection of ours.
                clients.pop(sock.remote_port, None)
        return clients

    def cut(self, sock: TcpSocket) -> bool:
        """Abort a connection; False when it couldn't be."""
        self._sequence += 1
        try:
            self._socket.send(sock_diag.destroy(self._sequence, sock))
            while True:
                for message in parse(self._socket.recv(_RECEIVE)):
                    if message.type == ERROR and message.sequence == self._sequence:
                        return message.error_number == 0
        except OSError:
            return False

    def close(self) -> None:
        self._socket.close()

    def _ask(self, local_port: int = 0, remote_port: int = 0) -> Iterator[TcpSocket]:
        self._sequence += 1
        request = sock_diag.ask(self._sequence, local_port=local_port, remote_port=remote_port)
        self._socket.send(request)
        while True:
            for message in parse(self._socket.recv(_RECEIVE)):
                if message.sequence != self._sequence:
                    continue
                if message.type == DONE:
                    return
                if message.type == ERROR:
                    raise OSError(message.error_number, os.strerror(message.error_number))
                yield sock_diag.read(message)
