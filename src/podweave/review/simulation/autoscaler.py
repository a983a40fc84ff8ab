"""The HorizontalPodAutoscaler's arithmetic, as its documentation gives it."""

from __future__ import annotations

import math
from typing import Final

import msgspec

TOLERANCE: Final = 0.1


class Autoscaler(msgspec.Struct):
    """Desired replicas from utilisation, with tolerance and scale-down stabilisation."""

    minimum: int
    maximum: int
    target: float
    """Share of the request."""
    window: int = 1
    """Steps of the scale-down stabilisation: 300 s is one step of five minutes."""
    recent: list[int] = []

    def step(self, current: int, utilisation: float) -> int:
        """The replicas for the next step."""
        ratio = utilisation / self.target
        wanted = current if abs(ratio - 1) <= TOLERANCE else math.ceil(current * ratio)
        wanted = max(self.minimum, min(self.maximum, wanted))
        self.recent = [*self.recent[-self.window :], wanted]
        return max(self.recent) if wanted < current else wanted
