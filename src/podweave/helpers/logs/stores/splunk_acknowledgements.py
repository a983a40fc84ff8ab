"""Batches that Splunk has received and is asked about until it has indexed them."""

from __future__ import annotations

from podweave.helpers.logs.stores.interface import DELIVERED, failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.logs.stores.interface import Done
    from podweave.helpers.loop import Loop, Timer

    Told = Callable[["set[int] | None"], None]
    Ask = Callable[[list[int], Told], None]

FIRST = 0.1
MOST = 2.0
"""Seconds between two questions: soon after something was sent, then less often."""


class Acknowledgements:
    """`ask(ids, told)` asks the store; `told` gets the ids that are indexed, or None."""

    def __init__(self, loop: Loop, ask: Ask, patience: float) -> None:
        self._loop = loop
        self._ask = ask
        self._patience = patience
        self._waiting: dict[int, tuple[float, Done]] = {}
        self._pause = FIRST
        self._timer: Timer | None = None
        self._asking = False

    def wait_for(self, number: int, done: Done) -> None:
        """Call `done` when the store has indexed what it gave this id."""
        before = self._waiting.pop(number, None)
        self._waiting[number] = (self._loop.now() + self._patience, done)
        self._pause = FIRST
        if before is not None:
            # A store that was started anew counts from 0 again: what the old id meant is lost.
            before[1](failed("the store has lost its acknowledgements"))
        self._schedule()

    def close(self) -> None:
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _schedule(self) -> None:
        if self._asking or not self._waiting:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(self._pause, self._question)
        self._pause = min(MOST, self._pause * 1.5)

    def _question(self) -> None:
        self._asking = True
        self._ask(list(self._waiting), self._told)

    def _told(self, indexed: set[int] | None) -> None:
        self._asking = False
        for number in indexed or ():
            entry = self._waiting.pop(number, None)
            if entry is not None:
                entry[1](DELIVERED)
        now = self._loop.now()
        late = [number for number, entry in self._waiting.items() if entry[0] <= now]
        for number in late:
            done = self._waiting.pop(number)[1]
            done(failed(f"received, but not indexed within {self._patience:g} s"))
        self._schedule()
