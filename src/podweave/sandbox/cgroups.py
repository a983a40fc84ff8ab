"""Control groups, version 1 and 2: where one may make them, their limits, their end.

A group is one directory in version 2 and one for each controller in version 1.
"""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from podweave.sandbox import pseudo_files
from podweave.sandbox.mounts import Mount
from podweave.sandbox.system_calls import SandboxError

CONTROLLERS: Final = ("cpu", "memory")
_PERIOD: Final = 100_000
_REMOVAL_SECONDS: Final = 2.0


class Limits(msgspec.Struct, frozen=True):
    """What a group may use; None is without limit."""

    cpus: float | None = None
    shares: int | None = None
    """The weight of its CPU use against that of others, on version 1's scale of 2 to 262144."""
    memory: int | None = None

    def __bool__(self) -> bool:
        return bool(self.controllers)

    @property
    def controllers(self) -> frozenset[str]:
        """Those that it takes to enforce them."""
        cpu = self.cpus is not None or self.shares is not None
        wanted = {"cpu": cpu, "memory": self.memory is not None}
        return frozenset(name for name, needed in wanted.items() if needed)


class Hierarchy(msgspec.Struct, frozen=True):
    """Where groups can be made: a directory for each controller, the same for all in version 2.

    Not every controller need be there: systemd delegates only some to users.
    """

    version: int
    bases: Mapping[str, str]


class Group(msgspec.Struct, frozen=True):
    version: int
    directories: Mapping[str, str]

    @property
    def distinct(self) -> list[str]:
        return sorted(set(self.directories.values()))

    @property
    def member_files(self) -> list[str]:
        """A process that writes 0 to each of them joins the group."""
        return [f"{directory}/cgroup.procs" for directory in self.distinct]


def find(table: list[Mount], own: Mapping[str, str], user: int) -> Hierarchy | None:
    """The hierarchy that this process may make groups in. `own`: see `own_groups`."""
    for mount in table:
        if mount.filesystem == "cgroup2" and _controllers(mount.target):
            base = _unified_base(mount, own.get("", "/"), user)
            there = () if base is None else _controllers(base)
            return Hierarchy(2, dict.fromkeys(there, base)) if base and there else None
    bases = {}
    for mount in table:
        if mount.filesystem != "cgroup":
            continue
        for controller in set(mount.super_options.split(",")) & set(CONTROLLERS):
            base = _below(mount, own.get(controller, "/"))
            if os.access(base, os.W_OK | os.X_OK):
                bases[controller] = base
    return Hierarchy(1, bases) if bases else None


def own_groups(text: str) -> dict[str, str]:
    """Read /proc/self/cgroup: this process's group by controller; "" is version 2's."""
    groups = {}
    for line in text.splitlines():
        _, _, rest = line.partition(":")
        controllers, separator, path = rest.partition(":")
        if separator:
            for controller in controllers.split(","):
                groups[controller] = path
    return groups


def _controllers(directory: str) -> list[str]:
    """Which of ours can be enabled for groups in this one."""
    try:
        with open(f"{directory}/cgroup.controllers", encoding="utf-8") as file:
            there = file.read().split()
    except OSError:
        return []
    return [controller for controller in CONTROLLERS if controller in there]


def _below(mount: Mount, path: str) -> str:
    """Where a group is found beneath a mount that may show a part of the hierarchy only."""
    if mount.root != "/" and (path + "/").startswith(mount.root + "/"):
        path = path[len(mount.root) :]
    return mount.target + path.rstrip("/")


def _unified_base(mount: Mount, path: str, user: int) -> str | None:
    """For root the top; for a user what systemd delegated to it, if this process is in there:
    only then may it move processes."""
    if user == 0:
        return mount.target if os.access(mount.target, os.W_OK) else None
    parts = path.split("/")
    service = f"user@{user}.service"
    if service not in parts:
        return None
    base = mount.target + "/".join(parts[: parts.index(service) + 1])
    return base if os.access(f"{base}/cgroup.procs", os.W_OK) else None


def make(hierarchy: Hierarchy, path: str, limits: Limits) -> Group:
    """Make a group `path` (podweave/POD/CONTAINER) with these limits."""
    directories = {}
    for controller, base in hierarchy.bases.items():
        directory = f"{base}/{path}"
        directories[controller] = directory
        if hierarchy.version == 2:
            _enable_controllers(base, path, hierarchy.bases)
        try:
            os.makedirs(directory, exist_ok=True)
        except OSError as error:
            raise SandboxError("make cgroup", directory, error.errno or 0) from error
    group = Group(hierarchy.version, directories)
    for controller, name, value, required in _settings(group.version, limits):
        if controller in directories:
            _write(f"{directories[controller]}/{name}", value, required=required)
    return group


def _enable_controllers(base: str, path: str, controllers: Iterable[str]) -> None:
    wanted = " ".join(f"+{controller}" for controller in controllers)
    place = base
    for part in path.split("/"):
        _write(f"{place}/cgroup.subtree_control", wanted, required=True)
        place = f"{place}/{part}"
        try:
            os.mkdir(place)
        except FileExistsError:
            pass
        except OSError as error:
            raise SandboxError("make cgroup", place, error.errno or 0) from error


def _settings(version: int, limits: Limits) -> list[tuple[str, str, str, bool]]:
    """(controller, file, value, whether the kernel must take it)"""
    quota = None if limits.cpus is None else max(1000, round(limits.cpus * _PERIOD))
    settings: list[tuple[str, str, str, bool]] = []
    if version == 2:
        if quota is not None:
            settings.append(("cpu", "cpu.max", f"{quota} {_PERIOD}", True))
        if limits.shares is not None:
            weight = 1 + (limits.shares - 2) * 9999 // 262142
            settings.append(("cpu", "cpu.weight", str(weight), True))
        if limits.memory is not None:
            settings.append(("memory", "memory.max", str(limits.memory), True))
            settings.append(("memory", "memory.swap.max", "0", False))
        return settings
    if quota is not None:
        settings.append(("cpu", "cpu.cfs_period_us", str(_PERIOD), True))
        settings.append(("cpu", "cpu.cfs_quota_us", str(quota), True))
    if limits.shares is not None:
        settings.append(("cpu", "cpu.shares", str(limits.shares), True))
    if limits.memory is not None:
        settings.append(("memory", "memory.limit_in_bytes", str(limits.memory), True))
        # Absent unless the kernel counts swap.
        settings.append(("memory", "memory.memsw.limit_in_bytes", str(limits.memory), False))
    return settings


def _write(path: str, value: str, *, required: bool) -> None:
    try:
        pseudo_files.write(path, value)
    except SandboxError:
        if required:
            raise


def out_of_memory_kills(group: Group) -> int:
    """How many processes of the group the kernel killed for want of memory."""
    directory = group.directories.get("memory")
    name = "memory.events" if group.version == 2 else "memory.oom_control"
    try:
        with open(f"{directory}/{name}", encoding="utf-8") as file:
            for line in file:
                key, _, value = line.partition(" ")
                if key == "oom_kill":
                    return int(value)
    except (OSError, ValueError):
        pass
    return 0


def remove(directories: Iterable[str]) -> None:
    """Kill whatever is in these groups and beneath, and remove them. Idempotent."""
    for directory in directories:
        deadline = time.monotonic() + _REMOVAL_SECONDS
        while not _removed(directory):
            if time.monotonic() > deadline:
                raise SandboxError("remove cgroup", directory, errno.EBUSY)
            time.sleep(0.002)


def _removed(directory: str) -> bool:
    try:
        with os.scandir(directory) as entries:
            below = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENODEV):
            return True
        raise SandboxError("remove cgroup", directory, error.errno or 0) from error
    left = [path for path in below if not _removed(path)]
    if left:
        return False
    try:
        _kill_members(directory)
        os.rmdir(directory)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno == errno.EBUSY:
            return False
        raise SandboxError("remove cgroup", directory, error.errno or 0) from error
    return True


def _kill_members(directory: str) -> None:
    with open(f"{directory}/cgroup.procs", encoding="utf-8") as file:
        members = [int(line) for line in file]
    for pid in members:
        if pid:  # 0 is a process of a PID namespace that isn't seen from here
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
