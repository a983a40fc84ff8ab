"""A step of a set-up as data: planned first, printed by --dry-run, executed in order."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from podweave.sandbox import mounts, network, paths
from podweave.sandbox.system_calls import SandboxError


class Operation(Protocol):
    """One step. `describe` says in one line what `run` does."""

    def describe(self) -> str: ...

    def run(self) -> None: ...


Before = Callable[[Operation], None]
"""Called ahead of each step: progress, and where tests interrupt a set-up."""


def execute(operations: Sequence[Operation], before: Before | None = None) -> None:
    """Run the steps in order. The first that fails ends it with a SandboxError."""
    for operation in operations:
        if before is not None:
            before(operation)
        run(operation)


def run(operation: Operation) -> None:
    try:
        operation.run()
    except SandboxError:
        raise
    except OSError as error:
        path = os.fsdecode(error.filename) if error.filename else ""
        raise SandboxError(operation.describe(), path, error.errno or 0) from error


class MakeDirectory(msgspec.Struct, frozen=True):
    path: str
    mode: int = 0o755

    def describe(self) -> str:
        return f"make directory {self.path}"

    def run(self) -> None:
        os.makedirs(self.path, exist_ok=True)
        # Not by makedirs, which the umask of whoever called `up` would change.
        os.chmod(self.path, self.mode)


class WriteFile(msgspec.Struct, frozen=True):
    path: str
    data: bytes
    mode: int = 0o644

    def describe(self) -> str:
        return f"write {self.path}"

    def run(self) -> None:
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            os.write(descriptor, self.data)
            os.fchmod(descriptor, self.mode)
        finally:
            os.close(descriptor)


class MakePrivate(msgspec.Struct, frozen=True):
    def describe(self) -> str:
        return "keep the Pod's mounts to itself"

    def run(self) -> None:
        mounts.make_private()


class Tmpfs(msgspec.Struct, frozen=True):
    path: str
    mode: int = 0o755
    size: int | None = None
    flags: int = mounts.NOSUID | mounts.NODEV

    def describe(self) -> str:
        size = "" if self.size is None else f" of {self.size} bytes"
        return f"mount a tmpfs{size} on {self.path}"

    def run(self) -> None:
        os.makedirs(self.path, exist_ok=True)
        mounts.tmpfs(self.path, mode=self.mode, size=self.size, flags=self.flags)


class SetHostname(msgspec.Struct, frozen=True):
    name: str

    def describe(self) -> str:
        return f"set the hostname {self.name}"

    def run(self) -> None:
        network.set_hostname(self.name)


class LinkUp(msgspec.Struct, frozen=True):
    link: str

    def describe(self) -> str:
        return f"set up link {self.link}"

    def run(self) -> None:
        network.set_up(self.link)


class AddAddress(msgspec.Struct, frozen=True):
    link: str
    address: str
    prefix: int = 32

    def describe(self) -> str:
        return f"add address {self.address}/{self.prefix} to {self.link}"

    def run(self) -> None:
        network.add_address(self.link, self.address, self.prefix)


class WaitForLink(msgspec.Struct, frozen=True):
    """Until somebody else has set up a link of this namespace."""

    link: str
    seconds: float = 5.0

    def describe(self) -> str:
        return f"wait for link {self.link}"

    def run(self) -> None:
        deadline = time.monotonic() + self.seconds
        while not any(link == self.link for link, _, _ in network.routes()):
            if time.monotonic() > deadline:
                raise SandboxError("wait for link", self.link, errno.ETIMEDOUT)
            time.sleep(0.002)


class WriteSysctl(msgspec.Struct, frozen=True):
    name: str
    value: str

    def describe(self) -> str:
        return f"set {self.name} to {self.value}"

    def run(self) -> None:
        network.write_sysctl(self.name, self.value)


class BindInRoot(msgspec.Struct, frozen=True):
    """Mount `source` at `target` of the root that is being built; symlinks stay inside it."""

    root: str
    source: str
    target: str
    read_only: bool = False
    directory: bool = True
    sub_path: str = ""
    make_sub_path: bool = False

    def describe(self) -> str:
        what = self.source + (f" ({self.sub_path} in it)" if self.sub_path else "")
        return f"mount {what} at {self.target}" + (", read-only" if self.read_only else "")

    def run(self) -> None:
        source, opened = self.source, -1
        if self.sub_path:
            opened = self._open_sub_path()
            source = f"/proc/self/fd/{opened}"
        try:
            directory = os.path.isdir(source)
            target = paths.make_in_root(self.root, self.target, directory=directory)
            try:
                mounts.bind(source, f"/proc/self/fd/{target}")
            finally:
                os.close(target)
        finally:
            if opened >= 0:
                os.close(opened)
        if self.read_only:
            # Opened anew: the descriptor from before shows what lies beneath the mount.
            target = paths.open_in_root(self.root, self.target)
            try:
                mounts.make_read_only(f"/proc/self/fd/{target}", recursive=True)
            finally:
                os.close(target)

    def _open_sub_path(self) -> int:
        try:
            if self.make_sub_path:
                # As the kubelet: whoever may write to the volume may write to a part of it.
                return paths.make_in_root(
                    self.source,
                    self.sub_path,
                    directory=True,
                    beneath=True,
                    mode=os.stat(self.source).st_mode & 0o7777,
                )
            return paths.open_beneath(self.source, self.sub_path)
        except SandboxError as error:
            hint = "it leads out of its volume" if error.errno == 18 else ""
            raise SandboxError("open subPath", self.sub_path, error.errno or 0, hint) from error
