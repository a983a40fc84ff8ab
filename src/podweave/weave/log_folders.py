"""Folders shared between a main container and helpers, at the main container's own path.

Where the main container already has a volume mounted, that volume is used. Elsewhere a new
emptyDir is mounted in the main container, one for all patterns that want the folder and for
all folders beneath it.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from typing import Any

import msgspec

from podweave.manifests.bundle import FoundPattern
from podweave.model.errors import InputError, InputErrors, Path
from podweave.model.pods import Container
from podweave.weave.drafts import Draft, NewMount, NewVolume, pattern_error
from podweave.weave.folder_rules import check_helper_path, check_main_path, read_only_source
from podweave.weave.helper_containers import ENVIRONMENT
from podweave.weave.targets import Target, covering_mount, is_within


class Folder(msgspec.Struct, frozen=True):
    """A folder that a pattern wants to share with a container of the Pod."""

    pattern: FoundPattern
    at: Path
    """In the pattern: what the user wrote."""
    index: int
    """The container among the template's `containers`."""
    path: str
    helper_writes: bool = False
    main_writes: bool = True


class Shared(msgspec.Struct, frozen=True):
    """How a folder is reached: a volume and where it is mounted."""

    volume: str
    mount_path: str
    sub_path: str | None = None
    sub_path_expr: str | None = None


Shares = dict[tuple[int, str], Shared]
"""Container index and folder -> how it is reached."""


def folder_of(path: str) -> str:
    """The folder to share so that a path, with or without wildcards, can be read."""
    parts = posixpath.normpath(path).split("/")
    fixed = next((i for i, part in enumerate(parts) if set(part) & set("*?[")), len(parts))
    return "/".join(parts[: min(fixed, len(parts) - 1)]) or "/"


def share(draft: Draft, folders: list[Folder]) -> Shares:
    """Decide for every folder which volume it is reached by; add volumes and mounts."""
    shares: Shares = {}
    errors: list[InputError] = []
    uncovered: dict[tuple[int, str], Folder] = {}
    for folder in folders:
        key = folder.index, folder.path
        try:
            found = existing_share(draft.target, folder)
            if found is None:
                uncovered.setdefault(key, folder)
            else:
                shares[key] = found
        except InputError as error:
            errors.append(error)
    outermost: dict[tuple[int, str], str] = {}
    for (index, path), folder in sorted(uncovered.items(), key=lambda item: item[0]):
        above = next((o for i, o in outermost if i == index and is_within(path, o)), None)
        try:
            if above is None:
                outermost[index, path] = _new_volume(draft, folder)
                shares[index, path] = Shared(outermost[index, path], path)
            else:
                shares[index, path] = _beneath(draft, folder, outermost[index, above], above)
        except InputError as error:
            errors.append(error)
    if errors:
        raise InputErrors(errors)
    return shares


def helper_mounts(
    draft: Draft, folders: list[Folder], shares: Shares, *, own_image: bool = False
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The volume mounts of one helper, and the variables that a subPathExpr among them needs."""
    mounts: dict[str, dict[str, Any]] = {}
    env: dict[str, dict[str, Any]] = {}
    for folder in folders:
        shared = shares[folder.index, folder.path]
        mount: dict[str, Any] = {"name": shared.volume, "mountPath": shared.mount_path}
        if shared.sub_path:
            mount["subPath"] = shared.sub_path
        if shared.sub_path_expr:
            mount["subPathExpr"] = shared.sub_path_expr
            env.update(_variables(draft.target, folder, shared.sub_path_expr))
        known = mounts.get(shared.mount_path)
        if known is not None and {**known, "readOnly": 0} != {**mount, "readOnly": 0}:
            raise pattern_error(
                folder.pattern,
                f"the helper would need two volumes at {shared.mount_path}, {known['name']} and "
                f"{shared.volume}: the containers it reads from mount different ones there; "
                "take one pattern a container",
                *folder.at,
            )
        if not own_image:
            check_helper_path(folder.pattern, folder.at, shared.volume, shared.mount_path)
        writes = folder.helper_writes or (known is not None and not known.get("readOnly"))
        if not writes:
            mount["readOnly"] = True
        mounts[shared.mount_path] = mount
    for outer, mount in mounts.items():
        if any(inner != outer and is_within(inner, outer) for inner in mounts):
            # The inner mount point is made in the outer volume when the helper starts.
            mount.pop("readOnly", None)
    return list(mounts.values()), list(env.values())


def existing_share(target: Target, folder: Folder) -> Shared | None:
    """The volume that the main container has at the folder already."""
    container = target.pod.spec.containers[folder.index]
    found = covering_mount(container, folder.path)
    if found is None:
        return None
    at, mount = found
    main = container.name
    mounted = ("spec", "containers", folder.index, "volumeMounts", at)
    other = f"the container {main} mounts {mount.name} at {mount.mount_path} ({{}})".format(
        target.place(*mounted)
    )
    if mount.read_only and folder.main_writes:
        raise pattern_error(
            folder.pattern,
            f"{other} read-only, so it can't write logs to {folder.path}",
            *folder.at,
        )
    volume = next((v for v in target.pod.spec.volumes or [] if v.name == mount.name), None)
    if volume is None:
        if mount.name not in target.claim_templates():
            raise pattern_error(
                folder.pattern, f"{other}, but the Pod has no volume of that name", *folder.at
            )
    elif read_only := read_only_source(volume):
        raise pattern_error(
            folder.pattern,
            f"{other}, a volume of the kind {read_only} that nobody can write to",
            *folder.at,
        )
    return Shared(mount.name, mount.mount_path, mount.sub_path, mount.sub_path_expr)


def _new_volume(draft: Draft, folder: Folder) -> str:
    container = draft.target.pod.spec.containers[folder.index]
    check_main_path(draft.target, folder.pattern, folder.at, folder.index, folder.path)
    name = _volume_name(draft, folder, container)
    found = folder.pattern.pattern
    draft.add_volume(
        name,
        NewVolume(
            {"emptyDir": {}},
            folder.pattern,
            f"shares {folder.path}",
            f"{found.metadata.name} and {container.name} share {folder.path}, and no volume is "
            "mounted there",
        ),
    )
    draft.mounts.append(
        NewMount(
            folder.index,
            {"name": name, "mountPath": folder.path},
            f"at the container's own path, for {found.metadata.name}; an empty folder takes the "
            "place of what the image has there",
        )
    )
    return name


def _beneath(draft: Draft, folder: Folder, volume: str, above: str) -> Shared:
    """A folder inside another one that gets a volume: it has to exist in that volume, as it may
    have existed in the image. Kubernetes makes the folder of a subPath."""
    check_main_path(draft.target, folder.pattern, folder.at, folder.index, folder.path)
    draft.mounts.append(
        NewMount(
            folder.index,
            {
                "name": volume,
                "mountPath": folder.path,
                "subPath": posixpath.relpath(folder.path, above),
            },
            f"the folder is inside {above}, which is shared too, and must exist there for "
            f"{folder.pattern.pattern.metadata.name}",
        )
    )
    return Shared(volume, above)


def _volume_name(draft: Draft, folder: Folder, container: Container) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", folder.path.lower()).strip("-")
    name = f"podweave-{slug}"
    taken = {mount.mount["name"]: mount.mount["mountPath"] for mount in draft.mounts}
    if name in taken:
        name = f"{name}-{container.name}" if taken[name] == folder.path else name
    if name in taken or len(name) > 63:
        digest = hashlib.sha256(f"{container.name}:{folder.path}".encode()).hexdigest()[:8]
        name = f"{name[:54].rstrip('-')}-{digest}"
    return name


def _variables(target: Target, folder: Folder, expression: str) -> dict[str, dict[str, Any]]:
    """What `$(NAME)` in a subPathExpr means in the main container, for the helper."""
    container = target.raw("containers", folder.index)
    needed: dict[str, dict[str, Any]] = {}
    for name in re.findall(r"\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)", expression):
        stated = [e for e in container.get("env") or [] if e.get("name") == name]
        if not stated:
            raise pattern_error(
                folder.pattern,
                f"the subPathExpr {expression!r} of {container['name']} uses $({name}), which "
                "its env doesn't state, so the helper can't have it",
                *folder.at,
            )
        variable = stated[-1]
        source = ((variable.get("valueFrom") or {}).get("fieldRef") or {}).get("fieldPath")
        if name in ENVIRONMENT:
            if source != ENVIRONMENT[name]:
                raise pattern_error(
                    folder.pattern,
                    f"the subPathExpr {expression!r} of {container['name']} uses $({name}), "
                    f"which means {ENVIRONMENT[name]} in a helper",
                    *folder.at,
                )
            continue
        needed[name] = variable
    return needed
