"""What is said of upstreams, and of clients that were sent away: metrics, journal, and state.

Upstreams fail, and clients are refused, by the thousand: a line of the journal is for a change,
or for many of them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podweave.helpers.ambassador.metrics import Metrics
    from podweave.helpers.ambassador.profiles import Profile, Upstream
    from podweave.helpers.dialing.connector import DialError
    from podweave.helpers.journal import Journal
    from podweave.helpers.loop import Loop

_REFUSAL_LINE_SECONDS = 5.0


class Reports:
    def __init__(self, loop: Loop, metrics: Metrics, journal: Journal) -> None:
        self._loop = loop
        self._metrics = metrics
        self._journal = journal
        self._failing: dict[str, str] = {}
        self._refused_since_line = 0
        self._next_refusal_line = 0.0

    def attempted(self, upstream: Upstream, error: DialError | None) -> None:
        """An attempt to connect has succeeded or failed."""
        profile = upstream.profile
        place = (profile.name, upstream.label)
        now = self._loop.now()
        if error is None:
            upstream.state.note(True, now)
            profile.succeeded(upstream)
            if self._failing.pop(upstream.label, None) is not None:
                self._journal.info("upstream-recovered", upstream=upstream.label)
            return
        self._metrics.dial_failures.add(1, *place, error.reason)
        if error.ours:
            return
        upstream.state.note(False, now, error.reason, error.message)
        if self._failing.get(upstream.label) != error.reason:
            self._failing[upstream.label] = error.reason
            self._journal.warning(
                "upstream-failing",
                upstream=upstream.label,
                reason=error.reason,
                message=error.message,
            )
        if seconds := profile.failed(upstream, now):
            self._metrics.ejections.add(1, *place)
            self._journal.warning(
                "upstream-ejected",
                upstream=upstream.label,
                profile=profile.name,
                failures=upstream.state.failures,
                seconds=seconds,
            )

    def checked(self, upstream: Upstream, error: DialError | None) -> None:
        """A health check has changed what is thought of an upstream."""
        place = (upstream.profile.name, upstream.label)
        if error is None:
            self._journal.info("upstream-up", upstream=upstream.label, profile=place[0])
            return
        self._metrics.dial_failures.add(1, *place, error.reason)
        self._journal.warning(
            "upstream-down",
            upstream=upstream.label,
            profile=place[0],
            reason=error.reason,
            message=error.message,
        )

    def refused(self, profile: str, error: DialError) -> None:
        """A client of this profile was sent away."""
        self._metrics.refused.add(1, error.reason)
        self._refused_since_line += 1
        if self._loop.now() >= self._next_refusal_line:
            self._journal.error(
                "client-refused",
                clients=self._refused_since_line,
                profile=profile,
                reason=error.reason,
                message=error.message,
            )
            self._refused_since_line = 0
            self._next_refusal_line = self._loop.now() + _REFUSAL_LINE_SECONDS

    def show(self, profiles: Iterable[Profile]) -> None:
        """Bring the gauges of upstreams up to date; those that are gone are shown no more."""
        now = self._loop.now()
        metrics = self._metrics
        for gauge in (metrics.upstream_up, metrics.upstream_usable, metrics.upstream_connections):
            gauge.clear()
        for profile in profiles:
            for upstream in profile.all_upstreams():
                place = (profile.name, upstream.label)
                if upstream.state.up is not None:
                    metrics.upstream_up.set(int(upstream.state.up), *place)
                metrics.upstream_usable.set(int(upstream.usable(now)), *place)
                metrics.upstream_connections.set(upstream.state.open, *place)
