"""Ports for tests: never fixed ones, because other tests run at the same time."""

from __future__ import annotations

import random
import socket
from pathlib import Path

# Not seeded, as hypothesis seeds the module's own functions: two test processes would meet.
_LOWEST = 26000

_chance = random.SystemRandom()


def free_port() -> int:
    """A TCP port that nobody listens on, on any address.

    It lies below those that the kernel gives to whoever asks for any, connections among them, so
    that none of them takes it between this moment and its use; and above the demonstration's.
    """
    while True:
        port = _chance.randrange(_LOWEST, _first_ephemeral())
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return port


def _first_ephemeral() -> int:
    """32768 unless the machine is told otherwise."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return lowest if lowest > _LOWEST + 1000 else 32768
