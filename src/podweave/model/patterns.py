"""The pattern resources: Ambassador, Adapter and Sidecar of podweave.dev/v1alpha1.

An ambassador's parts are in `ambassador_patterns`, what all kinds have in `pattern_parts`.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from podweave.model.ambassador_patterns import AmbassadorSpec
from podweave.model.pattern_parts import API_VERSION, PatternMeta, Selector, Strict


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
