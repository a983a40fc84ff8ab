"""The workload kinds: where each keeps its Pod template, and the Pod that comes of it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from podweave.model.errors import Path
from podweave.model.pods import ClaimSource, ObjectMeta, Pod, Volume, Workload

TEMPLATE_PATHS: Final[dict[tuple[str, str], Path]] = {
    ("v1", "Pod"): (),
    ("v1", "ReplicationController"): ("spec", "template"),
    ("apps/v1", "Deployment"): ("spec", "template"),
    ("apps/v1", "StatefulSet"): ("spec", "template"),
    ("apps/v1", "DaemonSet"): ("spec", "template"),
    ("apps/v1", "ReplicaSet"): ("spec", "template"),
    ("batch/v1", "Job"): ("spec", "template"),
    ("batch/v1", "CronJob"): ("spec", "jobTemplate", "spec", "template"),
}
"""(apiVersion, kind) -> the path of the object that holds the Pod's metadata and spec."""

WORKLOAD_KINDS: Final = frozenset(kind for _, kind in TEMPLATE_PATHS)

RUN_TO_COMPLETION: Final = frozenset({"Job", "CronJob"})
"""Kinds whose Pods end, and whose restartPolicy is OnFailure or Never."""

POD_NAME_LABEL: Final = "statefulset.kubernetes.io/pod-name"
POD_INDEX_LABEL: Final = "apps.kubernetes.io/pod-index"


def template_path(api_version: object, kind: object) -> Path | None:
    """The path of the Pod template in a workload of that kind; None for any other kind."""
    if isinstance(api_version, str) and isinstance(kind, str):
        return TEMPLATE_PATHS.get((api_version, kind))
    return None


def api_version_of(kind: str) -> str:
    """The apiVersion under which a workload kind is served."""
    return next(version for version, known in TEMPLATE_PATHS if known == kind)


def pod_of(workload: Workload) -> Pod:
    """The Pod an engine runs for a workload, once, however many replicas it asks for.

    Its name is the Pod's own, else the workload's: one machine runs one of each, so the random
    suffixes that controllers add would only be in the way. The ordinal of a StatefulSet's Pod
    isn't random: applications read it out of their hostname.
    """
    template = workload.template.metadata
    name, labels = workload.metadata.name, template.labels
    if workload.kind == "StatefulSet" and name:
        ordinal = _first_ordinal(workload)
        name = f"{name}-{ordinal}"
        labels = {**(labels or {}), POD_NAME_LABEL: name, POD_INDEX_LABEL: str(ordinal)}
    metadata = ObjectMeta(
        name=name,
        namespace=workload.metadata.namespace or template.namespace,
        uid=workload.metadata.uid if workload.kind == "Pod" else None,
        labels=labels,
        annotations=template.annotations,
    )
    spec = workload.template.spec
    deadline = _deadline(workload)
    if deadline is not None:
        spec = msgspec.structs.replace(spec, active_deadline_seconds=deadline)
    if claims := claim_templates(workload):
        mounted = [volume for volume in spec.volumes or () if volume.name not in claims]
        mounted += [
            Volume(
                name=claim,
                persistent_volume_claim=ClaimSource(claim_name=f"{claim}-{name}"),
            )
            for claim in claims
        ]
        spec = msgspec.structs.replace(spec, volumes=mounted)
    return Pod(metadata=metadata, spec=spec)


def _first_ordinal(workload: Workload) -> int:
    start = descend(workload.object, ("spec", "ordinals", "start"))
    return start if type(start) is int and start >= 0 else 0


def _deadline(workload: Workload) -> int | None:
    """The sooner of the Pod's own deadline and its Job's."""
    paths: dict[str, Path] = {"Job": ("spec",), "CronJob": ("spec", "jobTemplate", "spec")}
    own = workload.template.spec.active_deadline_seconds
    if workload.kind not in paths:
        return own
    jobs = descend(workload.object, (*paths[workload.kind], "activeDeadlineSeconds"))
    if type(jobs) is not int or jobs < 1:
        return own
    return jobs if own is None else min(jobs, own)


def claim_templates(workload: Workload) -> list[str]:
    """The names of a StatefulSet's volumeClaimTemplates, which its Pods have as volumes."""
    if workload.kind != "StatefulSet":
        return []
    templates = descend(workload.object, ("spec", "volumeClaimTemplates"))
    if not isinstance(templates, list):
        return []
    names = [descend(each, ("metadata", "name")) for each in templates]
    return [name for name in names if isinstance(name, str)]


def descend(object: Any, path: Path) -> Any:
    """The value at `path`, or None where there is none."""
    for part in path:
        if isinstance(part, int):
            if not isinstance(object, list) or not 0 <= part < len(object):
                return None
            object = object[part]
        elif isinstance(object, dict):
            object = object.get(part)
        else:
            return None
    return object
