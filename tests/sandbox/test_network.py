"""One network namespace and address a Pod, localhost inside it only, and the ways out and in."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import zipfile
from typing import Any

import pytest

from podweave.engines.errors import EngineError
from podweave.engines.local.setup import addresses, outer_network
from podweave.sandbox import namespaces, network, processes, programs
from tests.sandbox.machine import Machine, RunningPod, ask, dial, drain, listener, python, shell
from tests.waiting import wait_until

CONNECT = """
import socket, sys
for target in sys.argv[1:]:
    host, _, port = target.rpartition(":")
    try:
        connection = socket.create_connection((host, int(port)), 5)
        print(connection.recv(100).decode(), flush=True)
    except OSError as error:
        print(type(error).__name__, flush=True)
"""


def connect(*targets: str) -> dict[str, list[str]]:
    return {"command": ["/usr/bin/python3", "-c", CONNECT, *targets]}


def test_two_pods_listen_on_the_same_port(machine: Machine) -> None:
    pods = [
        machine.pod(listener("0.0.0.0", 8080, name), connect("127.0.0.1:8080"), name=name)
        for name in ("one", "two")
    ]
    for pod in pods:
        pod.start("main").wait_for("listening")
    assert [pod.run("c1").output for pod in pods] == ["one\n", "two\n"]
    assert [drain(dial(pod, "127.0.0.1", 8080)) for pod in pods] == ["one", "two"]
    assert [drain(dial(pod, pod.sandbox.ip, 8080)) for pod in pods] == ["one", "two"]
    assert pods[0].sandbox.ip != pods[1].sandbox.ip


def test_localhost_is_not_reachable_from_beyond(machine: Machine) -> None:
    with socket.socket() as held, socket.socket() as beyond:
        held.bind(("127.0.0.1", 0))  # a port of the machine on which nobody listens
        port = held.getsockname()[1]
        pod = machine.pod(listener("127.0.0.1", port, "inside"))
        pod.start().wait_for("listening")
        assert beyond.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED
        assert dial(pod, pod.sandbox.ip, port) == "ECONNREFUSED"


def test_the_machine_s_localhost_is_not_the_pod_s(machine: Machine) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        pod = machine.pod(connect(f"127.0.0.1:{port}"))
        assert pod.run().output == "ConnectionRefusedError\n"


def test_ipv6_localhost(machine: Machine) -> None:
    pod = machine.pod(
        python(
            "import socket; s = socket.create_server(('::1', 80), family=socket.AF_INET6); "
            "print('listening', flush=True); c, _ = s.accept(); c.sendall(b'six')"
        )
    )
    pod.start().wait_for("listening")
    assert drain(dial(pod, "::1", 80)) == "six"


def test_one_address_for_all_containers(machine: Machine) -> None:
    variable = {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    pod = machine.pod(
        listener("0.0.0.0", 9000, "shared"),
        shell("echo $IP; getent hosts $(hostname) | cut -d' ' -f1", env=[variable]),
        name="named",
    )
    pod.start("main").wait_for("listening")
    assert pod.run("c1").output == f"{pod.sandbox.ip}\n{pod.sandbox.ip}\n"
    assert drain(dial(pod, pod.sandbox.ip, 9000)) == "shared"


@pytest.mark.only("root")
def test_pods_reach_each_other_by_address(machine: Machine) -> None:
    first = machine.pod(listener("0.0.0.0", 9000, "first"), name="first")
    first.start().wait_for("listening")
    second = machine.pod(connect(f"{first.sandbox.ip}:9000"), name="second")
    assert second.run().output == "first\n"


@pytest.mark.only("root")
def test_translation_hides_the_pod_s_address(machine: Machine) -> None:
    """A peer that has no route to Pods answers to the machine's address."""
    ready, inside = socket.socketpair()

    def peer() -> int:
        namespaces.separate(["net"])
        server = socket.create_server(("0.0.0.0", 7000))
        inside.sendall(b"x")
        connection, (address, _) = server.accept()
        connection.sendall(address.encode())
        connection.close()
        return 0

    pid = processes.fork(peer)
    ready.recv(1)
    held = namespaces.Namespaces.of(pid, ["net"])
    try:
        network.add_veth("podweavetest0", "eth0", held.descriptor("net"), 1500)
        network.add_address("podweavetest0", "203.0.113.1", 24)
        network.set_up("podweavetest0")
        with network.inside(held.descriptor("net")):
            network.add_address("eth0", "203.0.113.2", 24)
            network.set_up("eth0")
        assert machine.pod(connect("203.0.113.2:7000")).run().output == "203.0.113.1\n"
    finally:
        network.remove_link("podweavetest0")
        held.close()


def reaches_the_machine(machine: Machine) -> RunningPod:
    address = network.outgoing_address()
    if address is None:
        pytest.skip("this machine has no network")
    with socket.create_server((address, 0)) as server:
        port = server.getsockname()[1]
        pid = processes.fork(lambda: answer(server))
        try:
            pod = machine.pod(connect(f"{address}:{port}"))
            assert pod.sandbox.notices == []
            assert pod.run().output == "machine\n"
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return pod


def answer(server: socket.socket) -> int:
    while True:
        connection, _ = server.accept()
        connection.sendall(b"machine")
        connection.close()


@pytest.mark.only("root")
def test_out_as_root(machine: Machine) -> None:
    reaches_the_machine(machine)


@pytest.mark.only("user")
@pytest.mark.tun
@pytest.mark.parametrize("tool", ["pasta", "slirp4netns"])
def test_out_as_a_user(machine: Machine, tool: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if programs.find(tool) is None:
        pytest.skip(f"{tool} isn't installed")
    monkeypatch.setattr(outer_network, "choose", lambda *, root: (tool, ""))
    pod = reaches_the_machine(machine)
    assert pod.sandbox._setup.network.means == tool
    pod.sandbox.destroy()
    assert processes.descendants(os.getpid()) == []


@pytest.mark.only("user")
def test_a_network_tool_that_fails_leaves_a_pod_without(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outer_network, "choose", lambda *, root: ("slirp4netns", ""))
    monkeypatch.setattr(programs, "find", lambda name: "/bin/false")
    pod = machine.pod(shell("echo still runs"))
    assert "no network but its own" in pod.sandbox.notices[0]
    assert pod.run().output == "still runs\n"


def test_names_and_files(machine: Machine) -> None:
    pod = machine.pod(
        shell("hostname; cat /etc/hostname; cat /etc/hosts; test -s /etc/resolv.conf && echo dns"),
        name="orders-7",
        hostAliases=[{"ip": "192.0.2.7", "hostnames": ["db", "db.local"]}],
    )
    lines = pod.run().output.splitlines()
    assert lines[:2] == ["orders-7", "orders-7"]
    assert "127.0.0.1\tlocalhost" in lines
    assert f"{pod.sandbox.ip}\torders-7" in lines
    assert "192.0.2.7\tdb\tdb.local" in lines
    assert lines[-1] == "dns"


def test_hostname_of_the_spec(machine: Machine) -> None:
    assert machine.run("hostname", pod={"hostname": "other"}).output == "other\n"


def test_host_network(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        processes.fork(lambda: answer(server))
        port = server.getsockname()[1]
        pod = machine.pod(
            connect(f"127.0.0.1:{port}"), shell("hostname"), hostNetwork=True, hostname="ignored"
        )
        assert pod.run("main").output == "machine\n"
        assert pod.run("c1").output.strip() == socket.gethostname()


def test_shared_memory_and_ipc(machine: Machine) -> None:
    pod = machine.pod(
        shell("echo shared > /dev/shm/x"), shell("cat /dev/shm/x; readlink /proc/self/ns/ipc")
    )
    pod.run("main")
    output = pod.run("c1").output.splitlines()
    assert output[0] == "shared"
    assert output[1] != os.readlink("/proc/self/ns/ipc")
    assert not os.path.exists("/dev/shm/x")


def test_sysctls(machine: Machine) -> None:
    security = {"sysctls": [{"name": "net.ipv4.ip_local_port_range", "value": "50000 50010"}]}
    pod = machine.pod(shell("cat /proc/sys/net/ipv4/ip_local_port_range"), securityContext=security)
    assert pod.run().output.split() == ["50000", "50010"]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("kernel.panic", {}),
        ("vm.overcommit_memory", {}),
        ("net.ipv4.ip_local_port_range", {"hostNetwork": True}),
        ("kernel.shmmax", {"hostIPC": True}),
        ("net.../../kernel/panic", {}),
    ],
)
def test_a_pod_never_sets_the_machine_s_sysctls(
    machine: Machine, name: str, more: dict[str, Any]
) -> None:
    security = {"sysctls": [{"name": name, "value": "1"}]}
    with pytest.raises(EngineError, match="sysctl"):
        machine.pod(shell("true"), securityContext=security, **more)


def test_host_processes(machine: Machine) -> None:
    pod = machine.pod(
        shell("sleep 70 & kill -0 $TEST && echo seen; test -d /proc/$TEST && echo listed; wait",
              env=[{"name": "TEST", "value": str(os.getpid())}]),
        hostPID=True,
    )  # fmt: skip
    container = pod.start()
    container.wait_for("listed")
    container.wait_running()
    assert container.text == "seen\nlisted\n"
    pod.sandbox.kill(container.started)
    assert container.wait().messages == [{"running": True}]
    wait_until(
        lambda: processes.descendants(os.getpid()) == [pod.sandbox._setup.agent.pid],
        60,
        "the container's processes end",
    )


def test_host_ipc(machine: Machine) -> None:
    pod = machine.pod(shell("readlink /proc/self/ns/ipc"), hostIPC=True)
    assert pod.run().output.strip() == os.readlink("/proc/self/ns/ipc")


def test_helpers_reach_out_through_the_broker(machine: Machine) -> None:
    script = """
import json, os, socket, sys
for request in json.loads(sys.argv[1]):
    broker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    broker.connect(os.environ["PODWEAVE_BROKER"])
    broker.send(json.dumps({"connect": request, "timeout": 5}).encode())
    answer, fds, _, _ = socket.recv_fds(broker, 65536, 1)
    answer = json.loads(answer)
    if not fds:
        print(answer["error"])
        continue
    upstream = socket.socket(fileno=fds[0])
    upstream.setblocking(True)  # they come non-blocking
    print(upstream.recv(100).decode())
"""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as closed:
        processes.fork(lambda: answer(server))
        closed.bind(("127.0.0.1", 0))
        port, nobody = server.getsockname()[1], closed.getsockname()[1]
        requests = [
            [addresses.HOST_NAME, port],
            [addresses.HOST_NAME, nobody],
            ["127.0.0.1", port],
            ["localhost", port],
        ]
        pod = machine.pod(
            {
                "command": ["/usr/bin/python3", "-c", script, json.dumps(requests)],
                "securityContext": {"runAsUser": 65532, "readOnlyRootFilesystem": True},
            },
            shell("test -e /run/podweave/broker.sock || echo none; echo $PODWEAVE_BROKER"),
            settings={"helpers": frozenset({"main"})},
        )
        assert pod.run("main").output.splitlines() == [
            "machine",
            "ECONNREFUSED",
            "EACCES",
            "EACCES",
        ]
        assert pod.run("c1").output == "none\n\n"  # only helpers have it


def test_helpers_run_our_python_and_archive(machine: Machine) -> None:
    archive = f"{machine.directory}/podweave-helpers.pyz"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("__main__.py", "import sys; print('helper', sys.version_info >= (3, 11))")
    pod = machine.pod(
        {
            "command": ["python3", "-I", "-S", "/opt/podweave/podweave-helpers.pyz"],
            "securityContext": {"runAsNonRoot": True, "readOnlyRootFilesystem": True},
        },
        settings={"helpers": frozenset({"main"}), "archive": archive},
    )
    assert pod.run().output == "helper True\n"


def test_a_dial_that_is_given_up(machine: Machine) -> None:
    pod = machine.pod(shell("true"))
    # Nobody answers there: the Pod's own address space has no such neighbour.
    assert ask(pod.directory, "agent.sock", "192.0.2.99", 9, 0.2) in (
        "ETIMEDOUT",
        "ENETUNREACH",
        "EHOSTUNREACH",
    )
    assert ask(pod.directory, "agent.sock", "some.name", 9, 5) == "EAI_NONAME"
