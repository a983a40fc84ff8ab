"""A circuit breaker: an upstream that keeps failing is left alone for a while.

closed     requests go through; `failures` in a row open it
open       none do, for `seconds`
half open  one does, as a probe: its success closes the breaker, its failure opens it again
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.http.policy import BreakerRules


class Breaker:
    __slots__ = ("_failures", "_open_until", "_probing", "_rules")

    def __init__(self, rules: BreakerRules) -> None:
        self._rules = rules
        self._failures = 0
        self._open_until = 0.0
        self._probing = False

    @property
    def closed(self) -> bool:
        return not self._open_until

    @property
    def probing(self) -> bool:
        """The one request of the half-open state is under way."""
        return self._probing

    def allows(self, now: float) -> bool:
        """Whether a request may go through, were it to come now."""
        return not self._open_until or (now >= self._open_until and not self._probing)

    def begin(self) -> None:
        """A request that is allowed goes through."""
        if self._open_until:
            self._probing = True

    def seconds_left(self, now: float) -> float:
        return max(self._open_until - now, 0.0)

    def succeeded(self) -> bool:
        """True when this closes it."""
        self._failures = 0
        self._probing = False
        was_open, self._open_until = self._open_until, 0.0
        return bool(was_open)

    def failed(self, now: float) -> bool:
        """True when this opens it."""
        self._failures += 1
        if not self._probing and self._failures < self._rules.failures:
            return False
        opened = not self._open_until or self._probing
        self._probing = False
        self._open_until = now + self._rules.seconds
        return opened

    def given_up(self) -> None:
        """The probe came to no end of its own: the client went away. The next one is the probe."""
        self._probing = False

    def counts(self, status: int) -> bool:
        return status in self._rules.statuses
