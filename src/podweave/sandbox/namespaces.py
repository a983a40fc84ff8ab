"""Namespaces: make new ones, hold them by descriptor, enter them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from podweave.sandbox.system_calls import setns, unshare

NEWNS = 0x00020000
NEWUTS = 0x04000000
NEWIPC = 0x08000000
NEWUSER = 0x10000000
NEWPID = 0x20000000
NEWNET = 0x40000000

FLAGS: Final = {
    "user": NEWUSER,
    "net": NEWNET,
    "ipc": NEWIPC,
    "uts": NEWUTS,
    "pid": NEWPID,
    "mnt": NEWNS,
}
"""By their names in /proc/PID/ns, in the order in which they have to be entered: the user
namespace first, for it gives the right to enter the others; the mount namespace last."""


def separate(kinds: Iterable[str]) -> None:
    """Put this process into new namespaces of these kinds (`pid`: its next children)."""
    flags = 0
    for kind in kinds:
        flags |= FLAGS[kind]
    unshare(flags)


class Namespaces:
    """Another process's namespaces, held open: they live on when that process ends."""

    def __init__(self, descriptors: dict[str, int]) -> None:
        self._descriptors = descriptors

    @classmethod
    def of(cls, pid: int, kinds: Iterable[str]) -> Namespaces:
        return cls(
            {kind: os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in kinds}
        )

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(self._descriptors)

    def without(self, *kinds: str) -> Namespaces:
        """The same but for some kinds; the descriptors stay those of this one."""
        return Namespaces({k: d for k, d in self._descriptors.items() if k not in kinds})

    def only(self, *kinds: str) -> Namespaces:
        """Some of them; the descriptors stay those of this one."""
        return Namespaces({k: d for k, d in self._descriptors.items() if k in kinds})

    def descriptor(self, kind: str) -> int:
        return self._descriptors[kind]

    def enter(self) -> None:
        """Move this process into them (`pid`: its next children)."""
        for kind, flag in FLAGS.items():
            if kind in self._descriptors:
                setns(self._descriptors[kind], flag)

    def inode(self, kind: str) -> int:
        """The number that identifies the namespace, as in `readlink /proc/self/ns/net`."""
        return os.fstat(self._descriptors[kind]).st_ino

    def close(self) -> None:
        for descriptor in self._descriptors.values():
            os.close(descriptor)
        self._descriptors = {}
