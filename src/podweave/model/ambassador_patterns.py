"""What an Ambassador is made of: listeners, environments, and how an upstream is chosen."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from podweave.model.http_patterns import Http
from podweave.model.pattern_parts import Metrics, Selector, Strict
from podweave.model.secret_references import Credentials, Tls
from podweave.model.upstreams import Upstream


class HttpCheck(Strict):
    """A GET that a healthy upstream answers with 200 to 399, over TLS where `tls` says so."""

    path: str
    """The path, with a query if need be: /healthz."""
    host: str = ""
    """The Host field; default: the upstream's address."""
    port: int | None = None
    """Where to ask, if not at the upstream's own port."""


class HealthCheck(Strict):
    """Asking each upstream whether it is there, before a client finds out."""

    interval_seconds: int = 10
    """From one check of an upstream to the next, 1 to 3600; a tenth more or less by chance."""
    timeout_seconds: int | None = None
    """Within which a check must succeed, 1 to 60; default: 3, or the interval where that is
    shorter."""
    unhealthy_after: int = 3
    """Failed checks in a row until an upstream counts as down, 1 to 100."""
    healthy_after: int = 2
    """Good checks in a row until it counts as up again, 1 to 100."""
    http: HttpCheck | None = None
    """Absent: a TCP connection is enough."""


class Ejection(Strict):
    """Leaving out an upstream that keeps failing; never the last one that is left."""

    failures: int = 5
    """Failed attempts in a row, 0 to 1000; 0: nothing is ever left out."""
    seconds: int = 30
    """How long it is left out, 1 to 3600; as much more each time in a row, up to ten times."""


class ConnectionLimits(Strict):
    """How many clients at once, in this profile."""

    connections: int = 0
    """Connections to the upstreams, all together; a client beyond them waits, up to
    connectTimeoutSeconds. 0: no limit."""
    waiting: int = 0
    """Clients that wait for their connection; one beyond them is refused at once. 0: no limit."""


class Profile(Strict):
    """One environment: dev, qa, stage, ..."""

    upstreams: list[Upstream]
    """New connections are spread over those of the lowest priority that are up."""
    balance: Literal["weighted", "leastConnections"] = "weighted"
    """`weighted`: by chance, in proportion to the weights. `leastConnections`: to whom has the
    fewest open connections for its weight."""
    health_check: HealthCheck | None = None
    """Absent: an upstream is known by the clients' own connections only."""
    ejection: Ejection | None = None
    """Absent: after 5 failures in a row for 30 seconds, where there are several upstreams."""
    limits: ConnectionLimits | None = None
    """Absent: no limits."""
    tls: Tls | None = None
    """Absent: what the application sends is passed on as it is."""
    credentials: Credentials | None = None
    """Of the protocols postgres, mysql and redis: replaces the application's login. Absent: the
    application's own is passed on."""
    database: str | int = ""
    """Of the protocols postgres, mysql and redis (its number): replaces the application's."""
    http: Http | None = None
    """Of the protocol http: routes, rewriting, timeouts and the rest. Absent: every request goes to
    `upstreams`, with their address as its Host."""


class OnSwitch(Strict):
    """What becomes of open connections when the profile changes."""

    existing: Literal["keep", "drain", "cut"] = "keep"
    """`keep`: they stay where they are until they end. `drain`: they may end, and those that are
    left after the grace time are reset. `cut`: they are reset at once."""
    grace_seconds: int = 30
    """Of `drain`: how long, 0 to 3600."""


class AmbassadorSpec(Strict):
    """A port of the Pod's loopback, and where its connections go in each environment."""

    listen: str = ""
    """`localhost:PORT`: 127.0.0.1 and ::1. Never beyond loopback. Needed, except beside
    `container`."""
    profiles: dict[str, Profile] = msgspec.field(default_factory=dict)
    """The environments by name. Needed, except beside `container`."""
    selector: Selector | None = None
    """Absent: every workload woven together with this file."""
    protocol: Literal["tcp", "http", "postgres", "mysql", "redis"] = "tcp"
    """Declared, never sniffed. `tcp` passes on whatever it is."""
    datapath: Literal["auto", "proxy", "kernel"] = "auto"
    """`proxy`: a program relays the bytes. `kernel`: they never leave the kernel, which takes a
    capability that the restricted Pod security profile refuses; plain `tcp` only. `auto`: the
    kernel where the Pod grants the capability anyway, else the proxy."""
    profile: str | None = None
    """The default profile; the Pod's label podweave.dev/profile goes first. Without it that label
    or `--profile` must choose, except where there is only one."""
    connect_timeout_seconds: int = 10
    """How long a client is held while the upstream is dialled."""
    login_timeout_seconds: int = 60
    """Of the protocols postgres and mysql: how long a client is waited for that doesn't log in, 1
    to 3600."""
    drain_seconds: int = 30
    """After SIGTERM: how long open connections may go on."""
    on_switch: OnSwitch | None = None
    """What becomes of open connections when the profile changes. Absent: they stay."""
    metrics: Metrics | None = None
    """The helper's metrics on the Pod's addresses, with the annotations by which Prometheus finds
    them. Absent: on the Pod's loopback only."""
    container: dict[str, Any] | None = None
    """A Kubernetes Container of the user's own instead of podweave's helper. Its name is the
    pattern's; the keys that configure podweave's helper can't stand beside it."""
