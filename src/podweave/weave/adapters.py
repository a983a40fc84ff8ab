"""The filter of the Adapter pattern: log files into one schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from podweave.manifests.bundle import FoundPattern
from podweave.model.adapter_patterns import AdapterLogs, Step
from podweave.model.log_reading import rendered_reading
from podweave.model.patterns import Adapter
from podweave.model.time_zones import time_zone_rule
from podweave.weave.drafts import Draft
from podweave.weave.lasting_states import LastingState, passed_over, spool_of
from podweave.weave.log_entries import LogEntry
from podweave.weave.log_folders import Shares
from podweave.weave.log_helpers import add_log_helper


def weave_adapter(
    draft: Draft,
    found: FoundPattern,
    entries: list[LogEntry],
    shares: Shares,
    admin: int,
    states: Mapping[str, LastingState],
    *,
    spooled: bool,
) -> None:
    """Add the adapter; `spooled` when a log sidecar of the Pod takes what it makes. `states`: of
    the Pod's log helpers."""
    pattern = found.pattern
    assert isinstance(pattern, Adapter)
    name = pattern.metadata.name
    state = states.get(name)
    spool = spool_of(name, states) if spooled else ""
    rendered = None
    if pattern.spec.container is None:
        rendered = [
            {
                "from": entry.paths,
                **meaning(logs),
                **rendered_reading(passed_over(logs, state), logs.encoding, logs.max_line),
                "to": _to(logs, spool),
            }
            for entry, logs in zip(entries, pattern.spec.logs or [], strict=True)
        ]
    add_log_helper(
        draft,
        found,
        "adapter",
        entries,
        [folder for entry in entries for folder in entry.folders],
        shares,
        admin=admin,
        logs=rendered,
        state=state,
        does="normalises",
        reads=", ".join(path for entry in entries for path in entry.paths),
        start=(
            "it starts before anything of the application does, so that no line is missed"
            if draft.options.native_sidecars
            else draft.options.why_plain
        ),
    )


def meaning(logs: AdapterLogs) -> dict[str, Any]:
    """What lines mean, as the adapter is told. Keys that an older one wouldn't know are there only
    where they say anything."""
    keys: dict[str, Any] = {"format": logs.format, "schema": logs.schema}
    if logs.time_zone is not None:
        keys["time_zone"] = time_zone_rule(logs.time_zone)
    if logs.steps:
        keys["steps"] = [_step(step) for step in logs.steps]
    return keys


def _step(step: Step) -> dict[str, Any]:
    """The step as it stands in the pattern, but with the helpers' way to write keys."""
    written: dict[str, Any] = msgspec.to_builtins(step)
    if "rateLimit" in written:
        written["rate_limit"] = written.pop("rateLimit")
    return written


def _to(logs: AdapterLogs, spool: str) -> list[dict[str, Any]]:
    spools = [{"spool": spool}] if spool else []
    if logs.to != "stdout":
        return [{"path": logs.to}, *spools]
    # A shipped record on stdout too would be stored twice wherever nodes collect output.
    return spools or [{"stdout": True}]
