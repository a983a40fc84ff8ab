"""The filter of the Sidecar pattern: log files, or what an adapter makes of them, to a store."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from podweave.manifests.bundle import FoundPattern
from podweave.model.errors import InputError
from podweave.model.helper_places import POD_FOLDER
from podweave.model.log_reading import (
    rendered_listen,
    rendered_multiline,
    rendered_reading,
)
from podweave.model.patterns import Adapter, Sidecar, SidecarLogs, SidecarSpec
from podweave.model.quantities import bytes_of
from podweave.model.stores import FilesStore, Store
from podweave.weave.drafts import Draft, NewVolume, pattern_error, place
from podweave.weave.lasting_states import LastingState, passed_over, spool_of
from podweave.weave.log_entries import LogEntry, user_for
from podweave.weave.log_folders import Folder, Shared, Shares, existing_share
from podweave.weave.log_helpers import add_log_helper
from podweave.weave.own_volumes import VOLUMES_FOLDER, own_volume
from podweave.weave.secret_files import SecretFiles
from podweave.weave.stores import render_store
from podweave.weave.targets import is_within

POD_VOLUME = "podweave-pod"
DEFAULT_GRACE = 30
"""Seconds between SIGTERM and SIGKILL where a Pod says nothing."""

_STORE_VOLUME = "podweave-store-"
_LABELS = {"fieldPath": "metadata.labels"}


def weave_sidecar(
    draft: Draft,
    found: FoundPattern,
    entries: list[LogEntry],
    shares: Shares,
    admin: int,
    states: Mapping[str, LastingState],
) -> None:
    """Add the log sidecar and the volume of its store. `states`: of the Pod's log helpers."""
    pattern = found.pattern
    assert isinstance(pattern, Sidecar)
    spec = pattern.spec
    folders = [folder for entry in entries for folder in entry.folders]
    reached = dict(shares)
    for entry, logs in zip(entries, spec.logs or [], strict=True):
        for place_of, store in _stores(logs):
            if (files := store.files) is None:
                continue
            at = (*entry.at[:-1], *place_of, "files")
            folder = Folder(
                found, at, entry.index, files.directory, helper_writes=True, main_writes=False
            )
            reached[entry.index, files.directory] = _store(draft, folder, files, shares)
            folders.append(folder)
    secrets = SecretFiles(found)
    state = states.get(pattern.metadata.name)
    rendered = _logs(pattern, entries, secrets, states) if spec.container is None else None
    settings, mounted = ({}, []) if rendered is None else _beside(draft, found, spec)
    mounted += secrets.mounts(draft)
    reads = [path for entry in entries for path in entry.paths]
    reads += [
        f"what is written to {item.pipe or item.socket}"
        for logs in spec.logs or []
        for item in logs.listen
    ]
    reads += [f"what {adapter} makes" for entry in entries for adapter in entry.adapters]
    add_log_helper(
        draft,
        found,
        "sidecar",
        entries,
        folders,
        reached,
        admin=admin,
        logs=rendered,
        settings=settings,
        mounted=mounted,
        state=state,
        does="ships",
        reads=", ".join(reads),
        start=(
            "it starts ahead of the adapters and the application, so that at the end it stops "
            "after them and the last line is shipped"
            if draft.options.native_sidecars
            else f"{draft.options.why_plain}: it is stopped together with the application"
        ),
    )


def adapter_errors(
    sidecars: dict[str, tuple[FoundPattern, list[LogEntry]]],
    adapters: dict[str, tuple[FoundPattern, list[LogEntry]]],
    everywhere: list[FoundPattern],
    draft: Draft,
) -> list[InputError]:
    """`from: {adapter: NAME}` that can't be followed in this Pod."""
    errors = []
    taken: dict[str, FoundPattern] = {}
    for found, entries in sidecars.values():
        for entry in entries:
            for adapter in entry.adapters:
                if adapter in adapters:
                    source, source_entries = adapters[adapter]
                    message = _cannot_spool(draft, found, entries, source, source_entries)
                    other = taken.setdefault(adapter, found)
                    if other is not found:
                        message = (
                            f"what {adapter} makes is already shipped by {place(other)}: "
                            "one sidecar takes it"
                        )
                else:
                    message = _missing(adapter, everywhere, draft)
                if message:
                    errors.append(pattern_error(found, message, *entry.at))
    return errors


def _cannot_spool(
    draft: Draft,
    sidecar: FoundPattern,
    entries: list[LogEntry],
    adapter: FoundPattern,
    adapter_entries: list[LogEntry],
) -> str:
    assert isinstance(adapter.pattern, Adapter)
    if adapter.pattern.spec.container is not None:
        return (
            f"{place(adapter)} is a container of your own, which doesn't hand its records on: "
            "let it write a file and ship that"
        )
    ours, theirs = user_for(draft.target, entries), user_for(draft.target, adapter_entries)
    if ours != theirs:
        return (
            f"{place(adapter)} runs as user {theirs[0]}, as the container does whose files it "
            f"reads, and {sidecar.pattern.metadata.name} as {ours[0]}: set `target` so that both "
            "have the same container"
        )
    return ""


def _missing(adapter: str, everywhere: list[FoundPattern], draft: Draft) -> str:
    known = [found for found in everywhere if isinstance(found.pattern, Adapter)]
    named = [found for found in known if found.pattern.metadata.name == adapter]
    if named:
        return (
            f"{place(named[0], 'spec')} isn't woven into {draft.target.label}: its selector must "
            "match every Pod that this sidecar's does"
        )
    names = ", ".join(sorted({found.pattern.metadata.name for found in known}))
    return f"there is no Adapter {adapter!r}: " + (
        f"there is {names}" if names else "none is among the files"
    )


def _store(draft: Draft, folder: Folder, files: FilesStore, shares: Shares) -> Shared:
    """The volume of a files store: the pattern's own, the main container's, else a new one."""
    name = folder.pattern.pattern.metadata.name
    if files.volume is not None:
        for known, volume in draft.volumes.items():
            if known.startswith(_STORE_VOLUME) and volume.source == files.volume:
                return Shared(known, files.directory)
        volume_name = f"{_STORE_VOLUME}{name}"[:63].rstrip("-")
        why = f"{name} stores into {files.directory}, and its pattern names this volume"
        source = files.volume
    else:
        if found := existing_share(draft.target, folder):
            return found
        for (index, _), shared in shares.items():
            if index == folder.index and is_within(files.directory, shared.mount_path):
                return shared
        slug = re.sub(r"[^a-z0-9]+", "-", files.directory.lower()).strip("-")
        volume_name = f"podweave-{slug}"[:63].rstrip("-")
        why = (
            f"{name} stores into {files.directory}; no volume is mounted there, and this one "
            "ends with the Pod: name a volume in the pattern to keep the records"
        )
        source = {"emptyDir": {}}
    draft.add_volume(
        volume_name, NewVolume(source, folder.pattern, f"the store {files.directory}", why)
    )
    return Shared(volume_name, files.directory)


def _stores(logs: SidecarLogs) -> list[tuple[tuple[str | int, ...], Store]]:
    """The stores of a log entry, each with its path in it."""
    if logs.store is not None:
        return [(("store",), logs.store)]
    return [(("stores", index), store) for index, store in enumerate(logs.stores or ())]


def _logs(
    pattern: Sidecar,
    entries: list[LogEntry],
    secrets: SecretFiles,
    states: Mapping[str, LastingState],
) -> list[dict[str, Any]]:
    rendered: list[dict[str, Any]] = []
    own = states.get(pattern.metadata.name)
    for number, (entry, logs) in enumerate(zip(entries, pattern.spec.logs or [], strict=True)):
        stores = [
            render_store(store, secrets, f"{number}-{index}")
            for index, (_, store) in enumerate(_stores(logs))
        ]
        lines = {
            **rendered_reading(passed_over(logs, own), logs.encoding, logs.max_line),
            **rendered_multiline(logs.multiline),
        }
        if entry.paths:
            wrapped = {} if logs.format == "lines" else {"format": logs.format}
            rendered.append({"from": entry.paths, **lines, **wrapped, "stores": stores})
        lines.pop("exclude", None)
        rendered.extend(
            {**rendered_listen(item), **lines, "stores": stores} for item in logs.listen
        )
        rendered.extend(
            {"spool": spool_of(adapter, states), "stores": stores} for adapter in entry.adapters
        )
    return rendered


def _beside(
    draft: Draft, found: FoundPattern, spec: SidecarSpec
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What the configuration says beside `logs`, and the mounts that this needs."""
    draft.add_volume(
        POD_VOLUME,
        NewVolume(
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": _LABELS}]}},
            None,
            "the Pod's labels",
            "they go with every record, as they are when it is shipped",
        ),
    )
    mounts: list[dict[str, Any]] = [{"name": POD_VOLUME, "mountPath": POD_FOLDER, "readOnly": True}]
    settings: dict[str, Any] = {"labels": f"{POD_FOLDER}/labels"}
    if (drain := _drain(draft, found, spec)) is not None:
        settings["drain"] = drain
    if spec.limits is not None:
        settings["memory"] = bytes_of(spec.limits.memory)
    for key, part in (("spill", spec.spill), ("dead_letters", spec.dead_letters)):
        if part is None:
            continue
        settings[key] = {"bytes": bytes_of(part.max_bytes)}
        if part.volume is not None:
            directory = f"{VOLUMES_FOLDER}/{key.replace('_', '-')}"
            settings[key]["directory"] = directory
            volume = own_volume(draft, found, key.replace("_", "-"), part.volume)
            mounts.append({"name": volume, "mountPath": directory})
    if spec.spill is not None:
        settings["spill"]["after"] = float(spec.spill.after_seconds)
    return settings, mounts


def _drain(draft: Draft, found: FoundPattern, spec: SidecarSpec) -> float | None:
    """Seconds that the end of the Pod may take the helper; None for the helper's own default."""
    grace = draft.target.pod.spec.termination_grace_period_seconds
    grace = DEFAULT_GRACE if grace is None else grace
    if spec.drain_seconds is None:
        return None if grace >= DEFAULT_GRACE else round(grace * 2 / 3, 1)
    if spec.drain_seconds > max(0, grace - 1):
        raise pattern_error(
            found,
            f"the Pod is killed {grace} s after its SIGTERM (terminationGracePeriodSeconds): "
            "a time below that",
            "spec",
            "drainSeconds",
        )
    return float(spec.drain_seconds)
