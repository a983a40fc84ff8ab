"""How long a container that ended waits for its next start.

As kubelet does it: the first restart is immediate, the next one waits `initial` seconds after
the end of the run before, and each further one twice as long, to `maximum`. A run longer than
`reset` forgives everything.
"""

from __future__ import annotations

import msgspec


class BackoffTimes(msgspec.Struct, frozen=True):
    """Seconds. The defaults are those of Kubernetes with ReduceDefaultCrashLoopBackOffDecay:
    on a laptop somebody watches. Without that feature gate kubelet takes 10 and 300."""

    initial: float = 1.0
    maximum: float = 60.0
    reset: float = 600.0


class Backoff:
    """The memory of one container's restarts."""

    def __init__(self, times: BackoffTimes) -> None:
        self._times = times
        self._next: float | None = None

    def after_run(self, seconds: float) -> float:
        """Return the delay before the next start, given how long the last run lasted."""
        times = self._times
        if self._next is None or seconds > times.reset:
            self._next = times.initial
            return 0.0
        delay = self._next
        self._next = min(delay * 2, times.maximum)
        return delay
