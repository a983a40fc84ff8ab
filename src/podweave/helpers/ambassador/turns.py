"""A connection to an upstream, from the wish for it to its end.

    wanted ──> waiting ──> dialling ──> connected ──> ended
                │ the profile's limit     │ whoever wanted it has the socket
                └─────────┴──> failed: told why

A Turn counts among the connections that the profile allows from the moment it dials until
`end()` is called, which whoever has asked for it must do, whatever became of it.
"""

from __future__ import annotations

from podweave.helpers.ambassador.dial import Dial
from podweave.helpers.dialing.connector import DialError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Protocol

    from podweave.helpers.ambassador.profiles import Profile, Upstream
    from podweave.helpers.dialing.connector import Connector
    from podweave.helpers.loop import Loop, Timer

    Attempted = Callable[[Upstream, DialError | None], object]

    class Holder(Protocol):
        """Who uses the connection: told when a switch or the end takes it away."""

        def reset(self) -> None: ...


CONNECTION_LIMIT = "CONNECTION_LIMIT"
"""The reason of a DialError: the profile's limit was reached all the time."""


class Slots:
    """Who is connected in one profile, and who waits for a place, first come first served."""

    __slots__ = ("connected", "limit", "used", "waiting")

    def __init__(self) -> None:
        self.limit = 0
        self.used = 0
        self.waiting: dict[Turn, None] = {}
        self.connected: dict[Turn, None] = {}

    def set_limit(self, limit: int) -> None:
        """0: no limit. More than it allows may be connected already; nobody is sent away."""
        self.limit = limit
        self._admit()

    def _admit(self) -> None:
        while self.waiting and (not self.limit or self.used < self.limit):
            turn = next(iter(self.waiting))
            del self.waiting[turn]
            turn._begin()

    def _give_back(self) -> None:
        self.used -= 1
        self._admit()


class Turn:
    """Calls `done(socket)` or `done(error)` once, never from the constructor, unless ended."""

    __slots__ = (
        "_attempted",
        "_connector",
        "_deadline",
        "_dial",
        "_done",
        "_has_slot",
        "_loop",
        "_slots",
        "_timer",
        "holder",
        "profile",
        "upstream",
    )

    def __init__(
        self,
        loop: Loop,
        connector: Connector,
        slots: Slots,
        profile: Profile,
        deadline: float,
        done: Callable[[socket.socket | DialError], object],
        attempted: Attempted,
    ) -> None:
        """`deadline` is on the loop's clock, for waiting and dialling together."""
        self.profile = profile
        self.upstream: Upstream | None = None
        """Where it is connected to, once it is."""
        self.holder: Holder | None = None
        self._loop = loop
        self._connector = connector
        self._slots = slots
        self._deadline = deadline
        self._done = done
        self._attempted = attempted
        self._dial: Dial | None = None
        self._timer: Timer | None = None
        self._has_slot = False
        if slots.limit and slots.used >= slots.limit:
            slots.waiting[self] = None
            self._timer = loop.call_at(deadline, self._out_of_time)
        else:
            self._begin()

    @property
    def waits(self) -> bool:
        """For a place: the profile's limit is reached."""
        return self in self._slots.waiting

    def end(self) -> None:
        """Give up the wish, or the connection: its socket is the owner's to close."""
        if self._timer is not None:
            self._timer.cancel()
        if self._dial is not None:
            self._dial.cancel()
            self._dial = None
        self._slots.waiting.pop(self, None)
        self._slots.connected.pop(self, None)
        if self.upstream is not None:
            self.upstream.state.open -= 1
            self.upstream = None
        if self._has_slot:
            self._has_slot = False
            self._slots._give_back()

    def _begin(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._has_slot = True
        self._slots.used += 1
        self._dial = Dial(
            self._loop,
            self._connector,
            self.profile,
            max(self._deadline - self._loop.now(), 0.0),
            self._dialled,
            self._attempted,
        )

    def _dialled(self, result: socket.socket | DialError) -> None:
        assert self._dial is not None
        if not isinstance(result, DialError):
            self.upstream = self._dial.upstream
            assert self.upstream is not None
            self.upstream.state.open += 1
            self._slots.connected[self] = None
        self._dial = None
        self._done(result)

    def _out_of_time(self) -> None:
        self._slots.waiting.pop(self, None)
        limit = self._slots.limit
        message = f"{limit} connections are open, and limits.connections allows no more"
        self._done(DialError(CONNECTION_LIMIT, message))
