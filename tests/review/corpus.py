"""The labelled corpus: manifests, what is right for each, and how to hide their names."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import yaml

from podweave.review.inventory import Inventory
from podweave.review.reports.json import to_objects
from podweave.review.review import review

CORPUS = Path(__file__).parents[1] / "corpus"


class Label(NamedTuple):
    name: str
    verdict: str
    roles: dict[str, list[str]]
    groups: list[list[list[str]]]


def labels() -> Iterator[Label]:
    for name, label in yaml.safe_load((CORPUS / "labels.yaml").read_text()).items():
        yield Label(name, label["verdict"], label["roles"], label.get("groups", []))


def judge(name: str, *, masked: bool = False) -> dict[str, Any]:
    """The JSON of the one workload in a corpus file; masked, with its own names put back."""
    data = (CORPUS / f"{name}.yaml").read_bytes()
    names: dict[str, str] = {}
    if masked:
        documents = [mask(document, names) for document in yaml.safe_load_all(data)]
        data = b"\n---\n".join(msgspec.json.encode(document) for document in documents)
    inventory = Inventory()
    inventory.add(f"{name}.yaml", data)
    objects = to_objects(review(inventory))
    assert objects["errors"] == []
    (pod,) = objects["pods"]
    assert isinstance(pod, dict)
    back = {masked: own for own, masked in names.items()}
    for container in pod["containers"]:
        container["name"] = back.get(container["name"], container["name"])
    pod["groups"] = [[back.get(each, each) for each in group] for group in pod["groups"]]
    return pod


def mask(document: Any, names: dict[str, str]) -> Any:
    """The document without the names and images of workload, containers and volumes."""
    document = copy.deepcopy(document)
    images: dict[str, str] = {}
    volumes: dict[str, str] = {}
    for spec in _pod_specs(document):
        for key in ("initContainers", "containers"):
            for container in spec.get(key) or []:
                own = container["name"]
                container["name"] = names.setdefault(own, f"c{len(names)}")
                image = container.get("image", "")
                container["image"] = images.setdefault(image, f"registry.example/i{len(images)}")
                for mount in container.get("volumeMounts") or []:
                    name = mount["name"]
                    mount["name"] = volumes.setdefault(name, f"v{len(volumes)}")
        for volume in spec.get("volumes") or []:
            name = volume["name"]
            volume["name"] = volumes.setdefault(name, f"v{len(volumes)}")
    for workload in _workloads(document):
        workload["metadata"]["name"] = "workload"
        for template in workload.get("spec", {}).get("volumeClaimTemplates") or []:
            name = template["metadata"]["name"]
            template["metadata"]["name"] = volumes.setdefault(name, f"v{len(volumes)}")
    if isinstance(document, dict) and document.get("kind") == "HorizontalPodAutoscaler":
        document["spec"]["scaleTargetRef"]["name"] = "workload"
    return document


def _workloads(document: Any) -> Iterator[dict[str, Any]]:
    items = document.get("items") if document.get("kind") == "List" else [document]
    for item in items:
        if item["kind"] in {
            "Pod", "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet",
            "ReplicationController",
        }:  # fmt: skip
            yield item


def _pod_specs(document: Any) -> Iterator[dict[str, Any]]:
    for item in _workloads(document):
        spec = item["spec"]
        spec = spec["jobTemplate"]["spec"] if item["kind"] == "CronJob" else spec
        yield spec if item["kind"] == "Pod" else spec["template"]["spec"]
