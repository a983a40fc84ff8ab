"""What adapters and log sidecars have in common: entries that read files of a main container."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from podweave.manifests.bundle import FoundPattern
from podweave.model.adapter_patterns import AdapterLogs
from podweave.model.errors import Path
from podweave.model.patterns import (
    Adapter,
    FromAdapter,
    Sidecar,
    SidecarLogs,
    sources_of,
)
from podweave.weave.drafts import pattern_error
from podweave.weave.helper_containers import DEFAULT_USER, user_of
from podweave.weave.log_folders import Folder, folder_of
from podweave.weave.targets import Target


class LogEntry(msgspec.Struct, frozen=True):
    """One item of a pattern's `spec.logs`, for one Pod."""

    at: Path
    """In the pattern."""
    index: int
    """The container that writes the files, among the template's `containers`."""
    paths: list[str]
    adapters: list[str]
    targeted: bool
    """Whether the pattern names the container."""
    folders: list[Folder] = msgspec.field(default_factory=list)


def entries(target: Target, found: FoundPattern) -> list[LogEntry]:
    """The log entries of an Adapter or Sidecar."""
    pattern = found.pattern
    assert isinstance(pattern, Adapter | Sidecar)
    read = []
    stated: Sequence[AdapterLogs | SidecarLogs] = pattern.spec.logs or []
    for number, logs in enumerate(stated):
        at: Path = ("spec", "logs", number)
        index = _container(target, found, logs.target, at)
        sources = sources_of(logs)
        paths = [source for source in sources if isinstance(source, str)]
        adapters = [source.adapter for source in sources if isinstance(source, FromAdapter)]
        entry = LogEntry((*at, "from"), index, paths, adapters, logs.target is not None)
        for path in paths:
            entry.folders.append(Folder(found, (*at, "from"), index, folder_of(path)))
        entry.folders.extend(_written(found, logs, at, index))
        read.append(entry)
    return read


def _written(
    found: FoundPattern, logs: AdapterLogs | SidecarLogs, at: Path, index: int
) -> list[Folder]:
    """The folders that the helper itself writes to, beside its own state."""
    if isinstance(logs, AdapterLogs):
        if logs.to == "stdout":
            return []
        return [
            Folder(
                found, (*at, "to"), index, folder_of(logs.to), helper_writes=True, main_writes=False
            )
        ]
    return [
        Folder(
            found,
            (*at, "listen", number),
            index,
            folder_of(item.pipe or item.socket or ""),
            helper_writes=True,
        )
        for number, item in enumerate(logs.listen)
    ]


def _container(target: Target, found: FoundPattern, name: str | None, at: Path) -> int:
    if name is None:
        return 0
    names = [container.name for container in target.pod.spec.containers]
    if name not in names:
        raise pattern_error(
            found,
            f"{target.label} has no container {name!r}: it has {', '.join(names)}",
            *at,
            "target",
        )
    return names.index(name)


def user_for(target: Target, entries: list[LogEntry]) -> tuple[int, int]:
    """The user that may read what the first entry's container writes."""
    index = entries[0].index if entries else 0
    return user_of(target, target.pod.spec.containers[index])


def user_words(target: Target, entries: list[LogEntry]) -> str:
    """For the explanation: as whom files are read, where they are."""
    if not any(entry.paths for entry in entries):
        return ""
    user, _ = user_for(target, entries)
    container = target.pod.spec.containers[entries[0].index if entries else 0]
    if user == DEFAULT_USER:
        return (
            f"; it runs as user {user}, because the manifest names no user but root for "
            f"{container.name}: the files have to be readable for all"
        )
    return f"; it runs as user {user}, as {container.name} does"
