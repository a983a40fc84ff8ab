"""The status of a Pod as `kubectl get pod -o json` would show it, from its life."""

from __future__ import annotations

import time
from typing import Any

from podweave.engines.local.lifecycle.container import ContainerLife, State, Termination
from podweave.engines.local.lifecycle.pod import PodLife

Status = dict[str, Any]


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC, whole seconds, as metav1.Time."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def pod_status(life: PodLife, pod_ip: str | None) -> Status:
    status: Status = {"phase": life.phase, "conditions": _conditions(life)}
    if life.reason:
        status["reason"] = life.reason
        status["message"] = life.message
    if pod_ip:
        status["podIP"] = pod_ip
        status["podIPs"] = [{"ip": pod_ip}]
    if life.started_at is not None:
        status["startTime"] = timestamp(life.started_at)
    if life.inits:
        status["initContainerStatuses"] = [_container(each, life) for each in life.inits]
    status["containerStatuses"] = [_container(each, life) for each in life.mains]
    return status


def _conditions(life: PodLife) -> list[Status]:
    over = life.finished or life.phase in ("Succeeded", "Failed")
    completed = "PodCompleted" if over and life.phase == "Succeeded" else None
    unready = [each.name for each in life.mains if not each.ready]
    unready += [each.name for each in life.inits if each.role == "sidecar" and not each.ready]
    why = completed or ("PodFailed" if over else "ContainersNotReady")
    text = None if over else f"containers with unready status: [{' '.join(unready)}]"
    waiting = [each.name for each in life.inits if not each.passed]
    ready = life.ready and not over
    return [
        _condition("PodScheduled", True),
        _condition("PodReadyToStartContainers", life.started_at is not None and not over),
        _condition(
            "Initialized",
            life.initialized,
            completed if life.initialized else "ContainersNotInitialized",
            None if life.initialized else f"containers with incomplete status: {waiting}",
        ),
        _condition("ContainersReady", ready, None if ready else why, None if ready else text),
        _condition("Ready", ready, None if ready else why, None if ready else text),
    ]


def _condition(
    kind: str, true: bool, reason: str | None = None, message: str | None = None
) -> Status:
    condition: Status = {"type": kind, "status": "True" if true else "False"}
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def _container(life: ContainerLife, pod: PodLife) -> Status:
    state, last = _state(life, pod)
    return {
        "name": life.name,
        "image": life.container.image or "",
        "ready": life.ready,
        "started": life.started,
        "restartCount": max(0, life.runs - 1),
        "state": state,
        "lastState": {} if last is None else {"terminated": _terminated(last)},
    }


def _state(life: ContainerLife, pod: PodLife) -> tuple[Status, Termination | None]:
    """The state, and the end of an earlier run."""
    error = life.creation_error
    if error is not None and not life.alive:
        return {"waiting": {"reason": error.reason, "message": error.message}}, life.ended
    if life.state is State.WAITING or (life.state is State.DONE and life.ended is None):
        reason = "PodInitializing" if pod.inits else "ContainerCreating"
        return {"waiting": {"reason": reason}}, None
    if life.state is State.BACKOFF:
        text = f"back-off {life.backoff_delay:g}s restarting failed container={life.name}"
        return {"waiting": {"reason": "CrashLoopBackOff", "message": text}}, life.ended
    if life.alive and life.started_at is not None:
        return {"running": {"startedAt": timestamp(life.started_at)}}, life.ended
    if life.alive:
        return {"waiting": {"reason": "ContainerCreating"}}, life.ended
    assert life.ended is not None
    return {"terminated": _terminated(life.ended)}, life.ended_before


def _terminated(end: Termination) -> Status:
    state: Status = {
        "exitCode": end.exit_code,
        "reason": end.reason,
        "startedAt": timestamp(end.finished_at if end.started_at is None else end.started_at),
        "finishedAt": timestamp(end.finished_at),
    }
    if end.signal is not None:
        state["signal"] = end.signal
    if end.message:
        state["message"] = end.message
    return state
