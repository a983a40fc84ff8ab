"""A draft to the edits that carry it out, the annotation, and the list of changes."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from podweave import __version__
from podweave.manifests.edits import Edit, Insert, Replace
from podweave.model.errors import Path, render_path
from podweave.model.workloads import descend
from podweave.weave.annotation import (
    DEFAULT_CONTAINER,
    FORMAT_VERSION,
    KEY,
    Woven,
    canonical,
    encode,
)
from podweave.weave.changes import Change
from podweave.weave.configuration import MAX_BYTES, config_map
from podweave.weave.drafts import Draft, Helper

MAX_ANNOTATIONS = 256 * 1024
"""Of all annotations of an object together, keys and values; the API server refuses more."""


class Assembled(msgspec.Struct):
    """What weaving does to one workload."""

    edits: list[Edit] = msgspec.field(default_factory=list)
    changes: list[Change] = msgspec.field(default_factory=list)
    config_map: dict[str, Any] | None = None
    woven: Woven | None = None


def assemble(draft: Draft) -> Assembled:
    """Raises InputError where the result would be too large for an API server."""
    assembly = _Assembly(draft)
    assembly.containers()
    assembly.mounts()
    assembly.volumes()
    assembly.configuration()
    assembly.annotations()
    return assembly.result


class _Assembly:
    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.target = draft.target
        self.result = Assembled()
        self.made: list[str] = []
        self.nulls: dict[str, str] = {}

    def containers(self) -> None:
        helpers = self.draft.ordered()
        native = self.draft.options.native_sidecars
        first = [helper for helper in helpers if native or helper.kind == "network"]
        behind = [helper for helper in helpers if helper not in first]
        self._add("initContainers", 0, first)
        self._add("containers", len(self.target.pod.spec.containers), behind)

    def _add(self, group: str, at: int, helpers: list[Helper]) -> None:
        if not helpers:
            return
        self._list(("spec", group), at, [helper.container for helper in helpers])
        for index, helper in enumerate(helpers):
            if helper.kind == "network":
                what = "init container"
            else:
                what = "native sidecar" if group == "initContainers" else "container"
            self._change(
                ("spec", group, at + index),
                f"{what} {helper.name} added ({_source(helper)})",
                helper.reason,
            )

    def mounts(self) -> None:
        by_container: dict[int, list[tuple[dict[str, Any], str]]] = {}
        for new in self.draft.mounts:
            by_container.setdefault(new.index, []).append((new.mount, new.reason))
        # The indexes hold for the woven object too: helpers come in another list or behind.
        for index, mounts in by_container.items():
            stated = self.target.raw("containers", index).get("volumeMounts") or []
            path = ("spec", "containers", index, "volumeMounts")
            name = self.target.pod.spec.containers[index].name
            self._list(path, len(stated), [mount for mount, _ in mounts], f"{name}.volumeMounts")
            for at, (mount, reason) in enumerate(mounts):
                self._change(
                    (*path, len(stated) + at),
                    f"volume {mount['name']} mounted in {name} at {mount['mountPath']}",
                    reason,
                )

    def volumes(self) -> None:
        if not self.draft.volumes:
            return
        stated = self.target.pod.spec.volumes or []
        path = ("spec", "volumes")
        volumes = [{"name": name, **new.source} for name, new in self.draft.volumes.items()]
        self._list(path, len(stated), volumes)
        for at, (name, new) in enumerate(self.draft.volumes.items()):
            kind = next(iter(new.source), "")
            what = f"{kind} volume {name} added: {new.what}"
            self._change((*path, len(stated) + at), what, new.reason)

    def configuration(self) -> None:
        if not self.draft.config():
            return
        document = config_map(self.draft)
        size = sum(len(text.encode()) for text in document["data"].values())
        if size > MAX_BYTES:
            raise self.target.error(
                f"the helpers' configuration has {size} bytes, and a ConfigMap holds {MAX_BYTES}"
            )
        self.result.config_map = document

    def annotations(self) -> None:
        target, draft = self.target, self.draft
        metadata = target.template.get("metadata")
        stated = (metadata or {}).get("annotations")
        added: dict[str, str] = {}
        if DEFAULT_CONTAINER not in (stated or {}):
            added[DEFAULT_CONTAINER] = target.pod.spec.containers[0].name
        added |= {key: new.value for key, new in draft.annotations.items()}
        # The annotation says how it got in itself, so where comes before what.
        where: Path = ("metadata", "annotations")
        if metadata is None and not self._fillable(("metadata",)):
            where = ("metadata",)
        is_new = stated is None and (where == ("metadata",) or not self._fillable(where))
        is_null = is_new and where[-1] in (descend(target.template, where[:-1]) or {})
        if is_new:
            self._note(".".join(map(str, where)), where, is_null)
        woven = Woven(
            version=FORMAT_VERSION,
            by=__version__,
            hash=_hash(draft),
            helpers={
                helper.name: "container" if helper.own else helper.kind
                for helper in draft.ordered()
            },
            volumes=list(draft.volumes),
            mounts=_mount_paths(draft),
            annotations=list(added),
            made=self.made,
            nulls=self.nulls,
        )
        self.result.woven = woven
        added[KEY] = encode(woven)
        size = sum(len(f"{key}{value}".encode()) for key, value in ((stated or {}) | added).items())
        if size > MAX_ANNOTATIONS:
            raise target.error(
                f"the Pod's annotations would have {size} bytes with {KEY}, and an API server "
                f"takes {MAX_ANNOTATIONS}",
                "metadata",
                "annotations",
            )
        if is_new:
            whole = added if len(where) == 2 else {"annotations": added}
            self._set((*target.path, *where), whole, is_null)
        else:
            for key, value in added.items():
                self.result.edits.append(Insert((*target.path, *where, key), value))
        if DEFAULT_CONTAINER in added:
            self._change(
                ("metadata", "annotations", DEFAULT_CONTAINER),
                f"annotation set to {added[DEFAULT_CONTAINER]}",
                "kubectl exec and logs mean the application, not a helper",
            )
        for key, new in draft.annotations.items():
            self._change(
                ("metadata", "annotations", key), f"annotation set to {new.value}", new.reason
            )
        self._change(
            ("metadata", "annotations", KEY),
            "annotation added",
            "says what was woven, for unweave and for weaving again",
        )
        if self.result.config_map is not None:
            self.result.changes.append(
                Change(
                    target.document.file,
                    target.line(),
                    target.label,
                    f"ConfigMap/{draft.config_map}",
                    "document added",
                    "the helpers' configuration, mounted in helpers only",
                )
            )

    def _list(self, parts: Path, at: int, items: list[Any], note: str = "") -> None:
        """Insert items into a list of the template, which may not be there yet."""
        parent = descend(self.target.template, parts[:-1])
        path = (*self.target.path, *parts)
        last = parts[-1]
        if parent.get(last) is None and not self._fillable(parts):
            self._note(note or ".".join(map(str, parts)), parts, last in parent)
            self._set(path, items, last in parent)
        else:
            for index, item in enumerate(items):
                self.result.edits.append(Insert((*path, at + index), item))

    def _fillable(self, parts: Path) -> bool:
        """Whether a key is written without a value: then it takes entries, and when they are
        taken away again, it is as it was. Unlike `null` written out."""
        parent = descend(self.target.template, parts[:-1])
        if not isinstance(parent, dict) or parts[-1] not in parent:
            return False
        return self.target.is_blank(*parts)

    def _set(self, path: Path, value: Any, is_null: bool) -> None:
        self.result.edits.append(Replace(path, value) if is_null else Insert(path, value))

    def _note(self, key: str, parts: Path, is_null: bool) -> None:
        if is_null:
            self.nulls[key] = self.target.spelling(key, *parts)
        else:
            self.made.append(key)

    def _change(self, parts: Path, what: str, reason: str) -> None:
        target = self.target
        self.result.changes.append(
            Change(
                target.document.file,
                target.line(*parts),
                target.label,
                render_path((*target.path, *parts)),
                what,
                reason,
            )
        )


def _source(helper: Helper) -> str:
    document = helper.pattern.document
    return f"{helper.pattern.pattern.kind}, {document.file}:{document.line(helper.pattern.path)}"


def _mount_paths(draft: Draft) -> dict[str, list[str]]:
    paths: dict[str, list[str]] = {}
    for new in draft.mounts:
        name = draft.target.pod.spec.containers[new.index].name
        paths.setdefault(name, []).append(new.mount["mountPath"])
    return paths


def _hash(draft: Draft) -> str:
    everything = [
        [helper.container for helper in draft.ordered()],
        {name: volume.source for name, volume in draft.volumes.items()},
        [[new.index, new.mount] for new in draft.mounts],
        draft.config(),
    ]
    return hashlib.sha256(canonical(everything).encode()).hexdigest()[:16]
