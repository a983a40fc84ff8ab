"""All clients of the ambassador that speak HTTP: accepted, switched, watched over, counted."""

from __future__ import annotations

from podweave.helpers.ambassador.http.client_connection import IDLE
from podweave.helpers.ambassador.http.incoming import Incoming
from podweave.helpers.ambassador.http.metrics import HttpMetrics
from podweave.helpers.ambassador.http.outgoing import Outgoing
from podweave.helpers.ambassador.http.policy import HEAD_SECONDS, HttpPolicy
from podweave.helpers.ambassador.http.service import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from podweave.helpers.ambassador.http.failures import Failure
    from podweave.helpers.ambassador.http.group import Group
    from podweave.helpers.ambassador.http.upstream_connection import UpstreamConnection
    from podweave.helpers.ambassador.profiles import Profile
    from podweave.helpers.ambassador.switchboard import Switchboard
    from podweave.helpers.loop import Timer
    from podweave.helpers.wire.http1_grammar import ProtocolError

LINGER_SECONDS = 2.0
_LOOK_SECONDS = 0.5
_FAILURE_LINE_SECONDS = 5.0
"""Failures come by the thousand when an upstream is away; one line in this time says how many."""

_RETRIES_AT_ONCE = 20.0
_RETRIES_PER_SECOND = 10.0
"""A budget: an upstream that fails everybody isn't asked twice as often for it."""


class Front:
    def __init__(self, board: Switchboard) -> None:
        self.board = board
        self.loop = board.loop
        self.now = board.loop.now
        self.name = board.settings.name
        self.head_seconds = HEAD_SECONDS
        self.linger_seconds = LINGER_SECONDS
        self.metrics = HttpMetrics(board.metrics.registry)
        self.service: Service
        """Where new requests go."""
        self._clients: dict[Incoming, None] = {}
        self._look_seconds = _LOOK_SECONDS
        self._timer: Timer | None = None
        self._retry_budget = _RETRIES_AT_ONCE
        self._failed_since_line = 0
        self._next_failure_line = 0.0
        self._use(board.profile)

    @property
    def connect_timeout(self) -> float:
        return self.board.connect_timeout

    @property
    def busy(self) -> bool:
        """Somebody is connected."""
        return bool(self._clients)

    def accept(self, sock: socket.socket) -> None:
        self._clients[Incoming(self, sock)] = None

    def forget(self, client: Incoming) -> None:
        self._clients.pop(client, None)

    def use(self, profile: Profile) -> None:
        """New requests go to `profile` from now on; those under way end where they are."""
        if profile is not self.service.profile:
            self.service.retire()
            for group in self.service.groups.values():
                self._count_bytes(group)
            self._use(profile)

    def clients(self) -> list[Incoming]:
        return list(self._clients)

    def connections(self) -> list[Outgoing]:
        """Those to upstreams, idle or not, of all profiles."""
        holders = [turn.holder for turn in self.board.turns()]
        return [holder for holder in holders if isinstance(holder, Outgoing)]

    def cut_all(self) -> int:
        """Everybody is disconnected, and learns that it was no orderly end. Returns how many."""
        clients = list(self._clients)
        for client in clients:
            client.cut()
        self.service.retire()
        return len(clients)

    def began(self) -> None:
        """Something is under way that has a time limit."""
        if self._timer is None:
            self._timer = self.loop.call_later(self._look_seconds, self._look)

    def may_retry(self) -> bool:
        return self._retry_budget >= 1.0

    def retried(self, reason: str) -> None:
        self.metrics.retries.add(1, reason)
        if reason != "stale":
            self._retry_budget -= 1.0

    def refused(self, error: ProtocolError) -> None:
        self.metrics.refused.add(1, str(error.status))

    def judge(self, outgoing: UpstreamConnection) -> None:
        """No response came."""
        outgoing.judge(0)

    def failed(self, service: Service, failure: Failure) -> None:
        """A request got no whole response from an upstream."""
        self.metrics.failures.add(1, service.profile.name, failure.kind)
        self._failed_since_line += 1
        now = self.now()
        if now >= self._next_failure_line:
            self.board.journal.error(
                "request-failed",
                requests=self._failed_since_line,
                profile=service.profile.name,
                reason=failure.kind,
                message=failure.message,
            )
            self._failed_since_line = 0
            self._next_failure_line = now + _FAILURE_LINE_SECONDS

    def breaker_changed(self, upstream: str, profile: str, *, is_open: bool) -> None:
        self.metrics.breaker_open.set(int(is_open), profile, upstream)
        event = "breaker-opened" if is_open else "breaker-closed"
        self.board.journal.warning(event, upstream=upstream, profile=profile)

    def collect(self) -> None:
        """Bring the gauges up to date."""
        metrics = self.metrics
        metrics.clients.value = len(self._clients)
        metrics.idle.clear()
        metrics.busy.clear()
        for group in self.service.groups.values():
            self._count_bytes(group)
            for peer in group.peers:
                place = (self.service.profile.name, peer.upstream.label)
                metrics.idle.set(len(peer.idle), *place)
                metrics.busy.set(peer.busy, *place)

    def _count_bytes(self, group: Group) -> None:
        total = self.board.metrics.bytes
        total.add(group.received, "client")
        total.add(group.sent, "upstream")
        group.received = group.sent = 0

    def _use(self, profile: Profile) -> None:
        policy = profile.http or HttpPolicy()
        self.service = Service(self, profile, policy)
        self.service.active = True
        shortest = min(
            (
                seconds
                for route in policy.routes
                for seconds in (route.times.response, route.times.request, route.times.idle)
                if seconds
            ),
            default=_LOOK_SECONDS * 4,
        )
        self._look_seconds = min(max(shortest / 4, 0.02), _LOOK_SECONDS)

    def _look(self) -> None:
        self._timer = None
        now = self.now()
        waiting = False
        for client in list(self._clients):
            client.look(now)
            if client.phase is not IDLE or client.input:
                waiting = True
        for group in self.service.groups.values():
            group.close_idle(now)
            waiting = waiting or any(peer.idle for peer in group.peers)
        self._retry_budget = min(
            self._retry_budget + self._look_seconds * _RETRIES_PER_SECOND, _RETRIES_AT_ONCE
        )
        self.board.lost_peers.begin()
        if waiting:
            self._timer = self.loop.call_later(self._look_seconds, self._look)
