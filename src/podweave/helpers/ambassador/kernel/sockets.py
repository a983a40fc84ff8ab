"""Connections to a local port that somebody else than its listener answers."""

from __future__ import annotations

from podweave.helpers.ambassador.kernel.netlink_socket import NetlinkSocket
from podweave.helpers.wire import sock_diag
from podweave.helpers.wire.nftables import LOOPBACK

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podweave.helpers.wire.sock_diag import TcpSocket

_SOCK_DIAG = 4


class DivertedSockets:
    """Those of the Pod's clients that the kernel has connected to an upstream by itself."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._sequence = 0
        self._socket = NetlinkSocket(_SOCK_DIAG)

    def find(self) -> dict[int, TcpSocket]:
        """By the client's own port. OSError when the kernel can't say."""
        clients = {
            sock.local_port: sock
            for sock in self._ask(remote_port=self._port)
            if sock.remote == LOOPBACK
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
            self._socket.request(sock_diag.destroy(self._sequence, sock), [self._sequence])
        except OSError:
            return False
        return True

    def close(self) -> None:
        self._socket.close()

    def _ask(self, local_port: int = 0, remote_port: int = 0) -> Iterator[TcpSocket]:
        self._sequence += 1
        request = sock_diag.ask(self._sequence, local_port=local_port, remote_port=remote_port)
        return map(sock_diag.read, self._socket.dump(request, self._sequence))
