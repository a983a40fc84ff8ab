"""Connections whose other end is gone and hasn't said so.

    client killed       its end of input looks like that of a client that still waits for an
                        answer. When all that it has said is passed on, and no process holds its
                        end any more, the connection ends in order: as if the upstream had been
                        connected with it directly, whose kernel would answer in its place.
    other end vanished  a machine without power, a network that is cut. Where nothing is under
                        way keepalive finds that out; where something is, the kernel would try for
                        a quarter of an hour.

Looked for now and then among all that is open, so that no connection pays for it.
"""

from __future__ import annotations

from podweave.helpers.dialing.tcp_info import is_unreachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from podweave.helpers.ambassador.metrics import Metrics
    from podweave.helpers.loop import Loop, Timer

    class Connection(Protocol):
        @property
        def open(self) -> bool: ...

        @property
        def half_closed(self) -> bool:
            """The client sends no more, and all that it has sent is passed on."""

        @property
        def client_socket(self) -> socket.socket: ...

        @property
        def upstream_socket(self) -> socket.socket | None: ...

        def abandon(self) -> None:
            """Nobody waits for an answer any more."""

        def reset(self) -> None: ...


LOOK_SECONDS = 2.0
UNREACHABLE_SECONDS = 120.0
"""As long as keepalive takes where nothing is under way."""
_LOOKS_A_ROUND = 15
_AT_ONCE = 256
"""Connections that are asked for in one turn of the loop."""


class LostPeers:
    def __init__(
        self,
        loop: Loop,
        connections: Callable[[], Sequence[Connection]],
        metrics: Metrics,
        unreachable_seconds: float = UNREACHABLE_SECONDS,
    ) -> None:
        """`connections` are all there are; without any nothing is looked for."""
        self._loop = loop
        self._connections = connections
        self._lost = metrics.lost
        self._unreachable_seconds = unreachable_seconds
        self._blind = False
        """This system doesn't tell who holds a socket, or how it does."""
        self._timer: Timer | None = None
        self._looks = 0

    @property
    def looking(self) -> bool:
        return self._timer is not None

    def begin(self) -> None:
        """There are connections."""
        if self._timer is None:
            self._timer = self._loop.call_later(LOOK_SECONDS, self.look)

    def look(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        connections = self._connections()
        if not connections:
            return
        self.begin()
        if not self._blind and (waiting := [each for each in connections if each.half_closed]):
            try:
                self._find_orphaned(waiting)
            except OSError:
                self._blind = True
        self._looks += 1
        if self._looks % _LOOKS_A_ROUND == 0:
            self.find_unreachable(connections)

    def find_unreachable(self, connections: Sequence[Connection]) -> None:
        """Some in this turn of the loop, the others in the next ones."""
        for connection in connections[:_AT_ONCE]:
            if not connection.open:
                continue
            if self._is_unreachable(connection.client_socket):
                self._lost.add(1, "client")
                connection.reset()
            elif self._is_unreachable(connection.upstream_socket):
                self._lost.add(1, "upstream")
                connection.reset()
        if rest := connections[_AT_ONCE:]:
            self._loop.call_later(0, lambda: self.find_unreachable(rest))

    def _find_orphaned(self, waiting: list[Connection]) -> None:
        # Imported where it is needed: memory is imports.
        from podweave.helpers.ambassador.client_ends import ClientEnds

        ends = ClientEnds()
        try:
            for connection in waiting:
                if ends.is_orphaned(connection.client_socket):
                    self._lost.add(1, "client")
                    connection.abandon()
        finally:
            ends.close()

    def _is_unreachable(self, sock: socket.socket | None) -> bool:
        try:
            return sock is not None and is_unreachable(sock, self._unreachable_seconds)
        except OSError:
            return False
