"""The Pod's names and addresses: its IP, /etc/hosts, /etc/resolv.conf, host and node names."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterable, Iterator

from podweave.model.pods import HostAlias, Pod

HOST_NAME = "host.podweave.internal"
"""The machine itself, as a container sees it."""

RANGES = tuple(
    ipaddress.IPv4Network(text) for text in ("10.213.0.0/16", "172.30.0.0/16", "192.168.213.0/24")
)
"""Where Pods get their addresses; the first that no route of the machine's overlaps."""


LINK_PREFIX = "pw"


def free_range(routes: Iterable[tuple[str, int, int]], own_link: str) -> ipaddress.IPv4Network:
    """The range for Pods, given the machine's routes as (link, network, mask).

    Routes by links that begin with `own_link` are those of other Pods.
    """
    taken = [
        (network, mask) for link, network, mask in routes if mask and not link.startswith(own_link)
    ]
    for candidate in RANGES:
        start, size = int(candidate.network_address), int(candidate.netmask)
        if all((start ^ network) & size & mask for network, mask in taken):
            return candidate
    return RANGES[0]


def gateway_of(network: ipaddress.IPv4Network) -> str:
    """The machine's own address in it, the same towards every Pod."""
    return str(network.network_address + 1)


def candidates(seed: str, network: ipaddress.IPv4Network) -> Iterator[str]:
    """Addresses to try for a Pod, the same order each time: a Pod mostly keeps its address."""
    usable = network.num_addresses - 3
    start = _number(seed)
    for step in range(usable):
        yield str(network.network_address + 2 + (start + step * 7919) % usable)


def link_name(directory: str) -> str:
    """The machine's end of a Pod's cable: found again from the Pod's directory alone."""
    return f"{LINK_PREFIX}{_number(directory) & 0xFFFFFFFFFF:010x}"


def _number(text: str) -> int:
    """FNV-1a, 64 bits: a spread that never changes, without loading a cryptographic library."""
    number = 0xCBF29CE484222325
    for byte in os.fsencode(text):
        number = (number ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return number


def node_name(wanted: str) -> str:
    return wanted or socket.gethostname()


def hostname(pod: Pod, node: str) -> str:
    """What `hostname` prints in the Pod."""
    if pod.spec.host_network:
        return node
    return (pod.spec.hostname or pod.metadata.name or "pod")[:63].rstrip("-.")


def hosts_file(pod: Pod, hostname: str, ip: str, machine: str | None, own: bytes | None) -> bytes:
    """/etc/hosts as the kubelet writes it. `own`: the machine's, for a host-network Pod.
    `machine`: the machine's address as seen from the Pod, if it can be reached."""
    lines: list[str] = []
    if own is None:
        lines += [
            "# Kubernetes-managed hosts file (podweave).",
            "127.0.0.1\tlocalhost",
            "::1\tlocalhost ip6-localhost ip6-loopback",
            "fe00::\tip6-localnet",
            "fe00::\tip6-mcastprefix",
            "fe00::1\tip6-allnodes",
            "fe00::2\tip6-allrouters",
            f"{ip}\t{_full_name(pod, hostname)}",
        ]
    if machine is not None:
        lines.append(f"{machine}\t{HOST_NAME}")
    aliases: list[HostAlias] = pod.spec.host_aliases or []
    if aliases:
        lines += ["", "# Entries added by HostAliases."]
        lines += ["\t".join([alias.ip, *(alias.hostnames or ())]) for alias in aliases]
    before = b"" if own is None else own.rstrip(b"\n") + b"\n"
    return before + "\n".join(lines).encode() + (b"\n" if lines else b"")


def _full_name(pod: Pod, hostname: str) -> str:
    if not pod.spec.subdomain:
        return hostname
    namespace = pod.metadata.namespace or "default"
    return f"{hostname}.{pod.spec.subdomain}.{namespace}.svc.cluster.local\t{hostname}"


def resolv_conf(*, host_network: bool = False) -> tuple[bytes, bool]:
    """/etc/resolv.conf for a Pod, and whether a server in it can be reached from there.

    A resolver on the machine's loopback is out of a Pod's reach: then the servers behind it,
    which systemd-resolved keeps in a second file.
    """
    text = ""
    for path in ("/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"):
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            continue
        if host_network or any(not _is_loopback(server) for server in nameservers(text)):
            break
    else:
        text = "".join(
            line for line in text.splitlines(True) if not line.lstrip().startswith("nameserver")
        )
    return text.encode(), bool(nameservers(text))


def nameservers(text: str) -> list[str]:
    """The servers in a resolv.conf."""
    rows = [line.split() for line in text.splitlines()]
    return [row[1] for row in rows if len(row) > 1 and row[0] == "nameserver"]


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
