"""Who takes a client that was accepted: by the protocol, and by what the profiles need."""

from __future__ import annotations

from podweave.helpers.ambassador.held_client import HeldClient
from podweave.helpers.ambassador.sessions.catalogue import Conversations
from podweave.helpers.dialing.socket_options import reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Collection

    from podweave.helpers.ambassador.profiles import Profile
    from podweave.helpers.ambassador.switchboard import Switchboard
    from podweave.helpers.dialing.connector import DialError

    Session = Callable[[Switchboard, socket.socket], object]


class Sessions:
    """`begin` is chosen anew whenever the profiles have changed: a plain relay is the cheapest."""

    def __init__(self, protocol: str, profiles: Collection[Profile]) -> None:
        self._http = protocol == "http"
        self._conversations = Conversations(protocol)
        self.begin: Session = HeldClient
        self.choose(profiles)

    def choose(self, profiles: Collection[Profile]) -> None:
        if self._http:
            self.begin = _begin_http
        elif self._conversations.needed(profiles):
            self._conversations.load(profiles)
            self.begin = self._converse
        else:
            self.begin = HeldClient

    def refuse(self, board: Switchboard, client: socket.socket, error: DialError) -> None:
        """Send the client away, with the protocol's own error where it has one."""
        if self.begin == self._converse:
            self._converse(board, client, error)
        else:
            reset(client)
            board.refused(error)

    def _converse(
        self, board: Switchboard, client: socket.socket, refusal: DialError | None = None
    ) -> None:
        from podweave.helpers.ambassador.sessions.driver import Session

        Session(board, client, self._conversations.start(), refusal)


def _begin_http(board: Switchboard, client: socket.socket) -> None:
    if board.front is None:
        from podweave.helpers.ambassador.http.front import Front

        board.front = Front(board)
    board.front.accept(client)
