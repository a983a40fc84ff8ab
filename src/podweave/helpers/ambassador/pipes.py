"""Pipes through which bulk data goes from socket to socket within the kernel (splice(2)).

A pipe that is held holds memory of the kernel's, up to PIPE_SIZE, for as long as a receiver
doesn't read. So there are few: whoever gets none goes on by copying.
"""

from __future__ import annotations

import fcntl
import os

PIPE_SIZE = 256 * 1024
LIMIT = 16
_KEPT = 4
"""Idle ones that stay open for the next transfer."""

_F_SETPIPE_SZ = 1031


class Pipe:
    __slots__ = ("held", "reader", "writer")

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.held = 0
        """Bytes that are in it."""
        try:
            fcntl.fcntl(self.writer, _F_SETPIPE_SZ, PIPE_SIZE)
        except OSError:
            # Many pipes of one user: this one stays small.
            pass

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


class Pipes:
    """All that this process has."""

    __slots__ = ("_idle", "_taken")

    def __init__(self) -> None:
        self._idle: list[Pipe] = []
        self._taken = 0

    def take(self) -> Pipe | None:
        """An empty pipe; None when there are enough, or descriptors are short."""
        if self._taken >= LIMIT:
            return None
        try:
            pipe = self._idle.pop() if self._idle else Pipe()
        except OSError:
            return None
        self._taken += 1
        return pipe

    def give_back(self, pipe: Pipe) -> None:
        self._taken -= 1
        if pipe.held or len(self._idle) >= _KEPT:
            pipe.close()
        else:
            self._idle.append(pipe)
