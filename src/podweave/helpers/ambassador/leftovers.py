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
    that is right again after another switch is no leftover any more.

    A grace time is each connection's own: another switch neither prolongs nor ends it.
    """

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
        self._deadlines: dict[Turn, float] = {}
        self._timer: Timer | None = None

    def treat(self, on_switch: OnSwitch) -> dict[str, object]:
        """Do what the policy says, and say how many connections that concerns."""
        stale = list(self._stale())
        if on_switch.existing == "cut":
            self._deadlines.clear()
            self._wait()
            return {"cut": self._reset(stale)}
        known = self._deadlines
        self._deadlines = {turn: known[turn] for turn in stale if turn in known}
        if on_switch.existing == "drain":
            deadline = self._loop.now() + on_switch.grace
            for turn in stale:
                self._deadlines.setdefault(turn, deadline)
        self._wait()
        answer: dict[str, object] = {}
        if on_switch.existing == "keep" or not stale:
            answer["kept"] = len(stale) - len(self._deadlines)
        if self._deadlines:
            answer["draining"] = len(self._deadlines)
            longest = max(self._deadlines.values()) - self._loop.now()
            answer["grace_seconds"] = round(longest, 3)
        return answer

    def _wait(self) -> None:
        """For the first grace time to be over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._deadlines:
            self._timer = self._loop.call_at(min(self._deadlines.values()), self._grace_is_over)

    def _grace_is_over(self) -> None:
        self._timer = None
        now = self._loop.now()
        due = [turn for turn in self._stale() if self._deadlines.get(turn, now + 1.0) <= now]
        self._deadlines = {turn: when for turn, when in self._deadlines.items() if when > now}
        self._wait()
        self._journal.info("switch-drained", connections_cut=self._reset(due))

    def _reset(self, turns: list[Turn]) -> int:
        for turn in turns:
            if turn.holder is not None:
                turn.holder.reset()
        self._cut(len(turns))
        return len(turns)
