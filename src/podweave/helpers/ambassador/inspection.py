"""Relayed connections whose bytes somebody looks at, because a login may still come in them.

Only such connections pay for it: they have legs of these classes.
"""

from __future__ import annotations

from podweave.helpers.ambassador.leg import Leg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Inspector(Protocol):
        """Told what comes, says what goes: (on to the other side, back to where it came from).

        None: the bytes break the protocol, and the connection is reset. What comes in any pieces
        must go the same.
        """

        def from_client(self, data: bytes) -> tuple[bytes, bytes] | None: ...

        def from_upstream(self, data: bytes) -> tuple[bytes, bytes] | None: ...


class InspectedLeg(Leg):
    __slots__ = ()

    def _pass_on(self, data: memoryview) -> None:
        relay = self._relay
        assert relay.inspector is not None
        if self is relay.client:
            went = relay.inspector.from_client(bytes(data))
        else:
            went = relay.inspector.from_upstream(bytes(data))
        if went is None:
            relay.reset()
            return
        on, back = went
        if back:
            self.put(back)
        if on and relay.open:
            self.peer.put(on)
