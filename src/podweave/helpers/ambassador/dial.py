"""A dial for one client: attempts with back-off under one deadline, upstream after upstream.

rounds     every usable upstream of the profile once, in the profile's order, each with its
           share of the time that is left, so that a black hole doesn't use up all of it; there
           is a share for another round, too, in which its name may lead elsewhere
back-off   between rounds: 50 ms, doubling to 1 s, less a random part of up to a half, so
           that clients who lost their upstream together don't come back together
"""

from __future__ import annotations

import os

from podweave.helpers.dialing.connector import DialError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from podweave.helpers.ambassador.profiles import Profile, Upstream
    from podweave.helpers.dialing.connector import Cancellable, Connector
    from podweave.helpers.loop import Loop, Timer

FIRST_PAUSE = 0.05
LAST_PAUSE = 1.0

_TELLING_SECONDS = 0.25
"""Who hasn't answered for so long may be said not to answer."""

_LEAST_SHARE = 1.0
"""Seconds that an attempt is worth, at least, for something to be kept for another round."""

_TOO_LATE = 0.02
"""Seconds to the deadline in which no further round is begun."""


def random_number() -> float:
    """From 0 up to but less than 1. The module `random` would cost each helper half a megabyte."""
    return int.from_bytes(os.urandom(6), "big") / (1 << 48)


class Dial:
    """Calls `done(socket)` or `done(error)` once, never from the constructor.

    `attempted(upstream, error or None)` is called after every attempt.
    """

    __slots__ = (
        "_attempt",
        "_attempted",
        "_begun",
        "_connector",
        "_deadline",
        "_done",
        "_error",
        "_loop",
        "_pause",
        "_profile",
        "_random",
        "_timer",
        "_untried",
        "upstream",
    )

    def __init__(
        self,
        loop: Loop,
        connector: Connector,
        profile: Profile,
        timeout: float,
        done: Callable[[socket.socket | DialError], object],
        attempted: Callable[[Upstream, DialError | None], object],
        random: Callable[[], float] = random_number,
    ) -> None:
        self._loop = loop
        self._connector = connector
        self._profile = profile
        self._deadline = loop.now() + timeout
        self._done = done
        self._attempted = attempted
        self._random = random
        self._pause = FIRST_PAUSE
        self._begun = 0.0
        self._error: DialError | None = None
        self._untried: list[Upstream] = []
        self.upstream: Upstream | None = None
        """The one of the last attempt: after a success, where the connection leads."""
        self._attempt: Cancellable | None = None
        self._timer: Timer | None = None
        self._begin_round()

    def cancel(self) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
            self._end_attempt()
        if self._timer is not None:
            self._timer.cancel()

    def _begin_round(self) -> None:
        self._untried = self._profile.order(self._random, self._loop.now())
        self._try_next()

    def _try_next(self) -> None:
        self._begun = self._loop.now()
        left = max(self._deadline - self._begun, 0.0)
        share = left / (len(self._untried) + 1)
        if share < _LEAST_SHARE:
            share = left / len(self._untried)
        self.upstream = upstream = self._untried.pop(0)
        # It counts from now on: a burst of dials must not all find the same one the least used.
        upstream.state.open += 1
        self._attempt = self._connector.connect(upstream.host, upstream.port, share, self._decided)

    def _telling(self, error: DialError) -> DialError:
        """An attempt that was cut short by the deadline says nothing: then the one before."""
        short = self._loop.now() - self._begun < _TELLING_SECONDS
        if error.reason == "ETIMEDOUT" and short and self._error is not None:
            return self._error
        self._error = error
        return error

    def _end_attempt(self) -> Upstream:
        assert self.upstream is not None
        self._attempt = None
        self.upstream.state.open -= 1
        return self.upstream

    def _decided(self, result: socket.socket | DialError) -> None:
        upstream = self._end_attempt()
        if not isinstance(result, DialError):
            self._attempted(upstream, None)
            self._done(result)
            return
        result = self._telling(result)
        self._attempted(upstream, result)
        left = self._deadline - self._loop.now()
        if self._untried and left > 0:
            self._try_next()
            return
        if left < _TOO_LATE:
            self._done(result)
            return
        pause = self._pause * (1.0 - self._random() / 2)
        self._pause = min(self._pause * 2, LAST_PAUSE)
        # The last attempt is shortly before the deadline, not one pause ahead of it.
        self._timer = self._loop.call_later(min(pause, left * 0.9), self._begin_round)
