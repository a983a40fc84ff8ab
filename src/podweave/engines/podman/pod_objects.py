"""What Podman says of a Pod's containers, as the Kubernetes object that commands show. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final

from podweave.engines.engine import PodObject
from podweave.engines.podman.adaptation import PodRecord, podman_name

NOT_YET: Final = frozenset({"created", "configured", "initialized"})
ENDED: Final = frozenset({"exited", "stopped", "dead", "removing"})
SETTLED: Final = 5.0
"""Seconds for which a container that was restarted has to run until it counts as ready: Podman
restarts at once, so one that fails again and again is seen running most of the time."""


def container_name(record: PodRecord, container: str) -> str:
    """What Podman calls a container of the Pod."""
    return f"{podman_name(record.namespace, record.name)}-{container}"


def pod_object(
    record: PodRecord,
    labels: dict[str, str],
    inspected: list[dict[str, Any]],
    *,
    pending: Collection[str] = (),
    now: float,
) -> PodObject:
    """`pending` are the containers whose probes haven't been passed."""
    found = {each["Name"]: each for each in inspected}
    infra = next((each for each in inspected if each.get("IsInfra")), None)
    looks = [_Look(record, name, found, name in pending, now) for name in record.containers]
    mains = [look for look in looks if look.name not in record.inits]
    begun = any(look.status not in NOT_YET for look in mains)
    for look in looks:
        look.over = begun
    ended = all(look.status in ENDED for look in mains)
    finished = ended and (infra is None or infra["State"]["Status"] in ENDED | NOT_YET)
    statuses = {look.name: look.container_status() for look in looks}
    phase = "Running" if begun else "Pending"
    if finished:
        failed = record.restart_policy == "Always" or any(look.exit_code for look in mains)
        phase = "Failed" if failed else "Succeeded"
    ready = not finished and all(statuses[look.name]["ready"] for look in mains)
    address = _address(infra)
    status: dict[str, Any] = {
        "phase": phase,
        "podIP": address,
        "conditions": [{"type": "Ready", "status": str(ready)}],
        "containerStatuses": [statuses[look.name] for look in mains],
    }
    if finished and record.restart_policy == "Always":
        status["reason"] = "Stopped"
        status["message"] = "somebody has stopped it, or the machine was started anew"
    started = [look.started_at for look in looks if look.started_at]
    if started:
        status["startTime"] = min(started)
    if record.inits:
        status["initContainerStatuses"] = [statuses[name] for name in record.inits]
    metadata: dict[str, Any] = {
        "name": record.name,
        "namespace": record.namespace,
        "uid": record.uid,
        "labels": labels,
        "annotations": record.annotations,
    }
    if record.owners:
        metadata["ownerReferences"] = [{**record.owners[-1], "controller": True}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "status": status,
        "podweave": {
            "state": "finished" if finished else "alive",
            "supervisor": None,
            "owners": record.owners,
            "helpers": record.helpers,
            "containers": record.containers,
            "inits": record.inits,
            "busy": False,
            "ports": record.ports,
            "volumes": record.volumes,
            "claims": record.claims,
            "grace": record.grace,
            "files": record.files,
            "notices": record.notices,
            "events": [],
        },
    }


class _Look:
    """One container, as Podman has it now."""

    def __init__(
        self,
        record: PodRecord,
        name: str,
        found: dict[str, dict[str, Any]],
        pending: bool,
        now: float,
    ) -> None:
        self.name = name
        self.init = name in record.inits
        self.policy = record.restart_policy
        self.pending = pending
        self.now = now
        self.over = False
        """Whether the main containers have begun: an init container has succeeded by then."""
        self.inspected = found.get(container_name(record, name))
        state = {} if self.inspected is None else self.inspected["State"]
        self.state: dict[str, Any] = state
        self.status: str = state.get("Status", "created")
        self.exit_code: int = state.get("ExitCode", 0)
        self.started_at = _stamp(state.get("StartedAt"))
        self.restarts: int = (self.inspected or {}).get("RestartCount", 0)

    def container_status(self) -> dict[str, Any]:
        running = self.status in ("running", "paused", "stopping")
        ready = running and not self.pending and not self._unsettled()
        state = self._state(running)
        if self.init:
            ready = state.get("terminated", {}).get("exitCode") == 0
        inspected = self.inspected or {}
        return {
            "name": self.name,
            "ready": ready,
            "started": running and not self.pending,
            "restartCount": self.restarts,
            "state": state,
            "lastState": {},
            "image": inspected.get("ImageName", ""),
            "imageID": inspected.get("Image", ""),
            "containerID": f"podman://{inspected['Id']}" if inspected else "",
        }

    def _state(self, running: bool) -> dict[str, Any]:
        if running:
            return {"running": {"startedAt": self.started_at}}
        if self.status in ENDED:
            if self.restarts and self.policy != "Never" and not self.init:
                return {"waiting": {"reason": "CrashLoopBackOff", "message": self._last_words()}}
            return {"terminated": self._end()}
        if self.init and self.inspected is None and self.over:
            # Podman removes an init container that has succeeded.
            return {"terminated": {"exitCode": 0, "reason": "Completed"}}
        return {"waiting": {"reason": "ContainerCreating" if self.init else "PodInitializing"}}

    def _end(self) -> dict[str, Any]:
        reason = "Error" if self.exit_code else "Completed"
        return {
            "exitCode": self.exit_code,
            "reason": "OOMKilled" if self.state.get("OOMKilled") else reason,
            "startedAt": self.started_at,
            "finishedAt": _stamp(self.state.get("FinishedAt")),
        }

    def _last_words(self) -> str:
        return f"exit {self.exit_code}"

    def _unsettled(self) -> bool:
        if not self.restarts or not self.started_at:
            return False
        return self.now - datetime.fromisoformat(self.started_at).timestamp() < SETTLED


def _stamp(text: str | None) -> str | None:
    """As Kubernetes writes it: UTC, whole seconds. Podman has the zone of the machine, and the
    year 1 for never."""
    if not text or text.startswith("0001-"):
        return None
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _address(infra: dict[str, Any] | None) -> str:
    settings = (infra or {}).get("NetworkSettings") or {}
    networks = settings.get("Networks") or {}
    found = [each.get("IPAddress") for each in networks.values() if each.get("IPAddress")]
    return str(found[0]) if found else str(settings.get("IPAddress") or "")
