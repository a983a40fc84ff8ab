"""Volumes that a pattern names for its helper alone: of a spill, of dead letters, of the state."""

from __future__ import annotations

from typing import Any, Final

from podweave.manifests.bundle import FoundPattern
from podweave.weave.drafts import Draft, NewVolume

VOLUMES_FOLDER: Final = "/var/lib/podweave-volumes"
"""Where a helper has them."""

_OWN_VOLUME: Final = "podweave-own-"


def own_volume(draft: Draft, found: FoundPattern, what: str, source: dict[str, Any]) -> str:
    """The name of the volume of a source, which is one volume, whatever it is for: `what`. Each
    has a folder of its own in it."""
    for known, volume in draft.volumes.items():
        if known.startswith(_OWN_VOLUME) and volume.source == source:
            return known
    name = f"{_OWN_VOLUME}{what}-{found.pattern.metadata.name}"[:63].rstrip("-")
    draft.add_volume(
        name,
        NewVolume(
            source,
            found,
            f"the {what} of {found.pattern.metadata.name}",
            "its pattern names this volume, so that it outlives the Pod",
        ),
    )
    return name
