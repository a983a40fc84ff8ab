"""Unix sockets in a Pod's directory, whatever the length of its path.

sun_path holds 108 bytes; a state directory below a home or a temporary directory is easily
longer. So the directory is opened and the socket named through /proc/self/fd.
"""

from __future__ import annotations

import os
import socket
from typing import Final

CONTROL: Final = "control.sock"
"""How commands talk to the supervisor, see control.py."""


def listen(directory: str, name: str) -> socket.socket:
    """A listening, non-blocking stream socket DIRECTORY/NAME, in place of a stale one."""
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            os.unlink(name, dir_fd=fd)
        except FileNotFoundError:
            pass
        server.bind(f"/proc/self/fd/{fd}/{name}")
        server.listen(16)
        server.setblocking(False)
    except BaseException:
        server.close()
        raise
    finally:
        os.close(fd)
    return server


def connect(
    directory: str, name: str, kind: int = socket.SOCK_STREAM, *, blocking: bool = True
) -> socket.socket:
    """A socket connected to DIRECTORY/NAME. Raises OSError when nobody listens."""
    client = socket.socket(socket.AF_UNIX, kind)
    try:
        client.setblocking(blocking)
        fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            client.connect(f"/proc/self/fd/{fd}/{name}")
        finally:
            os.close(fd)
    except BaseException:
        client.close()
        raise
    return client
