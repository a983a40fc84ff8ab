"""Two things in one Pod that want the same name or place: found before anything is written.

A collision is the fault of whoever wrote the pattern or the Pod, so the error names both.
(Who listens where is in `ports`.)
"""

from __future__ import annotations

from typing import Any

from podweave.manifests.bundle import FoundPattern
from podweave.manifests.conversion import convert
from podweave.model.errors import InputError
from podweave.model.pods import Container
from podweave.weave.drafts import Draft, Helper, pattern_error, place
from podweave.weave.helper_containers import CONFIG_VOLUME, STATE_VOLUME
from podweave.weave.options import Options
from podweave.weave.shapes import mapping
from podweave.weave.targets import Target


def name_collisions(target: Target, patterns: list[FoundPattern]) -> list[InputError]:
    """Helpers named like a container of the Pod, or like each other."""
    errors = []
    containers = {container.name: (group, i) for group, i, container in target.containers()}
    taken: dict[str, FoundPattern] = {}
    for found in patterns:
        name = found.pattern.metadata.name
        if name in containers:
            where = target.place("spec", *containers[name], "name")
            message = (
                f"{target.label} has a container named {name} of its own ({where}), and a "
                "helper is named like its pattern: rename the pattern"
            )
            errors.append(pattern_error(found, message, "metadata", "name"))
        other = taken.setdefault(name, found)
        if other is not found:
            message = (
                f"{place(other, 'metadata', 'name')} has the same name and is woven into "
                f"{target.label} too: containers of a Pod have different names"
            )
            errors.append(pattern_error(found, message, "metadata", "name"))
        errors += _own_container_errors(found)
    return errors


def plain_container_errors(
    target: Target, patterns: list[FoundPattern], options: Options
) -> list[InputError]:
    """Before native sidecars, a helper kept a Pod from ever completing."""
    if options.native_sidecars:
        return []
    policy = target.pod.spec.restart_policy
    if target.kind not in ("Job", "CronJob") and policy in (None, "Always"):
        return []
    version = ".".join(map(str, options.kubernetes))
    why = (
        f"{target.label} could never complete on Kubernetes {version}: without native sidecars "
        "(1.29 and newer) a helper runs on when the application has ended"
    )
    at = ("spec", "restartPolicy") if policy else ("spec",)
    return [target.error(f"{why}; needed for {place(found)}", *at) for found in patterns]


def platform_errors(target: Target, patterns: list[FoundPattern]) -> list[InputError]:
    """Helpers are Linux programs."""
    spec = target.template["spec"]
    for at, system in (
        (("spec", "os", "name"), mapping(spec.get("os")).get("name")),
        (
            ("spec", "nodeSelector", "kubernetes.io/os"),
            mapping(spec.get("nodeSelector")).get("kubernetes.io/os"),
        ),
    ):
        if system not in (None, "linux"):
            wanted = ", ".join(place(found) for found in patterns)
            return [target.error(f"helpers run on Linux, not on {system}; needed: {wanted}", *at)]
    return []


def collisions(draft: Draft) -> list[InputError]:
    """Volumes of a name that is taken, and mount paths taken in a container of the user's own."""
    errors = []
    target = draft.target
    volumes = {
        volume.name: ("spec", "volumes", index)
        for index, volume in enumerate(target.pod.spec.volumes or [])
    }
    claims = target.claim_templates()
    for name, new in draft.volumes.items():
        if name in volumes:
            where = target.place(*volumes[name])
        elif name in claims:
            where = f"{target.document.file}, volumeClaimTemplates"
        else:
            continue
        pattern = new.pattern or draft.helpers[0].pattern
        errors.append(
            pattern_error(
                pattern,
                f"weaving adds a volume {name} ({new.what}), and {target.label} has a volume of "
                f"that name ({where}): rename that one",
            )
        )
    known = {*volumes, *claims, *draft.volumes}
    for helper in draft.helpers:
        if helper.config is None:
            errors += _own_mount_errors(draft, helper, known)
    return errors


def _own_container_errors(found: FoundPattern) -> list[InputError]:
    own: dict[str, Any] | None = found.pattern.spec.container
    if own is None:
        return []
    name = found.pattern.metadata.name
    at = ("spec", "container")
    converted = convert({**own, "name": name}, Container, at, nulls=True)
    if isinstance(converted, list):
        return [pattern_error(found, error.message, *error.path) for error in converted]
    errors = []
    if own.get("restartPolicy", "Always") != "Always":
        message = "a helper runs as long as its Pod: restartPolicy is Always"
        errors.append(pattern_error(found, message, "spec", "container", "restartPolicy"))
    return errors


def _own_mount_errors(draft: Draft, helper: Helper, known: set[str]) -> list[InputError]:
    """A container of the user's own mounts volumes by name, which must exist in the Pod."""
    errors = []
    own = (helper.pattern.pattern.spec.container or {}).get("volumeMounts") or []
    woven = helper.container.get("volumeMounts") or []
    for index, mount in enumerate(own):
        name = mount.get("name")
        if name not in known and name not in (CONFIG_VOLUME, STATE_VOLUME):
            message = f"{draft.target.label} ({draft.target.place('spec')}) has no volume {name!r}"
            at = ("spec", "container", "volumeMounts", index, "name")
            errors.append(pattern_error(helper.pattern, message, *at))
    paths: dict[str, dict[str, Any]] = {}
    for mount in woven:
        other = paths.setdefault(mount.get("mountPath", ""), mount)
        if other is not mount and other.get("name") != mount.get("name"):
            index = own.index(other) if other in own else 0
            message = (
                f"{other['mountPath']} is also where {mount['name']} has to be, which the "
                f"pattern's logs of {draft.target.label} are in"
            )
            at = ("spec", "container", "volumeMounts", index, "mountPath")
            errors.append(pattern_error(helper.pattern, message, *at))
    return errors
