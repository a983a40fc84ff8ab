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


def listen(
    directory: str, name: str, kind: int = socket.SOCK_STREAM, *, everyone: bool = False
) -> socket.socket:
    """A listening socket DIRECTORY/NAME, in place of a stale one.

    With `everyone` any user may connect: the directory, and where it is mounted, decide who can.
    """
    server = socket.socket(socket.AF_UNIX, kind)
    fd = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            os.unlink(name, dir_fd=fd)
        except FileNotFoundError:
            pass
        server.bind(f"/proc/self/fd/{fd}/{name}")
        if everyone:
            os.chmod(name, 0o666, dir_fd=fd)
        # An application that opens its connections all at once dials the broker as often, and a
        # full backlog is a failed dial.
        server.listen(socket.SOMAXCONN)
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
