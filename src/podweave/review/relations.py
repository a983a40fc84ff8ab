"""Who talks to whom: listening ports, dialled ports, shared volumes. `relating` finds them.

Directions matter more than contacts. An edge goes from the one that needs to the one that is
needed.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Purpose = Literal["data", "log", "socket", "scratch"]


class Dial(NamedTuple):
    """A container reaches for a port of its own Pod."""

    client: str
    server: str
    port: int
    why: str
    """Where that is written: `env DB_HOST=localhost`."""
    place: Literal["env", "args", "config", "probe", "inferred"]


class Share(NamedTuple):
    """Two containers mount the same part of the same volume."""

    volume: str
    kind: str
    first: str
    second: str
    purpose: Purpose
    reader: str
    """The one that mounts it read-only while the other writes; else empty."""
    paths: tuple[str, str]


class Remote(NamedTuple):
    """A container is given an address outside of the Pod."""

    container: str
    address: str
    why: str


class Relations(NamedTuple):
    listens: dict[str, set[int]]
    """Declared, configured or usual ports by container."""
    loopback: dict[str, set[int]]
    """Those it offers to its own Pod only."""
    dials: list[Dial]
    unanswered: list[Dial]
    """Dials of ports that nobody is known to listen on; `server` is empty."""
    shares: list[Share]
    remotes: list[Remote]

    def between(self, first: str, second: str) -> list[Share]:
        pair = {first, second}
        return [each for each in self.shares if {each.first, each.second} == pair]
