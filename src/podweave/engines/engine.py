"""What an engine is: it runs a woven Pod, shows it, and ends it.

A Pod is shown as a Kubernetes Pod object (`metadata`, `status`); under the key `podweave` is
what only podweave knows: `state` (alive, finished, lost), `owners`, `helpers`, `containers`,
`ports`, `notices`, `events`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

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
    template: dict[str, Any] = {}
    """The Pod as it was written: what `pod` doesn't know is here, for engines that pass it on."""
    backoff: tuple[float, float] | None = None
    """Seconds: the first restart delay and the longest; None: the engine's own."""


class PodExistsError(EngineError):
    """A Pod of that name is there; it was not touched."""


class PodGoneError(EngineError):
    """There is no such Pod, or no such container in it."""


class LogLine(NamedTuple):
    time: bytes
    """RFC 3339, UTC, of one length: it sorts as it is."""
    container: str
    text: bytes
    """Without the newline."""


class LogSource(Protocol):
    """The output of one container."""

    def read(self) -> Iterator[LogLine]:
        """All that there is, and with each further call what has come since."""

    def finish(self) -> Iterator[LogLine]:
        """What is left, once the container has ended for good."""

    def close(self) -> None:
        """Read no more."""


class Engine(Protocol):
    name: str
    kubernetes: tuple[int, int] | None
    """The version of Kubernetes whose Pods it can run; None: the newest."""

    def plan(self, order: PodOrder) -> list[str]:
        """The steps that `start` would take, a line each. Changes nothing."""

    def start(self, order: PodOrder, *, until: Callable[[], float]) -> Iterator[PodObject]:
        """Begin to run the Pod. Gives the Pod now and after each change, until it is finished or
        the monotonic clock reaches what `until` says; the Pod runs on. Raises EngineError when it
        can't be set up, and then nothing is left of it."""

    def pods(self) -> list[PodObject]:
        """All Pods of this engine, also those that have ended or were lost."""

    def stop(self, pod: PodObject, *, grace: float | None, volumes: bool) -> None:
        """End the Pod in order and remove it; with `volumes` its claims, too. Idempotent."""

    def is_alive(self, pod: PodObject) -> bool:
        """Whether any of its containers may still run."""

    def remove_all_claims(self) -> None:
        """Also those of Pods that are down already."""

    def execute(self, pod: PodObject, container: str, argv: list[str]) -> tuple[int, str]:
        """Run a command in a container to its end: its exit code, and all it printed."""

    def attach(
        self, pod: PodObject, container: str, argv: list[str], *, interactive: bool, terminal: bool
    ) -> int:
        """Run a command in a container with this process' output, and its input where it is
        `interactive`; return its exit code."""

    def log_source(self, pod: PodObject, container: str, *, former: bool) -> LogSource:
        """What a container prints; with `former`, what it printed before its last restart."""

    def last_lines(self, pod: PodObject, container: str, count: int) -> list[str]:
        """The end of what a container printed."""
