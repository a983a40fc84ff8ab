"""Bytes both ways between a client and its upstream, and nothing else.

Each connection has two legs. Bytes read from one are sent to the other at once; what it doesn't
take is kept, at most one buffer of it, and the first leg is not read until that has gone: a slow
reader slows its sender down and costs no memory.

What happens to one leg is done to the other as if there were no relay:

    end of input   the other's output is shut down, after what is kept; the opposite direction
                   goes on (half-close); both ended: closed
    reset, error   the other is reset, too: a client never takes a broken upstream for an
                   orderly end
    output fails   the leg's last input is still delivered (an error message, as a rule), then
                   the other is reset

What its legs are depends on the sockets and on whether somebody looks at the bytes: most of them
are plain, and cheap (`plain_leg`).
"""

from __future__ import annotations

import socket

from podweave.helpers.ambassador.leg import Leg
from podweave.helpers.ambassador.plain_leg import PlainLeg
from podweave.helpers.dialing.socket_options import reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.ambassador.inspection import Inspector
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Loop


class Relay:
    """Two connected non-blocking sockets. `closed(relay)` is called once, when both are gone.

    `to_client` and `to_upstream` are bytes that somebody has read before: they go first. An
    inspector is shown what comes after them.
    """

    __slots__ = ("_closed", "client", "inspector", "profile", "upstream")

    def __init__(
        self,
        loop: Loop,
        client: socket.socket,
        upstream: socket.socket | TlsSocket,
        profile: str,
        closed: Callable[[Relay], object],
        to_client: bytes = b"",
        to_upstream: bytes = b"",
        inspector: Inspector | None = None,
    ) -> None:
        self.profile = profile
        self.inspector = inspector
        self._closed: Callable[[Relay], object] | None = closed
        self.client: Leg
        self.upstream: Leg
        self.client, self.upstream = _legs(loop, client, upstream, self)
        self.client.peer = self.upstream
        self.upstream.peer = self.client
        self.client.begin(to_client)
        self.upstream.begin(to_upstream)

    @property
    def open(self) -> bool:
        return self._closed is not None

    @property
    def half_closed(self) -> bool:
        """The client sends no more, and the upstream has been told."""
        return self.open and self.client.passed_on

    @property
    def client_socket(self) -> socket.socket:
        return self.client.sock

    @property
    def upstream_socket(self) -> socket.socket:
        return self.upstream.sock

    def abandon(self) -> None:
        """The client isn't there any more: nobody waits for what the upstream still says."""
        self.end()

    def end(self) -> None:
        """Both directions have ended in order."""
        self._close(lambda sock: sock.close())

    def reset(self) -> None:
        self._close(reset)

    def _close(self, close: Callable[[socket.socket], object]) -> None:
        closed, self._closed = self._closed, None
        if closed is None:
            return
        for leg in (self.client, self.upstream):
            leg.forget()
            close(leg.sock)
        closed(self)


def _legs(
    loop: Loop, client: socket.socket, upstream: socket.socket | TlsSocket, relay: Relay
) -> tuple[Leg, Leg]:
    """The client's and the upstream's. Those that few need are loaded for these alone."""
    if relay.inspector is None:
        if isinstance(upstream, socket.socket):
            return PlainLeg(loop, client, relay), PlainLeg(loop, upstream, relay)
        from podweave.helpers.ambassador.tls_leg import TlsLeg

        return Leg(loop, client, relay), TlsLeg(loop, upstream, relay)
    from podweave.helpers.ambassador.inspection import InspectedLeg

    if isinstance(upstream, socket.socket):
        return InspectedLeg(loop, client, relay), InspectedLeg(loop, upstream, relay)
    from podweave.helpers.ambassador.inspected_tls_leg import InspectedTlsLeg

    return InspectedLeg(loop, client, relay), InspectedTlsLeg(loop, upstream, relay)
