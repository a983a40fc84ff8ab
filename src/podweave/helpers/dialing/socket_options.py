"""The options of every relayed TCP connection, on both legs."""

from __future__ import annotations

import socket
import struct

# A peer that has gone without a word is noticed after two minutes; a NAT that forgets idle
# connections sees a packet each minute.
_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 6),
)
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def set_options(sock: socket.socket) -> None:
    """Connections accepted from a listener inherit its options: set them there once."""
    for level, option, value in _OPTIONS:
        sock.setsockopt(level, option, value)


def reset(sock: socket.socket) -> None:
    """Close with RST: the peer gets an error, and doesn't take it for an orderly end."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    except OSError:
        # The peer has reset it already.
        pass
    sock.close()
