"""A Pod template about to be woven, and where each of its parts is in the user's file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from podweave.manifests.documents import Document
from podweave.model.errors import InputError, Path
from podweave.model.pods import Container, PodTemplate, VolumeMount
from podweave.weave.nulls import is_blank, spelling
from podweave.weave.removals import before_removal
from podweave.weave.shapes import mapping, mappings


class Target(msgspec.Struct, frozen=True):
    """One workload's Pod template without any helpers of an earlier weaving."""

    document: Document
    kind: str
    name: str
    namespace: str | None
    object: dict[str, Any]
    """The whole workload as written."""
    path: Path
    """Of the template in its document: where `metadata` and `spec` of the Pod are."""
    template: dict[str, Any]
    pod: PodTemplate
    """The same, typed."""
    removed: tuple[Path, ...] = ()
    """What was taken away of an earlier weaving, as paths in the user's document, so that an
    error names the line the user sees."""
    nulls: dict[str, str] = {}
    """Keys that an earlier weaving found with a null, and its spelling."""

    @property
    def label(self) -> str:
        return f"{self.kind}/{self.name}"

    def line(self, *parts: str | int) -> int:
        return self.document.line(self._as_written(self.path + parts))

    def error(self, message: str, *parts: str | int) -> InputError:
        """An error at a path inside the template."""
        return self.document.error(message, self._as_written(self.path + parts))

    def place(self, *parts: str | int) -> str:
        """`FILE:LINE`, for the other side of a collision."""
        return f"{self.document.file}:{self.line(*parts)}"

    def is_blank(self, *parts: str | int) -> bool:
        """See `nulls`. What an earlier weaving had filled is empty, not blank, by now."""
        return is_blank(self.document, self._as_written(self.path + parts))

    def spelling(self, key: str, *parts: str | int) -> str:
        """How a null is written, or was before an earlier weaving, which calls it `key`."""
        if key in self.nulls:
            return self.nulls[key]
        return spelling(self.document, self._as_written(self.path + parts))

    def containers(self) -> Iterator[tuple[str, int, Container]]:
        """Every container with the list it is in and its index there."""
        for index, container in enumerate(self.pod.spec.init_containers or []):
            yield "initContainers", index, container
        for index, container in enumerate(self.pod.spec.containers):
            yield "containers", index, container

    def raw(self, group: str, index: int) -> dict[str, Any]:
        found = self.template["spec"][group][index]
        assert isinstance(found, dict)
        return found

    def claim_templates(self) -> dict[str, int]:
        """Names and indexes of a StatefulSet's volumeClaimTemplates: volumes by another way."""
        claims = mappings(mapping(self.object.get("spec")).get("volumeClaimTemplates"))
        return {
            str(mapping(claim.get("metadata")).get("name")): i for i, claim in enumerate(claims)
        }

    def _as_written(self, path: Path) -> Path:
        return before_removal(path, self.removed)


def covering_mount(container: Container, folder: str) -> tuple[int, VolumeMount] | None:
    """The volume mount a folder of the container is in: the one with the longest path."""
    best: tuple[int, VolumeMount] | None = None
    for index, mount in enumerate(container.volume_mounts or []):
        if is_within(folder, mount.mount_path) and (
            best is None or len(mount.mount_path) >= len(best[1].mount_path)
        ):
            best = index, mount
    return best


def is_within(path: str, folder: str) -> bool:
    folder = folder.rstrip("/")
    return path == folder or path.startswith(folder + "/")
