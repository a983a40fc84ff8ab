"""A client of a protocol that says nothing before it is relayed: held while its upstream is
dialled. It isn't read: the kernel keeps its bytes."""

from __future__ import annotations

from podweave.helpers.dialing.connector import DialError
from podweave.helpers.dialing.socket_options import reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Protocol

    from podweave.helpers.ambassador.profiles import Profile
    from podweave.helpers.ambassador.switchboard import Switchboard
    from podweave.helpers.ambassador.turns import Turn

    class Held(Protocol):
        """A client on its way to an upstream."""

        sock: socket.socket

        @property
        def profile(self) -> Profile: ...
        @property
        def since(self) -> float:
            """When it came, or was sent elsewhere by a switch."""

        def dial(self) -> None:
            """The profile has changed: what was dialled leads to the wrong place."""

        def close(self) -> None:
            """The ambassador ends: reset the client."""


class HeldClient:
    __slots__ = ("_board", "_turn", "profile", "since", "sock")

    def __init__(self, board: Switchboard, sock: socket.socket) -> None:
        self._board = board
        self.sock = sock
        self._turn: Turn | None = None
        board.held[self] = None
        # For nothing but the hang-up: a client that has reset its connection need not wait.
        board.loop.add(sock.fileno(), 0, self._hung_up)
        self.dial()

    def dial(self) -> None:
        """Dial, or dial anew, in the profile of now, with the whole time for it."""
        if self._turn is not None:
            self._turn.end()
        self.profile = self._board.profile
        self.since = self._board.loop.now()
        self._turn = self._board.dial(self._dialled)

    def close(self) -> None:
        assert self._turn is not None
        self._turn.end()
        self._release()
        reset(self.sock)

    def _dialled(self, result: socket.socket | DialError) -> None:
        assert self._turn is not None
        self._release()
        if isinstance(result, DialError):
            self._turn.end()
            reset(self.sock)
            self._board.refused(result)
        else:
            self._board.connected(self, result, turn=self._turn)

    def _hung_up(self, events: int) -> None:
        self._board.metrics.gone.value += 1
        self.close()

    def _release(self) -> None:
        self._board.loop.remove(self.sock.fileno())
        del self._board.held[self]
