"""The mount table, and mounts of every kind a container's root needs."""

from __future__ import annotations

import errno
import os
import re

import msgspec

from podweave.sandbox.system_calls import (
    MOUNT_ATTR_RDONLY,
    SandboxError,
    mount,
    mount_setattr,
    umount,
)
from podweave.sandbox.system_calls import pivot_root as _pivot_root

RDONLY = 0x1
NOSUID = 0x2
NODEV = 0x4
NOEXEC = 0x8
REMOUNT = 0x20
BIND = 0x1000
REC = 0x4000
PRIVATE = 0x40000
DETACH = 0x2

_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(msgspec.Struct, frozen=True):
    """A line of /proc/PID/mountinfo."""

    id: int
    parent: int
    root: str
    """The part of the file system that is mounted."""
    target: str
    options: str
    filesystem: str
    source: str
    super_options: str = ""


def parse_table(text: str) -> list[Mount]:
    """Read /proc/PID/mountinfo: mounts in the order in which they cover each other."""
    mounts = []
    for line in text.splitlines():
        left, separator, right = line.partition(" - ")
        fields, tail = left.split(" "), right.split(" ")
        if not separator or len(fields) < 6 or len(tail) < 2:
            continue
        if not (fields[0].isdecimal() and fields[1].isdecimal()):
            continue
        mounts.append(
            Mount(
                int(fields[0]),
                int(fields[1]),
                _unescape(fields[3]),
                _unescape(fields[4]),
                fields[5],
                tail[0],
                _unescape(tail[1]),
                tail[2] if len(tail) > 2 else "",
            )
        )
    return mounts


def _unescape(text: str) -> str:
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)


def read_table(process: int | None = None) -> list[Mount]:
    """The mount table of a process, or of this one."""
    path = f"/proc/{'self' if process is None else process}/mountinfo"
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return parse_table(file.read())


def visible(table: list[Mount]) -> list[Mount]:
    """Leave out the mounts that a later one hides, at their own place or above it."""
    by_target: dict[str, Mount] = {}
    for entry in table:
        beneath = entry.target.rstrip("/") + "/"
        for target in [target for target in by_target if target.startswith(beneath)]:
            # Mounted before and lower in the tree: hidden, unless it belongs to this very mount.
            if by_target[target].parent != entry.id:
                del by_target[target]
        by_target[entry.target] = entry
    return list(by_target.values())


def make_private() -> None:
    """Nothing mounted here from now on shows outside, and nothing from outside here."""
    mount("none", "/", None, REC | PRIVATE)


def tmpfs(target: str, *, mode: int = 0o755, size: int | None = None, flags: int = 0) -> None:
    data = f"mode={mode:o}" + (f",size={size}" if size is not None else "")
    mount("tmpfs", target, "tmpfs", flags, data)


def bind(source: str, target: str, *, recursive: bool = True, read_only: bool = False) -> None:
    """`source` at `target` as well. In a user namespace only a recursive bind is always allowed."""
    mount(source, target, None, BIND | (REC if recursive else 0))
    if read_only:
        make_read_only(target, recursive=recursive)


def make_read_only(target: str, *, recursive: bool = False) -> None:
    try:
        mount_setattr(target, MOUNT_ATTR_RDONLY, recursive=recursive)
    except SandboxError as error:
        if error.errno != errno.ENOSYS:
            raise
        # Before Linux 5.12. Mounts beneath stay as they are; user namespaces need a newer kernel.
        mount("none", target, None, REMOUNT | BIND | RDONLY)


def overlay(
    lower: list[str], upper: str, work: str, target: str, *, in_user_namespace: bool
) -> None:
    """A writable view of `lower` (topmost first); what is written goes to `upper`."""
    options = [
        "lowerdir=" + ":".join(_escape(path) for path in lower),
        "upperdir=" + _escape(upper),
        "workdir=" + _escape(work),
    ]
    if in_user_namespace:
        options.append("userxattr")
    mount("overlay", target, "overlay", NODEV, ",".join(options))


def _escape(path: str) -> str:
    return path.replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")


def proc(target: str) -> None:
    """The PID namespace's own /proc."""
    try:
        mount("proc", target, "proc", NOSUID | NODEV | NOEXEC)
    except SandboxError as error:
        raise SandboxError(
            "mount proc on",
            target,
            error.errno or 0,
            "inside another container its masked /proc forbids this: run that container with "
            "--security-opt systempaths=unconfined, or podweave as root outside of it",
        ) from error


def sysfs(target: str, *, read_only: bool) -> None:
    """The network namespace's own /sys."""
    flags = NOSUID | NODEV | NOEXEC
    mount("sysfs", target, "sysfs", flags | (RDONLY if read_only else 0))


def devpts(target: str, *, group: int | None) -> None:
    """Pseudo-terminals of their own; `group` is the group tty where it can be given."""
    options = "newinstance,ptmxmode=0666,mode=0620"
    if group is not None:
        options += f",gid={group}"
    mount("devpts", target, "devpts", NOSUID | NOEXEC, options)


def message_queues(target: str) -> None:
    """The IPC namespace's POSIX message queues."""
    mount("mqueue", target, "mqueue", NOSUID | NODEV | NOEXEC)


def pivot_root(new_root: str) -> None:
    """Make the mount `new_root` this process's root and let go of the old one."""
    os.chdir(new_root)
    # The old root lands on top of the new one at the same place, so no directory for it is needed.
    _pivot_root(".", ".")
    umount(".", DETACH)
    os.chdir("/")
