"""Woven manifests to the edits that give back the original.

What to take out stands in the annotation. Whatever of it isn't there any more was changed by
hand, and guessing would give back something that never was the original: that is an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from podweave.manifests.documents import Document, Source
from podweave.manifests.edits import Edit, Remove, Replace
from podweave.model.errors import InputError, InputErrors, Path
from podweave.model.helper_places import ARCHIVE
from podweave.model.workloads import descend, template_path
from podweave.weave.annotation import KEY, UnreadableError, Woven, decode
from podweave.weave.configuration import is_woven_config_map
from podweave.weave.helper_containers import CONFIG_VOLUME
from podweave.weave.shapes import mapping, mappings, texts

Place = tuple[int, int]
"""Index of the source and of the document in it."""


class Found(NamedTuple):
    """An object of a document, Lists opened."""

    document: Document
    path: Path
    object: dict[str, Any]


def objects_of(document: Document) -> Iterator[Found]:
    yield from _objects(document, (), document.object)


def _objects(document: Document, path: Path, object: Any) -> Iterator[Found]:
    if not isinstance(object, dict):
        return
    items = object.get("items")
    if str(object.get("kind", "")).endswith("List") and isinstance(items, list):
        for index, item in enumerate(items):
            if isinstance(item, dict) and "kind" not in item:
                # Items of a typed list may leave out what the list's kind says.
                kind = str(object["kind"]).removesuffix("List")
                item = {"apiVersion": object.get("apiVersion"), "kind": kind, **item}
            yield from _objects(document, (*path, "items", index), item)
    else:
        yield Found(document, path, object)


class Unweaving(NamedTuple):
    """Edits by document; whole objects to drop apart, since those have to be dropped last, from
    the end to the beginning, so that no path loses its meaning."""

    edits: dict[Place, list[Edit]]
    drops: list[tuple[Place, Path]]
    nulls: dict[Place, list[tuple[Path, str]]]
    """Paths, as in the woven document, that become null again, and how that was written."""

    def by_document(self, more: list[tuple[Place, Path]]) -> dict[Place, list[Edit]]:
        """All edits of a document in their order, dropping `more` objects too."""
        edits = {place: list(each) for place, each in self.edits.items()}
        for place, path in sorted([*self.drops, *more], key=lambda d: d[1][1::2], reverse=True):
            edits.setdefault(place, []).append(Remove(path))
        return edits


def unweaving(sources: list[Source]) -> Unweaving:
    """What gives back the originals. Raises InputErrors."""
    found = [
        ((at, document.index), found)
        for at, source in enumerate(sources)
        for document in source.documents
        for found in objects_of(document)
    ]
    workloads: set[tuple[str, str]] = set()
    referenced: set[tuple[str, str]] = set()
    edits: dict[Place, list[Edit]] = {}
    drops: list[tuple[Place, Path]] = []
    nulls: dict[Place, list[tuple[Path, str]]] = {}
    errors: list[InputError] = []
    for at, each in found:
        within = template_path(each.object.get("apiVersion"), each.object.get("kind"))
        template = descend(each.object, within) if within is not None else None
        if within is None or not isinstance(template, dict):
            continue
        metadata = mapping(each.object.get("metadata"))
        namespace = str(metadata.get("namespace"))
        name = metadata.get("name") or metadata.get("generateName", "")
        workloads.add((namespace, f"{each.object['kind']}/{name}"))
        try:
            taken, spelled = template_edits(each.document, (*each.path, *within), template)
        except InputErrors as wrong:
            errors.extend(wrong.errors)
            continue
        if taken:
            referenced.add((namespace, _config_map_of(template)))
            edits.setdefault(at, []).extend(taken)
            nulls.setdefault(at, []).extend(spelled)
    for at, each in found:
        if not is_woven_config_map(each.object):
            continue
        metadata = each.object["metadata"]
        namespace = str(metadata.get("namespace"))
        if (namespace, str(metadata["annotations"][KEY])) in workloads or (
            (namespace, str(metadata.get("name"))) in referenced
        ):
            drops.append((at, each.path))
    if errors:
        raise InputErrors(errors)
    return Unweaving(edits, drops, nulls)


def template_edits(
    document: Document, path: Path, template: dict[str, Any]
) -> tuple[list[Edit], list[tuple[Path, str]]]:
    """What takes the weaving out of one template, nothing where none is in it; and the nulls."""
    annotations = mapping(mapping(template.get("metadata")).get("annotations"))
    if KEY not in annotations:
        return [], []
    try:
        woven = decode(annotations[KEY])
    except UnreadableError as error:
        raise InputErrors(
            [
                document.error(
                    f"this annotation can't be read, so what was woven isn't known: {error}",
                    (*path, "metadata", "annotations", KEY),
                )
            ]
        ) from None
    taking = _Taking(document, path, template, woven)
    taking.mounts()
    taking.volumes()
    taking.helpers()
    taking.annotations(annotations)
    if taking.errors:
        raise InputErrors(taking.errors)
    return taking.edits, taking.nulls


class _Taking:
    """Takes out one kind of thing after the other; helpers after the mounts, because taking
    containers away moves the indexes of those behind them."""

    def __init__(
        self, document: Document, path: Path, template: dict[str, Any], woven: Woven
    ) -> None:
        self.document = document
        self.path = path
        self.woven = woven
        self.metadata: dict[str, Any] = template["metadata"]
        self.spec = mapping(template.get("spec"))
        self.edits: list[Edit] = []
        self.nulls: list[tuple[Path, str]] = []
        self.errors: list[InputError] = []

    def mounts(self) -> None:
        for name, paths in self.woven.mounts.items():
            place = self._container(name)
            if place is None:
                self._missing(f"the container {name}, to which volume mounts were added,")
                continue
            group, index, container = place
            mounts = mappings(container.get("volumeMounts"))
            at = []
            for mount_path in paths:
                indexes = [i for i, m in enumerate(mounts) if m.get("mountPath") == mount_path]
                if not indexes or mounts[indexes[0]].get("name") not in self.woven.volumes:
                    self._missing(f"the volume mounted at {mount_path} in {name}")
                at += indexes[:1]
            self._take(("spec", group, index, "volumeMounts"), mounts, at, f"{name}.volumeMounts")

    def volumes(self) -> None:
        volumes = mappings(self.spec.get("volumes"))
        at = []
        for name in self.woven.volumes:
            indexes = [i for i, volume in enumerate(volumes) if volume.get("name") == name]
            if not indexes:
                self._missing(f"the volume {name}")
            at += indexes
        self._take(("spec", "volumes"), volumes, at, "spec.volumes")

    def helpers(self) -> None:
        at: dict[str, list[int]] = {}
        for name, kind in self.woven.helpers.items():
            place = self._container(name)
            if place is None:
                self._missing(f"the helper {name}")
                continue
            group, index, container = place
            if kind != "container" and ARCHIVE not in texts(container.get("command")):
                self._missing(f"the helper {name} (the container of that name is another one)")
            at.setdefault(group, []).append(index)
        for group, indexes in at.items():
            self._take(("spec", group), self.spec[group], indexes, f"spec.{group}")

    def annotations(self, annotations: dict[str, Any]) -> None:
        path = (*self.path, "metadata", "annotations")
        ours = {KEY, *(key for key in self.woven.annotations if key in annotations)}
        if ours != set(annotations) or not {"metadata", "metadata.annotations"} & {
            *self.woven.made,
            *self.woven.nulls,
        }:
            self.edits += [Remove((*path, key)) for key in annotations if key in ours]
            return
        if set(self.metadata) == {"annotations"} and "metadata" in self.woven.made:
            self.edits.append(Remove(path[:-1]))
        elif set(self.metadata) == {"annotations"} and "metadata" in self.woven.nulls:
            self._null(path[:-1], "metadata")
        elif "metadata.annotations" in self.woven.nulls:
            self._null(path, "metadata.annotations")
        else:
            self.edits.append(Remove(path))

    def _container(self, name: str) -> tuple[str, int, dict[str, Any]] | None:
        for group in ("initContainers", "containers"):
            for index, container in enumerate(mappings(self.spec.get(group))):
                if container.get("name") == name:
                    return group, index, container
        return None

    def _take(
        self, parts: tuple[str | int, ...], items: list[Any], at: list[int], note: str
    ) -> None:
        path = (*self.path, *parts)
        if at and len(at) == len(items) and note in self.woven.made:
            self.edits.append(Remove(path))
        elif at and len(at) == len(items) and note in self.woven.nulls:
            self._null(path, note)
        else:
            self.edits += [Remove((*path, index)) for index in sorted(at, reverse=True)]

    def _null(self, path: Path, key: str) -> None:
        self.edits.append(Replace(path, None))
        self.nulls.append((path, self.woven.nulls[key]))

    def _missing(self, what: str) -> None:
        self.errors.append(
            self.document.error(
                f"{what} was woven in, as the annotation {KEY} says, and isn't there any more: "
                "the woven manifest was changed by hand; put it back, or weave the original anew",
                (*self.path, "metadata", "annotations", KEY),
            )
        )


def _config_map_of(template: dict[str, Any]) -> str:
    for volume in mappings(mapping(template.get("spec")).get("volumes")):
        if volume.get("name") == CONFIG_VOLUME:
            return str(mapping(volume.get("configMap")).get("name", ""))
    return ""
