"""localhost kept: an Ambassador pattern for an application that can't be changed."""

from __future__ import annotations

from typing import Any

from podweave.model.pattern_parts import API_VERSION
from podweave.review.split.pieces import Tier


def ambassador(
    tier: Tier, server: Tier, port: int, labels: dict[str, str], component: str, namespace: str
) -> dict[str, Any]:
    """The pattern by which `tier` keeps localhost:PORT, now served by `server`."""
    host = f"{server.service}.{namespace}.svc" if namespace else server.service
    return {
        "apiVersion": API_VERSION,
        "kind": "Ambassador",
        "metadata": {"name": ambassador_name(tier, server, port)},
        "spec": {
            "selector": {"matchLabels": {**labels, component: tier.lead}},
            "listen": f"localhost:{port}",
            "profiles": {"split": {"upstreams": [{"address": f"{host}:{port}"}]}},
        },
    }


def ambassador_name(tier: Tier, server: Tier, port: int) -> str:
    """Unique among all tiers' ambassadors; a container's name, so a DNS label."""
    room = (63 - len(f"--{port}")) // 2
    return f"{tier.lead[:room].rstrip('-')}-{server.lead[:room].rstrip('-')}-{port}"
