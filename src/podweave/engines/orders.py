"""From woven manifests to the Pods that an engine is to run."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from podweave.engines.engine import PodOrder
from podweave.manifests.bundle import DEFAULT_NAMESPACE, Bundle, FoundWorkload
from podweave.model.errors import InputError, InputErrors
from podweave.model.workloads import descend, pod_of

WOVEN: Final = "podweave.dev/woven"
"""The annotation that the weaver leaves. Reading it takes the weaver, which takes time to load:
a Pod without it does without."""

OWNERS: Final = {
    "Pod": (),
    "Deployment": ("Deployment", "ReplicaSet"),
    "CronJob": ("CronJob", "Job"),
}
"""The object tree above a workload's Pod; other kinds own their Pods themselves."""


def orders(
    bundle: Bundle, images: Mapping[str, str], publish: Sequence[tuple[str, int, int]]
) -> tuple[list[PodOrder], list[str]]:
    """The Pods of a bundle, and what the user should know. Raises InputErrors."""
    made: dict[tuple[str, str], tuple[PodOrder, FoundWorkload]] = {}
    warnings: list[str] = []
    errors: list[InputError] = []
    for found in bundle.workloads:
        order = _order(bundle, found, images, publish)
        key = (order.pod.metadata.namespace or "", order.pod.metadata.name or "")
        first = made.setdefault(key, (order, found))[1]
        if first is not found:
            errors.append(
                found.document.error(
                    f"its Pod would be called {key[1]}, like that of {first.workload.kind} in "
                    f"{first.document.file} line {first.document.line(first.path)}",
                    (*found.path, "metadata", "name"),
                )
            )
        errors += _wrong_signals(found)
        replicas = found.workload.replicas
        if replicas is not None and replicas != 1:
            warnings.append(
                f"{found.workload.kind} {found.workload.metadata.name}: 1 Pod in place of "
                f"{replicas} replicas"
            )
    if publish and len(made) > 1:
        errors.append(InputError("--publish is for a single Pod; here are several: use hostPort"))
    if errors:
        raise InputErrors(errors)
    return [order for order, _ in made.values()], warnings


def _order(
    bundle: Bundle,
    found: FoundWorkload,
    images: Mapping[str, str],
    publish: Sequence[tuple[str, int, int]],
) -> PodOrder:
    pod = pod_of(found.workload)
    metadata = pod.metadata
    name = metadata.name
    if not name:
        name = f"{found.workload.metadata.generate_name or ''}{os.urandom(3).hex()}"
    metadata = msgspec.structs.replace(
        metadata,
        name=name,
        namespace=metadata.namespace or DEFAULT_NAMESPACE,
        uid=metadata.uid or _uid(),
    )
    owner = found.workload.metadata.name or name
    kinds = OWNERS.get(found.workload.kind, (found.workload.kind,))
    annotation = (metadata.annotations or {}).get(WOVEN)
    helpers = {} if annotation is None else _helpers(found, annotation)
    return PodOrder(
        pod=msgspec.structs.replace(pod, metadata=metadata),
        owners=[{"kind": kind, "name": owner} for kind in kinds],
        # A container of the user's own brings all that it needs along.
        helpers={name: kind for name, kind in helpers.items() if kind != "container"},
        config_maps=bundle.config_maps,
        secrets=bundle.secrets,
        images=dict(images),
        publish=list(publish),
        template=descend(found.document.object, found.pod_path),
        files=[
            source.file if source.file == "-" else os.path.abspath(source.file)
            for source in bundle.sources
        ],
    )


def _helpers(found: FoundWorkload, annotation: str) -> dict[str, str]:
    from podweave.weave.annotation import UnreadableError, decode

    try:
        return dict(decode(annotation).helpers)
    except UnreadableError as error:
        path = (*found.pod_path, "metadata", "annotations", WOVEN)
        raise InputErrors([found.document.error(str(error), path)]) from error


def _wrong_signals(found: FoundWorkload) -> list[InputError]:
    errors = []
    spec = found.workload.template.spec
    for field, containers in (
        ("initContainers", spec.init_containers or ()),
        ("containers", spec.containers),
    ):
        for index, container in enumerate(containers):
            name = container.lifecycle.stop_signal if container.lifecycle else None
            if name is not None and name not in signal.Signals.__members__:
                path = (*found.pod_path, "spec", field, index, "lifecycle", "stopSignal")
                message = f"no signal is called {name!r}: write SIGTERM, SIGUSR1, …"
                errors.append(found.document.error(message, path))
    return errors


def _uid() -> str:
    """A random UUID, version 4."""
    data = bytearray(os.urandom(16))
    data[6] = data[6] & 0x0F | 0x40
    data[8] = data[8] & 0x3F | 0x80
    text = data.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
