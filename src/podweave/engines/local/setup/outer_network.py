"""A Pod's way out to the network: a virtual cable with translation by root, pasta or slirp4netns
by an ordinary user."""

from __future__ import annotations

import errno
import ipaddress
import os
from collections.abc import Callable, Iterator

from podweave.engines.local.setup import addresses
from podweave.engines.local.setup.agent import Agent
from podweave.sandbox import capabilities, nat, network, processes, programs
from podweave.sandbox.namespaces import Namespaces, separate
from podweave.sandbox.system_calls import SandboxError

LINK = "eth0"
_PASTA, _SLIRP = "pasta", "slirp4netns"
_TUN = "/dev/net/tun"


def choose(*, root: bool) -> tuple[str, str]:
    """The means this machine offers (veth, pasta, slirp4netns, none) and, for none, why."""
    if root:
        if nat.available():
            return "veth", ""
        return "none", "there is neither nft nor iptables"
    tools = [tool for tool in (_PASTA, _SLIRP) if programs.find(tool)]
    if not tools:
        return "none", "there is neither pasta nor slirp4netns"
    if not os.access(_TUN, os.R_OK | os.W_OK):
        return "none", f"this user may not open {_TUN}"
    return tools[0], ""


def connect_veth(
    agent: Agent, directory: str, pods: ipaddress.IPv4Network, wanted: Iterator[str]
) -> str:
    """Lay a cable from the Pod to the machine. Returns the address the Pod got."""
    gateway = addresses.gateway_of(pods)
    link = addresses.link_name(directory)
    with nat.locked():
        network.remove_link(link)  # of a Pod of the same name whose namespaces are just going
        nat.establish(str(pods))
        network.add_veth(link, LINK, agent.namespaces.descriptor("net"), _mtu())
        network.set_up(link)
        # The same address towards every Pod; each Pod's own is a route, so no two get one.
        network.add_address(link, gateway, 32)
        ip = _take_address(link, gateway, wanted)
    with network.inside(agent.namespaces.descriptor("net")):
        network.add_address(LINK, ip, 32)
        network.set_up(LINK)
        network.add_route(LINK, gateway, 32)
        network.add_route(LINK, None, 0, gateway=gateway)
    return ip


def _take_address(link: str, gateway: str, wanted: Iterator[str]) -> str:
    for ip in wanted:
        try:
            network.add_route(link, ip, 32, source=gateway)
        except SandboxError as error:
            if error.errno != errno.EEXIST:
                raise
        else:
            return ip
    raise SandboxError("find a free address for the Pod", "", errno.EADDRNOTAVAIL)


def _mtu() -> int:
    for name, destination, mask in network.routes():
        if (destination, mask) == (0, 0):
            return network.mtu_of(name)
    return 1500


def disconnect(link: str) -> None:
    """Take the cable away, and the translation with the last one. Idempotent."""
    with nat.locked():
        network.remove_link(link)
        nat.release(addresses.LINK_PREFIX)


def start_user_network(tool: str, agent: Agent, ip: str, pods: ipaddress.IPv4Network) -> int:
    """Start pasta or slirp4netns for the Pod. Returns the pid of its keeper.

    The tool outlives the namespace it serves, and forgets a parent-death signal when it changes
    its rights. So a keeper ties itself to the supervisor, as PID 1 of a PID namespace: with it
    the kernel ends the tool.
    """
    path = programs.find(tool)
    if path is None:
        raise SandboxError("run", tool, errno.ENOENT)
    told, tell = os.pipe2(os.O_CLOEXEC)
    user, net = agent.namespaces.only("user"), agent.namespaces.only("net")

    def command(pid: int) -> list[str]:
        return _pasta(path, ip, pods, pid) if tool == _PASTA else _slirp(path, ip, pid)

    def prepare() -> None:
        user.enter()
        separate(["pid"])

    pid = processes.fork_orphan(prepare, lambda: _keep(command, net, told))
    os.close(told)
    # Its parent is the supervisor from now on.
    os.write(tell, b"%d" % pid)
    os.close(tell)
    return pid


def _keep(command: Callable[[int], list[str]], net: Namespaces, told: int) -> int:
    processes.reset_handlers()
    processes.restore_mask()
    processes.ignore_terminal()
    processes.name("podweave-net")
    own_pid = os.read(told, 16)
    if not own_pid:
        return 1
    processes.die_with_parent()
    argv = command(int(own_pid))
    ready, go = os.pipe2(os.O_CLOEXEC)
    tool = processes.fork(lambda: _become(argv, ready, go))
    # The tool starts in the machine's network namespace and finds the Pod's by this process.
    # pasta has given up most rights by then, and the kernel shows the namespaces only of a
    # process that has no more rights than who asks.
    net.enter()
    capabilities.limit(frozenset())
    processes.hide_memory(False)
    processes.close_all_but({go})
    os.close(go)
    while True:
        pid, status = os.wait()
        if pid == tool:
            return 0 if status == 0 else 1


def _become(argv: list[str], ready: int, go: int) -> int:
    os.close(go)
    os.read(ready, 1)
    processes.close_all_but(())
    for _ in range(3):
        os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.set_inheritable(number, True)
    processes.restore_signals()
    os.execve(argv[0], argv, {"PATH": os.defpath})
    return 1


def _pasta(path: str, ip: str, pods: ipaddress.IPv4Network, pid: int) -> list[str]:
    options = ["-f", "-q", "--config-net", "-I", LINK]
    for forwarded in ("-t", "-u", "-T", "-U"):
        options += [forwarded, "none"]  # localhost is the Pod's alone
    options += ["-a", ip, "-n", str(pods.prefixlen), "-g", addresses.gateway_of(pods)]
    return [path, *options, "--netns-only", "--netns", f"/proc/{pid}/ns/net"]


def _slirp(path: str, ip: str, pid: int) -> list[str]:
    # It gives the address .100 of its network, so the Pod's has to end like that.
    cidr = f"{ip.rpartition('.')[0]}.0/24"
    return [path, "--configure", "--mtu=65520", f"--cidr={cidr}", str(pid), LINK]


def slirp_address(ip: str) -> str:
    """The address that slirp4netns gives in the network of `ip`."""
    return f"{ip.rpartition('.')[0]}.100"


def machine_address(means: str, ip: str, pods: ipaddress.IPv4Network) -> str | None:
    """The machine as the Pod sees it: host.podweave.internal."""
    if means in ("veth", _PASTA):
        return addresses.gateway_of(pods)
    if means == _SLIRP:
        return f"{ip.rpartition('.')[0]}.2"
    return "127.0.0.1" if means == "host" else None
