"""A circuit breaker: an upstream that keeps failing is left alone for a while.

closed     requests go through; `failures` in a row open it
open       none do, for `seconds`
half open  one does, as a probe: its success closes the breaker, its failure opens it again;
           of one that takes longer than `seconds` nothing is expected, and the next is a probe
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.http.policy import BreakerRules

_AT_ONCE = 1e-9


class Breaker:
    """Times are on the loop's clock."""

    __slots__ = ("_failures", "_open_until", "_rules")

    def __init__(self, rules: BreakerRules) -> None:
        self._rules = rules
        self._failures = 0
        self._open_until = 0.0

    @property
    def closed(self) -> bool:
        return not self._open_until

    def allows(self, now: float) -> bool:
        """Whether a request may go through, were it to come now."""
        return now >= self._open_until

    def begin(self, now: float) -> None:
        """A request that is allowed goes through; none but it while it is a probe."""
        if self._open_until:
            self._open_until = now + self._rules.seconds

    def seconds_left(self, now: float) -> float:
        return max(self._open_until - now, 0.0)

    def succeeded(self) -> bool:
        """True when this closes it."""
        self._failures = 0
        was_open, self._open_until = self._open_until, 0.0
        return bool(was_open)

    def failed(self, now: float) -> bool:
        """True when this opens it, after it was closed."""
        self._failures += 1
        was_closed = self.closed
        if was_closed and self._failures < self._rules.failures:
            return False
        self._open_until = now + self._rules.seconds
        return was_closed

    def given_up(self) -> None:
        """The probe came to no end of its own: the client went away. The next one is the probe."""
        if self._open_until:
            self._open_until = _AT_ONCE

    def counts(self, status: int) -> bool:
        """Whether a response with this status is a failure."""
        return status in self._rules.statuses
