"""The setting without which a packet from 127.0.0.1 leaves no machine and comes to none.

It is of the Pod's network namespace; writing it takes a writable /proc/sys, which only a
privileged container has (net.ipv4.conf.*.route_localnet, ip-sysctl in the kernel's documentation).
"""

from __future__ import annotations

FILE = "/proc/sys/net/ipv4/conf/all/route_localnet"


def is_allowed() -> bool:
    try:
        with open(FILE, "rb") as file:
            return file.read(1) == b"1"
    except OSError:
        return False


def allow() -> None:
    """OSError where it is off and can't be set."""
    if not is_allowed():
        with open(FILE, "wb", buffering=0) as file:
            file.write(b"1")
