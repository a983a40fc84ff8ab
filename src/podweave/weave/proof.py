"""The proof that weaving touched nothing of the application: original and woven side by side.

Knows nothing of how weaving works, only what it may do: add helpers, volumes, annotations, and
volume mounts. Everything else must be the same, value by value.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from podweave.manifests.bundle import Bundle, FoundWorkload
from podweave.model.errors import Path, render_path
from podweave.model.workloads import descend
from podweave.weave.annotation import canonical

_GROUPS = ("initContainers", "containers")


class ContainerProof(msgspec.Struct, frozen=True):
    """One container of the application."""

    name: str
    unchanged: list[str]
    """Its fields, volumeMounts apart."""
    sha256: str
    """Of these fields' canonical JSON, the same before and after."""
    mounts_added: list[str]

    def __str__(self) -> str:
        added = f"{len(self.mounts_added)} mount{'s' if len(self.mounts_added) != 1 else ''} added"
        where = f" at {', '.join(self.mounts_added)}" if self.mounts_added else ""
        return f"container {self.name}: {', '.join(self.unchanged)} unchanged; {added}{where}"


class Proof(msgspec.Struct, frozen=True):
    """One workload."""

    workload: str
    differences: list[str]
    """Empty: untouched."""
    containers: list[ContainerProof]

    def as_json(self) -> dict[str, Any]:
        return {
            "workload": self.workload,
            "untouched": not self.differences,
            "differences": self.differences,
            "containers": [
                {
                    "name": each.name,
                    "unchanged": each.unchanged,
                    "sha256": each.sha256,
                    "mountsAdded": each.mounts_added,
                }
                for each in self.containers
            ],
        }


def prove(original: Bundle, woven: Bundle) -> list[Proof]:
    """Compare every workload of the original with the woven one of the same name."""
    after = {_key(found): found for found in woven.workloads}
    proofs = []
    for before in original.workloads:
        label = f"{before.workload.kind}/{before.workload.metadata.name or ''}"
        found = after.get(_key(before))
        if found is None:
            proofs.append(Proof(label, ["the workload isn't in the woven manifests"], []))
            continue
        first, second = _object(before), _object(found)
        path = before.pod_path[len(before.path) :]
        differences = outside(first, second, path)
        one, two = descend(first, path), descend(second, path)
        differences += untouched(one, two)
        if canonical(one) != canonical(two) or differences:
            proofs.append(Proof(label, differences, _containers(one, two)))
    return proofs


def outside(original: Any, woven: Any, path: Path) -> list[str]:
    """Differences of a workload around its Pod template."""
    differences: list[str] = []
    for depth, part in enumerate(path):
        keys = {key for key in (*original, *woven) if key != part}
        for key in sorted(keys):
            _compare(original.get(key), woven.get(key), (*path[:depth], key), differences)
        original, woven = original[part], woven[part]
    return differences


def untouched(original: dict[str, Any], woven: dict[str, Any]) -> list[str]:
    """Differences of two Pod templates that weaving must not make."""
    differences: list[str] = []
    before, after = original.get("metadata") or {}, woven.get("metadata") or {}
    for key in sorted({*before, *after} - {"annotations"}):
        _compare(before.get(key), after.get(key), ("metadata", key), differences)
    annotations = after.get("annotations") or {}
    for key, value in (before.get("annotations") or {}).items():
        _compare(value, annotations.get(key), ("metadata", "annotations", key), differences)
    spec, woven_spec = original["spec"], woven["spec"]
    for key in sorted({*spec, *woven_spec} - {*_GROUPS, "volumes"}):
        _compare(spec.get(key), woven_spec.get(key), ("spec", key), differences)
    for key in (*_GROUPS, "volumes"):
        differences += _added_only(
            spec.get(key) or [], woven_spec.get(key) or [], ("spec", key), key in _GROUPS
        )
    return differences


def _added_only(
    original: list[dict[str, Any]], woven: list[dict[str, Any]], path: Path, containers: bool
) -> list[str]:
    """Every named item of a list is there still, in the same order, and the same in itself."""
    differences: list[str] = []
    names = [item.get("name") for item in original]
    by_name = {item.get("name"): item for item in woven}
    order = [item.get("name") for item in woven if item.get("name") in names]
    if order != names and set(order) == set(names):
        differences.append(f"{render_path(path)}: in another order")
    for index, item in enumerate(original):
        place = (*path, index)
        if item.get("name") not in by_name:
            differences.append(f"{render_path(place)}: {item.get('name')} is gone")
            continue
        after = by_name[item.get("name")]
        for key in sorted({*item, *after}):
            one, two = item.get(key), after.get(key)
            if containers and key == "volumeMounts":
                kept = (two or [])[: len(one or [])]
                _compare(one or [], kept, (*place, key), differences)
            else:
                _compare(one, two, (*place, key), differences)
    return differences


def _compare(before: Any, after: Any, path: Path, differences: list[str]) -> None:
    if canonical(before) != canonical(after):
        differences.append(
            f"{render_path(path)}: {canonical(before)[:80]} became {canonical(after)[:80]}"
        )


def _containers(original: dict[str, Any], woven: dict[str, Any]) -> list[ContainerProof]:
    proofs = []
    for group in _GROUPS:
        after = {each.get("name"): each for each in woven["spec"].get(group) or []}
        for container in original["spec"].get(group) or []:
            found = after.get(container.get("name"), {})
            same = {
                key: value
                for key, value in container.items()
                if key != "volumeMounts" and canonical(value) == canonical(found.get(key))
            }
            count = len(container.get("volumeMounts") or [])
            added = [mount["mountPath"] for mount in (found.get("volumeMounts") or [])[count:]]
            digest = hashlib.sha256(canonical(same).encode()).hexdigest()
            proofs.append(ContainerProof(str(container.get("name")), list(same), digest, added))
    return proofs


def _key(found: FoundWorkload) -> tuple[str, str | None, str | None, str | None]:
    metadata = found.workload.metadata
    return found.workload.kind, metadata.namespace, metadata.name, metadata.generate_name


def _object(found: FoundWorkload) -> Any:
    return descend(found.document.object, found.path)
