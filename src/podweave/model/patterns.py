"""The pattern resources: Ambassador, Adapter and Sidecar of podweave.dev/v1alpha1.

Parts: `ambassador_patterns`, `adapter_patterns`; what all kinds have: `pattern_parts`.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from podweave.model.adapter_patterns import AdapterLogs, AdapterSpec
from podweave.model.ambassador_patterns import AmbassadorSpec
from podweave.model.log_reading import Listen, Multiline
from podweave.model.pattern_parts import (
    API_VERSION,
    Metrics,
    PatternMeta,
    Selector,
    State,
    Strict,
)
from podweave.model.stores import DeadLetters, MemoryLimits, Spill, Store


class FromAdapter(Strict):
    """What an adapter of the same Pod makes."""

    adapter: str
    """metadata.name of an Adapter woven into the same Pod: ship what it makes."""


class SidecarLogs(Strict):
    """Log files, or an adapter's records, and where they go."""

    from_: FromAdapter | list[str | FromAdapter] = msgspec.field(name="from", default_factory=list)
    """Paths as the main container sees them, `*` and `**` in them, and `{adapter: NAME}`; of an
    adapter alone, also without the list."""
    exclude: list[str] = msgspec.field(default_factory=list)
    """Files to leave out: names, as in `*.audit.log`, or paths; a folder's path leaves out all
    that is in it."""
    encoding: str = "auto"
    """`auto` finds UTF-8, UTF-16, EUC-KR or CP949 and Windows-1252; or a name."""
    max_line: str = "1Mi"
    """What is longer is cut and counted: 1Ki to 16Mi."""
    format: Literal["lines", "cri", "docker"] = "lines"
    """`cri` and `docker`: as container runtimes write them; the wrapping is taken off."""
    multiline: Literal["none", "auto", "indented"] | Multiline = "none"
    """Which lines are one record. `auto`: stack traces of Java, Python, Go, Node, Ruby, .NET, PHP
    and C++ belong to the line above them; `indented`: indented lines do; or a rule of your own.
    `none`: each line is one."""
    listen: list[Listen] = msgspec.field(default_factory=list)
    """Named pipes and Unix sockets that the helper makes and reads."""
    store: Store | None = None
    """Where they go. This or `stores` is needed, except beside `container`."""
    stores: list[Store] | None = None
    """Several: each gets everything, at its own pace."""
    target: str | None = None
    """The container that writes the files; default: the first main container."""


def sources_of(logs: AdapterLogs | SidecarLogs) -> list[str | FromAdapter]:
    """What `from` names, in whichever way it is written."""
    return [logs.from_] if isinstance(logs.from_, FromAdapter) else [*logs.from_]


class SidecarSpec(Strict):
    """Logs, and the stores they are shipped to."""

    logs: list[SidecarLogs] | None = None
    """What podweave's log sidecar ships. Beside `container`: the files whose folders are shared
    with it, by `from` and `target` alone."""
    limits: MemoryLimits | None = None
    """What the sidecar may take."""
    spill: Spill | None = None
    """Absent: what a store that is down can't take waits in its files."""
    dead_letters: DeadLetters | None = None
    """Where refused records are kept."""
    state: State | None = None
    """Absent: an emptyDir, and the next Pod reads the files from their beginnings."""
    drain_seconds: int | None = None
    """How long the end of the Pod may be used to deliver what is left; default: 20, or two thirds
    of the Pod's terminationGracePeriodSeconds where that is less."""
    selector: Selector | None = None
    """Absent: every workload woven together with this file."""
    metrics: Metrics | None = None
    """The helper's metrics on the Pod's addresses, with the annotations by which Prometheus finds
    them. Absent: on the Pod's loopback only."""
    container: dict[str, Any] | None = None
    """A Kubernetes Container of the user's own instead of podweave's helper. Its name is the
    pattern's; the keys that configure podweave's helper can't stand beside it."""


class Ambassador(Strict):
    """A proxy on the Pod's loopback: the app dials localhost, the profile says where that is."""

    metadata: PatternMeta
    spec: AmbassadorSpec
    api_version: Literal["podweave.dev/v1alpha1"] = API_VERSION
    kind: Literal["Ambassador"] = "Ambassador"


class Adapter(Strict):
    """Brings the logs of an app into one form, without a change to the app."""

    metadata: PatternMeta
    spec: AdapterSpec
    api_version: Literal["podweave.dev/v1alpha1"] = API_VERSION
    kind: Literal["Adapter"] = "Adapter"


class Sidecar(Strict):
    """Adds to an app what it lacks, without a change to it: its logs, delivered."""

    metadata: PatternMeta
    spec: SidecarSpec
    api_version: Literal["podweave.dev/v1alpha1"] = API_VERSION
    kind: Literal["Sidecar"] = "Sidecar"


Pattern = Ambassador | Adapter | Sidecar

PATTERN_TYPES: Final[dict[str, type[Pattern]]] = {
    "Ambassador": Ambassador,
    "Adapter": Adapter,
    "Sidecar": Sidecar,
}
"""By kind."""
