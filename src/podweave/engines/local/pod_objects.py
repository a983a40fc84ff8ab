"""A Pod as commands show it: the Kubernetes object, and under `podweave` what only we know."""

from __future__ import annotations

from typing import Any

from podweave.engines.local.records import PodRecord


def pod_object(record: PodRecord, *, supervisor: int | None) -> dict[str, Any]:
    """`supervisor` is the pid of the living one. Without it an unfinished Pod was lost: its
    containers can't run any more, whatever the record says."""
    metadata: dict[str, Any] = {
        "name": record.name,
        "namespace": record.namespace,
        "uid": record.uid,
    }
    if record.labels:
        metadata["labels"] = record.labels
    if record.annotations:
        metadata["annotations"] = record.annotations
    if record.owners:
        owner = record.owners[-1]
        metadata["ownerReferences"] = [{**owner, "controller": True}]
    lost = supervisor is None and not record.finished
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        # Until the set-up has come to the containers the record has no status.
        "status": _lost(record.status) if lost else {"phase": "Pending", **record.status},
        "podweave": {
            "state": "lost" if lost else "finished" if record.finished else "alive",
            "supervisor": supervisor,
            "owners": record.owners,
            "helpers": record.helpers,
            "containers": record.containers,
            "inits": record.inits,
            "busy": record.busy,
            "ports": record.ports,
            "claims": record.claims,
            "grace": record.grace,
            "files": record.files,
            "notices": record.notices,
            "events": record.events,
        },
    }


def _lost(status: dict[str, Any]) -> dict[str, Any]:
    """The status of a Pod whose supervisor died: kubelet's words for a node that went away."""
    conditions = [
        {**each, "status": "False", "reason": "PodLost"}
        if each["type"] in ("Ready", "ContainersReady", "PodReadyToStartContainers")
        else each
        for each in status.get("conditions", [])
    ]
    changed = {
        **status,
        "phase": "Failed",
        "reason": "Lost",
        "message": "podweave's supervisor of this Pod died, and the Pod with it",
        "conditions": conditions,
    }
    for kind in ("initContainerStatuses", "containerStatuses"):
        if kind in status:
            changed[kind] = [_lost_container(each) for each in status[kind]]
    return changed


def _lost_container(container: dict[str, Any]) -> dict[str, Any]:
    running = container["state"].get("running")
    if running is None:
        return {
            **container,
            "ready": False if "waiting" in container["state"] else container["ready"],
        }
    ended = {
        "exitCode": 137,
        "reason": "ContainerStatusUnknown",
        "message": "The container could not be located when the pod was terminated",
        "startedAt": running.get("startedAt"),
        "finishedAt": None,
    }
    return {**container, "ready": False, "started": False, "state": {"terminated": ended}}
