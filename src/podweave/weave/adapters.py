"""The filter of the Adapter pattern: log files into one schema."""

from __future__ import annotations

from typing import Any

from podweave.manifests.bundle import FoundPattern
from podweave.model.patterns import Adapter, AdapterLogs
from podweave.weave.ambassadors import CONFIG_VERSION
from podweave.weave.drafts import Draft, Helper
from podweave.weave.helper_containers import (
    SPOOL_FOLDER,
    STATE_FOLDER,
    STATE_VOLUME,
    complete,
    render,
)
from podweave.weave.log_entries import LogEntry, user_for, user_words
from podweave.weave.log_folders import Shares, helper_mounts


def weave_adapter(
    draft: Draft,
    found: FoundPattern,
    entries: list[LogEntry],
    shares: Shares,
    admin: int,
    *,
    spooled: bool,
) -> None:
    """Add the adapter; `spooled` when a log sidecar of the Pod takes what it makes."""
    pattern = found.pattern
    assert isinstance(pattern, Adapter)
    name = pattern.metadata.name
    folders = [folder for entry in entries for folder in entry.folders]
    own = pattern.spec.container
    mounts, env = helper_mounts(draft, folders, shares, own_image=own is not None)
    user = user_for(draft.target, entries)
    config = None
    if own is not None:
        container = complete(
            own, name, draft.target, draft.options, user=user, mounts=mounts, env=env
        )
    else:
        mounts.append({"name": STATE_VOLUME, "mountPath": STATE_FOLDER})
        container = render(
            name, "adapter", draft.target, draft.options, user=user, mounts=mounts, env=env
        )
        config = {
            "version": CONFIG_VERSION,
            "program": "adapter",
            "name": name,
            "admin": ["127.0.0.1", admin],
            "state": f"{STATE_FOLDER}/{name}",
            "logs": [
                {
                    "from": entry.paths,
                    "format": logs.format,
                    "schema": logs.schema,
                    "to": _to(logs, name, spooled),
                }
                for entry, logs in zip(entries, pattern.spec.logs or [], strict=True)
            ],
        }
    does = "normalises" if own is None else f"a container of your own, {own['image']}, reads"
    start = (
        "it starts before anything of the application does, so that no line is missed"
        if draft.options.native_sidecars
        else draft.options.why_plain
    )
    paths = ", ".join(path for entry in entries for path in entry.paths)
    read_by = "" if own is not None else user_words(draft.target, entries)
    draft.helpers.append(
        Helper(
            "adapter",
            found,
            container,
            config,
            f"{does} {paths}; {start}{read_by}",
        )
    )


def _to(logs: AdapterLogs, name: str, spooled: bool) -> list[dict[str, Any]]:
    spool = [{"spool": f"{SPOOL_FOLDER}/{name}"}] if spooled else []
    if logs.to != "stdout":
        return [{"path": logs.to}, *spool]
    # A shipped record on stdout too would be stored twice wherever nodes collect output.
    return spool or [{"stdout": True}]
