"""How long a Pod is waited for. A module of its own: it is wanted before all that shows Pods."""

from __future__ import annotations

import time
from typing import Final


class Patience:
    """Called, it tells on the monotonic clock when the waiting ends."""

    def __init__(self, seconds: float) -> None:
        self.seconds: Final = seconds
        self._end = time.monotonic() + seconds
        self._until = self._end

    def __call__(self) -> float:
        return self._until

    def shorten(self, seconds: float | None) -> None:
        """Wait only so many seconds more; None: as long as was said first."""
        if seconds is None:
            self._until = self._end
        else:
            self._until = min(self._until, time.monotonic() + seconds)
