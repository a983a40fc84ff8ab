"""Starts a Pod's supervisor, and what it does before and after the Pod's life.

The supervisor is forked, not executed: the manifests are read and the modules loaded already,
and a fork is a part of what a new interpreter takes. It is a grandchild in a session of its own,
so that neither the terminal nor the command that started it has a hold on it.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
from collections.abc import Callable
from typing import Any, Final

import msgspec

from podweave.engines.errors import EngineError
from podweave.engines.local.control import Client
from podweave.engines.local.lifecycle.backoff import BackoffTimes
from podweave.engines.local.operations import Operation
from podweave.engines.local.pod_sandbox import PodSandbox, Settings, clean
from podweave.engines.local.publishing import Publication, Publications, check_free
from podweave.engines.local.records import PodLock, PodRecord, read_record, write_record
from podweave.engines.local.supervisor import Supervisor
from podweave.model.pods import Pod
from podweave.sandbox import processes
from podweave.sandbox.system_calls import SandboxError

KEEP: Final = frozenset({"lock"})


class Launch(msgspec.Struct):
    """All a supervisor needs."""

    pod: Pod
    settings: Settings
    directory: str
    record: PodRecord
    publications: list[Publication]
    backoff: BackoffTimes
    before: Callable[[Operation], None] | None = None
    """Called ahead of each operation of the set-up."""


class AlreadyExistsError(EngineError):
    """There is a Pod of that name."""


def launch(plan: Launch) -> socket.socket:
    """Fork the supervisor. What comes through the returned socket are lines of JSON:
    `{"error": …}`, the set-up failed and nothing is left; else Pod objects as for `watch`."""
    ours, theirs = socket.socketpair()
    middle = processes.fork(lambda: _detach(plan, theirs))
    theirs.close()
    os.waitpid(middle, 0)
    return ours


def _detach(plan: Launch, report: socket.socket) -> int:
    os.setsid()
    processes.fork(lambda: _supervise(plan, report))
    return 0


def _supervise(plan: Launch, report: socket.socket) -> int:
    gc.freeze()
    processes.name("podweave")
    processes.reset_handlers()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    processes.restore_mask()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    processes.close_all_but({0, 1, 2, report.fileno()})
    os.chdir("/")
    os.umask(0o022)
    try:
        sandbox, publications = _set_up(plan)
    except (EngineError, SandboxError) as error:
        kind = "exists" if isinstance(error, AlreadyExistsError) else "set-up"
        container = getattr(error, "container", None)
        _tell(report, {"error": str(error), "kind": kind, "container": container})
        return 1
    except Exception as error:
        _tell(report, {"error": f"{type(error).__name__}: {error}", "kind": "fault"})
        raise
    supervisor = Supervisor(
        plan.pod, sandbox, plan.directory, plan.record, publications, plan.backoff
    )
    try:
        supervisor.run(lambda loop: Client(loop, report, None))
    except BaseException as error:
        supervisor.abandon(error)
        return 1
    return 0


def _set_up(plan: Launch) -> tuple[PodSandbox, Publications]:
    lock = PodLock.acquire(plan.directory)
    if lock is None:
        raise AlreadyExistsError(f"Pod {plan.record.name} is up already")
    former = read_record(plan.directory)
    if former is not None and former.finished:
        lock.release()
        phase = former.status.get("phase", "Finished")
        raise AlreadyExistsError(f"Pod {plan.record.name} is there already ({phase})")
    try:
        empty(plan.directory)
        check_free(plan.publications)
        write_record(plan.directory, plan.record)
        processes.become_subreaper()
        sandbox = PodSandbox.create(plan.pod, plan.settings, plan.directory, before=plan.before)
    except BaseException:
        remove(plan.directory, lock)
        raise
    plan.record.notices = list(sandbox.notices)
    return sandbox, Publications(
        plan.publications, plan.directory, plan.settings.archive, sandbox.ip
    )


def empty(directory: str) -> None:
    """Remove all that an earlier Pod left in the directory but its lock, which we hold."""
    clean(directory)
    for entry in os.scandir(directory):
        if entry.name not in KEEP:
            _remove(entry)


def remove(directory: str, lock: PodLock) -> None:
    """Remove the directory and all that belongs to it; the lock ends with it."""
    empty(directory)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(directory, "lock"))
    with contextlib.suppress(OSError):
        # Another `up` may have begun to fill it again: its own business from here on.
        os.rmdir(directory)
    lock.release()


def _remove(entry: os.DirEntry[str]) -> None:
    if not entry.is_dir(follow_symlinks=False):
        os.unlink(entry.path)
        return
    import shutil

    shutil.rmtree(entry.path)


def _tell(report: socket.socket, answer: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        report.sendall(json.dumps(answer).encode() + b"\n")
