"""The data path `kernel`: bytes go from the application to the upstream without the ambassador."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from podweave.helpers.wire import netlink, nftables, sock_diag
from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.pod_network import PodNetwork, pod_network
from tests.ambassador.upstreams import Upstream, named, upstream
from tests.ports import free_port
from tests.waiting import wait_until

PORT = 5432
LISTEN = [["127.0.0.1", PORT], ["::1", PORT]]


@pytest.fixture
def pod() -> Iterator[PodNetwork]:
    with pod_network() as network:
        yield network


@pytest.fixture
def servers(pod: PodNetwork) -> Iterator[list[Upstream]]:
    with (
        upstream(named(b"first"), pod.servers[0]) as first,
        upstream(named(b"second"), pod.servers[1]) as second,
    ):
        yield [first, second]


def begin(
    start: Start,
    pod: PodNetwork,
    datapath: str = "kernel",
    prefix: tuple[str, ...] = (),
    **profiles: Any,
) -> Ambassador:
    settings = {"listen": LISTEN, "datapath": datapath, "on_switch": {"existing": "keep"}}
    return start(settings=settings, prefix=(*pod.prefix, *prefix), **profiles)


def path(ambassador: Ambassador) -> str | None:
    """The data path that was told last."""
    told = [event["path"] for event in ambassador.events if event["event.action"] == "datapath"]
    return told[-1] if told else None


def wait_for(ambassador: Ambassador, wanted: str) -> None:
    wait_until(lambda: path(ambassador) == wanted, 20, f"the data path is {wanted}")


def ask(client: socket.socket, text: bytes) -> bytes:
    client.sendall(text + b"\n")
    with client.makefile("rb") as lines:
        return lines.readline()


def hello(pod: PodNetwork, host: str = "127.0.0.1") -> tuple[socket.socket, bytes]:
    client = pod.connect((host, PORT))
    data = b""
    while not data.endswith(b"\n"):
        data += client.recv(1)
    return client, data.strip()


def greeting(pod: PodNetwork) -> bytes:
    """What a new connection's server says first."""
    client, name = hello(pod)
    client.close()
    return name


def metric(pod: PodNetwork, ambassador: Ambassador, name: str, **labels: str) -> float:
    return pod.inside(lambda: ambassador.metric(name, **labels))


def switch(pod: PodNetwork, ambassador: Ambassador, wanted: str) -> str:
    status, answer = pod.inside(lambda: ambassador.admin("POST", "/profile", wanted.encode()))
    assert status == 200
    return answer


def test_the_bytes_never_come_to_the_ambassador(
    start: Start, pod: PodNetwork, servers: list[Upstream]
) -> None:
    ambassador = begin(start, pod, dev=[servers[0].config])
    wait_for(ambassador, "kernel")
    client, name = hello(pod)
    with client:
        assert name == b"first"
        assert ask(client, b"x" * 100_000) == b"first " + b"x" * 100_000 + b"\n"
        assert client.getpeername() == ("127.0.0.1", PORT)
        # The server sees the Pod itself, as it would without an ambassador.
        assert servers[0].connections[-1].getpeername()[0] == pod.address
        prefix = "podweave_ambassador_"
        assert metric(pod, ambassador, f"{prefix}clients_accepted_total") == 0
        assert metric(pod, ambassador, f"{prefix}kernel_active") == 1
        assert metric(pod, ambassador, f"{prefix}kernel_connections_open", profile="dev") == 1
        label = f"{servers[0].host}:{servers[0].port}"
        connections = f"{prefix}kernel_connections_total"
        assert metric(pod, ambassador, connections, upstream=label) == 1
        assert metric(pod, ambassador, f"{prefix}kernel_bytes_total", to="upstream") > 100_000
        assert metric(pod, ambassador, f"{prefix}kernel_bytes_total", to="client") > 100_000
    # IPv6 is the listener's.
    client, name = hello(pod, "::1")
    with client:
        assert name == b"first"
        assert metric(pod, ambassador, f"{prefix}clients_accepted_total") == 1


def test_connections_are_shared_by_weight(
    start: Start, pod: PodNetwork, servers: list[Upstream]
) -> None:
    upstreams = [[*servers[0].config[:2], 3], [*servers[1].config[:2], 1]]
    ambassador = begin(start, pod, dev=upstreams)
    wait_for(ambassador, "kernel")
    names = [greeting(pod) for _ in range(200)]
    # 150 are expected; less than 115 or more than 185 come once in a million times.
    assert 115 <= names.count(b"first") <= 185


def test_a_lower_priority_gets_none_while_the_first_answers(
    start: Start, pod: PodNetwork, servers: list[Upstream]
) -> None:
    upstreams = [[*servers[0].config[:2], 1, 1], [*servers[1].config[:2], 1, 0]]
    ambassador = begin(start, pod, dev=upstreams)
    wait_for(ambassador, "kernel")
    assert {greeting(pod) for _ in range(10)} == {b"second"}


def test_a_switch_sends_new_connections_elsewhere_and_refuses_none(
    start: Start, pod: PodNetwork, servers: list[Upstream]
) -> None:
    ambassador = begin(start, pod, dev=[servers[0].config], qa=[servers[1].config])
    wait_for(ambassador, "kernel")
    old, name = hello(pod)
    with old:
        assert name == b"first"
        for wanted, expected in (("qa", b"second"), ("dev", b"first")) * 10:
            switch(pod, ambassador, wanted)
            client, name = hello(pod)
            with client:
                assert name == expected
                assert ask(client, b"ping") == expected + b" ping\n"
        answer = switch(pod, ambassador, "qa")
        assert '"kept": ' in answer
        assert ask(old, b"still") == b"first still\n"
        wait_for(ambassador, "kernel")
        answer = switch(pod, ambassador, '{"profile": "qa", "existing": "cut"}')
        assert '"cut": 1' in answer
        with pytest.raises(ConnectionError):
            old.recv(1)


def test_without_an_upstream_clients_are_held_until_it_is_back(
    start: Start, pod: PodNetwork
) -> None:
    port = free_port()
    ambassador = begin(start, pod, dev=[[pod.servers[0], port, 1]])
    wait_for(ambassador, "proxy")
    client = pod.connect(("127.0.0.1", PORT))
    with client, upstream(named(b"late"), pod.servers[0], port) as server:
        assert client.recv(5) == b"late\n"
        wait_for(ambassador, "kernel")
        assert greeting(pod) == b"late"
        assert len(server.connections) >= 2


def test_a_killed_ambassador_takes_its_rules_along_and_leaves_connections(
    start: Start, pod: PodNetwork, servers: list[Upstream]
) -> None:
    ambassador = begin(start, pod, dev=[servers[0].config])
    wait_for(ambassador, "kernel")
    client, _ = hello(pod)
    with client:
        assert "podweave-ambassador-db" in pod.run("nft", "list", "ruleset")
        ambassador.process.send_signal(signal.SIGKILL)
        ambassador.process.wait()
        wait_until(
            lambda: "podweave-ambassador-db" not in pod.run("nft", "list", "ruleset"),
            10,
            "no table",
        )
        assert ask(client, b"on") == b"first on\n"
        with pytest.raises(ConnectionRefusedError):
            pod.connect(("127.0.0.1", PORT))


def test_the_end_waits_for_connections_that_the_kernel_has(
    start: Start, pod: PodNetwork, servers: list[Upstream]
) -> None:
    ambassador = begin(start, pod, dev=[servers[0].config])
    wait_for(ambassador, "kernel")
    client, _ = hello(pod)
    with client:
        ambassador.process.send_signal(signal.SIGTERM)
        assert ambassador.event("draining")["connections"] == 1
        assert greeting(pod) == b"first"
        assert ask(client, b"on") == b"first on\n"
        assert ambassador.process.poll() is None
    assert ambassador.process.wait(20) == 0


def test_faults_on_purpose_take_the_proxy(
    start: Start, pod: PodNetwork, servers: list[Upstream]
) -> None:
    ambassador = begin(start, pod, dev=[servers[0].config])
    wait_for(ambassador, "kernel")
    pod.inside(lambda: ambassador.admin("POST", "/faults", b'{"latency": 0.01}'))
    wait_for(ambassador, "proxy")
    assert greeting(pod) == b"first"
    assert metric(pod, ambassador, "podweave_ambassador_clients_accepted_total") == 1
    pod.inside(lambda: ambassador.admin("POST", "/faults", b"{}"))
    wait_for(ambassador, "kernel")


@pytest.mark.parametrize("datapath", ["auto", "kernel"])
@pytest.mark.parametrize("dropped", ["net_admin", "all"])
def test_without_the_capability_it_is_the_proxy_and_one_line_says_so(
    start: Start, pod: PodNetwork, servers: list[Upstream], datapath: str, dropped: str
) -> None:
    without = ("setpriv", "--inh-caps=-all", f"--bounding-set=-{dropped}")
    ambassador = begin(start, pod, datapath, without, dev=[servers[0].config])
    wait_for(ambassador, "proxy")
    told = [event for event in ambassador.events if event["event.action"] == "datapath"]
    assert len(told) == 1
    assert told[0]["reason"] == "the capability NET_ADMIN is not granted"
    assert told[0]["log.level"] == ("warning" if datapath == "kernel" else "info")
    assert greeting(pod) == b"first"


def test_auto_takes_the_kernel_where_the_pod_grants_it(
    start: Start, pod: PodNetwork, servers: list[Upstream]
) -> None:
    ambassador = begin(start, pod, "auto", dev=[servers[0].config])
    wait_for(ambassador, "kernel")
    assert greeting(pod) == b"first"
    assert metric(pod, ambassador, "podweave_ambassador_clients_accepted_total") == 0


def test_proxy_asks_the_kernel_for_nothing(
    start: Start, pod: PodNetwork, servers: list[Upstream]
) -> None:
    ambassador = begin(start, pod, "proxy", dev=[servers[0].config])
    assert greeting(pod) == b"first"
    assert path(ambassador) is None
    assert "podweave" not in pod.run("nft", "list", "ruleset")


# The protocols by themselves.


def test_messages_are_read_back_as_they_were_written() -> None:
    batch = nftables.Batch(7)
    nftables.create(batch, "podweave-x", PORT)
    nftables.divert(batch, "podweave-x", PORT, [nftables.Member("a:1", b"\x0a\0\0\1", 1)])
    messages = list(netlink.parse(batch.render()))
    assert [message.sequence for message in messages[1:-1]] == batch.sequences
    assert all(message.flags & netlink.ACK for message in messages[1:-1])


def test_what_is_cut_off_is_an_error() -> None:
    whole = sock_diag.ask(1, remote_port=PORT)
    with pytest.raises(netlink.NetlinkError):
        list(netlink.parse(whole[:-4]))
    (message,) = netlink.parse(whole)
    message.content = message.content[:20]
    with pytest.raises(netlink.NetlinkError):
        sock_diag.read(message)
    with pytest.raises(netlink.NetlinkError):
        netlink.attributes(b"\x09\x00\x01\x00abc")


def test_no_descriptor_is_left_in_a_namespace() -> None:
    """The test's own walk into a namespace and back."""
    with pod_network() as network:
        before = os.readlink("/proc/thread-self/ns/net")
        with contextlib.suppress(OSError):
            network.connect(("127.0.0.1", 1))
        assert os.readlink("/proc/thread-self/ns/net") == before
