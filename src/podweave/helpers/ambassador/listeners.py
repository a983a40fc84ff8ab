"""Listens where the application dials, and hands each client on.

All addresses are bound at once, before anything else happens: from then on the kernel takes
clients in, whatever the ambassador is busy with.

Clients don't get the last descriptors: those are for the upstreams of the clients that are there,
for the admin endpoint, and for files that must be read just then.
"""

from __future__ import annotations

import errno
import os
import resource
import socket

from podweave.helpers.dialing.connector import render_address
from podweave.helpers.dialing.socket_options import reset, set_options
from podweave.helpers.loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from podweave.helpers.ambassador.metrics import Metrics
    from podweave.helpers.journal import Journal
    from podweave.helpers.loop import Loop

BACKLOG = 4096
PAUSE_SECONDS = 0.1

# Between two turns of the loop: a burst of clients must not keep the others' bytes waiting.
_BURST = 32
# Descriptors that no client gets, but no more than a quarter of all.
_RESERVE = 16
_SHORTAGES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


class ListenError(Exception):
    """An address is not to be had."""

    def __init__(self, address: str, error: OSError) -> None:
        super().__init__(f"{address}: {error.strerror}")
        self.address = address
        self.reason = error.strerror or str(error)


class Listeners:
    def __init__(
        self,
        loop: Loop,
        addresses: Sequence[tuple[str, int]],
        accepted: Callable[[socket.socket], object],
        metrics: Metrics,
        journal: Journal,
    ) -> None:
        """ListenError when an address is taken. A machine without IPv6 is no error."""
        self._loop = loop
        self._accepted = accepted
        self._metrics = metrics
        self._journal = journal
        self._sockets: list[socket.socket] = []
        limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._first_reserved = limit - min(_RESERVE, limit // 4)
        self._late: list[socket.socket] = []
        """Clients that would have taken a reserved descriptor: they wait for another one."""
        for host, port in addresses:
            try:
                self._sockets.append(_listen(host, port))
            except OSError as error:
                if error.errno not in _NO_SUCH_FAMILY or ":" not in host or len(addresses) == 1:
                    self._close()
                    raise ListenError(render_address(host, port), error) from error
                journal.info("no-ipv6", address=render_address(host, port), reason=error.strerror)
        self.addresses = [render_address(*sock.getsockname()[:2]) for sock in self._sockets]
        self.ports: list[int] = [sock.getsockname()[1] for sock in self._sockets]
        self._watch()

    def close(self) -> None:
        self._unwatch()
        self._close()

    def _watch(self) -> None:
        for sock in self._sockets:
            self._watch_one(sock)
        self._watched = True

    def _watch_one(self, sock: socket.socket) -> None:
        family = int(sock.family)
        self._loop.add(sock.fileno(), READ, lambda events: self._accept(sock, family))

    def _unwatch(self) -> None:
        if self._watched:
            for sock in self._sockets:
                self._loop.remove(sock.fileno())
        self._watched = False

    def _close(self) -> None:
        for sock in self._sockets:
            sock.close()
        for client in self._late:
            reset(client)
        self._sockets.clear()
        self._late.clear()

    def _accept(self, listener: Any, family: int) -> None:
        for _ in range(_BURST):
            try:
                # What `accept()` is made of, and the stubs don't know: it looks up the family
                # and the type as enumerations for each client, which costs more than the call.
                fd, _ = listener._accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _SHORTAGES:
                    self._pause(error.errno)
                    return
                # The client's own trouble, reported here by the kernel (accept(2)).
                continue
            client = socket.socket(family, socket.SOCK_STREAM, 0, fd)
            client.setblocking(False)
            # The kernel gives out the lowest number that is free: all below this one are taken.
            if fd >= self._first_reserved:
                self._late.append(client)
                self._pause(errno.EMFILE)
                return
            self._accepted(client)

    def _pause(self, shortage: int) -> None:
        """Descriptors are short: clients wait in the backlog until some are closed."""
        if not self._watched:
            return
        self._metrics.accept_pauses.value += 1
        if self._metrics.accept_pauses.value == 1:
            self._journal.warning("accept-paused", reason=os.strerror(shortage))
        self._unwatch()
        self._loop.call_later(PAUSE_SECONDS, self._resume)

    def _resume(self) -> None:
        if not self._sockets or self._watched:
            return
        if self._admit_late():
            self._watch()
        else:
            self._loop.call_later(PAUSE_SECONDS, self._resume)

    def _admit_late(self) -> bool:
        """Whether nobody waits any more."""
        while self._late:
            try:
                client = self._late[0].dup()
            except OSError:
                return False
            if client.fileno() >= self._first_reserved:
                client.close()
                return False
            self._late.pop(0).close()
            self._accepted(client)
        return True


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Its IPv4 twin is an address of its own.
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        set_options(sock)
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock
