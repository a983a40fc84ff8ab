"""What an engine is: it runs a woven Pod, shows it, and ends it.

A Pod is shown as a Kubernetes Pod object (`metadata`, `status`); under the key `podweave` is
what only podweave knows: `state` (alive, finished, lost), `owners`, `helpers`, `containers`,
`ports`, `notices`, `events`.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from podweave.engines.errors import EngineError
from podweave.model.pods import ConfigMap, Pod, Secret

PodObject = dict[str, Any]


class PodOrder(msgspec.Struct, kw_only=True):
    """A Pod that is to be run, and all that the engine has to know about it."""

    pod: Pod
    """With name and namespace."""
    owners: list[dict[str, str]]
    """The object tree above it, from the top."""
    helpers: dict[str, str]
    """Names of the helper containers, and their kinds."""
    config_maps: dict[tuple[str, str], ConfigMap]
    secrets: dict[tuple[str, str], Secret]
    images: dict[str, str] = {}
    """Image → directory that stands in for it."""
    publish: list[tuple[str, int, int]] = []
    """(host address, port of the machine, port of the Pod)."""
    files: list[str] = []
    """Where it was read from."""
    backoff: tuple[float, float] | None = None
    """Seconds: the first restart delay and the longest; None: the engine's own."""


class PodExistsError(EngineError):
    """A Pod of that name is there; it was not touched."""


class PodGoneError(EngineError):
    """There is no such Pod, or no such container in it."""


class Progress(Protocol):
    """A Pod coming up. It comes up, and runs on, also when nobody looks."""

    def next(self, until: float) -> PodObject | None:
        """The Pod as it is after the next change; None when the monotonic clock reaches `until`
        or there will be no change any more. Raises EngineError when the Pod can't be set up, and
        then nothing is left of it."""

    def close(self) -> None:
        """Look no more."""


class Engine(Protocol):
    name: str

    def plan(self, order: PodOrder) -> list[str]:
        """The steps that `start` would take, a line each. Changes nothing."""

    def start(self, order: PodOrder) -> Progress:
        """Begin to run the Pod, and come back at once."""

    def pods(self) -> list[PodObject]:
        """All Pods of this engine, also those that have ended or were lost."""

    def stop(self, pod: PodObject, *, grace: float | None, volumes: bool) -> None:
        """End the Pod in order and remove it; with `volumes` its claims, too. Idempotent."""

    def last_lines(self, pod: PodObject, container: str, count: int) -> list[str]:
        """The end of what a container printed."""
