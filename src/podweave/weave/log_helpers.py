"""The container of a log helper, podweave's own or the user's, and its configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from podweave.manifests.bundle import FoundPattern
from podweave.model.helper_places import STATE_FOLDER
from podweave.model.patterns import Adapter, Sidecar
from podweave.weave.configuration import CONFIG_VERSION
from podweave.weave.drafts import Draft, Helper, Kind
from podweave.weave.helper_containers import STATE_VOLUME, complete, render
from podweave.weave.lasting_states import LastingState, advice
from podweave.weave.log_entries import LogEntry, user_for, user_words
from podweave.weave.log_folders import Folder, Shares, helper_mounts
from podweave.weave.scraping import rendered_metrics


def add_log_helper(
    draft: Draft,
    found: FoundPattern,
    kind: Kind,
    entries: list[LogEntry],
    folders: list[Folder],
    shares: Shares,
    *,
    admin: int,
    logs: list[dict[str, Any]] | None,
    settings: dict[str, Any] | None = None,
    mounted: Sequence[dict[str, Any]] = (),
    state: LastingState | None = None,
    does: str,
    reads: str,
    start: str,
) -> None:
    """Add the helper of `kind` with `folders` mounted.

    `logs`: its entries, None for a container of the user's own, which has no configuration.
    `settings`: what else its configuration says. `mounted`: further mounts of it alone.
    `state`: where its state outlives the Pod.
    The reason of the change is told as `does` what it `reads`, and when it `start`s.
    """
    pattern = found.pattern
    assert isinstance(pattern, Adapter | Sidecar)
    name = pattern.metadata.name
    own = pattern.spec.container
    mounts, env = helper_mounts(draft, folders, shares, own_image=own is not None)
    user = user_for(draft.target, entries)
    config = None
    if own is not None:
        container = complete(
            own, name, draft.target, draft.options, user=user, mounts=mounts, env=env
        )
        does, read_by = f"a container of your own, {own['image']}, reads", ""
    else:
        kept = {"name": STATE_VOLUME, "mountPath": STATE_FOLDER} if state is None else state.mount
        mounts += [kept, *mounted]
        container = render(
            name,
            kind,
            draft.target,
            draft.options,
            user=user,
            mounts=mounts,
            env=env,
            metrics=pattern.spec.metrics,
        )
        config = {
            "version": CONFIG_VERSION,
            "program": kind,
            "name": name,
            "admin": ["127.0.0.1", admin],
            **rendered_metrics(found),
            **(
                {"state": f"{STATE_FOLDER}/{name}"}
                if state is None
                else {"state": state.directory, "state_lasts": True}
            ),
            **(settings or {}),
            "logs": logs,
        }
        read_by = user_words(draft.target, entries)
        read_by += f"; {state.reason}" if state is not None else advice(draft, folders, shares)
    reason = f"{does} {reads}; {start}{read_by}"
    draft.helpers.append(Helper(kind, found, container, config, reason))
