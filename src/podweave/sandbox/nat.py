"""Address translation for a range of addresses behind this machine, and packet forwarding.

One table of our own for all, made with the first link and removed with the last, by `nft` or else
by `iptables`. State that outlives a process is kept under /run, for it ends with the machine's.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from podweave.sandbox import network
from podweave.sandbox.programs import find, run
from podweave.sandbox.system_calls import SandboxError

_STATE = "/run/podweave"
_LOCK = f"{_STATE}/network.lock"
_KNOWN = f"{_STATE}/ranges"
_FORWARDED = f"{_STATE}/ip_forward"
_TABLE = "podweave"
_NETLINK_NETFILTER = 12
_FORWARD = "/proc/sys/net/ipv4/ip_forward"


def available() -> bool:
    """Whether this machine has a program that sets up translation."""
    return find("nft") is not None or find("iptables") is not None


@contextmanager
def locked() -> Iterator[None]:
    """Links and the table change under one lock: the last Pod's end and the next one's start."""
    try:
        os.makedirs(_STATE, exist_ok=True)
        descriptor = os.open(_LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SandboxError("lock", _LOCK, error.errno or 0) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def establish(addresses: str) -> None:
    """Translate what the range `addresses` (10.213.0.0/16) sends elsewhere; forward packets.

    Idempotent. Call it under the lock.
    """
    _start_forwarding()
    known = _known()
    new = addresses not in known
    by_nft = find("nft") is not None
    if not new and (not by_nft or _table_exists()):
        return
    if new:
        known.append(addresses)
    if by_nft:
        run(["nft", "-f", "-"], _nft_rules(known))
    if new:
        for rule in _iptables_rules(addresses, translate=not by_nft):
            run(["iptables", "-w", *rule])
    with open(_KNOWN, "w", encoding="utf-8") as file:
        file.write(" ".join(known))


def _known() -> list[str]:
    """The ranges that are translated already."""
    try:
        with open(_KNOWN, encoding="utf-8") as file:
            return file.read().split()
    except FileNotFoundError:
        return []


def release(prefix: str) -> None:
    """Remove the table when no link is left whose name begins with `prefix`.

    Idempotent. Call it under the lock.
    """
    if any(name.startswith(prefix) for name in network.names()):
        return
    known = _known()
    if not known:
        return
    if find("nft") is not None:
        # Destroying needs a newer nft than Debian 12's: adding it first makes deleting safe.
        run(["nft", "-f", "-"], f"add table ip {_TABLE}\ndelete table ip {_TABLE}\n")
    for addresses in known:
        for rule in _iptables_rules(addresses, translate=find("nft") is None):
            undo = ["-D" if part in ("-I", "-A") else part for part in rule]
            run(["iptables", "-w", *undo], check=False)
    os.unlink(_KNOWN)
    _stop_forwarding()


def _table_exists() -> bool:
    """Asked of the kernel itself: a firewall's reload may have flushed the table."""
    name = _TABLE.encode() + b"\0"
    attribute = struct.pack("=HH", 4 + len(name), 1) + name + b"\0" * (-len(name) % 4)
    body = struct.pack("=BBH", socket.AF_INET, 0, 0) + attribute
    kind = 10 << 8 | 1  # NFNL_SUBSYS_NFTABLES, NFT_MSG_GETTABLE
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_NETFILTER) as channel:
            channel.send(struct.pack("=IHHII", 16 + len(body), kind, 1, 1, 0) + body)
            answer = channel.recv(65536)
    except OSError:
        return False
    return int(struct.unpack_from("=H", answer, 4)[0]) == 10 << 8


def _nft_rules(ranges: list[str]) -> str:
    rules = "".join(f"    ip saddr {one} ip daddr != {one} masquerade\n" for one in ranges)
    return f"""\
add table ip {_TABLE}
flush table ip {_TABLE}
table ip {_TABLE} {{
  chain postrouting {{
    type nat hook postrouting priority srcnat; policy accept;
{rules}  }}
}}
"""


def _iptables_rules(addresses: str, *, translate: bool) -> list[list[str]]:
    """What iptables has to say: the translation where there is no nft, and, where its own FORWARD
    chain drops packets (Docker does that), leave to pass."""
    marked = ["-m", "comment", "--comment", _TABLE]
    rules = []
    if translate:
        outgoing = ["-t", "nat", "-A", "POSTROUTING", "-s", addresses, "!", "-d", addresses]
        rules.append([*outgoing, *marked, "-j", "MASQUERADE"])
    if _drops_forwarded():
        for side in ("-s", "-d"):
            rules.append(["-I", "FORWARD", side, addresses, *marked, "-j", "ACCEPT"])
    return rules


def _drops_forwarded() -> bool:
    if find("iptables") is None or not _iptables_in_use():
        return False
    answer = run(["iptables", "-w", "-S", "FORWARD"], check=False)
    return answer.startswith("-P FORWARD DROP") or f"--comment {_TABLE}" in answer


def _iptables_in_use() -> bool:
    """Whether some rule may be there: asking iptables itself would load its kernel modules."""
    try:
        with open("/proc/net/ip_tables_names", encoding="utf-8") as file:
            if "filter" in file.read():
                return True
    except OSError:
        pass
    return find("nft") is not None and " FORWARD {" in run(
        ["nft", "list", "chains", "ip"], check=False
    )


def _start_forwarding() -> None:
    try:
        with open(_FORWARD, encoding="utf-8") as file:
            before = file.read().strip()
        if before != "1":
            with open(_FORWARDED, "w", encoding="utf-8") as file:
                file.write(before)
            network.write_sysctl("net.ipv4.ip_forward", "1")
    except OSError as error:
        if isinstance(error, SandboxError):
            raise
        raise SandboxError("turn on forwarding", _FORWARD, error.errno or errno.EIO) from error


def _stop_forwarding() -> None:
    """Give ip_forward back the value that it had, if it was changed here."""
    try:
        with open(_FORWARDED, encoding="utf-8") as file:
            before = file.read().strip()
    except FileNotFoundError:
        return
    os.unlink(_FORWARDED)
    network.write_sysctl("net.ipv4.ip_forward", before)
