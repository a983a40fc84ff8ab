"""Connections to a group of upstreams: those that are kept, and how a request gets one."""

from __future__ import annotations

from podweave.helpers.ambassador.http.failures import Failure, of_dial
from podweave.helpers.ambassador.http.outgoing import Outgoing
from podweave.helpers.ambassador.http.peers import Peer, choose
from podweave.helpers.dialing.connector import DialError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from podweave.helpers.ambassador.http.breaker import Breaker
    from podweave.helpers.ambassador.http.front import Front
    from podweave.helpers.ambassador.http.incoming import Incoming
    from podweave.helpers.ambassador.http.service import Plan, Service
    from podweave.helpers.ambassador.http.upstream_connection import UpstreamConnection
    from podweave.helpers.ambassador.profiles import Profile
    from podweave.helpers.ambassador.turns import Turn
    from podweave.helpers.dialing.tls import Handshake, TlsError
    from podweave.helpers.dialing.tls_socket import TlsSocket


class Group:
    """Of upstreams that serve the same; a profile has one, and one more for each of its groups."""

    __slots__ = (
        "_by_upstream",
        "front",
        "most_idle",
        "peers",
        "profile",
        "received",
        "sent",
        "service",
        "waiting",
    )

    def __init__(self, front: Front, service: Service, profile: Profile) -> None:
        self.front = front
        self.service = service
        self.profile = profile
        tls = profile.tls is not None and profile.tls.enabled
        rules = service.policy.breaker
        self.peers = [Peer(upstream, rules, tls=tls) for upstream in profile.upstreams]
        self._by_upstream = {id(peer.upstream): peer for peer in self.peers}
        self.most_idle = service.policy.pool_connections
        self.waiting: dict[Incoming, None] = {}
        """Requests for which the profile's limit allows no further connection."""
        self.received = 0
        """Bytes from upstreams, since somebody has looked."""
        self.sent = 0
        """Bytes to upstreams, likewise."""

    def take(self, plan: Plan) -> UpstreamConnection | None:
        """A connection that is kept, for the plan's request."""
        peer = plan.peer
        if peer is None:
            peer = choose(self.peers, self.profile.balance, self.front.now())
            if peer is None:
                return None
        breaker = peer.breaker
        if breaker is not None and not breaker.allows(self.front.now()):
            return None
        idle = peer.idle
        while idle:
            outgoing = idle.pop()
            # A request that can't be repeated, or whose content may not be at hand any more when
            # it should be, isn't put on a connection that has ended.
            if (plan.idempotent and not plan.length) or outgoing.alive():
                return outgoing
            outgoing.close()
        return None

    def connect(self, client: Incoming) -> Failure | None:
        """Begin to make a connection for the client's request; or say why not."""
        now = self.front.now()
        breakers = [peer.breaker for peer in self.peers if peer.breaker is not None]
        allowed = [breaker for breaker in breakers if breaker.allows(now)]
        if breakers and not allowed:
            seconds = min(breaker.seconds_left(now) for breaker in breakers)
            return Failure(
                503,
                "circuit_open",
                f"the circuit breaker of profile {self.profile.name} is open: its upstreams "
                f"kept failing; next attempt in {seconds:.1f} s",
                int(seconds) + 1,
            )
        most = self.profile.limits.waiting
        if most and len(self.front.board.held) >= most:
            message = f"{most} clients wait, and limits.waiting allows no more"
            return Failure(503, "connection_limit_reached", message, 1)
        probes = [] if any(breaker.closed for breaker in allowed) else allowed
        client.dialling = Dialling(self, client, probes)
        return None

    def peer_of(self, turn: Turn) -> Peer:
        return self._by_upstream[id(turn.upstream)]

    def closed(self, outgoing: UpstreamConnection) -> None:
        idle = outgoing.peer.idle
        if outgoing in idle:
            idle.remove(outgoing)

    def hand_over(self, outgoing: UpstreamConnection) -> None:
        """A connection is free again, and requests wait for one: the first one has it."""
        client = next(iter(self.waiting))
        dialling = client.dialling
        assert dialling is not None
        dialling.cancel()
        client.connected(outgoing)

    def judge(self, peer: Peer, status: int) -> None:
        """How a request went; 0 for no response."""
        breaker = peer.breaker
        if breaker is None:
            return
        now = self.front.now()
        label = peer.upstream.label
        if status and not breaker.counts(status):
            if breaker.succeeded():
                peer.upstream.state.ejected_until = 0.0
                self.front.breaker_changed(label, self.profile.name, is_open=False)
            return
        if breaker.failed(now):
            self.front.breaker_changed(label, self.profile.name, is_open=True)
        if not breaker.closed:
            # So that the dial leaves it alone, too, where there is another one.
            peer.upstream.state.ejected_until = now + breaker.seconds_left(now)

    def close_idle(self, now: float | None = None) -> None:
        """Close the idle connections whose time is over, on the loop's clock; or all."""
        for peer in self.peers:
            for outgoing in list(peer.idle):
                if now is None or outgoing.idle_until <= now:
                    outgoing.close()


class Dialling:
    """A request's wish for a connection: its turn, the dial, the handshake."""

    __slots__ = ("_client", "_group", "_handshake", "_probes", "_turn")

    def __init__(self, group: Group, client: Incoming, probes: list[Breaker]) -> None:
        """`probes`: the half-open breakers that this dial is to decide."""
        self._probes = probes
        for breaker in probes:
            breaker.begin(group.front.now())
        self._group = group
        self._client = client
        self._handshake: Handshake | None = None
        board = group.front.board
        board.held[client] = None
        self._turn = board.dial(self._dialled, profile=group.profile)
        if self._turn.waits:
            group.waiting[client] = None
            # Somebody else's connection that is kept may go for it.
            group.service.close_an_idle_one()

    def cancel(self) -> None:
        self._release()
        for breaker in self._probes:
            breaker.given_up()
        if self._handshake is not None:
            self._handshake.cancel()
        self._turn.end()

    def _release(self) -> None:
        self._group.front.board.held.pop(self._client, None)
        self._group.waiting.pop(self._client, None)

    def _dialled(self, result: socket.socket | DialError) -> None:
        if isinstance(result, DialError):
            self._failed(result)
            return
        tls = self._group.profile.tls
        if tls is None or not tls.enabled:
            self._connected(result)
            return
        from podweave.helpers.dialing.tls import Handshake

        upstream = self._turn.upstream
        assert upstream is not None
        front = self._group.front
        left = max(front.connect_timeout - (front.now() - self._client.since), 1.0)
        name = tls.name_for(upstream.host)
        self._handshake = Handshake(front.loop, result, tls, name, left, self._secured)

    def _secured(self, result: TlsSocket | TlsError) -> None:
        self._handshake = None
        if isinstance(result, DialError):
            upstream = self._turn.upstream
            assert upstream is not None
            self._group.front.board.attempted(upstream, result)
            self._failed(result)
        else:
            self._connected(result)

    def _connected(self, sock: socket.socket | TlsSocket) -> None:
        self._release()
        for breaker in self._probes:
            # The request on the connection goes on with it.
            breaker.given_up()
        group = self._group
        outgoing = Outgoing(group, group.peer_of(self._turn), sock, self._turn)
        if group.front.board.faults is not None:
            group.front.board.faults.spoil(outgoing)
        self._client.connected(outgoing)

    def _failed(self, error: DialError) -> None:
        self._release()
        self._turn.end()
        group = self._group
        for peer in group.peers:
            group.judge(peer, 0)
        self._client.unreachable(of_dial(error, group.profile.name))
