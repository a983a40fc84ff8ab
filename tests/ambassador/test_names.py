"""Names as they are in the field: servers that fail, that are slow, that change their minds."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.dnsmasq import dns_of
from tests.ambassador.pod_network import PodNetwork, pod_network
from tests.ambassador.upstreams import named, upstream
from tests.black_holes import black_hole
from tests.ports import free_port
from tests.waiting import wait_until

SERVFAIL = 2


class Authority:
    """The server behind dnsmasq: answers every A question with `address`, or with an error code,
    after `seconds`."""

    def __init__(self, host: str) -> None:
        self.code = 0
        self.address = ""
        self.seconds = 0.0
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join(20)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(4096)
            if not query:
                return
            self.asked += 1
            time.sleep(self.seconds)
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query: bytes) -> bytes:
        end = query.index(b"\0", 12) + 5
        kind = struct.unpack(">H", query[end - 4 : end - 2])[0]
        records = b""
        if not self.code and kind == 1:
            packed = ipaddress.ip_address(self.address).packed
            records = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + packed
        counts = struct.pack(">HHHHH", 0x8180 | self.code, 1, bool(records), 0, 0)
        return query[:2] + counts + query[12:end] + records


@contextlib.contextmanager
def authority(network: PodNetwork) -> Iterator[Authority]:
    server = Authority(network.servers[0])
    try:
        yield server
    finally:
        server.close()


def in_pod(
    start: Start, network: PodNetwork, connect_timeout: float = 30.0, **profiles: list[list[object]]
) -> Ambassador:
    settings = {
        "admin": [network.address, free_port()],
        "datapath": "proxy",
        "connect_timeout": connect_timeout,
    }
    return start(settings=settings, prefix=network.prefix, **profiles)


def greeting(network: PodNetwork, ambassador: Ambassador) -> str:
    with network.connect(ambassador.address()) as client:
        return client.recv(100).decode().strip()


def test_a_server_that_fails_is_asked_again_while_clients_are_held(
    start: Start, tmp_path: Path
) -> None:
    with pod_network() as network, authority(network) as behind:
        address = network.servers[1]
        behind.code = SERVFAIL
        with dns_of(network, tmp_path, behind.port), upstream(named(b"up"), address) as server:
            ambassador = in_pod(start, network, dev=[["db.behind", server.port]])
            with network.connect(ambassador.address()) as client:
                assert ambassador.event("upstream-failing")["reason"] == "EAI_AGAIN"
                behind.address = address
                behind.code = 0
                assert client.recv(100) == b"up\n"


def test_a_server_that_fails_later_changes_nothing(start: Start, tmp_path: Path) -> None:
    with pod_network() as network, authority(network) as behind:
        behind.address = network.servers[1]
        with (
            dns_of(network, tmp_path, behind.port),
            upstream(named(b"up"), behind.address) as server,
        ):
            ambassador = in_pod(start, network, dev=[["db.behind", server.port]])
            assert greeting(network, ambassador) == "up"
            behind.code = SERVFAIL
            asked = behind.asked

            def served_while_it_fails() -> bool:
                assert greeting(network, ambassador) == "up"
                return behind.asked > asked + 2

            wait_until(served_while_it_fails, 30, "it is asked again, and fails")


def test_a_slow_server_costs_the_first_client_only(start: Start, tmp_path: Path) -> None:
    """The next ones have the answer, and a refresh is waited for half a second at most."""
    with pod_network() as network, authority(network) as behind:
        behind.address = network.servers[1]
        behind.seconds = 0.3
        with (
            dns_of(network, tmp_path, behind.port),
            upstream(named(b"up"), behind.address) as server,
        ):
            ambassador = in_pod(start, network, dev=[["db.behind", server.port]])
            assert greeting(network, ambassador) == "up"
            behind.seconds = 0.8
            asked = behind.asked

            def served_while_it_is_slow() -> bool:
                assert greeting(network, ambassador) == "up"
                return behind.asked > asked

            wait_until(served_while_it_is_slow, 30, "it is asked again, and slow")
            assert greeting(network, ambassador) == "up"
            assert ambassador.metric("podweave_ambassador_clients_held") == 0
            behind.seconds = 0.0


def test_who_is_held_follows_a_name_away_from_an_address_that_is_silent(
    start: Start, tmp_path: Path
) -> None:
    """A server that has moved: its old address swallows what is sent there."""
    with pod_network() as network, dns_of(network, tmp_path) as dns:
        old, new = network.servers
        with upstream(named(b"moved"), new) as server, black_hole(old, server.port):
            dns.answer(db=old)
            ambassador = in_pod(start, network, 6.0, dev=[["db.example", server.port]])
            with network.connect(ambassador.address()) as client:
                wait_until(
                    lambda: ambassador.metric("podweave_ambassador_clients_held") == 1, 20, "held"
                )
                dns.answer(db=new)
                assert client.recv(100) == b"moved\n"


@pytest.mark.parametrize(
    ("hindrance", "reason"),
    [(("del",), "ENETUNREACH"), (("replace", "unreachable"), "EHOSTUNREACH")],
)
def test_who_is_held_outlives_a_moment_without_a_way(
    start: Start, tmp_path: Path, hindrance: tuple[str, ...], reason: str
) -> None:
    """As in a Pod that has just begun, or whose network is just being changed."""
    with pod_network() as network, upstream(named(b"up"), network.servers[1]) as server:
        network.run("ip", "route", *hindrance, f"{server.host}/32")
        ambassador = in_pod(start, network, dev=[[server.host, server.port]])
        with network.connect(ambassador.address()) as client:
            assert ambassador.event("upstream-failing")["reason"] == reason
            network.run("ip", "route", "replace", f"{server.host}/32", "dev", network.link)
            assert client.recv(100) == b"up\n"
