"""The connections whose bytes go through this process: whose turn each is, and what it carries."""

from __future__ import annotations

from podweave.helpers.ambassador.relay import Relay

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from podweave.helpers.ambassador.inspection import Inspector
    from podweave.helpers.ambassador.metrics import Metrics
    from podweave.helpers.ambassador.turns import Turn
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Loop


class Relays:
    def __init__(self, loop: Loop, metrics: Metrics) -> None:
        self._loop = loop
        self._metrics = metrics
        self._turns: dict[Relay, Turn | None] = {}
        self._to_upstream = metrics.bytes.labels("upstream")
        self._to_client = metrics.bytes.labels("client")

    def __iter__(self) -> Iterator[Relay]:
        return iter(self._turns)

    def __len__(self) -> int:
        return len(self._turns)

    def begin(
        self,
        profile: str,
        client: socket.socket,
        upstream: socket.socket | TlsSocket,
        to_client: bytes,
        to_upstream: bytes,
        closed: Callable[[], object] | None,
        turn: Turn | None,
        inspector: Inspector | None,
    ) -> Relay:
        """As `Switchboard.connected`."""
        self._metrics.open.add(1, profile)
        self._metrics.relayed.add(1, profile)

        def ended(relay: Relay) -> None:
            self._closed(relay)
            if closed is not None:
                closed()

        relay = Relay(
            self._loop,
            client,
            upstream,
            profile,
            self._closed if closed is None else ended,
            to_client,
            to_upstream,
            inspector,
        )
        if turn is not None:
            turn.holder = relay
        self._turns[relay] = turn
        return relay

    def render_metrics(self) -> bytes:
        """All metrics, with the bytes of open connections, which count them on their own."""
        to_upstream = sum(relay.client.received for relay in self._turns)
        to_client = sum(relay.upstream.received for relay in self._turns)
        self._to_upstream.value += to_upstream
        self._to_client.value += to_client
        text = self._metrics.registry.render()
        self._to_upstream.value -= to_upstream
        self._to_client.value -= to_client
        return text

    def _closed(self, relay: Relay) -> None:
        turn = self._turns.pop(relay)
        self._metrics.open.add(-1, relay.profile)
        self._to_upstream.value += relay.client.received
        self._to_client.value += relay.upstream.received
        if turn is not None:
            turn.end()
