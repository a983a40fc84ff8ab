"""What becomes of a client: held while its upstream is dialled, then relayed.

    accepted ──> held ──> relayed ──> closed
                  │  └──> the profile is switched: dialled anew there
                  └─────> reset: no upstream in time

A switch changes where new and held clients go. Relayed ones stay where they are.
"""

from __future__ import annotations

from podweave.helpers.ambassador.dial import Dial
from podweave.helpers.ambassador.relay import Relay
from podweave.helpers.ambassador.sessions.catalogue import Conversations
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.dialing.socket_options import reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from podweave.helpers.ambassador.metrics import Metrics
    from podweave.helpers.ambassador.profiles import Profile, Upstream
    from podweave.helpers.ambassador.sessions.driver import Session
    from podweave.helpers.ambassador.sessions.lingering import LingeringClose
    from podweave.helpers.ambassador.settings import Settings
    from podweave.helpers.dialing.connector import Connector
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.journal import Journal
    from podweave.helpers.loop import Loop

# Refusals come by the thousand when an upstream is away; one line in this time says how many.
_REFUSAL_LINE_SECONDS = 5.0


class Switchboard:
    def __init__(
        self,
        loop: Loop,
        settings: Settings,
        connector: Connector,
        metrics: Metrics,
        journal: Journal,
    ) -> None:
        self.loop = loop
        self.connector = connector
        self.metrics = metrics
        self.connect_timeout = settings.connect_timeout
        self.profiles = settings.profiles
        self.profile: Profile = settings.profiles[settings.profile]
        self.held: dict[HeldClient | Session, None] = {}
        self._journal = journal
        self._relays: dict[Relay, Callable[[], object] | None] = {}
        self._lingering: dict[LingeringClose, None] = {}
        self._conversations = Conversations(settings.protocol)
        self._converse = self._conversations.needed(settings.profiles.values())
        self._to_upstream = metrics.bytes.labels("upstream")
        self._to_client = metrics.bytes.labels("client")
        self._failing: dict[str, str] = {}
        self._refused_since_line = 0
        self._next_refusal_line = 0.0
        for name in self.profiles:
            metrics.open.labels(name)
            metrics.relayed.labels(name)
        metrics.profile.set(1, self.profile.name)

    @property
    def busy(self) -> bool:
        """Somebody is connected."""
        return bool(self._relays or self.held)

    def accept(self, client: socket.socket) -> None:
        self.metrics.accepted.value += 1
        if self._converse:
            from podweave.helpers.ambassador.sessions.driver import Session

            Session(self, client, self._conversations.start())
        else:
            HeldClient(self, client)

    def switch(self, name: str) -> dict[str, object]:
        """New and held clients go to the profile `name` from now on. Says what stays where.

        KeyError when there is no such profile.
        """
        previous, profile = self.profile, self.profiles[name]
        redialled = 0
        if profile is not previous:
            self.profile = profile
            self.metrics.switches.value += 1
            self.metrics.profile.clear()
            self.metrics.profile.set(1, name)
            for client in list(self.held):
                client.dial()
                redialled += 1
        answer: dict[str, object] = {
            "profile": name,
            "previous": previous.name,
            "open": self.open_connections(),
            "redialled": redialled,
        }
        self._journal.info("profile-switched", **answer)
        return answer

    def open_connections(self) -> dict[str, int]:
        """Relayed connections by profile."""
        return {name: int(self.metrics.open.labels(name).value) for name in self.profiles}

    def connected(
        self,
        client: HeldClient | Session,
        upstream: socket.socket | TlsSocket,
        to_client: bytes = b"",
        to_upstream: bytes = b"",
        closed: Callable[[], object] | None = None,
    ) -> None:
        """Relay from now on, after these bytes. `closed` is called at the end of it."""
        self.metrics.dial_seconds.observe(self.loop.now() - client.since)
        self.metrics.open.add(1, client.profile.name)
        self.metrics.relayed.add(1, client.profile.name)
        relay = Relay(
            self.loop,
            client.sock,
            upstream,
            client.profile.name,
            self._relay_closed,
            to_client,
            to_upstream,
        )
        self._relays[relay] = closed

    def linger(self, sock: socket.socket, farewell: bytes) -> None:
        """Close a client's connection so that it can read its last words."""
        from podweave.helpers.ambassador.sessions.lingering import LingeringClose

        self._lingering[LingeringClose(self.loop, sock, farewell, self._lingering.pop)] = None

    def attempted(self, upstream: Upstream, error: DialError | None) -> None:
        label = upstream.label
        if error is None:
            self.metrics.upstream_up.set(1, label)
            if self._failing.pop(label, None) is not None:
                self._journal.info("upstream-recovered", upstream=label)
            return
        self.metrics.upstream_up.set(0, label)
        self.metrics.dial_failures.add(1, label, error.reason)
        if self._failing.get(label) != error.reason:
            self._failing[label] = error.reason
            self._journal.warning(
                "upstream-failing", upstream=label, reason=error.reason, message=error.message
            )

    def refused(self, error: DialError) -> None:
        self.metrics.refused.value += 1
        self._refused_since_line += 1
        if self.loop.now() >= self._next_refusal_line:
            self._journal.error(
                "client-refused",
                clients=self._refused_since_line,
                profile=self.profile.name,
                reason=error.reason,
                message=error.message,
            )
            self._refused_since_line = 0
            self._next_refusal_line = self.loop.now() + _REFUSAL_LINE_SECONDS

    def render_metrics(self) -> bytes:
        """The metrics as of now: open connections count their bytes on their own."""
        self.metrics.held.value = len(self.held)
        to_upstream = sum(relay.client.received for relay in self._relays)
        to_client = sum(relay.upstream.received for relay in self._relays)
        self._to_upstream.value += to_upstream
        self._to_client.value += to_client
        text = self.metrics.registry.render()
        self._to_upstream.value -= to_upstream
        self._to_client.value -= to_client
        return text

    def reset_all(self) -> int:
        """Everybody is disconnected, and learns that it was no orderly end. Returns how many."""
        connections = [*self._relays]
        clients = list(self.held)
        for relay in connections:
            relay.reset()
        for client in clients:
            client.close()
        for lingering in list(self._lingering):
            lingering.close()
        return len(connections) + len(clients)

    def _relay_closed(self, relay: Relay) -> None:
        closed = self._relays.pop(relay)
        if closed is not None:
            closed()
        self.metrics.open.add(-1, relay.profile)
        self._to_upstream.value += relay.client.received
        self._to_client.value += relay.upstream.received


class HeldClient:
    """A client whose upstream is being dialled. It isn't read: the kernel keeps its bytes."""

    __slots__ = ("_board", "_dial", "profile", "since", "sock")

    def __init__(self, board: Switchboard, sock: socket.socket) -> None:
        self._board = board
        self.sock = sock
        self._dial: Dial | None = None
        board.held[self] = None
        # For nothing but the hang-up: a client that has reset its connection need not wait.
        board.loop.add(sock.fileno(), 0, self._hung_up)
        self.dial()

    def dial(self) -> None:
        """Dial, or dial anew, in the profile of now, with the whole time for it."""
        if self._dial is not None:
            self._dial.cancel()
        board = self._board
        self.profile = board.profile
        self.since = board.loop.now()
        self._dial = Dial(
            board.loop,
            board.connector,
            self.profile,
            board.connect_timeout,
            self._dialled,
            board.attempted,
        )

    def close(self) -> None:
        assert self._dial is not None
        self._dial.cancel()
        self._release()
        reset(self.sock)

    def _dialled(self, result: socket.socket | DialError) -> None:
        self._release()
        if isinstance(result, DialError):
            reset(self.sock)
            self._board.refused(result)
        else:
            self._board.connected(self, result)

    def _hung_up(self, events: int) -> None:
        self._board.metrics.gone.value += 1
        self.close()

    def _release(self) -> None:
        self._board.loop.remove(self.sock.fileno())
        del self._board.held[self]
