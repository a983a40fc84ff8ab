"""Capabilities: their names, the set that containers get, dropping the rest."""

from __future__ import annotations

from podweave.sandbox.system_calls import (
    PR_CAPBSET_DROP,
    PR_CAPBSET_READ,
    PR_SET_NO_NEW_PRIVS,
    SandboxError,
    capget,
    capset,
    prctl,
)

NAMES = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
]
"""In the kernel's order: the index is the number."""

DEFAULT = frozenset(
    [
        "CHOWN",
        "DAC_OVERRIDE",
        "FSETID",
        "FOWNER",
        "MKNOD",
        "NET_RAW",
        "SETGID",
        "SETUID",
        "SETFCAP",
        "SETPCAP",
        "NET_BIND_SERVICE",
        "SYS_CHROOT",
        "KILL",
        "AUDIT_WRITE",
    ]
)
"""What containerd and Docker leave a container."""


class UnknownCapabilityError(ValueError):
    """Not a capability's name."""


def mask(names: frozenset[str]) -> int:
    return sum(1 << NAMES.index(name) for name in names)


def parse(name: str) -> str:
    """`NET_ADMIN` and `CAP_NET_ADMIN`, in any case."""
    plain = name.upper().removeprefix("CAP_")
    if plain not in NAMES:
        raise UnknownCapabilityError(f"no such capability: {name}")
    return plain


def allowed(add: list[str], drop: list[str]) -> frozenset[str]:
    """The set a container may have at most; as in Docker, `ALL` first, then single names."""
    everything = frozenset(NAMES)
    result = DEFAULT
    drops = {name.upper() for name in drop}
    adds = {name.upper() for name in add}
    if "ALL" in adds:
        result = everything
    if "ALL" in drops:
        result = frozenset() if "ALL" not in adds else everything
    result |= {parse(name) for name in adds - {"ALL"}}
    return result - {parse(name) for name in drops - {"ALL"}}


def limit_bounding_set(names: frozenset[str]) -> None:
    """Forget for good what isn't in `names`, for this process and all it executes."""
    keep = mask(names)
    for number in range(64):
        try:
            if prctl(PR_CAPBSET_READ, number) and not keep >> number & 1:
                prctl(PR_CAPBSET_DROP, number)
        except SandboxError:
            break  # past the last capability this kernel knows


def limit(names: frozenset[str]) -> None:
    """Keep of what this process holds only `names`; nothing is inheritable."""
    _, permitted, _ = capget()
    rest = permitted & mask(names)
    capset(rest, rest, 0)


def no_new_privileges() -> None:
    """setuid files and file capabilities no longer give anything."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)
