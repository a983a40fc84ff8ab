"""An upstream as requests see it: its idle connections, and whether it is its turn."""

from __future__ import annotations

from podweave.helpers.ambassador.http.breaker import Breaker
from podweave.helpers.ambassador.profiles import LEAST_CONNECTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.ambassador.http.policy import BreakerRules
    from podweave.helpers.ambassador.http.upstream_connection import UpstreamConnection
    from podweave.helpers.ambassador.profiles import Upstream

_DEFAULT_PORT = {False: 80, True: 443}


class Peer:
    __slots__ = ("authority", "breaker", "busy", "idle", "share", "upstream")

    def __init__(self, upstream: Upstream, rules: BreakerRules | None, *, tls: bool) -> None:
        self.upstream = upstream
        label = upstream.label
        self.authority = label.removesuffix(f":{_DEFAULT_PORT[tls]}").encode()
        """HOST, or HOST:PORT where the port isn't the scheme's own."""
        self.idle: list[UpstreamConnection] = []
        """The one that was used last is used next: the others may come of age."""
        self.busy = 0
        """Requests under way."""
        self.share = 0
        self.breaker = Breaker(rules) if rules is not None else None

    def usable(self, now: float) -> bool:
        return self.upstream.usable(now) and (self.breaker is None or self.breaker.allows(now))


def choose(peers: Sequence[Peer], balance: str, now: float) -> Peer | None:
    """The peer for the next request; None when all breakers are open.

    Of those of the lowest priority that are usable: the one with the fewest requests for its
    weight, or each in turn as often as its weight says (nginx's smooth round robin: no two
    requests in a row to one peer where that can be helped).
    """
    usable = [peer for peer in peers if peer.usable(now)]
    if not usable:
        # Down or ejected, all of them: one may as well try. An open breaker is not tried.
        usable = [peer for peer in peers if peer.breaker is None or peer.breaker.allows(now)]
        if not usable:
            return None
    first = min(peer.upstream.priority for peer in usable)
    usable = [peer for peer in usable if peer.upstream.priority == first]
    if balance == LEAST_CONNECTIONS:
        return min(usable, key=lambda peer: (peer.busy / peer.upstream.weight, peer.share))
    total = 0
    best = usable[0]
    for peer in usable:
        weight = peer.upstream.weight
        total += weight
        peer.share += weight
        if peer.share > best.share:
            best = peer
    best.share -= total
    return best
