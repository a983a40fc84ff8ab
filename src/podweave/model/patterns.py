"""The pattern resources: Ambassador, Adapter and Sidecar of podweave.dev/v1alpha1.

Strict: an unknown key is an error. The JSON Schema that `podweave schema` prints comes from
these types, so a docstring here is what an editor shows.
"""

from __future__ import annotations

from typing import Any, Final, Literal, dataclass_transform

import msgspec

from podweave.model.pods import LabelSelector, LabelSelectorRequirement

GROUP: Final = "podweave.dev"
API_VERSION: Final = "podweave.dev/v1alpha1"


# Said again for type checkers: they don't inherit `frozen=True` from a base class.
@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Strict(
    msgspec.Struct,
    rename="camel",
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """A pattern's struct: unknown keys are errors."""


class SelectorRequirement(LabelSelectorRequirement, forbid_unknown_fields=True):
    """One of a selector's matchExpressions."""


class Selector(LabelSelector, forbid_unknown_fields=True):
    """Which workloads the pattern is for, by their Pods' labels; all parts must match."""

    match_expressions: list[SelectorRequirement] | None = None  # type: ignore[assignment]


class PatternMeta(Strict):
    """The pattern's own name and labels."""

    name: str
    """DNS label; also the name of the woven container."""
    labels: dict[str, str] | None = None
    """For your own use; podweave doesn't read them."""
    annotations: dict[str, str] | None = None
    """For your own use; podweave doesn't read them."""


class Upstream(Strict):
    """Where an ambassador connects to."""

    address: str
    """HOST:PORT, [IPv6]:PORT. `host.podweave.internal` is the machine of the local engine."""
    weight: int = 1
    """Share of new connections, 1 to 1000, relative to the other upstreams."""


class Profile(Strict):
    """One environment: dev, qa, stage, ..."""

    upstreams: list[Upstream]
    """New connections are spread over them by weight."""


class AmbassadorSpec(Strict):
    """A port of the Pod's loopback, and where its connections go in each environment."""

    listen: str = ""
    """`localhost:PORT`: 127.0.0.1 and ::1. Never beyond loopback. Needed, except beside
    `container`."""
    profiles: dict[str, Profile] = {}
    """The environments by name. Needed, except beside `container`."""
    selector: Selector | None = None
    """Absent: every workload woven together with this file."""
    protocol: Literal["tcp", "http", "postgres", "mysql", "redis"] = "tcp"
    """Declared, never sniffed. In this version every protocol is relayed as it is."""
    datapath: Literal["auto", "proxy"] = "auto"
    """`proxy`: a program relays the bytes. `auto`: what is best where it runs; now the proxy."""
    profile: str | None = None
    """The default profile; the Pod's label podweave.dev/profile goes first. Without it that label
    or `--profile` must choose, except where there is only one."""
    connect_timeout_seconds: int = 10
    """How long a client is held while the upstream is dialled."""
    drain_seconds: int = 30
    """After SIGTERM: how long open connections may go on."""
    container: dict[str, Any] | None = None
    """A Kubernetes Container of the user's own instead of podweave's helper. Its name is the
    pattern's; the keys that configure podweave's helper can't stand beside it."""


class AdapterLogs(Strict):
    """Log files and what becomes of them."""

    from_: list[str] = msgspec.field(name="from")
    """Paths as the main container sees them; `*` in file names."""
    format: str | dict[str, str] = "auto"
    """`auto`, a format's name, or `{regex: ...}` with named groups."""
    schema: Literal["ecs"] = "ecs"
    """The fields' names: ecs is the Elastic Common Schema."""
    to: str = "stdout"
    """`stdout`, or the path of a file."""
    target: str | None = None
    """The container that writes the files; default: the first main container."""


class AdapterSpec(Strict):
    """Log files, and the one form they are brought into."""

    logs: list[AdapterLogs] | None = None
    """What podweave's adapter normalises. Beside `container`: the files whose folders are shared
    with it, by `from` and `target` alone."""
    selector: Selector | None = None
    """Absent: every workload woven together with this file."""
    container: dict[str, Any] | None = None
    """A Kubernetes Container of the user's own instead of podweave's helper. Its name is the
    pattern's; the keys that configure podweave's helper can't stand beside it."""


class FromAdapter(Strict):
    """What an adapter of the same Pod makes."""

    adapter: str
    """metadata.name of an Adapter woven into the same Pod: ship what it makes."""


class FilesStore(Strict):
    """The embedded store: NDJSON files that `podweave search` reads."""

    directory: str
    """Where, as the helper sees it."""
    volume: dict[str, Any] | None = None
    """A Kubernetes volume source to mount there (`{persistentVolumeClaim: {claimName: logs}}`);
    default: the main container's own volume at that place, else an emptyDir, which ends with
    the Pod."""


class Store(Strict):
    """Where records are delivered to: one of the kinds below."""

    files: FilesStore
    """The embedded store."""


class SidecarLogs(Strict):
    """Log files, or an adapter's records, and where they go."""

    from_: list[str | FromAdapter] = msgspec.field(name="from")
    """Paths as the main container sees them, or `{adapter: NAME}`."""
    store: Store | None = None
    """Needed, except beside `container`."""
    target: str | None = None
    """The container that writes the files; default: the first main container."""


class SidecarSpec(Strict):
    """Logs, and the stores they are shipped to."""

    logs: list[SidecarLogs] | None = None
    """What podweave's log sidecar ships. Beside `container`: the files whose folders are shared
    with it, by `from` and `target` alone."""
    selector: Selector | None = None
    """Absent: every workload woven together with this file."""
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
