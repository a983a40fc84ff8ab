"""Processes: forks that never come back, parents that outlive their grandchildren."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterable

from podweave.sandbox.system_calls import (
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_NAME,
    PR_SET_PDEATHSIG,
    SandboxError,
    prctl,
)

ALL_SIGNALS = frozenset(signal.valid_signals())


def fork(child: Callable[[], int | None]) -> int:
    """Fork; run `child` in the new process and end it with its result. Returns the pid.

    The child never returns into its parent's stack: no `finally`, no atexit, no buffered output
    of the parent's runs twice. Signals: see `restore_signals`.
    """
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        # The cycle collector would touch, and so copy, every page shared with the parent.
        gc.disable()
        status = child() or 0
    except BaseException as error:
        os.write(2, f"podweave: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(status)
    raise AssertionError


def block_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, ALL_SIGNALS)


def restore_signals() -> None:
    """Default handlers, nothing blocked: what an executed program expects to inherit."""
    signal.set_wakeup_fd(-1)
    for number in ALL_SIGNALS - {signal.SIGKILL, signal.SIGSTOP}:
        # SIG_IGN survives an exec; Python's own SIGPIPE and SIGXFSZ would.
        signal.signal(number, signal.SIG_DFL)
    restore_mask()


def restore_mask() -> None:
    """Nothing blocked."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def reset_handlers() -> None:
    """Default handlers, the mask as it is: a forked helper must not run its parent's handlers."""
    signal.set_wakeup_fd(-1)
    for number in ALL_SIGNALS - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)


def close_all_but(keep: Iterable[int]) -> None:
    """Close every descriptor that isn't in `keep`."""
    start = 0
    for descriptor in sorted(set(keep)):
        if start < descriptor:  # CPython takes an empty range that begins at 0 for everything
            os.closerange(start, descriptor)
        start = descriptor + 1
    os.closerange(start, 1 << 20)


def ignore_terminal() -> None:
    """Only SIGKILL ends this process: what is typed at a terminal isn't meant for it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)


def forbid_imports() -> None:
    """Inside another root a module not loaded yet would come from that root's files."""
    sys.path.clear()
    sys.meta_path.clear()


def become_subreaper() -> None:
    """Orphans among this process's descendants become its children."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """SIGKILL to this process when its parent ends. A change of user forgets it."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def hide_memory(hidden: bool = True) -> None:
    """No ptrace, no /proc/PID/mem or environ of this process for others of the same user."""
    prctl(PR_SET_DUMPABLE, 0 if hidden else 1)


def name(text: str) -> None:
    """What `ps -o comm` calls this process (15 bytes)."""
    prctl(PR_SET_NAME, text.encode()[:15] + b"\0")


def descendants(pid: int) -> list[int]:
    """Every living descendant of `pid` in this process's PID namespace."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            parent = parent_of(int(entry))
            if parent is not None:
                children.setdefault(parent, []).append(int(entry))
    found: list[int] = []
    rest = [pid]
    while rest:
        below = children.get(rest.pop(), [])
        found += below
        rest += below
    return found


def reap(pid: int) -> None:
    """Wait for the end of a child; nothing happens when it was reaped already."""
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        pass


def has_ended(pid: int) -> bool:
    """Whether a child has ended; it is reaped then."""
    try:
        return os.waitpid(pid, os.WNOHANG)[0] == pid
    except ChildProcessError:
        return True


def parent_of(pid: int) -> int | None:
    """The parent of a process that isn't a zombie; None where there is no such."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == b"Z" else int(fields[1])


def fork_orphan(prepare: Callable[[], None], child: Callable[[], int | None]) -> int:
    """Run `prepare` in a child, and `child` in a child of that, which becomes a child of the
    calling process: it has to be a subreaper. Returns its pid as seen from here.

    So `prepare` may enter a PID namespace, which takes effect only for children, without a
    process left over in between. A SandboxError of `prepare` is raised here.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)

    def between() -> int:
        os.close(reader)
        try:
            prepare()
        except SandboxError as error:
            os.write(writer, b"!" + encode_error(error))
            return 1
        os.write(writer, b"%d" % fork(child))
        return 0

    try:
        middle = fork(between)
    finally:
        os.close(writer)
    try:
        # One write, shorter than PIPE_BUF; EOF would come only when the grandchild ends, too.
        answer = os.read(reader, 4096)
    finally:
        os.close(reader)
        os.waitpid(middle, 0)
    if answer.startswith(b"!"):
        raise decode_error(answer[1:])
    if not answer:
        raise SandboxError("start a process", "", 11)
    return int(answer)


def encode_error(error: SandboxError) -> bytes:
    parts = (error.operation, error.path, str(error.errno), error.hint)
    return b"\0".join(os.fsencode(part) for part in parts)


def decode_error(data: bytes) -> SandboxError:
    operation, path, number, hint = (os.fsdecode(part) for part in data.split(b"\0"))
    return SandboxError(operation, path, int(number), hint)
