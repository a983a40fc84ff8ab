"""A state directory on a volume that outlives the Pod: whose it is, and since when.

    DIRECTORY/
        lock        locked (flock) by the program that uses the directory; its text says who that is
        identity    what the ids of records are made from in place of the Pod's uid

One Pod at a time uses it. Another one that finds it in use waits: after a rolling update the next
Pod comes before the last one has gone, and of Pods that share files one reads them for all. Kernel
and file server let go of the lock with its holder, however that ends.

Where the directory can't be used at all (no right, a read-only file system, no locks there), that
is said and the program goes on without: lines twice are better than none.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os

from podweave.helpers.logs.refusals import why

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from podweave.helpers.journal import Journal
    from podweave.helpers.loop import Loop, Timer

TRY_EVERY = 0.5
"""Seconds between two looks at whether the one that uses it has gone."""

_DIRECTORY_MODE = 0o2770
_FILE_MODE = 0o660
"""The next Pod may run as another user of the same group (fsGroup)."""
_SIZE_LIMIT = 4096


class LastingState:
    """The directory of one helper of a workload. `identity`: once it is taken; empty where
    nothing could be kept."""

    def __init__(self, directory: str, environ: Mapping[str, str], journal: Journal) -> None:
        self.directory = directory
        self.identity = ""
        self.held_by = ""
        """The Pod that uses it, while that is another one."""
        self._about = {
            field: environ.get(name, "")
            for field, name in (("pod", "POD_NAME"), ("node", "NODE_NAME"), ("uid", "POD_UID"))
        }
        self._journal = journal
        self._lock = -1
        self._waiting: Timer | None = None

    def begin_with(self, loop: Loop, begin: Callable[[], object]) -> None:
        """Call `begin` when it is this Pod's: now, or later from the loop. Asked again, it looks
        at once."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if self.take():
            begin()
        else:
            self._waiting = loop.call_later(TRY_EVERY, lambda: self.begin_with(loop, begin))

    def take(self) -> bool:
        """False, which is said once, while another Pod uses it."""
        try:
            _make(self.directory)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            descriptor = os.open(self._path("lock"), flags, _FILE_MODE)
        except OSError as error:
            self._unusable(error)
            self.identity = self._read("identity").strip()
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno == errno.EWOULDBLOCK:
                os.close(descriptor)
                self._wait()
                return False
            self._unusable(error)
        self._lock = descriptor
        try:
            os.fchmod(descriptor, _FILE_MODE)
        except OSError:
            pass  # made by another user, who has done so
        self._sign()
        self.identity = self._read("identity").strip() or self._new_identity()
        if self.held_by:
            self._journal.info("state.taken_over", path=self.directory, from_pod=self.held_by)
            self.held_by = ""
        return True

    def close(self) -> None:
        """Let the next Pod have it."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _wait(self) -> None:
        holder = _holder(self._read("lock"))
        if holder == self.held_by:
            return
        self.held_by = holder
        self._journal.warning(
            "state.in_use",
            path=self.directory,
            held_by=holder,
            message=f"{holder} uses this state and reads the files: this Pod waits until that one "
            "ends, and then goes on where it was",
        )

    def _sign(self) -> None:
        """Say in the lock who has it."""
        try:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, json.dumps(self._about).encode(), 0)
        except OSError:
            pass  # a full disk; who waits is told less

    def _new_identity(self) -> str:
        """Random: two clusters may have workloads of the same name, and copies of a volume."""
        made = os.urandom(10).hex()
        path = self._path("identity")
        try:
            descriptor = os.open(
                path + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _FILE_MODE
            )
            try:
                os.write(descriptor, made.encode())
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.rename(path + ".new", path)
        except OSError as error:
            self._unusable(error)
            return ""
        return made

    def _read(self, name: str) -> str:
        try:
            with open(self._path(name), "rb") as file:
                return file.read(_SIZE_LIMIT).decode("utf-8", "replace")
        except OSError:
            return ""

    def _unusable(self, error: OSError) -> None:
        self._journal.error(
            "state.unusable",
            path=error.filename or self.directory,
            error=errno.errorcode.get(error.errno or 0, "?"),
            message=f"{why(error)}: what is reached may not outlive this Pod, and nothing keeps "
            "another one from reading the same files",
        )

    def _path(self, name: str) -> str:
        return os.path.join(self.directory, name)


def of_pod(path: str, environ: Mapping[str, str] | None) -> str:
    """A path with the Pod's own names in the places of `{namespace}` and `{pod}`; as it is where
    nothing is known of a Pod."""
    if environ is None:
        return path
    namespace = environ.get("POD_NAMESPACE") or "default"
    pod = environ.get("POD_NAME") or os.uname().nodename
    return path.replace("{namespace}", namespace).replace("{pod}", pod)


def _make(directory: str) -> None:
    """The directory and those above it, for the group of the volume as well: the next Pod may run
    as another user of it."""
    if os.path.isdir(directory):
        return
    _make(os.path.dirname(directory))
    try:
        os.mkdir(directory)
    except FileExistsError:
        return  # another Pod was faster
    os.chmod(directory, _DIRECTORY_MODE)


def _holder(text: str) -> str:
    """Who has the lock, in words."""
    try:
        about = json.loads(text)
        pod, node = str(about["pod"]), str(about["node"])
    except (ValueError, TypeError, KeyError):
        return "another Pod"
    return f"the Pod {pod} on {node}" if node else f"the Pod {pod}"
