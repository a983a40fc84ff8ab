"""Connections that a switch has left behind: kept, given some time, or cut at once."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podweave.helpers.ambassador.policies import OnSwitch
    from podweave.helpers.ambassador.turns import Turn
    from podweave.helpers.journal import Journal
    from podweave.helpers.loop import Loop, Timer


class Leftovers:
    """`stale()` gives the connections that aren't where new ones would go, as of when called: one
    that is right again after another switch is no leftover any more."""

    def __init__(
        self,
        loop: Loop,
        stale: Callable[[], Iterable[Turn]],
        cut: Callable[[int], object],
        journal: Journal,
    ) -> None:
        """`cut(count)` is told how many connections were cut."""
        self._loop = loop
        self._stale = stale
        self._cut = cut
        self._journal = journal
        self._timer: Timer | None = None

    def treat(self, on_switch: OnSwitch) -> dict[str, object]:
        """Do what the policy says, and say how many connections that concerns."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if on_switch.existing == "cut":
            return {"cut": self._reset()}
        count = sum(1 for _ in self._stale())
        if on_switch.existing == "keep" or not count:
            return {"kept": count}
        self._timer = self._loop.call_later(on_switch.grace, self._grace_is_over)
        return {"draining": count, "grace_seconds": on_switch.grace}

    def _grace_is_over(self) -> None:
        self._timer = None
        self._journal.info("switch-drained", connections_cut=self._reset())

    def _reset(self) -> int:
        turns = list(self._stale())
        for turn in turns:
            if turn.holder is not None:
                turn.holder.reset()
        self._cut(len(turns))
        return len(turns)
