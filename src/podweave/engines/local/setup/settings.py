"""What a Pod's set-up is told besides the Pod itself."""

from __future__ import annotations

import msgspec

from podweave.model.pods import ConfigMap, Secret


class Settings(msgspec.Struct, frozen=True):
    """What is the same for a whole `podweave up`."""

    state: str
    """The state directory, absolute. Claims are kept in STATE/claims/NAMESPACE/CLAIM/."""
    namespace: str = "default"
    """Used where the Pod names none."""
    config_maps: dict[tuple[str, str], ConfigMap] = msgspec.field(default_factory=dict)
    """By (namespace, name), as manifests.bundle gives them."""
    secrets: dict[tuple[str, str], Secret] = msgspec.field(default_factory=dict)
    helpers: frozenset[str] = frozenset()
    """Names of the containers that are helpers: they get Python, the archive and the broker."""
    archive: str | None = None
    """Path of podweave-helpers.pyz on this machine; required where there are helpers."""
    images: dict[str, str] = msgspec.field(default_factory=dict)
    """Image reference → directory that lies over this machine's files (`up --image`)."""
    node_name: str = ""
    """What spec.nodeName and a host-network Pod's hostname say; empty: this machine's name."""
