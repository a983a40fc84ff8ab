"""One probe of one run of a container: when it is due, and what its answers add up to.

The first probe is due `initialDelaySeconds` after the container's start, or at once if that
time has passed when probing begins (it begins after postStart, and for readiness and liveness
after the startupProbe has succeeded). The next one is due `periodSeconds` after the one before
was sent, never before that one is answered. An answer counts when it is the
`successThreshold`th or `failureThreshold`th of its kind in a row.
"""

from __future__ import annotations

from podweave.engines.local.lifecycle.events import ProbeKind
from podweave.model.pods import Probe

PERIOD = 10
SUCCESSES = 1
FAILURES = 3


class Prober:
    def __init__(self, kind: ProbeKind, probe: Probe, started_at: float, now: float) -> None:
        self.kind = kind
        self.probe = probe
        self.passing: bool | None = None
        """The verdict that holds; None until there was one."""
        self._due: float = max(now, started_at + (probe.initial_delay_seconds or 0))
        self._sent: float | None = None
        self._streak = (False, 0)

    @property
    def wake_at(self) -> float | None:
        return None if self._sent is not None else self._due

    def take_due(self, now: float) -> bool:
        """Tell whether the probe is to be sent now, and note that it is."""
        if self._sent is not None or now < self._due:
            return False
        self._sent = now
        return True

    def answered(self, ok: bool, now: float) -> bool:
        """Note an answer; tell whether the verdict was set by it (again, or to another one)."""
        sent = now if self._sent is None else self._sent
        self._due = max(now, sent + (self.probe.period_seconds or PERIOD))
        self._sent = None
        last, count = self._streak
        count = count + 1 if last == ok and count else 1
        self._streak = (ok, count)
        if ok:
            threshold = self.probe.success_threshold or SUCCESSES
        else:
            threshold = self.probe.failure_threshold or FAILURES
        if count < threshold:
            return False
        self.passing = ok
        return True
