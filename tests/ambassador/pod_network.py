"""A network namespace as a Pod has it, and servers beyond it on addresses of their own."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

Result = TypeVar("Result")

_numbers = itertools.count(1)
CLONE_NEWNET = 0x40000000


class PodNetwork:
    """`link` and `address`: the Pod's. `servers`: addresses outside that it reaches."""

    def __init__(self, name: str, link: str, address: str, servers: list[str]) -> None:
        self.name = name
        self.link = link
        self.address = address
        self.servers = servers
        self.prefix = ("ip", "netns", "exec", name)

    def inside(self, function: Callable[[], Result]) -> Result:
        """Call `function` with the Pod's network; sockets it makes stay there."""
        with open(f"/run/netns/{self.name}") as there, open("/proc/thread-self/ns/net") as here:
            _enter(there.fileno())
            try:
                return function()
            finally:
                _enter(here.fileno())

    def connect(self, address: tuple[str, int]) -> socket.socket:
        return self.inside(lambda: socket.create_connection(address, timeout=30))

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [*self.prefix, *command], check=True, capture_output=True, text=True, timeout=30
        )
        return done.stdout


def _enter(descriptor: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def pod_network() -> Iterator[PodNetwork]:
    """Skips where namespaces can't be made."""
    if os.geteuid() != 0:
        pytest.skip("making a network namespace takes root")
    number = next(_numbers)
    name = f"pwtest-{os.getpid()}-{number}"
    outside, inside = f"out{os.getpid() % 100000}{number}", f"in{os.getpid() % 100000}{number}"
    network = f"10.213.{os.getpid() % 200}.{number % 60 * 4}".rpartition(".")
    base = int(network[2])
    servers = [f"{network[0]}.{base + 1}", f"{network[0]}.{base + 3}"]
    address = f"{network[0]}.{base + 2}"

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    ip("netns", "add", name)
    try:
        ip("link", "add", outside, "type", "veth", "peer", inside, "netns", name)
        for server in servers:
            ip("addr", "add", f"{server}/32", "dev", outside)
        ip("link", "set", outside, "up")
        ip("route", "add", f"{address}/32", "dev", outside)
        ip("-n", name, "addr", "add", f"{address}/32", "dev", inside)
        ip("-n", name, "link", "set", inside, "up")
        ip("-n", name, "link", "set", "lo", "up")
        for server in servers:
            ip("-n", name, "route", "add", f"{server}/32", "dev", inside)
        yield PodNetwork(name, inside, address, servers)
    finally:
        ip("netns", "del", name)
