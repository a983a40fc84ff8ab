"""Name, namespace and uid of a Pod that is going to run."""

from __future__ import annotations

import os

import msgspec

from podweave.model.pods import Pod


def named(pod: Pod, namespace: str) -> Pod:
    """The Pod with what its manifest left to the API server. `namespace` is the default one."""
    metadata = msgspec.structs.replace(
        pod.metadata,
        name=pod.metadata.name or "pod",
        namespace=pod.metadata.namespace or namespace,
        uid=pod.metadata.uid or new_uid(),
    )
    return msgspec.structs.replace(pod, metadata=metadata)


def new_uid() -> str:
    """A random UUID (version 4). The module `uuid` costs more to load than the Pod's agent."""
    number = int.from_bytes(os.urandom(16), "big")
    number = number & ~(0xF << 76) | 4 << 76
    number = number & ~(0x3 << 62) | 2 << 62
    text = f"{number:032x}"
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))
