"""The filter of the Sidecar pattern: log files, or what an adapter makes of them, to a store."""

from __future__ import annotations

import re
from typing import Any

from podweave.manifests.bundle import FoundPattern
from podweave.model.errors import InputError
from podweave.model.patterns import Adapter, FilesStore, Sidecar
from podweave.weave.drafts import Draft, NewVolume, pattern_error, place
from podweave.weave.helper_containers import SPOOL_FOLDER
from podweave.weave.log_entries import LogEntry, user_for
from podweave.weave.log_folders import Folder, Shared, Shares, existing_share
from podweave.weave.log_helpers import add_log_helper
from podweave.weave.targets import is_within

_STORE_VOLUME = "podweave-store-"


def weave_sidecar(
    draft: Draft, found: FoundPattern, entries: list[LogEntry], shares: Shares, admin: int
) -> None:
    """Add the log sidecar and the volume of its store."""
    pattern = found.pattern
    assert isinstance(pattern, Sidecar)
    folders = [folder for entry in entries for folder in entry.folders]
    reached = dict(shares)
    for entry, logs in zip(entries, pattern.spec.logs or [], strict=True):
        if logs.store is None:
            continue
        files = logs.store.files
        at = (*entry.at[:-1], "store", "files")
        folder = Folder(
            found, at, entry.index, files.directory, helper_writes=True, main_writes=False
        )
        reached[entry.index, files.directory] = _store(draft, folder, files, shares)
        folders.append(folder)
    reads = [path for entry in entries for path in entry.paths]
    reads += [f"what {adapter} makes" for entry in entries for adapter in entry.adapters]
    add_log_helper(
        draft,
        found,
        "sidecar",
        entries,
        folders,
        reached,
        admin=admin,
        logs=_logs(pattern, entries) if pattern.spec.container is None else None,
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


def _logs(pattern: Sidecar, entries: list[LogEntry]) -> list[dict[str, Any]]:
    rendered: list[dict[str, Any]] = []
    for entry, logs in zip(entries, pattern.spec.logs or [], strict=True):
        assert logs.store is not None
        stores = [{"files": {"directory": logs.store.files.directory}}]
        if entry.paths:
            rendered.append({"from": entry.paths, "stores": stores})
        rendered.extend(
            {"spool": f"{SPOOL_FOLDER}/{adapter}", "stores": stores} for adapter in entry.adapters
        )
    return rendered
