"""The leg of a relay whose socket speaks TLS.

What differs from a plain leg is that bytes may wait in this process, where epoll can't see them:

    input    is taken until nothing is left, or until the other leg takes no more; then it goes
             on as soon as that one has room again
    output   ends with close_notify and the end of TCP's output, which may have to wait: until
             what has come in is delivered, and until the socket takes it
"""

from __future__ import annotations

from podweave.helpers.ambassador.leg import Leg
from podweave.helpers.dialing.tls_socket import TruncatedError
from podweave.helpers.loop import WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.relay import Relay
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Loop


class TlsLeg(Leg):
    __slots__ = ("_ending", "_forwarding", "_tls")

    def __init__(self, loop: Loop, tls: TlsSocket, relay: Relay) -> None:
        super().__init__(loop, tls.raw, relay)
        self._tls = tls
        self._ending = False
        # Not before the relay's owner knows the relay: the first bytes may end it.
        self._forwarding = True
        self._recv_into = self._receive
        self._send = tls.send

    def begin(self, pending: bytes) -> None:
        super().begin(pending)
        if self._tls.buffered:
            self._loop.call_later(0, self._resume)
        else:
            self._forwarding = False

    def forget(self) -> None:
        super().forget()
        self._tls.discard()

    def ready(self, events: int) -> None:
        if self._ending and events & WRITE:
            self._shut_output()
            if not self._relay.open:
                return
        super().ready(events)

    def _resume(self) -> None:
        self._forwarding = False
        if self._readable():
            self._forward()

    def _receive(self, buffer: bytearray) -> int:
        try:
            return self._tls.recv_into(buffer)
        except TruncatedError:
            if self._output_open:
                raise
            # We had said the end before; many servers then just hang up.
            return 0

    def _forward(self) -> None:
        if self._forwarding:
            return
        self._forwarding = True
        super()._forward()
        while self._readable():
            super()._forward()
        self._forwarding = False
        if self._ending and self._relay.open:
            self._shut_output()

    def _readable(self) -> bool:
        return (
            self._tls.buffered and self._relay.open and self._input_open and not self.peer._pending
        )

    def _shut_output(self) -> None:
        if not self._output_open:
            return
        self._ending = True
        if self._tls.buffered or self._forwarding:
            return
        try:
            self._tls.shutdown()
        except BlockingIOError:
            self._update()
            return
        except (OSError, ValueError):
            self._ending = False
            self._output_failed()
            return
        self._ending = False
        self._output_open = False
        if not self.peer._output_open:
            self._relay.end()

    def _update(self) -> None:
        super()._update()
        if self._readable():
            self._forward()

    def _wanted(self) -> int:
        mask = super()._wanted()
        return mask | WRITE if self._ending else mask
