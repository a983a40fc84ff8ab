"""The state of log helpers on a volume that outlives the Pod.

What is remembered must be true of what the next Pod sees: the files lie on lasting volumes, too,
and it is one state for all Pods that have the same files, which one of them reads at a time. Where
each Pod has files of its own (a subPathExpr with its name), each has a state of its own, and only
a name that stays lets the next one find it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from podweave.manifests.bundle import FoundPattern
from podweave.model.adapter_patterns import AdapterLogs
from podweave.model.errors import InputError, InputErrors
from podweave.model.helper_places import SPOOL_FOLDER
from podweave.model.pattern_parts import State
from podweave.model.patterns import Adapter, Sidecar, SidecarLogs
from podweave.model.pods import Volume
from podweave.model.state_rules import ENDING_VOLUMES
from podweave.weave.drafts import Draft, pattern_error, place
from podweave.weave.folder_rules import read_only_source
from podweave.weave.log_entries import LogEntry, user_for
from podweave.weave.log_folders import Folder, Shared, Shares
from podweave.weave.own_volumes import VOLUMES_FOLDER, own_volume
from podweave.weave.shapes import mapping, mappings
from podweave.weave.targets import Target

_NAMED_FOR_GOOD: Final = ("StatefulSet", "Pod")
"""Kinds whose next Pod has the name of the last one."""

_OF_A_POD: Final = ("metadata.name", "metadata.uid", "status.podIP", "status.podIPs")

Logs = dict[str, tuple[FoundPattern, list[LogEntry]]]


class LastingState(msgspec.Struct, frozen=True):
    """Where the state of one helper is."""

    volume: str
    directory: str
    """In the helper; `{namespace}` and `{pod}` stand for the Pod's."""
    own_files: list[str]
    """Folders of the state as the helper sees them among the logs."""
    reason: str

    @property
    def mount(self) -> dict[str, Any]:
        return {"name": self.volume, "mountPath": f"{VOLUMES_FOLDER}/state"}


def lasting_states(
    draft: Draft, sidecars: Logs, adapters: Logs, shares: Shares
) -> dict[str, LastingState]:
    """Of the helpers whose patterns ask for it, by name. Raises InputErrors."""
    states: dict[str, LastingState] = {}
    errors: list[InputError] = []
    for found, entries in [*sidecars.values(), *adapters.values()]:
        pattern = found.pattern
        assert isinstance(pattern, Adapter | Sidecar)
        stated = pattern.spec.state
        if stated is None:
            continue
        try:
            states[pattern.metadata.name] = _state(draft, found, stated, shares, entries)
        except InputError as error:
            errors.append(error)
    if not errors:
        errors = _chain_errors(sidecars, adapters, states)
    if errors:
        raise InputErrors(errors)
    return states


def spool_of(adapter: str, states: Mapping[str, LastingState]) -> str:
    """Where a sidecar takes what the adapter makes."""
    state = states.get(adapter)
    return f"{SPOOL_FOLDER}/{adapter}" if state is None else f"{state.directory}/spool"


def passed_over(logs: AdapterLogs | SidecarLogs, state: LastingState | None) -> list[str]:
    """What isn't read: what the pattern excludes, and the helper's own."""
    return [*logs.exclude, *(() if state is None else state.own_files)]


def advice(draft: Draft, folders: list[Folder], shares: Shares) -> str:
    """For the explanation of a helper without `state`: where the files are there for the next Pod,
    and how far they were read isn't."""
    for folder in folders:
        shared = shares.get((folder.index, folder.path))
        if shared is None or folder.helper_writes or shared.sub_path_expr:
            continue
        if _ending(draft, shared.volume) is None:
            return (
                f"; {folder.path} stays when the Pod ends, and how far it was read does not, so "
                f"that the next Pod reads it again: `state: {{volume: {shared.volume}}}` keeps it"
            )
    return ""


def _state(
    draft: Draft, found: FoundPattern, state: State, shares: Shares, entries: list[LogEntry]
) -> LastingState:
    name = found.pattern.metadata.name
    target = draft.target
    volume = _volume(draft, found, state)
    each = False
    own_files: list[str] = []
    for entry in entries:
        for folder in entry.folders:
            if folder.helper_writes:
                continue
            shared = shares[folder.index, folder.path]
            if ending := _ending(draft, shared.volume):
                raise pattern_error(
                    found,
                    f"{folder.path} is on a volume of {ending}, which ends with the Pod: what "
                    "`state` remembers would be of files that are gone",
                    *entry.at,
                )
            each |= _of_each_pod(target, found, folder.index, shared)
            if shared.volume == volume and (seen := _seen(shared, state.path)):
                own_files.append(seen)
    user, _ = user_for(target, entries)
    parts = [VOLUMES_FOLDER, "state", posixpath.normpath(state.path), "{namespace}"]
    parts.append(f"{target.kind.lower()}.{target.name}")
    if each:
        parts.append("{pod}")
    reason = (
        f"how far it has read is on {volume}, which must be writable for user {user} (fsGroup), "
        "and the next Pod goes on there"
    )
    if not each:
        reason += "; of Pods that have the same files one reads at a time, the others wait"
    return LastingState(volume, "/".join([*parts, name]), list(dict.fromkeys(own_files)), reason)


def _volume(draft: Draft, found: FoundPattern, state: State) -> str:
    """The name of the volume in the Pod."""
    target = draft.target
    at = ("spec", "state", "volume")
    volumes = {str(each.get("name")): each for each in _raw_volumes(target)}
    if not isinstance(state.volume, str):
        for name, each in volumes.items():
            if {key: value for key, value in each.items() if key != "name"} == state.volume:
                return name
        return own_volume(draft, found, "state", state.volume)
    name = state.volume
    if name in target.claim_templates():
        _check_template(target, found, name)
        return name
    if name not in volumes:
        known = ", ".join([*volumes, *target.claim_templates()]) or "none"
        raise pattern_error(found, f"{target.label} has no volume {name!r}: it has {known}", *at)
    index = list(volumes).index(name)
    where = target.place("spec", "volumes", index)
    if ending := _ending(draft, name):
        raise pattern_error(
            found,
            f"{name} ({where}) is a volume of {ending}, which ends with the Pod: leave `state` "
            "out for that, or name a volume that stays",
            *at,
        )
    typed = (target.pod.spec.volumes or [])[index]
    assert isinstance(typed, Volume)
    if read_only := read_only_source(typed) or _read_only(volumes[name]):
        raise pattern_error(
            found, f"{name} ({where}) is a volume of {read_only}, and the helper writes there", *at
        )
    return name


def _check_template(target: Target, found: FoundPattern, name: str) -> None:
    index = target.claim_templates()[name]
    claims = mappings(mapping(target.object.get("spec")).get("volumeClaimTemplates"))
    modes = mapping(mapping(claims[index]).get("spec")).get("accessModes")
    if modes == ["ReadOnlyMany"]:
        raise pattern_error(
            found,
            f"the claims {name} of {target.label} are ReadOnlyMany, and the helper writes there",
            "spec",
            "state",
            "volume",
        )


def _read_only(volume: dict[str, Any]) -> str | None:
    for kind, source in volume.items():
        if kind == "image" or (isinstance(source, dict) and source.get("readOnly") is True):
            return kind if kind == "image" else f"{kind} with readOnly"
    return None


def _ending(draft: Draft, name: str) -> str | None:
    """The kind of a volume that ends with the Pod; None for one that stays."""
    if name in draft.volumes:
        source = draft.volumes[name].source
    else:
        source = next((each for each in _raw_volumes(draft.target) if each.get("name") == name), {})
        if not source and name not in draft.target.claim_templates():
            return "nothing"
    return next((kind for kind in ENDING_VOLUMES if kind in source), None)


def _raw_volumes(target: Target) -> list[dict[str, Any]]:
    return mappings(mapping(target.template.get("spec")).get("volumes"))


def _of_each_pod(target: Target, found: FoundPattern, index: int, shared: Shared) -> bool:
    """Whether each Pod has a folder of its own there."""
    names = re.findall(r"\$\(([A-Za-z_.-][A-Za-z0-9_.-]*)\)", shared.sub_path_expr or "")
    stated = target.raw("containers", index).get("env") or []
    sources = {str(each.get("name")): mapping(each.get("valueFrom")) for each in stated}
    fields = [mapping(sources.get(name, {}).get("fieldRef")).get("fieldPath") for name in names]
    own = [field for field in fields if field in _OF_A_POD]
    if not own:
        return False
    if own != ["metadata.name"] or target.kind not in _NAMED_FOR_GOOD:
        container = target.pod.spec.containers[index].name
        raise pattern_error(
            found,
            f"each Pod of {target.label} has a folder of its own in {shared.volume} (the "
            f"subPathExpr {shared.sub_path_expr} of {container}), which the next one has not: "
            "leave `state` out, let all Pods have the same folder, or make it a StatefulSet, "
            "whose Pods keep their names",
            "spec",
            "state",
        )
    return True


def _seen(shared: Shared, path: str) -> str:
    """A folder of a volume's as it is seen where the volume is mounted; empty where it isn't."""
    if shared.sub_path_expr:
        return ""
    top = posixpath.normpath(shared.sub_path or ".")
    inside = posixpath.relpath(posixpath.join("/", path), posixpath.join("/", top))
    if inside.startswith(".."):
        return ""
    return posixpath.normpath(posixpath.join(shared.mount_path, inside))


def _chain_errors(
    sidecars: Logs, adapters: Logs, states: dict[str, LastingState]
) -> list[InputError]:
    """An adapter and the sidecar that ships what it makes: what is between them is a part of what
    was reached, so both have it on the same volume, or neither has."""
    errors = []
    for found, entries in sidecars.values():
        name = found.pattern.metadata.name
        for entry in entries:
            for adapter in entry.adapters:
                if adapter not in adapters:
                    continue
                ours, theirs = states.get(name), states.get(adapter)
                if ours is None and theirs is None:
                    continue
                source = adapters[adapter][0]
                other = place(source, "spec")
                if ours is None or theirs is None:
                    lacking = found if ours is None else source
                    having = other if ours is None else place(found, "spec")
                    message = f"{having} has its state on a volume: both have it there, or neither"
                    errors.append(pattern_error(lacking, message, "spec"))
                elif ours.volume != theirs.volume:
                    message = f"{other} has its state on {theirs.volume}: both need the same volume"
                    errors.append(pattern_error(found, message, "spec", "state", "volume"))
    return errors
