"""How a store is for one delivery: since when it fails, why, and when it is tried again."""

from __future__ import annotations

from podweave.helpers.logs.backoff import Backoff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.stores.interface import Outcome

MOST_AFTER = 900.0
"""Seconds: a Retry-After beyond is taken for a mistake."""


LONG = 10.0
"""Seconds that are worth a word: longer than any wait of our own."""


class StoreHealth:
    """Says once what is wrong, and when it works again; `facts` tell which store it is."""

    def __init__(self, journal: Journal, clock: Callable[[], float], **facts: object) -> None:
        self.reason = ""
        """What is wrong now; empty when nothing is."""
        self._journal = journal
        self._clock = clock
        self._facts = facts
        self._backoff = Backoff()
        self._retry_at = 0.0
        self._failing_since: float | None = None

    @property
    def failing(self) -> bool:
        """Its last answer was that something went wrong."""
        return self._failing_since is not None

    def has_failed_for(self, seconds: float) -> bool:
        since = self._failing_since
        return since is not None and self._clock() - since >= seconds

    def wait(self) -> float:
        """Seconds until it is worth another try."""
        return max(0.0, self._retry_at - self._clock())

    def failed(self, outcome: Outcome) -> None:
        now = self._clock()
        delay = self._backoff.delay()
        if outcome.after is not None:
            # The store's own word, and a spread on top of it, or all come back at once.
            delay = min(outcome.after, MOST_AFTER) + delay / 10
        self._retry_at = max(self._retry_at, now + delay)
        if self._failing_since is None:
            self._failing_since = now
        if outcome.reason != self.reason:
            self.reason = outcome.reason
            message = f"{outcome.reason}: nothing is lost, it is tried again"
            if delay >= LONG:
                message += f" in {delay:.0f} s, as it asks"
            self._journal.warning("store.failed", **self._facts, message=message)

    def recovered(self) -> None:
        """It has taken something, whether or not it failed before."""
        if self._failing_since is None:
            return
        seconds = round(self._clock() - self._failing_since, 3)
        self._failing_since = None
        self.reason = ""
        self._retry_at = 0.0
        self._backoff.reset()
        self._journal.info("store.recovered", **self._facts, seconds=seconds)
