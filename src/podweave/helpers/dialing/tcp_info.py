"""What the kernel knows about the other end of a TCP connection (tcp(7), TCP_INFO)."""

from __future__ import annotations

import socket
import struct

# struct tcp_info of linux/tcp.h, as far as it is needed: retransmits and probes that are not
# answered, packets that are not acknowledged, milliseconds since the last acknowledgement.
_TCP_INFO = struct.Struct("=8B13I")
_RETRANSMITS, _PROBES, _UNACKED, _LAST_ACK = 2, 3, 12, -1
_UNANSWERED = 2


def is_unreachable(sock: socket.socket, seconds: float) -> bool:
    """Whether the other end has acknowledged nothing for so long, though it was asked to again
    and again. OSError where the system has no such knowledge.

    TCP_USER_TIMEOUT would end a connection as well whose other end is there, acknowledges
    everything, and just doesn't read: a query in a debugger, a COPY that waits for a lock.
    """
    data = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO.size)
    if len(data) < _TCP_INFO.size:
        return False
    info: tuple[int, ...] = _TCP_INFO.unpack(data)
    asked = info[_RETRANSMITS] if info[_UNACKED] else info[_PROBES]
    return asked >= _UNANSWERED and info[_LAST_ACK] > seconds * 1000
