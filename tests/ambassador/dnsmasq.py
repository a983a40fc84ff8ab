"""A real DNS server, dnsmasq, whose answers a test changes while it runs."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ambassador.pod_network import PodNetwork
from tests.waiting import wait_until

TTL = 1


class Dnsmasq:
    """Names are told apart from the machine's: only those of `answers` are known."""

    def __init__(self, address: str, directory: Path, behind: int | None = None) -> None:
        """`behind`: the port, at the same address, of a server for the names of `behind`."""
        self._address = address
        self._hosts = directory / "answers"
        self._hosts.write_text("")
        self._process = subprocess.Popen(
            [
                "dnsmasq",
                "--keep-in-foreground",
                "--conf-file=/dev/null",
                "--user=root",
                "--no-resolv",
                "--no-hosts",
                f"--addn-hosts={self._hosts}",
                f"--local-ttl={TTL}",
                f"--listen-address={address}",
                "--bind-interfaces",
                "--pid-file",
                "--log-facility=-",
                *([f"--server=/behind/{address}#{behind}"] if behind else []),
            ],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._listens, 20, "dnsmasq listens")

    def answer(self, **addresses: str) -> None:
        """From now on these names of `example` are known, and no others."""
        lines = [f"{address} {name}.example\n" for name, address in addresses.items()]
        self._hosts.write_text("".join(lines))
        self._process.send_signal(signal.SIGHUP)

    def stall(self) -> None:
        """Neither answer nor refuse."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(20)

    def _listens(self) -> bool:
        assert self._process.poll() is None, "dnsmasq has ended"
        with socket.socket() as sock:
            return sock.connect_ex((self._address, 53)) == 0


@contextlib.contextmanager
def dns_of(network: PodNetwork, directory: Path, behind: int | None = None) -> Iterator[Dnsmasq]:
    """What the Pod's resolv.conf leads to."""
    if not any(os.access(f"{folder}/dnsmasq", os.X_OK) for folder in ("/usr/sbin", "/usr/bin")):
        pytest.skip("dnsmasq isn't installed")
    server = Dnsmasq(network.servers[0], directory, behind)
    # `ip netns exec` mounts what is here over /etc: ip-netns(8).
    folder = Path(f"/etc/netns/{network.name}")
    made = [each for each in (folder, folder.parent) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    resolv_conf = folder / "resolv.conf"
    resolv_conf.write_text(f"nameserver {network.servers[0]}\noptions timeout:1 attempts:1\n")
    try:
        yield server
    finally:
        server.stop()
        resolv_conf.unlink()
        for each in made:
            with contextlib.suppress(OSError):
                each.rmdir()
