"""The ConfigMap with the helpers' configuration: a document beside the workload."""

from __future__ import annotations

import json
from typing import Any

from podweave.weave.annotation import KEY
from podweave.weave.drafts import Draft
from podweave.weave.shapes import mapping
from podweave.weave.targets import Target

MANAGED_BY = {"app.kubernetes.io/managed-by": "podweave"}
MAX_BYTES = 1024 * 1024
CONFIG_VERSION = 1
"""Of what is written for helpers: they refuse one that they don't know."""


def config_map_name(target: Target, taken: set[tuple[str | None, str]]) -> str:
    """`NAME-podweave`; with the kind where two workloads have the same name."""
    name = target.name.rstrip("-.")
    plain = f"{name[:200]}-podweave"
    if (target.namespace, plain) not in taken:
        return plain
    return f"{name[:200]}-{target.kind.lower()}-podweave"


def config_map(draft: Draft) -> dict[str, Any]:
    """The document. Its annotation says whose it is, which is how unweaving knows it."""
    target = draft.target
    metadata: dict[str, Any] = {"name": draft.config_map}
    if target.namespace is not None:
        metadata["namespace"] = target.namespace
    metadata["labels"] = dict(MANAGED_BY)
    metadata["annotations"] = {KEY: target.label}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata,
        "data": {f"{name}.json": render_config(c) for name, c in draft.config().items()},
    }


def render_config(config: dict[str, Any]) -> str:
    """One helper's JSON: a line a top-level key, so that a diff of manifests says what changed."""
    lines = (f"  {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in config.items())
    # No line break at its end: a `|-` block then also fits at the end of a file that has none.
    return "{\n" + ",\n".join(lines) + "\n}"


def is_woven_config_map(object: dict[str, Any]) -> bool:
    annotations = mapping(mapping(object.get("metadata")).get("annotations"))
    return object.get("kind") == "ConfigMap" and KEY in annotations
