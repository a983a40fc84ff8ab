"""The broker: dials outside of the Pod for its helpers, as a process of its own.

Helpers reach their upstreams through it where the Pod has no network, and by the machine's own
names where it has. It is a fork of the supervisor in the machine's namespaces; the protocol is
in `dialling`.
"""

from __future__ import annotations

import os
import socket

from podweave.engines.local.setup.addresses import HOST_NAME
from podweave.engines.local.setup.dialling import Addresses, DialServer
from podweave.sandbox import processes


def start(listener: socket.socket) -> int:
    """Fork a broker that serves on `listener`. Returns its pid; SIGKILL ends it."""
    supervisor = os.getpid()
    return processes.fork(lambda: _run(listener, supervisor))


def _run(listener: socket.socket, supervisor: int) -> int:
    processes.die_with_parent()
    if os.getppid() != supervisor:
        return 1  # it ended before this one could tie itself to it
    processes.restore_signals()
    processes.ignore_terminal()
    processes.name("podweave-broker")
    processes.close_all_but({2, listener.fileno()})
    processes.hide_memory()
    DialServer(listener, names=resolve, refuse=refuse).run()
    return 0


def refuse(host: str) -> str | None:
    """Loopback means the Pod itself, and a helper dials that itself."""
    if host.lower().rstrip(".") == "localhost" or host == "::1" or host.startswith("127."):
        return f"{host} is the Pod itself; {HOST_NAME} is the machine it runs on"
    return None


def resolve(host: str, port: int) -> Addresses:
    """The machine's own view of a name: its hosts file, its DNS."""
    if host.lower().rstrip(".") == HOST_NAME:
        return [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))]
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [
        (family, (str(address[0]), int(address[1])))
        for family, _, _, _, address in found
        if family in (socket.AF_INET, socket.AF_INET6)
    ]
