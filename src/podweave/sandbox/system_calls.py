"""The Linux system calls that Python 3.11's `os` doesn't have, by ctypes.

Every failure is a SandboxError with the operation, the path it was about and errno.
"""

from __future__ import annotations

import ctypes
import os
import platform
from typing import Any, Final

# pivot_root and openat2 have no glibc wrapper; new calls have one number everywhere.
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}.get(platform.machine(), 217)
_OPENAT2 = 437
_MOUNT_SETATTR = 442

AT_FDCWD = -100
AT_RECURSIVE = 0x8000

MOUNT_ATTR_RDONLY = 0x01

RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_BENEATH = 0x08
RESOLVE_IN_ROOT = 0x10

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_NAME = 15
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38


class SandboxError(OSError):
    """A system call failed: `operation` on `path` with `errno`."""

    def __init__(self, operation: str, path: str, errno: int, hint: str = "") -> None:
        super().__init__(errno, os.strerror(errno), path or None)
        self.operation: Final = operation
        self.path: Final = path
        self.hint: Final = hint

    def __str__(self) -> str:
        where = f" {self.path}" if self.path else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.operation}{where}: {self.strerror}{hint}"


_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _check(result: int, operation: str, path: str = "") -> int:
    if result == -1:
        raise SandboxError(operation, path, ctypes.get_errno())
    return result


def unshare(flags: int) -> None:
    _check(_libc.unshare(ctypes.c_int(flags)), f"unshare {flags:#x}")


def setns(descriptor: int, kinds: int = 0) -> None:
    _check(
        _libc.setns(ctypes.c_int(descriptor), ctypes.c_int(kinds)),
        f"enter namespace {kinds:#x}",
    )


def mount(source: str, target: str, filesystem: str | None, flags: int, data: str = "") -> None:
    _check(
        _libc.mount(
            os.fsencode(source),
            os.fsencode(target),
            None if filesystem is None else filesystem.encode(),
            ctypes.c_ulong(flags),
            os.fsencode(data) if data else None,
        ),
        f"mount {filesystem or source} on",
        target,
    )


def umount(target: str, flags: int = 0) -> None:
    _check(_libc.umount2(os.fsencode(target), ctypes.c_int(flags)), "unmount", target)


def pivot_root(new_root: str, put_old: str) -> None:
    _check(
        _libc.syscall(
            ctypes.c_long(_PIVOT_ROOT),
            ctypes.c_char_p(os.fsencode(new_root)),
            ctypes.c_char_p(os.fsencode(put_old)),
        ),
        "pivot root to",
        new_root,
    )


class _MountAttributes(ctypes.Structure):
    _fields_ = (
        ("attr_set", ctypes.c_uint64),
        ("attr_clr", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns_fd", ctypes.c_uint64),
    )


def mount_setattr(path: str, attributes: int, *, recursive: bool = False) -> None:
    """Add attributes to a mount; unlike a remount it leaves the others as they are."""
    wanted = _MountAttributes(attr_set=attributes)
    _check(
        _libc.syscall(
            ctypes.c_long(_MOUNT_SETATTR),
            ctypes.c_int(AT_FDCWD),
            ctypes.c_char_p(os.fsencode(path)),
            ctypes.c_uint(AT_RECURSIVE if recursive else 0),
            ctypes.byref(wanted),
            ctypes.c_size_t(ctypes.sizeof(wanted)),
        ),
        f"set mount attributes {attributes:#x} of",
        path,
    )


class _OpenHow(ctypes.Structure):
    _fields_ = (
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    )


def openat2(directory: int, path: str, flags: int, resolve: int, mode: int = 0) -> int:
    """Open `path` beneath `directory`, resolving it only as `resolve` allows."""
    how = _OpenHow(flags | os.O_CLOEXEC, mode, resolve)
    return _check(
        int(
            _libc.syscall(
                ctypes.c_long(_OPENAT2),
                ctypes.c_int(directory),
                ctypes.c_char_p(os.fsencode(path)),
                ctypes.byref(how),
                ctypes.c_size_t(ctypes.sizeof(how)),
            )
        ),
        "open",
        path,
    )


def prctl(option: int, argument: Any = 0) -> int:
    return _check(
        _libc.prctl(
            ctypes.c_int(option),
            argument if isinstance(argument, bytes) else ctypes.c_ulong(argument),
            ctypes.c_ulong(0),
            ctypes.c_ulong(0),
            ctypes.c_ulong(0),
        ),
        f"prctl {option}",
    )


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityData(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


_CAPABILITY_VERSION_3 = 0x20080522


def capset(effective: int, permitted: int, inheritable: int) -> None:
    """Set this process's capability sets, given as bit masks."""
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    low, high = 0xFFFFFFFF, 32
    data = (_CapabilityData * 2)(
        _CapabilityData(effective & low, permitted & low, inheritable & low),
        _CapabilityData(effective >> high, permitted >> high, inheritable >> high),
    )
    _check(_libc.capset(ctypes.byref(header), ctypes.byref(data)), "capset")


def capget() -> tuple[int, int, int]:
    """This process's (effective, permitted, inheritable) sets."""
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    data = (_CapabilityData * 2)()
    _check(_libc.capget(ctypes.byref(header), ctypes.byref(data)), "capget")
    return (
        data[0].effective | data[1].effective << 32,
        data[0].permitted | data[1].permitted << 32,
        data[0].inheritable | data[1].inheritable << 32,
    )
