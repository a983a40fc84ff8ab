"""What is to be added to one Pod template, before it is turned into edits.

The filters of the pattern kinds only add here; nothing of the user's is changed or taken away,
because a draft has no way to say so.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from podweave.manifests.bundle import FoundPattern
from podweave.model.errors import InputError
from podweave.weave.options import Options
from podweave.weave.targets import Target

Kind = Literal["network", "ambassador", "sidecar", "adapter"]
"""`network` is an init container that runs to its end, the others are helpers that stay."""

ORDER: tuple[Kind, ...] = ("network", "ambassador", "sidecar", "adapter")
"""Helpers start in this order and stop in the reverse one. Ambassadors first: everything after
them may need the network. Shippers ahead of adapters: so an adapter stops, and gives away its
last line, while the shipper still runs."""


class Helper(msgspec.Struct):
    """One container to be woven in."""

    kind: Kind
    pattern: FoundPattern
    container: dict[str, Any]
    config: dict[str, Any] | None
    """None for a container of the user's own, which has a configuration of its own, and for
    one that needs none."""
    reason: str

    @property
    def own(self) -> bool:
        """Whether it is a container of the user's own."""
        return self.config is None and self.kind != "network"

    @property
    def name(self) -> str:
        name = self.container["name"]
        assert isinstance(name, str)
        return name


class NewVolume(msgspec.Struct):
    source: dict[str, Any]
    """The volume without its name."""
    pattern: FoundPattern | None
    """The first pattern that needs it; None where all helpers do."""
    what: str
    """What it is for, for messages."""
    reason: str


class NewMount(msgspec.Struct):
    index: int
    """The container among the template's `containers`."""
    mount: dict[str, Any]
    reason: str


class NewAnnotation(msgspec.Struct):
    value: str
    reason: str


class Draft(msgspec.Struct):
    target: Target
    options: Options
    helpers: list[Helper] = msgspec.field(default_factory=list)
    volumes: dict[str, NewVolume] = msgspec.field(default_factory=dict)
    mounts: list[NewMount] = msgspec.field(default_factory=list)
    annotations: dict[str, NewAnnotation] = msgspec.field(default_factory=dict)
    """Of the Pod, which has none of these names."""
    config_map: str = ""
    """The name of the ConfigMap document; empty where no helper needs one."""

    def ordered(self) -> list[Helper]:
        return [helper for kind in ORDER for helper in self.helpers if helper.kind == kind]

    def config(self) -> dict[str, dict[str, Any]]:
        return {
            helper.name: helper.config for helper in self.ordered() if helper.config is not None
        }

    def add_volume(self, name: str, volume: NewVolume) -> None:
        """Add a volume unless the same was added for another helper."""
        known = self.volumes.setdefault(name, volume)
        if known.source != volume.source:
            message = f"the volume {name} is needed twice with different sources"
            if known.pattern is not None:
                message += f"; the other is for {place(known.pattern)}"
            raise (
                pattern_error(volume.pattern, message)
                if volume.pattern
                else self.target.error(message)
            )


def place(pattern: FoundPattern, *parts: str | int) -> str:
    """`Ambassador/orders-db (FILE:LINE)`: one side of a collision."""
    document = pattern.document
    found = pattern.pattern
    line = document.line(pattern.path + parts)
    return f"{found.kind} {found.metadata.name} ({document.file}:{line})"


def pattern_error(pattern: FoundPattern, message: str, *parts: str | int) -> InputError:
    """An error at a path inside a pattern."""
    return pattern.document.error(message, pattern.path + parts)
