"""Profiles: one environment each, with its upstreams and the order in which to dial them.

What has been learned about an upstream is in its `state`, which outlives a reloaded
configuration: the new profile's upstreams `adopt` the old one's.
"""

from __future__ import annotations

from podweave.helpers.ambassador.policies import Ejection, Limits
from podweave.helpers.dialing.connector import render_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from podweave.helpers.ambassador.http.policy import HttpPolicy
    from podweave.helpers.ambassador.policies import HealthCheck
    from podweave.helpers.ambassador.sessions.credentials import Credentials
    from podweave.helpers.dialing.tls import TlsOptions

WEIGHTED = "weighted"
LEAST_CONNECTIONS = "least_connections"
BALANCES = (WEIGHTED, LEAST_CONNECTIONS)

_MOST_REPEATS = 10
"""An ejection lasts at most so many times the configured seconds."""


class UpstreamState:
    """What is known of an upstream now."""

    __slots__ = (
        "down",
        "ejected_until",
        "ejections",
        "failures",
        "message",
        "open",
        "reason",
        "since",
        "up",
    )

    def __init__(self) -> None:
        self.open = 0
        """Connections to it."""
        self.failures = 0
        """Attempts that failed since the last one that didn't."""
        self.ejections = 0
        """In a row: the next one lasts as many times longer."""
        self.ejected_until = 0.0
        self.down = False
        """By the health checks."""
        self.reason = ""
        """Of the last failure; empty after a success."""
        self.message = ""
        """The same in words."""
        self.up: bool | None = None
        """What the last attempt or check says; None where there was none yet."""
        self.since = 0.0
        """When `up` has changed last."""

    def note(self, up: bool, now: float, reason: str = "", message: str = "") -> None:
        """An attempt or a check has ended."""
        if up is not self.up:
            self.up = up
            self.since = now
        self.reason = reason
        self.message = message


class Upstream:
    __slots__ = ("host", "label", "port", "priority", "profile", "state", "weight")

    profile: Profile
    """Whose it is; the profile sets it."""

    def __init__(self, host: str, port: int, weight: int = 1, priority: int = 0) -> None:
        self.host = host
        self.port = port
        self.weight = weight
        self.priority = priority
        self.label = render_address(host, port)
        self.state = UpstreamState()

    def usable(self, now: float) -> bool:
        """Neither down nor ejected. `now` is on the loop's clock, as everywhere here."""
        state = self.state
        return not state.down and state.ejected_until <= now


class Profile:
    __slots__ = (
        "balance",
        "credentials",
        "database",
        "ejection",
        "health_check",
        "http",
        "limits",
        "name",
        "tls",
        "upstreams",
    )

    def __init__(
        self,
        name: str,
        upstreams: Sequence[Upstream],
        *,
        balance: str = WEIGHTED,
        health_check: HealthCheck | None = None,
        ejection: Ejection | None = None,
        limits: Limits | None = None,
        tls: TlsOptions | None = None,
        credentials: Credentials | None = None,
        database: str = "",
        http: HttpPolicy | None = None,
    ) -> None:
        self.name = name
        self.upstreams = tuple(upstreams)
        for upstream in self.upstreams:
            upstream.profile = self
        self.balance = balance
        self.health_check = health_check
        self.ejection = ejection or Ejection()
        self.limits = limits or Limits()
        self.tls = tls
        self.credentials = credentials
        self.database = database
        """Empty: the one that the application asks for."""
        self.http = http
        """Routes and the rest, where the protocol is http and they are configured."""

    def all_upstreams(self) -> list[Upstream]:
        """Those of the groups that routes of HTTP lead to, too."""
        groups = self.http.groups.values() if self.http is not None else ()
        return [each for profile in (self, *groups) for each in profile.upstreams]

    def order(self, random: Callable[[], float], now: float = 0.0) -> list[Upstream]:
        """The upstreams in the order in which a new connection tries them.

        Those that are down or ejected are left out, unless all are: then one may as well try.
        Lower priorities first; within one priority as `balance` says. `random` gives numbers
        from 0 up to but less than 1.
        """
        if len(self.upstreams) == 1:
            return [self.upstreams[0]]
        chosen = [each for each in self.upstreams if each.usable(now)] or self.upstreams
        if self.balance == LEAST_CONNECTIONS:
            drawn = [
                (each.priority, each.state.open / each.weight, random(), each) for each in chosen
            ]
        else:
            # Each is first as often as its weight says, and the rest follow by the same rule
            # (Efraimidis and Spirakis, Weighted random sampling with a reservoir, 2006).
            drawn = [
                (each.priority, -(random() ** (1.0 / each.weight)), 0.0, each) for each in chosen
            ]
        drawn.sort(key=lambda draw: draw[:3])
        return [each for _, _, _, each in drawn]

    def succeeded(self, upstream: Upstream) -> None:
        """A connection was made."""
        state = upstream.state
        state.failures = 0
        state.ejections = 0
        state.ejected_until = 0.0

    def failed(self, upstream: Upstream, now: float) -> float:
        """An attempt failed. Returns for how many seconds the upstream is ejected now, mostly 0.

        The last usable one is never ejected. One that comes back is ejected again, for longer,
        by its first failure.
        """
        state = upstream.state
        state.failures += 1
        if not self.ejection.failures or not upstream.usable(now):
            return 0.0
        if state.failures < self.ejection.failures and not state.ejections:
            return 0.0
        if not any(each.usable(now) for each in self.upstreams if each is not upstream):
            return 0.0
        state.ejections = min(state.ejections + 1, _MOST_REPEATS)
        seconds = self.ejection.seconds * state.ejections
        state.ejected_until = now + seconds
        return seconds

    def adopt(self, known: Iterable[Upstream]) -> None:
        """Go on with what is known of the upstreams that are the same."""
        states = {each.label: each.state for each in known}
        for upstream in self.all_upstreams():
            upstream.state = states.get(upstream.label, upstream.state)
