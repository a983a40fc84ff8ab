"""The end: after SIGTERM the ambassador stays until the application has gone, or a deadline.

It goes on accepting all the while: an application that closes its pool and then writes a last
record opens a connection more. A count of zero alone is therefore no reason to leave.

As a native sidecar it is told to stop only after the application has ended, and a Job waits for
it: a short quiet time is enough. As a plain container it is told together with the application:
then it stays as long as anybody else in the Pod still listens, however quiet it is, and where
nobody does, for a longer quiet time.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.ambassador.switchboard import Switchboard
    from podweave.helpers.loop import Loop

QUIET_SECONDS = 2.0
QUIET_SECONDS_WHEN_IDLE = 0.5
_LOOK_SECONDS = 0.05


class Drain:
    def __init__(
        self,
        loop: Loop,
        board: Switchboard,
        seconds: float,
        done: Callable[[], object],
        application_is_there: Callable[[], bool] | None = None,
    ) -> None:
        """`application_is_there` where it may outlive the signal; None: it has ended before."""
        self._loop = loop
        self._board = board
        self._done = done
        self._application_is_there = application_is_there
        now = loop.now()
        self._deadline = now + seconds
        patient = board.busy or application_is_there is not None
        self._quiet_seconds = QUIET_SECONDS if patient else QUIET_SECONDS_WHEN_IDLE
        self._busy_at = now
        self._accepted = board.metrics.accepted.value
        self._look()

    def _look(self) -> None:
        now = self._loop.now()
        accepted = self._board.metrics.accepted.value
        if self._board.busy or accepted != self._accepted:
            self._busy_at = now
            self._accepted = accepted
            self._quiet_seconds = QUIET_SECONDS
        quiet = now - self._busy_at >= self._quiet_seconds
        if quiet and self._application_is_there is not None and self._application_is_there():
            # It may still want something. Looked at anew after another quiet time: cheap.
            self._busy_at = now
            quiet = False
        if now >= self._deadline or quiet:
            self._done()
        else:
            self._loop.call_later(_LOOK_SECONDS, self._look)
