"""The end: after SIGTERM the ambassador stays until the application has gone, or a deadline.

It goes on accepting all the while: an application that closes its pool and then writes a last
record opens a connection more. A count of zero alone is therefore no reason to leave; a
quiet time is. It is short where nobody was connected when the signal came: as a native sidecar
the ambassador is told to stop only after the application has ended, and a Job waits for it.
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
        self, loop: Loop, board: Switchboard, seconds: float, done: Callable[[], object]
    ) -> None:
        self._loop = loop
        self._board = board
        self._done = done
        now = loop.now()
        self._deadline = now + seconds
        self._quiet_seconds = QUIET_SECONDS if board.busy else QUIET_SECONDS_WHEN_IDLE
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
        if now >= self._deadline or now - self._busy_at >= self._quiet_seconds:
            self._done()
        else:
            self._loop.call_later(_LOOK_SECONDS, self._look)
