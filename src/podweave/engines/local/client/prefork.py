"""The process that becomes a Pod's supervisor, begun before it is known which Pod that will be.

Two thirds of the time that `podweave up` takes would go into loading modules, one after the
other: those that read manifests and those that run Pods. So the supervisor is forked first of
all, and loads what it needs while the command reads the manifests. What it is to run comes
through a socket; if nothing comes it ends. Forked, not executed: a fork is a small part of what
a new interpreter takes. It is a grandchild in a session of its own, so that neither the terminal
nor the command that started it has a hold on it.

Imports next to nothing itself, for the same reason.
"""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import Callable

_prepared: socket.socket | None = None


def prepare() -> None:
    """Begin a supervisor for the first Pod of this command."""
    global _prepared
    # All that is loaded now stays; collections would cost a tenth of the loading.
    gc.disable()
    _prepared = begin()


def prepared_or_new() -> socket.socket:
    """The socket of a supervisor that waits for its order."""
    global _prepared
    waiting, _prepared = _prepared, None
    return waiting or begin()


def begin() -> socket.socket:
    return detached(_await_order)


def detached(become: Callable[[socket.socket], int]) -> socket.socket:
    """Fork a process that runs `become` with its end of a socket; return the other end."""
    ours, theirs = socket.socketpair()
    middle = os.fork()
    if middle == 0:
        status = 1
        try:
            os.setsid()
            if os.fork() == 0:
                _leave_everything(theirs.fileno())
                status = become(theirs)
            else:
                status = 0
        finally:
            # Never back into the parent's stack: nothing of it may run twice.
            os._exit(status)
    theirs.close()
    os.waitpid(middle, 0)
    return ours


def _leave_everything(keep: int) -> None:
    """Hold on to no terminal, pipe, directory or file of the command's."""
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.closerange(3, keep)
    os.closerange(keep + 1, 1 << 20)
    os.chdir("/")
    os.umask(0o022)


def _await_order(report: socket.socket) -> int:
    gc.disable()
    from podweave.engines.local.supervision.launch import serve

    return serve(report)
