"""Small manifests for the engine's tests."""

from __future__ import annotations

import json
from typing import Any


def pod(name: str, *containers: dict[str, Any], **spec: Any) -> str:
    """A Pod manifest; containers get an image, the Pod a short grace period."""
    whole = {
        "terminationGracePeriodSeconds": 2,
        **spec,
        "containers": [{"image": "example/app", **each} for each in containers],
    }
    if "initContainers" in whole:
        whole["initContainers"] = [
            {"image": "example/app", **each} for each in whole["initContainers"]
        ]
    metadata = {"name": name, **whole.pop("metadata", {})}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": whole})


def sh(name: str, script: str, **rest: Any) -> dict[str, Any]:
    """A container that runs a shell script. `$$` is Kubernetes' way to write a `$`."""
    return {"name": name, "command": ["sh", "-c", script.replace("$", "$$")], **rest}


def sleeper(name: str = "app", **rest: Any) -> dict[str, Any]:
    return {"name": name, "command": ["sleep", "300"], **rest}
