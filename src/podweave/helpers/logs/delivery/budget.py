"""One byte budget for the process: what was read and is not acknowledged, of all deliveries.

Half of it is shared out evenly and kept for each; the other half is for whoever comes first. So a
store that is down can't take what a store that works needs, and a single busy one gets most.
"""

from __future__ import annotations

LEAST_READ = 1024
"""Bytes: less isn't worth a system call."""


class Budget:
    """`limit` bytes for `shares` deliveries."""

    __slots__ = ("common", "kept", "limit")

    def __init__(self, limit: int, shares: int) -> None:
        self.limit = limit
        self.kept = limit // 2 // max(1, shares)
        self.common = limit - self.kept * max(1, shares)

    def share(self) -> Share:
        return Share(self)


class Share:
    """What one delivery has taken."""

    __slots__ = ("_budget", "taken")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.taken = 0

    @property
    def free(self) -> int:
        """How much may be read now; at least something while nothing is taken, because a line
        that is longer than the whole budget must get through as well."""
        budget = self._budget
        free = max(0, budget.kept - self.taken) + max(0, budget.common)
        if self.taken:
            return free if free >= LEAST_READ else 0
        return max(1, free)

    def take(self, size: int) -> None:
        beyond = max(0, self.taken - self._budget.kept)
        self.taken += size
        self._budget.common -= max(0, self.taken - self._budget.kept) - beyond

    def give_back(self, size: int) -> None:
        self.take(-size)
