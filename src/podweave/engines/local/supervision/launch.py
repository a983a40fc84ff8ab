"""What a supervisor does before the Pod's life: takes the order, the lock, sets the Pod up."""

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

from podweave.engines.engine import PodOrder
from podweave.engines.errors import EngineError
from podweave.engines.helpers_archive import helpers_archive
from podweave.engines.local.client.order_messages import receive_order
from podweave.engines.local.lifecycle.backoff import BackoffTimes
from podweave.engines.local.records import (
    PodLock,
    PodRecord,
    cache_directory,
    pod_directory,
    read_record,
    write_record,
)
from podweave.engines.local.setup.operations import Operation
from podweave.engines.local.setup.pod_sandbox import PodSandbox, clean
from podweave.engines.local.setup.settings import Settings
from podweave.engines.local.supervision.control import Client
from podweave.engines.local.supervision.publishing import Publications, check_free
from podweave.engines.local.supervision.supervisor import Supervisor
from podweave.engines.publication import Publication, publications_of
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


def launch_of(order: PodOrder, state: str) -> Launch:
    pod = order.pod
    namespace, name = pod.metadata.namespace or "default", pod.metadata.name or ""
    publications = publications_of(pod, [Publication(*each) for each in order.publish])
    archive = None
    if order.helpers or publications:
        archive = helpers_archive(cache_directory())
    settings = Settings(
        state=state,
        namespace=namespace,
        config_maps=order.config_maps,
        secrets=order.secrets,
        helpers=frozenset(order.helpers),
        archive=archive,
        images=order.images,
    )
    times = BackoffTimes() if order.backoff is None else BackoffTimes(*order.backoff)
    directory = pod_directory(state, namespace, name)
    return Launch(pod, settings, directory, _record(order), publications, times)


def serve(report: socket.socket) -> int:
    """Wait for an order, keep its Pod to its end. Nothing comes: nothing is done."""
    order = receive_order(report)
    if order is None:
        return 0
    try:
        plan = launch_of(order.order, order.state)
    except (EngineError, OSError) as error:
        _tell_error(report, error)
        return 1
    return supervise(plan, report)


def supervise(plan: Launch, report: socket.socket) -> int:
    """Set the Pod up and keep it to its end.

    What goes through `report` are lines of JSON: `{"error": …}`, the set-up failed and nothing is
    left; else Pod objects as for `watch`.
    """
    gc.freeze()
    gc.enable()
    processes.name("podweave")
    processes.reset_handlers()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    processes.restore_mask()
    try:
        sandbox, publications = _set_up(plan)
    except Exception as error:
        _tell_error(report, error)
        return 1
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
    plan.record.notices = [*_image_notices(plan), *sandbox.notices]
    return sandbox, Publications(
        plan.publications, plan.directory, plan.settings.archive, sandbox.ip
    )


def _image_notices(plan: Launch) -> list[str]:
    """That images are not what runs, for those of the application that nothing stands in for."""
    spec = plan.pod.spec
    images = {
        each.image
        for each in [*(spec.init_containers or ()), *spec.containers]
        if each.image
        and each.name not in plan.record.helpers
        and each.image not in plan.settings.images
    }
    if not images:
        return []
    names = ", ".join(sorted(images))
    return [
        f"images are not pulled: {names} runs on this machine's files (--image {names}=DIR lays "
        "others over them)"
        if len(images) == 1
        else f"images are not pulled: {names} run on this machine's files (--image IMAGE=DIR lays "
        "others over them)"
    ]


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


def _tell_error(report: socket.socket, error: Exception) -> None:
    text = str(error)
    if isinstance(error, OSError) and error.filename and not isinstance(error, SandboxError):
        text = f"{error.filename}: {error.strerror}"
    elif not isinstance(error, EngineError | SandboxError):
        text = f"{type(error).__name__}: {text}"
    answer: dict[str, Any] = {
        "error": text,
        "kind": "exists" if isinstance(error, AlreadyExistsError) else "set-up",
        "container": getattr(error, "container", None),
    }
    with contextlib.suppress(OSError):
        report.sendall(json.dumps(answer).encode() + b"\n")


def _record(order: PodOrder) -> PodRecord:
    pod = order.pod
    spec = pod.spec
    inits = spec.init_containers or []
    claims = [
        volume.persistent_volume_claim.claim_name
        for volume in spec.volumes or ()
        if volume.persistent_volume_claim is not None
    ]
    grace = spec.termination_grace_period_seconds
    return PodRecord(
        name=pod.metadata.name or "",
        namespace=pod.metadata.namespace or "default",
        uid=pod.metadata.uid or "",
        owners=order.owners,
        labels=pod.metadata.labels or {},
        annotations=pod.metadata.annotations or {},
        helpers=order.helpers,
        containers=[each.name for each in [*inits, *spec.containers]],
        inits=[each.name for each in inits if each.restart_policy != "Always"],
        claims=claims,
        files=order.files,
        grace=30.0 if grace is None else float(grace),
    )
