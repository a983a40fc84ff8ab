"""Where a helper finds things in its container, and how it is started there.

The weaver writes these into manifests; engines mount them; the command line asks helpers by them.
"""

from __future__ import annotations

from typing import Final

HELPERS_FOLDER: Final = "/opt/podweave"
ARCHIVE: Final = f"{HELPERS_FOLDER}/podweave-helpers.pyz"
CONFIG_FOLDER: Final = "/etc/podweave"
SECRETS_FOLDER: Final = "/etc/podweave-secrets"
POD_FOLDER: Final = "/etc/podweave-pod"
"""The downward API: the Pod's labels."""
STATE_FOLDER: Final = "/var/lib/podweave"
SPOOL_FOLDER: Final = f"{STATE_FOLDER}/spool"
RUN_FOLDER: Final = "/run/podweave"
BROKER: Final = f"{RUN_FOLDER}/broker.sock"
"""Of the local engine: dials for helpers whose Pod has no network of its own."""

OWN_FOLDERS: Final = (
    HELPERS_FOLDER,
    CONFIG_FOLDER,
    SECRETS_FOLDER,
    POD_FOLDER,
    STATE_FOLDER,
    RUN_FOLDER,
)


def config_path(name: str) -> str:
    """The configuration of the helper that is called so."""
    return f"{CONFIG_FOLDER}/{name}.json"


def start(*words: str) -> list[str]:
    """The helpers' program with these arguments, as a container's command."""
    return ["python3", "-I", "-S", ARCHIVE, *words]
