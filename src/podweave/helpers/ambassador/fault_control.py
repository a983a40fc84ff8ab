"""Who suffers from which faults on purpose: by profile, connections that are open included."""

from __future__ import annotations

from podweave.helpers.ambassador.dial import random_number
from podweave.helpers.ambassador.faults import Faults
from podweave.helpers.ambassador.faulty_link import FaultyLink, insert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol

    from podweave.helpers.ambassador.faulty_link import Leg
    from podweave.helpers.ambassador.metrics import Metrics
    from podweave.helpers.journal import Journal
    from podweave.helpers.loop import Loop

    class Relay(Protocol):
        """Somebody with a connection to an upstream."""

        @property
        def profile(self) -> str: ...
        @property
        def upstream(self) -> Leg: ...
        def reset(self) -> None: ...


class FaultControl:
    def __init__(
        self,
        loop: Loop,
        metrics: Metrics,
        journal: Journal,
        relays: Callable[[], Iterable[Relay]],
    ) -> None:
        """`relays()` gives those that are open now."""
        self._loop = loop
        self._metrics = metrics
        self._journal = journal
        self._relays = relays
        self._faults: dict[str, Faults] = {}
        self._links: dict[Relay, FaultyLink] = {}

    def show(self) -> dict[str, dict[str, float]]:
        """The faults there are, by profile."""
        return {name: faults.show() for name, faults in self._faults.items() if faults.any}

    def set(self, profile: str, wanted: dict[str, Any]) -> int:
        """These faults in place of those before; nothing wanted: none.

        Returns how many connections that are open are concerned. ConfigurationError for what
        can't be wanted, and nothing is changed.
        """
        faults = self._faults.setdefault(profile, Faults())
        faults.set(wanted)
        self._metrics.faults.clear()
        for name, each in self._faults.items():
            for fault, value in each.show().items():
                self._metrics.faults.set(value, name, fault)
        if faults.any:
            self._journal.warning("faults-set", profile=profile, **faults.show())
        else:
            self._journal.info("faults-cleared", profile=profile)
        concerned = [relay for relay in self._relays() if relay.profile == profile]
        for relay in concerned:
            link = self._links.get(relay)
            if link is not None:
                link.renew()
            else:
                self.spoil(relay)
        return len(concerned)

    def refuses(self, profile: str) -> bool:
        """Whether a new client of this profile is to be sent away."""
        faults = self._faults.get(profile)
        if faults is None or not faults.refuse or random_number() >= faults.refuse:
            return False
        self._metrics.faulted.add(1, profile, "refuse")
        return True

    def spoil(self, relay: Relay) -> None:
        """Put the faults of its profile, if there are any, between a relay and its upstream."""
        faults = self._faults.get(relay.profile)
        if faults is None or not (faults.latency or faults.bandwidth or faults.reset):
            return

        def closed(link: FaultyLink, broken: bool) -> None:
            self._links.pop(relay, None)
            if link.doomed:
                self._metrics.faulted.add(1, relay.profile, "reset")
            if broken:
                relay.reset()

        try:
            link = insert(relay.upstream, self._loop, faults, closed)
        except OSError as error:
            self._journal.warning("faults-not-inserted", reason=error.strerror)
            return
        if link is not None:
            self._links[relay] = link
