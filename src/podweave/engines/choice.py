"""Which engine a name stands for."""

from __future__ import annotations

from typing import Final

from podweave.engines.engine import Engine
from podweave.engines.errors import EngineError

ENGINES: Final = ("local", "podman", "kubernetes")
_INSTEAD: Final = {
    "kubernetes": "podweave weave FILE… | kubectl apply -f -",
}


def engine(name: str) -> Engine:
    if name == "local":
        from podweave.engines.local.local_engine import LocalEngine

        return LocalEngine()
    if name == "podman":
        from podweave.engines.podman.podman_engine import PodmanEngine

        return PodmanEngine()
    raise EngineError(
        f"this version of podweave doesn't run Pods on {name} by itself; do: {_INSTEAD[name]}"
    )
