"""What a Pod has on disk: its directory, its lock, its record.

The lock tells whether the supervisor lives: it holds it from before the first operation of the
set-up to its end, however that comes. It is a POSIX record lock because those are not inherited
by fork: no container can hold it, and the kernel tells the pid of the holder.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import struct
from typing import Any, Final

import msgspec

from podweave.model.errors import InputError

RECORD_VERSION: Final = 1
_FLOCK: Final = struct.Struct("hhqqi4x")
"""struct flock on 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid."""


class PodRecord(msgspec.Struct, rename="camel", omit_defaults=True):
    """record.json: what is known of a Pod when nobody can be asked."""

    name: str
    namespace: str
    uid: str
    owners: list[dict[str, str]] = []
    """The object tree above the Pod, from the top: `{"kind": "Deployment", "name": "web"}`."""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    helpers: dict[str, str] = {}
    """Names of the helper containers, and their kinds."""
    containers: list[str] = []
    """All containers in the order of the manifest, init containers first."""
    inits: list[str] = []
    """Those of them that are ordinary init containers."""
    busy: list[str] = []
    """Containers without a probe that run but have not come to rest since their start, and
    publications that don't listen yet."""
    ports: list[str] = []
    """What is published: `0.0.0.0:8080->80/tcp`."""
    claims: list[str] = []
    """Names of the PersistentVolumeClaims it mounts; they outlive it."""
    grace: float = 30.0
    """terminationGracePeriodSeconds."""
    files: list[str] = []
    """The manifests it was made of, absolute."""
    notices: list[str] = []
    events: list[dict[str, Any]] = []
    status: dict[str, Any] = {}
    finished: bool = False
    """Ended in an orderly way; without it and without a supervisor the Pod was lost."""
    version: int = RECORD_VERSION


def state_directory() -> str:
    """$PODWEAVE_STATE; else root's /var/lib/podweave or the user's ~/.local/state/podweave."""
    return _directory("PODWEAVE_STATE", "/var/lib/podweave", "XDG_STATE_HOME", "~/.local/state")


def cache_directory() -> str:
    """Where the helpers' archive is kept: not among the state, which ends with the Pods."""
    return _directory("PODWEAVE_CACHE", "/var/cache/podweave", "XDG_CACHE_HOME", "~/.cache")


def _directory(chosen: str, of_root: str, base: str, of_user: str) -> str:
    """By our variable, for root, or by the XDG base directory specification."""
    if own := os.environ.get(chosen):
        return os.path.abspath(own)
    if os.geteuid() == 0:
        return of_root
    home = os.environ.get(base, "")
    if not os.path.isabs(home):  # so the specification: it would be another from everywhere
        home = os.path.abspath(os.path.expanduser(of_user))
    return os.path.join(home, "podweave")


def pod_directory(state: str, namespace: str, name: str) -> str:
    return os.path.join(state, "pods", f"{namespace}_{name}")


def pod_directories(state: str) -> list[str]:
    """The directories of all Pods, sorted."""
    pods = os.path.join(state, "pods")
    try:
        names = sorted(os.listdir(pods))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(
            f"the state directory can't be read: {error.strerror}; PODWEAVE_STATE names another",
            file=state,
        ) from error
    return [os.path.join(pods, name) for name in names if re.fullmatch(r"[^_/]+_[^_/]+", name)]


def log_path(directory: str, container: str) -> str:
    return os.path.join(directory, "logs", f"{container}.log")


def write_record(directory: str, record: PodRecord) -> None:
    """Replace record.json, whole or not at all."""
    path = os.path.join(directory, "record.json")
    temporary = f"{path}.new"
    with open(temporary, "wb") as stream:
        stream.write(msgspec.json.encode(record))
    os.replace(temporary, path)


def read_record(directory: str) -> PodRecord | None:
    """The record; None when the Pod came to its end before there was one, or it can't be read."""
    try:
        with open(os.path.join(directory, "record.json"), "rb") as stream:
            return msgspec.json.decode(stream.read(), type=PodRecord)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return None


class PodLock:
    """The lock of a Pod's directory. Held by at most one process; ends with that process."""

    def __init__(self, fd: int, path: str) -> None:
        self._fd = fd
        self._path = path

    @classmethod
    def acquire(cls, directory: str, *, wait: bool = False) -> PodLock | None:
        """Take the lock, or return None while another process holds it and `wait` is false.

        Creates the directory, for the caller to fill or remove.
        """
        path = os.path.join(directory, "lock")
        while True:
            os.makedirs(directory, mode=0o700, exist_ok=True)
            try:
                fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except FileNotFoundError:
                continue  # removed in between by a `down`
            try:
                fcntl.lockf(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                os.close(fd)
                return None
            except BaseException:
                os.close(fd)
                raise
            with contextlib.suppress(FileNotFoundError):
                if os.fstat(fd).st_ino == os.stat(path).st_ino:
                    return cls(fd, path)
            os.close(fd)

    def release(self) -> None:
        os.close(self._fd)


def supervisor_of(directory: str) -> int | None:
    """The pid of the living supervisor, None when there is none. Takes no lock."""
    try:
        fd = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_GETLK, asked))
    finally:
        os.close(fd)
    return None if kind == fcntl.F_UNLCK else int(pid)
