"""Relayed connections whose bytes somebody looks at, because a login may still come in them.

Only such connections pay for it: they have legs of these classes.
"""

from __future__ import annotations

import socket

from podweave.helpers.ambassador.relay import BUFFER_SIZE, Leg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from podweave.helpers.ambassador.relay import Relay
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Loop

    class Inspector(Protocol):
        """Told what comes, says what goes: (on to the other side, back to where it came from).

        None: the bytes break the protocol, and the connection is reset. What comes in any pieces
        must go the same.
        """

        def from_client(self, data: bytes) -> tuple[bytes, bytes] | None: ...

        def from_upstream(self, data: bytes) -> tuple[bytes, bytes] | None: ...


_buffer = bytearray(BUFFER_SIZE)


class InspectedLeg(Leg):
    __slots__ = ()

    def _forward(self) -> None:
        try:
            count = self._recv_into(_buffer)
        except BlockingIOError:
            return
        except OSError:
            self._relay.reset()
            return
        if not count:
            self._input_ended()
            return
        self.received += count
        relay = self._relay
        assert relay.inspector is not None
        data = bytes(_buffer[:count])
        if self is relay.client:
            went = relay.inspector.from_client(data)
        else:
            went = relay.inspector.from_upstream(data)
        if went is None:
            relay.reset()
            return
        on, back = went
        if back:
            self._send_besides(back)
        peer = self.peer
        if on and relay.open:
            assert isinstance(peer, InspectedLeg)
            peer._send_besides(on)
        if relay.open:
            peer._update()
            self._update()

    def _send_besides(self, data: bytes) -> None:
        """Send, behind what waits already."""
        if self._pending:
            self._pending += data
            return
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._output_failed()
            return
        self._pending = data[sent:]


def inspected_legs(
    loop: Loop, client: socket.socket, upstream: socket.socket | TlsSocket, relay: Relay
) -> tuple[Leg, Leg]:
    """The client's leg and the upstream's."""
    if isinstance(upstream, socket.socket):
        return InspectedLeg(loop, client, relay), InspectedLeg(loop, upstream, relay)
    from podweave.helpers.ambassador.inspected_tls_leg import InspectedTlsLeg

    return InspectedLeg(loop, client, relay), InspectedTlsLeg(loop, upstream, relay)
