"""What a split is made of: objects with comments, grouped into files, and a report."""

from __future__ import annotations

from typing import Any

import msgspec

from podweave.model.errors import Path


class Comment(msgspec.Struct, frozen=True):
    """Something a person has to look at, and where."""

    path: Path
    text: str


class Piece(msgspec.Struct):
    """One object of the result."""

    object: dict[str, Any]
    comments: list[Comment] = []

    @property
    def kind(self) -> str:
        return str(self.object.get("kind", ""))

    @property
    def name(self) -> str:
        return str(self.object.get("metadata", {}).get("name", ""))


class Tier(msgspec.Struct):
    """One group of containers as a workload."""

    name: str
    """Of the workload, and of the Service that others reach it by."""
    lead: str
    """The container that stands for the group."""
    containers: list[str]
    kind: str
    stateful: bool
    ports: list[int]
    """What the group listens on."""
    service: str = ""
    """The Service by which other tiers reach it, once there is one."""
    pieces: list[Piece] = []


class Split(msgspec.Struct):
    """A workload taken apart."""

    origin: str
    """KIND/NAME of the workload."""
    tiers: list[Tier]
    shared: list[Piece]
    """ConfigMaps, claims and whatever else stays as it is."""
    report: list[str] = []
    """What was done, in sentences."""
    open: list[str] = []
    """What somebody has to decide."""
