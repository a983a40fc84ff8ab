"""What was woven into a Pod template, written on it, so that it can be taken out again."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from podweave import __version__
from podweave.weave.shapes import mapping

KEY = "podweave.dev/woven"
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"
FORMAT_VERSION = 1


class Woven(msgspec.Struct, frozen=True, omit_defaults=True):
    """The annotation's value."""

    version: int
    by: str
    """podweave's version."""
    hash: str
    """Of all that was added: tells a stale weaving from a current one, and makes a workload roll
    out anew when only the ConfigMap has changed."""
    helpers: dict[str, str]
    """Container name -> ambassador, adapter, sidecar; `container` for one of the user's own."""
    volumes: list[str] = msgspec.field(default_factory=list)
    mounts: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """Container name -> mount paths added to it."""
    annotations: list[str] = msgspec.field(default_factory=list)
    """Added beside this one."""
    made: list[str] = msgspec.field(default_factory=list)
    """Keys that weren't there at all, such as `spec.volumes`, so that they go away again."""
    nulls: dict[str, str] = msgspec.field(default_factory=dict)
    """Keys that were there with null as their value, and how that was written."""


def earlier(template: object) -> Woven | None:
    """What an earlier weaving says on a template; None where there was none that can be read."""
    annotations = mapping(mapping(mapping(template).get("metadata")).get("annotations"))
    try:
        return decode(annotations.get(KEY))
    except UnreadableError:
        return None


class UnreadableError(Exception):
    """The annotation's value isn't what podweave writes."""


def encode(woven: Woven) -> str:
    return msgspec.json.encode(woven).decode()


def decode(text: object) -> Woven:
    if not isinstance(text, str):
        raise UnreadableError("it isn't a string")
    try:
        woven = msgspec.json.decode(text, type=Woven)
    except msgspec.DecodeError as error:
        raise UnreadableError(str(error)) from None
    if woven.version != FORMAT_VERSION:
        raise UnreadableError(
            f"it has version {woven.version}, and podweave {__version__} knows {FORMAT_VERSION}"
        )
    return woven


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
