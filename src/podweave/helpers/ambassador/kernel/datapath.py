"""Takes new connections away from the ambassador's listener, as long as that is right.

    proxied   clients are the listener's: at the start, after a switch, without any upstream that
              answers, for a profile that only a program can serve
    diverted  the kernel sends 127.0.0.1:PORT on to the upstreams by itself

The control plane stays here: names, checks, weights, switches, counts. A switch goes by way of
`proxied`, so that no client is sent to where the profile no longer leads, and none is refused.
::1 is the listener's at all times.
"""

from __future__ import annotations

from podweave.helpers.ambassador.kernel.members import Members
from podweave.helpers.ambassador.kernel.netfilter import Netfilter
from podweave.helpers.ambassador.kernel.sockets import DivertedSockets
from podweave.helpers.ambassador.profiles import WEIGHTED
from podweave.helpers.dialing.direct import DirectConnector
from podweave.helpers.dialing.resolver import Resolver
from podweave.helpers.wire.nftables import RECEIVED, SENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.kernel.members import Attempted
    from podweave.helpers.ambassador.metrics import Metrics
    from podweave.helpers.ambassador.policies import OnSwitch
    from podweave.helpers.ambassador.profiles import Profile
    from podweave.helpers.dialing.connector import DialError
    from podweave.helpers.journal import Journal
    from podweave.helpers.loop import Loop, Timer
    from podweave.helpers.wire.nftables import Counter, Member


class KernelDatapath:
    """`attempted` hears of every check of an upstream."""

    def __init__(
        self,
        loop: Loop,
        name: str,
        port: int,
        metrics: Metrics,
        journal: Journal,
        attempted: Attempted,
    ) -> None:
        """NoKernelPathError says what the Pod doesn't grant."""
        self._loop = loop
        self._journal = journal
        self._attempted = attempted
        self._netfilter = Netfilter(name, port)
        self._sockets = DivertedSockets(port)
        self._resolver = Resolver(loop)
        self._connector = DirectConnector(loop, self._resolver)
        self._members: Members | None = None
        self._diverted = False
        self._why = ""
        self._profile = ""
        self._owners: dict[int, str] = {}
        """The profile of each diverted connection, by its client's port."""
        self._grace: Timer | None = None
        self._counted: dict[str, Counter] = {}
        registry = metrics.registry
        prefix = "podweave_ambassador_kernel"
        self._open = registry.gauge(
            f"{prefix}_connections_open",
            "Connections that the kernel relays now, by profile.",
            "profile",
        )
        self._active = registry.gauge(
            f"{prefix}_active", "1 while the kernel takes new connections to their upstream."
        ).labels()
        self._connections = registry.counter(
            f"{prefix}_connections_total", "Connections that the kernel took there.", "upstream"
        )
        self._bytes = registry.counter(
            f"{prefix}_bytes_total", "Bytes of their packets, IP and TCP heads included.", "to"
        )

    @property
    def diverting(self) -> bool:
        return self._diverted

    def use(self, profile: Profile, *, hindrance: str = "") -> None:
        """Look after this profile from now on. `hindrance`: why it needs the proxy at present."""
        self.owners()
        self._profile = profile.name
        if self._members is not None:
            self._members.close()
            self._members = None
        hindrance = hindrance or _hindrance(profile)
        self._give_back(hindrance)
        if not hindrance:
            self._members = Members(
                self._loop, self._connector, self._resolver, profile, self._found, self._attempted
            )

    def owners(self) -> dict[int, str]:
        """The profile of each connection that is diverted now, by its client's port."""
        try:
            ports = self._sockets.find().keys()
        except OSError:
            return self._owners
        self._owners = {port: self._owners.get(port, self._profile) for port in ports}
        return self._owners

    def treat(self, on_switch: OnSwitch) -> int:
        """Do with the connections of other profiles what the policy says; how many there are."""
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        stale = sum(1 for profile in self.owners().values() if profile != self._profile)
        if on_switch.existing == "cut":
            self._cut()
        elif on_switch.existing == "drain" and stale:
            self._grace = self._loop.call_later(on_switch.grace, self._cut)
        return stale

    def collect(self) -> None:
        """Bring the metrics up to date."""
        try:
            counters = self._netfilter.counters()
        except OSError:
            return
        for name, counter in counters.items():
            before = self._counted.get(name)
            if name in (SENT, RECEIVED):
                to = "upstream" if name == SENT else "client"
                self._bytes.add(counter.bytes - (before.bytes if before else 0), to)
            else:
                self._connections.add(counter.packets - (before.packets if before else 0), name)
        self._counted = counters
        self._open.clear()
        for profile in self.owners().values():
            self._open.add(1, profile)

    def close(self) -> None:
        """New connections are the listener's again."""
        if self._members is not None:
            self._members.close()
        if self._grace is not None:
            self._grace.cancel()
        self._resolver.close()
        self._sockets.close()
        self._netfilter.close()

    def _found(self, members: list[Member], failure: DialError | None) -> None:
        if not members:
            self._give_back(failure.message if failure is not None else "no upstream answers")
            return
        try:
            self._netfilter.divert(members)
        except OSError as error:
            self._give_back(f"nftables: {error.strerror}")
            return
        if not self._diverted:
            upstreams = list(dict.fromkeys(member.label for member in members))
            self._journal.info("datapath", path="kernel", upstreams=upstreams)
        self._diverted = True
        self._why = ""
        self._active.value = 1

    def _give_back(self, why: str) -> None:
        if self._diverted:
            self._diverted = False
            self._active.value = 0
            try:
                self._netfilter.divert(())
            except OSError as error:
                # The table goes with its socket, whatever else doesn't work.
                self._journal.error("datapath-lost", reason=str(error.strerror))
                self._netfilter.close()
        if why and why != self._why:
            self._why = why
            self._journal.info("datapath", path="proxy", reason=why)

    def _cut(self) -> None:
        self._grace = None
        stale = {port for port, profile in self.owners().items() if profile != self._profile}
        try:
            found = self._sockets.find()
        except OSError:
            return
        cut = sum(self._sockets.cut(sock) for port, sock in found.items() if port in stale)
        if stale:
            self._journal.info("switch-cut", connections=cut, path="kernel")


def _hindrance(profile: Profile) -> str:
    """Why this profile takes a program; empty where it doesn't."""
    if profile.tls is not None:
        return "the profile has tls"
    if profile.limits.connections or profile.limits.waiting:
        return "the profile has limits"
    if profile.balance != WEIGHTED and len(profile.upstreams) > 1:
        return "the profile balances by connections"
    return ""
