"""Whether a client's end of its connection is still somebody's.

TCP can't tell an application that sends no more from one that has been killed: either way there
is an end of input, and no more. But clients on the Pod's loopback have their sockets in the Pod's
network, where the kernel knows whether a process holds them (sock_diag(7)).
"""

from __future__ import annotations

import errno
import socket

from podweave.helpers.ambassador.kernel.netlink_socket import NetlinkSocket
from podweave.helpers.dialing.connector import is_loopback
from podweave.helpers.wire import sock_diag
from podweave.helpers.wire.netlink import NetlinkError

_SOCK_DIAG = 4


class ClientEnds:
    """OSError where the system doesn't answer such questions."""

    def __init__(self) -> None:
        self._sequence = 0
        self._socket = NetlinkSocket(_SOCK_DIAG)

    def is_orphaned(self, sock: socket.socket) -> bool:
        """No process holds the other end. False for one of another machine."""
        try:
            (peer, peer_port), (own, own_port) = sock.getpeername()[:2], sock.getsockname()[:2]
        except OSError:
            # It has been reset meanwhile, which its owner is about to learn.
            return False
        if not is_loopback(peer):
            return False
        self._sequence += 1
        packed = [socket.inet_pton(sock.family, host) for host in (peer, own)]
        theirs, ours = zip(packed, (peer_port, own_port), strict=True)
        request = sock_diag.ask_one(self._sequence, theirs, ours)
        try:
            return not sock_diag.inode(self._socket.ask(request, self._sequence))
        except OSError as error:
            if error.errno == errno.ENOENT:
                return True
            raise
        except NetlinkError as error:
            raise OSError(errno.EPROTO, str(error)) from error

    def close(self) -> None:
        self._socket.close()
