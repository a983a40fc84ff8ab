"""When to try again what failed: soon at first, then less and less often, never in step."""

from __future__ import annotations

import os

FIRST = 0.1
MOST = 5.0


class Backoff:
    """Delays that double up to a limit, each spread over its upper half.

    The spread keeps the helpers of many Pods from coming back to a store at the same moment.
    """

    def __init__(self, first: float = FIRST, most: float = MOST) -> None:
        self._first = first
        self._most = most
        self._next = first

    def delay(self) -> float:
        """Seconds to wait after this failure."""
        delay = self._next
        self._next = min(self._most, delay * 2)
        # Eight random bits spread well enough, and `random` would cost memory.
        return delay * (0.5 + os.urandom(1)[0] / 510)

    def reset(self) -> None:
        """It worked."""
        self._next = self._first
