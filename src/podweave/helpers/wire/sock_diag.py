"""Asking the kernel for TCP sockets of a network namespace, without I/O (sock_diag(7)).

Anybody may ask; to destroy a socket takes CAP_NET_ADMIN and a kernel with INET_DIAG_DESTROY.
"""

from __future__ import annotations

import struct

from podweave.helpers.wire.netlink import ACK, DUMP, REQUEST, Message, NetlinkError

BY_FAMILY = 20
DESTROY = 21

_IPV4, _IPV6 = 2, 10
_TCP = 6
_INODE = struct.Struct("=I")
_INODE_AT = 4 + 48 + 16
_ID = struct.Struct("!HH16s16s4s8s")
_ESTABLISHED, _SYN_SENT, _FIN_WAIT1, _FIN_WAIT2, _CLOSE_WAIT = 1, 2, 4, 5, 8
OPEN = 1 << _ESTABLISHED | 1 << _SYN_SENT | 1 << _CLOSE_WAIT
"""States in which somebody still uses the connection from this side."""


class TcpSocket:
    """`identity` is what the kernel knows it by; addresses are IPv4."""

    __slots__ = ("identity", "local", "local_port", "remote", "remote_port")

    def __init__(self, identity: bytes) -> None:
        self.identity = identity
        self.local_port, self.remote_port, local, remote, _, _ = _ID.unpack(identity)
        self.local = local[:4]
        self.remote = remote[:4]


def ask(sequence: int, *, local_port: int = 0, remote_port: int = 0, states: int = OPEN) -> bytes:
    """The request for all TCP sockets over IPv4 with these ports; 0: any."""
    identity = _ID.pack(local_port, remote_port, bytes(16), bytes(16), bytes(4), b"\xff" * 8)
    return Message(BY_FAMILY, REQUEST | DUMP, sequence, _request(states, identity)).render()


def ask_one(sequence: int, local: tuple[bytes, int], remote: tuple[bytes, int]) -> bytes:
    """The request for the one TCP socket with these addresses, of 4 bytes or of 16."""
    family = _IPV4 if len(local[0]) == 4 else _IPV6
    ends = [packed.ljust(16, b"\0") for packed, _ in (local, remote)]
    identity = _ID.pack(local[1], remote[1], *ends, bytes(4), b"\xff" * 8)
    return Message(BY_FAMILY, REQUEST, sequence, _request(0xFFFFFFFF, identity, family)).render()


def inode(message: Message) -> int:
    """Of the socket's file; 0: no process holds it. NetlinkError when it is cut off."""
    if len(message.content) < _INODE_AT + _INODE.size:
        raise NetlinkError("a socket is cut off")
    number: int = _INODE.unpack_from(message.content, _INODE_AT)[0]
    return number


def destroy(sequence: int, sock: TcpSocket) -> bytes:
    """The request to abort a connection: its owner reads ECONNABORTED, its peer a reset."""
    return Message(DESTROY, REQUEST | ACK, sequence, _request(0xFFFFFFFF, sock.identity)).render()


def read(message: Message) -> TcpSocket:
    """A socket from one message of the answer. NetlinkError when it is cut off."""
    if len(message.content) < 4 + _ID.size:
        raise NetlinkError("a socket is cut off")
    return TcpSocket(message.content[4 : 4 + _ID.size])


def _request(states: int, identity: bytes, family: int = _IPV4) -> bytes:
    return struct.pack("=BBBBI", family, _TCP, 0, 0, states) + identity
