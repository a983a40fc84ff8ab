"""Links, addresses and routes by rtnetlink, without the `ip` program.

Acts on the network namespace of the calling process.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from podweave.sandbox import pseudo_files
from podweave.sandbox.namespaces import NEWNET
from podweave.sandbox.system_calls import SandboxError, setns

_ACK: Final = 0x5  # NLM_F_REQUEST | NLM_F_ACK
_CREATE: Final = 0x600  # NLM_F_CREATE | NLM_F_EXCL

_ERROR: Final = 2
_NEWLINK, _DELLINK = 16, 17
_NEWADDR = 20
_NEWROUTE = 24

_IFLA_IFNAME, _IFLA_MTU, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 3, 4, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC = 1, 4, 5, 7
_IFF_UP = 1
_SIOCGIFMTU: Final = 0x8921
_MAIN_TABLE, _BOOT, _UNICAST = 254, 3, 1
_SCOPE_GLOBAL, _SCOPE_LINK = 0, 253


def _attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + b"\0" * (-length % 4)


def _text(kind: int, value: str) -> bytes:
    return _attribute(kind, value.encode() + b"\0")


def _link(flags: int = 0, index: int = 0, change: int = 0) -> bytes:
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, change)


def _request(kind: int, flags: int, body: bytes, what: str) -> None:
    """Send one request and wait for its acknowledgement."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as channel:
        channel.bind((0, 0))
        channel.send(struct.pack("=IHHII", 16 + len(body), kind, _ACK | flags, 1, 0) + body)
        answer = channel.recv(65536)
    _, answered, _, _, _ = struct.unpack_from("=IHHII", answer)
    if answered != _ERROR:
        raise SandboxError(what, "", 71)  # EPROTO
    code = struct.unpack_from("=i", answer, 16)[0]
    if code:
        raise SandboxError(what, "", -code)


@contextmanager
def inside(namespace: int) -> Iterator[None]:
    """Act in the network namespace held by that descriptor, and come back; needs root."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        setns(namespace, NEWNET)
        try:
            yield
        finally:
            setns(own, NEWNET)
    finally:
        os.close(own)


def index_of(name: str) -> int:
    try:
        return socket.if_nametoindex(name)
    except OSError as error:
        raise SandboxError("find link", name, error.errno or 19) from error


def names() -> list[str]:
    """The links of this namespace."""
    return [name for _, name in socket.if_nameindex()]


def set_up(name: str) -> None:
    _request(_NEWLINK, 0, _link(_IFF_UP, index_of(name), _IFF_UP), f"set up link {name}")


def add_address(name: str, address: str, prefix: int) -> None:
    packed = socket.inet_aton(address)
    body = struct.pack("=BBBBi", socket.AF_INET, prefix, 0, _SCOPE_GLOBAL, index_of(name))
    body += _attribute(_IFA_LOCAL, packed) + _attribute(_IFA_ADDRESS, packed)
    _request(_NEWADDR, _CREATE, body, f"add address {address}/{prefix} to {name}")


def add_route(
    link: str,
    destination: str | None,
    prefix: int,
    *,
    gateway: str | None = None,
    source: str | None = None,
) -> None:
    """A route to `destination` (None: all others) by `link`. EEXIST when there is one."""
    scope = _SCOPE_GLOBAL if gateway else _SCOPE_LINK
    body = struct.pack(
        "=BBBBBBBBI", socket.AF_INET, prefix, 0, 0, _MAIN_TABLE, _BOOT, scope, _UNICAST, 0
    )
    if destination is not None:
        body += _attribute(_RTA_DST, socket.inet_aton(destination))
    if gateway is not None:
        body += _attribute(_RTA_GATEWAY, socket.inet_aton(gateway))
    if source is not None:
        body += _attribute(_RTA_PREFSRC, socket.inet_aton(source))
    body += _attribute(_RTA_OIF, struct.pack("=i", index_of(link)))
    _request(_NEWROUTE, _CREATE, body, f"add route to {destination or 'all'}/{prefix} by {link}")


def add_veth(name: str, peer: str, peer_namespace: int, mtu: int) -> None:
    """A virtual cable: `name` here, `peer` in the network namespace held by that descriptor."""
    size = _attribute(_IFLA_MTU, struct.pack("=I", mtu))
    other_end = (
        _link()
        + _text(_IFLA_IFNAME, peer)
        + size
        + _attribute(_IFLA_NET_NS_FD, struct.pack("=I", peer_namespace))
    )
    info = _text(_IFLA_INFO_KIND, "veth") + _attribute(
        _IFLA_INFO_DATA, _attribute(_VETH_INFO_PEER, other_end)
    )
    body = _link() + _text(_IFLA_IFNAME, name) + size + _attribute(_IFLA_LINKINFO, info)
    _request(_NEWLINK, _CREATE, body, f"add virtual link {name}")


def remove_link(name: str) -> None:
    """Remove a link; nothing happens when there is none."""
    try:
        _request(_DELLINK, 0, _link(index=index_of(name)), f"remove link {name}")
    except SandboxError as error:
        if error.errno != 19:  # ENODEV
            raise


def routes() -> list[tuple[str, int, int]]:
    """This namespace's IPv4 routes as (link, network, mask), from /proc/net/route."""
    with open("/proc/net/route", encoding="utf-8") as file:
        rows = [line.split() for line in file.read().splitlines()[1:]]
    # The table prints addresses as words of this machine's byte order.
    return [(row[0], _as_number(row[1]), _as_number(row[7])) for row in rows if len(row) > 7]


def _as_number(word: str) -> int:
    return int.from_bytes(int(word, 16).to_bytes(4, sys.byteorder), "big")


def mtu_of(name: str) -> int:
    """Bytes. Not from /sys, which may be mounted for another network namespace than this one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            # struct ifreq of netdevice(7)
            answer = fcntl.ioctl(any_socket, _SIOCGIFMTU, struct.pack("16si20x", name.encode(), 0))
        except OSError as error:
            raise SandboxError("read mtu of", name, error.errno or 0) from error
    found: int = struct.unpack_from("i", answer, 16)[0]
    return found


def outgoing_address() -> str | None:
    """The address this namespace would use towards the outside; None without a default route."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Nothing is sent: connecting a datagram socket only chooses the route.
            probe.connect(("198.51.100.1", 9))
            name = probe.getsockname()
        except OSError:
            return None
    return str(name[0])


def set_hostname(name: str) -> None:
    try:
        socket.sethostname(name)
    except OSError as error:
        raise SandboxError("set hostname", name, error.errno or 0) from error


def write_sysctl(name: str, value: str) -> None:
    """Set a kernel parameter by its dotted name."""
    pseudo_files.write("/proc/sys/" + name.replace(".", "/"), value)
