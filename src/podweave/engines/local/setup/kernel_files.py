"""What a container sees of the kernel: /dev, /proc and /sys of its own."""

from __future__ import annotations

import os
import stat

import msgspec

from podweave.sandbox import mounts
from podweave.sandbox.system_calls import SandboxError

_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
)


class OwnDevices(msgspec.Struct, frozen=True):
    """/dev with what every program may use; shared memory is the Pod's."""

    root: str
    shared_memory: str
    in_user_namespace: bool
    all_devices: bool = False

    def describe(self) -> str:
        return "mount all devices on /dev" if self.all_devices else "mount an own /dev"

    def run(self) -> None:
        dev = self.root + "/dev"
        os.makedirs(dev, exist_ok=True)
        mounts.tmpfs(dev, mode=0o755, flags=mounts.NOSUID | mounts.NOEXEC)
        for name in self._devices():
            os.close(os.open(f"{dev}/{name}", os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o666))
            mounts.bind(f"/dev/{name}", f"{dev}/{name}")
        for name, link in _LINKS:
            os.symlink(link, f"{dev}/{name}")
        for name in ("pts", "shm", "mqueue"):
            os.mkdir(f"{dev}/{name}")
        # 5 is the group tty wherever there is one.
        mounts.devpts(f"{dev}/pts", group=None if self.in_user_namespace else 5)
        mounts.bind(self.shared_memory, f"{dev}/shm")
        try:
            mounts.message_queues(f"{dev}/mqueue")
        except SandboxError:
            pass  # a kernel without POSIX message queues, or the machine's IPC as a user

    def _devices(self) -> list[str]:
        if not self.all_devices:
            return list(_DEVICES)
        with os.scandir("/dev") as entries:
            return [
                entry.name
                for entry in entries
                if entry.name != "ptmx"
                and stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)
                in (stat.S_IFCHR, stat.S_IFBLK)
            ]


_MASKED = (
    "/proc/acpi",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
)
_READ_ONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")


class OwnProc(msgspec.Struct, frozen=True):
    """/proc of the container's PID namespace, without what would tell of or reach the machine."""

    root: str
    in_user_namespace: bool
    privileged: bool = False

    def describe(self) -> str:
        return "mount an own /proc"

    def run(self) -> None:
        target = self.root + "/proc"
        os.makedirs(target, exist_ok=True)
        mounts.proc(target)
        if self.in_user_namespace or self.privileged:
            return  # there the kernel itself refuses, or it is wanted
        for path in _MASKED:
            if os.path.isdir(self.root + path):
                mounts.tmpfs(self.root + path, mode=0o555, flags=mounts.RDONLY)
            elif os.path.exists(self.root + path):
                mounts.bind("/dev/null", self.root + path)
        for path in _READ_ONLY:
            if os.path.exists(self.root + path):
                mounts.bind(self.root + path, self.root + path, read_only=True)


class MachineProc(msgspec.Struct, frozen=True):
    """/proc of a container that shares the machine's PID namespace."""

    root: str

    def describe(self) -> str:
        return "mount the machine's /proc"

    def run(self) -> None:
        os.makedirs(self.root + "/proc", exist_ok=True)
        mounts.bind("/proc", self.root + "/proc")


class OwnSys(msgspec.Struct, frozen=True):
    """/sys of the Pod's network namespace, read-only."""

    root: str
    writable: bool = False

    def describe(self) -> str:
        return "mount an own /sys" + ("" if self.writable else ", read-only")

    def run(self) -> None:
        target = self.root + "/sys"
        os.makedirs(target, exist_ok=True)
        try:
            mounts.sysfs(target, read_only=not self.writable)
        except SandboxError:
            # The machine's network namespace as a user: only its own /sys is left to show.
            mounts.bind("/sys", target, read_only=True)
