"""The leg of a relay whose socket speaks TLS.

What differs from a plain leg is that bytes may wait in this process, where epoll can't see them:

    input    is taken until nothing is left, or until the other leg takes no more; then it goes
             on as soon as that one has room again
    output   ends with close_notify and the end of TCP's output, which may have to wait: until
             what has come in is delivered, and until the socket takes it
"""

from __future__ import annotations

import errno

from podweave.helpers.ambassador.leg import Leg
from podweave.helpers.dialing.tls_socket import TruncatedError
from podweave.helpers.loop import WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.relay import Relay
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Loop


class TlsLeg(Leg):
    __slots__ = ("_forwarding", "_tls")

    def __init__(self, loop: Loop, tls: TlsSocket, relay: Relay) -> None:
        super().__init__(loop, tls.raw, relay)
        self._tls = tls
        # Not before the relay's owner knows the relay: the first bytes may end it.
        self._forwarding = True
        self._recv_into = self._receive
        self._write = lambda fd, data: tls.send(data)

    def begin(self, first: bytes) -> None:
        super().begin(first)
        if self._tls.buffered:
            self._loop.call_later(0, self._resume)
        else:
            self._forwarding = False

    def forget(self) -> None:
        super().forget()
        self._tls.discard()

    def _resume(self) -> None:
        self._forwarding = False
        if self._readable():
            self._forward()

    def _receive(self, buffer: bytearray) -> int:
        try:
            return self._tls.recv_into(buffer)
        except TruncatedError:
            if not self.ended:
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
        if self.ending and self._relay.open:
            self._end_output()

    def _readable(self) -> bool:
        return self._tls.buffered and self._relay.open and self._input_open and not self.peer.unsent

    def _end_output(self) -> None:
        # The closing of both says no close_notify.
        self.end()
        if self.ended and self.peer.ended:
            self._relay.end()

    def _shutdown(self) -> None:
        if self._tls.buffered or self._forwarding:
            raise BlockingIOError(errno.EAGAIN, "what has come in is delivered first")
        self._tls.shutdown()

    def _update(self) -> None:
        super()._update()
        if self._readable():
            self._forward()

    def _wanted(self) -> int:
        mask = super()._wanted()
        if self._tls.buffered and not self.unsent:
            # The end waits for the other leg to take more, not for the socket.
            mask &= ~WRITE
        return mask
