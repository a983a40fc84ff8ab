"""Files as people have them: woven-like edits go in and come out without a trace."""

from __future__ import annotations

from pathlib import Path as File
from typing import Any

import pytest

from podweave.manifests.bundle import FoundWorkload, bundle
from podweave.manifests.edits import Edit, Insert, Remove, edit
from podweave.manifests.reading import read
from podweave.model.workloads import descend

CORPUS = File(__file__).parent / "corpus"
EXAMPLES = File(__file__).parents[2] / "examples"
FILES = sorted([*CORPUS.iterdir(), *EXAMPLES.glob("**/deployment.yaml")])

HELPER = {
    "name": "orders-db",
    "image": "helpers:1",
    "restartPolicy": "Always",
    "command": ["python3", "-I", "/etc/podweave/orders-db.json"],
    "env": [{"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    "securityContext": {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}},
    "volumeMounts": [{"name": "woven", "mountPath": "/etc/podweave", "readOnly": True}],
}
CONFIG = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "x-podweave"},
    "data": {"orders-db.json": '{\n  "version": 1\n}\n'},
}


def put(object_: Any, path: tuple[str | int, ...], value: dict[str, Any]) -> Insert:
    """An insert at the end of the list at `path`, or of the list itself where there is none."""
    present = descend(object_, path)
    parent = descend(object_, path[:-1])
    if present is None and path[-1] not in parent:
        return Insert(path, [value])
    return Insert((*path, len(present or ())), value)


def edits_for(found: FoundWorkload) -> list[Edit]:
    """About what weaving does to a workload."""
    object_ = found.document.object
    at = found.pod_path
    containers = (*at, "spec", "containers")
    mount = {"name": "woven", "mountPath": "/var/log/app"}
    steps: list[Edit] = [
        put(object_, (*at, "spec", "volumes"), {"name": "woven", "emptyDir": {}}),
        put(object_, (*at, "spec", "initContainers"), HELPER),
        *(
            put(object_, (*containers, index, "volumeMounts"), mount)
            for index in range(len(descend(object_, containers)))
        ),
    ]
    if descend(object_, (*at, "metadata")) is None:
        steps.append(Insert((*at, "metadata"), {"annotations": {"podweave.dev/woven": "{}"}}))
    elif descend(object_, (*at, "metadata", "annotations")) is None:
        steps.append(Insert((*at, "metadata", "annotations"), {"podweave.dev/woven": "{}"}))
    else:
        steps.append(Insert((*at, "metadata", "annotations", "podweave.dev/woven"), '{"a":1}'))
    return steps


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.name))
def test_edits_leave_no_trace(file: File) -> None:
    data = file.read_bytes()
    source = read(str(file), data)
    workloads = bundle([source]).workloads
    assert workloads
    edits = {found.document.index: edits_for(found) for found in workloads}
    woven = edit(source, edits, [CONFIG])

    again = read(str(file), woven.encode())
    pods = [found.workload.template.spec for found in bundle([again]).workloads]
    assert all(pod.init_containers and pod.init_containers[-1].name == "orders-db" for pod in pods)
    kept = iter(woven.splitlines())
    if not data.startswith(b"{"):
        # Lines with a flow collection may have got an entry.
        ours = [line for line in data.decode().splitlines() if "[" not in line and "{" not in line]
        assert all(line in kept for line in ours), "the user's lines are all there, in their order"

    back: dict[int, list[Edit]] = {
        index: [Remove(step.path) for step in reversed(steps)] for index, steps in edits.items()
    }
    back[len(source.documents)] = [Remove(())]
    assert edit(again, back).encode() == data
