"""Where clients go: the profile of now, who is held in it, who is connected, what was learned.

    accepted ──> held ──> relayed ──> closed
                  │  └──> the profile is switched: dialled anew there
                  └─────> refused: no upstream in time, or a limit

Who is held is the protocol's session: a HeldClient, or one that speaks before bytes are relayed.
It puts itself into `held`, asks `dial` for a connection, and ends with `connected` or `refused`.

A switch changes where new and held clients go; what becomes of the others is `leftovers`.
"""

from __future__ import annotations

from podweave.helpers.ambassador.health import HealthChecks
from podweave.helpers.ambassador.leftovers import Leftovers
from podweave.helpers.ambassador.lost_peers import LostPeers
from podweave.helpers.ambassador.protocols import Sessions
from podweave.helpers.ambassador.relays import Relays
from podweave.helpers.ambassador.reports import Reports
from podweave.helpers.ambassador.slots_by_profile import SlotsByProfile
from podweave.helpers.ambassador.turns import Turn
from podweave.helpers.dialing.connector import DialError
from podweave.helpers.dialing.socket_options import reset

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from podweave.helpers.ambassador.fault_control import FaultControl
    from podweave.helpers.ambassador.held_client import Held
    from podweave.helpers.ambassador.http.front import Front
    from podweave.helpers.ambassador.http.outgoing import Outgoing
    from podweave.helpers.ambassador.inspection import Inspector
    from podweave.helpers.ambassador.kernel.datapath import KernelDatapath
    from podweave.helpers.ambassador.lost_peers import Connection
    from podweave.helpers.ambassador.metrics import Metrics
    from podweave.helpers.ambassador.policies import OnSwitch
    from podweave.helpers.ambassador.profiles import Profile
    from podweave.helpers.ambassador.relay import Relay
    from podweave.helpers.ambassador.sessions.lingering import LingeringClose
    from podweave.helpers.ambassador.settings import Settings
    from podweave.helpers.ambassador.turns import Attempted
    from podweave.helpers.dialing.connector import Connector
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.journal import Journal
    from podweave.helpers.loop import Loop

WAITING_LIMIT = "WAITING_LIMIT"
"""The reason of a DialError: too many clients are held already."""


class Switchboard:
    def __init__(
        self,
        loop: Loop,
        settings: Settings,
        connector: Connector,
        metrics: Metrics,
        journal: Journal,
    ) -> None:
        self.loop = loop
        self.connector = connector
        self.metrics = metrics
        self.journal = journal
        self.settings = settings
        self.profiles = settings.profiles
        self.profile: Profile = settings.profiles[settings.profile]
        self.profile_since = loop.now()
        """When the profile of now came into use, on the loop's clock."""
        self._reports = Reports(loop, metrics, journal)
        self.attempted = self._reports.attempted
        """An attempt to connect to an upstream has succeeded, or why it has failed."""
        self.held: dict[Held, None] = {}
        self.faults: FaultControl | None = None
        """Made when somebody first wants faults: without any they cost nothing."""
        self.leftovers = Leftovers(loop, self._stale, self._were_cut, journal)
        self.lost_peers = LostPeers(loop, self._connections, metrics)
        self._checks = HealthChecks(loop, connector, self._reports.checked)
        self.kernel: KernelDatapath | None = None
        """Where the Pod lets this process redirect connections; see `use_kernel`."""
        self.front: Front | None = None
        """All clients, where the protocol is http; there from the first one on."""
        self._sessions = Sessions(settings.protocol, self.profiles.values())
        self._slots = SlotsByProfile()
        self._relays = Relays(loop, metrics)
        self._lingering: set[LingeringClose] = set()
        self._take_profiles()

    @property
    def busy(self) -> bool:
        """Somebody is connected."""
        if self.front is not None:
            # Connections that are kept for further requests are nobody's.
            return self.front.busy or bool(self._relays)
        return (
            bool(self.held or self._relays or self._lingering)
            or bool(self._slots.connected())
            or bool(self.kernel is not None and self.kernel.owners())
        )

    @property
    def connect_timeout(self) -> float:
        return self.settings.connect_timeout

    def accept(self, client: socket.socket) -> None:
        self.metrics.accepted.value += 1
        if self.faults is not None and self.faults.refuses(self.profile.name):
            reset(client)
            return
        most = self.profile.limits.waiting
        # With HTTP it is requests that wait, and those that can't are answered.
        if most and len(self.held) >= most and self.front is None:
            message = f"{most} clients wait, and limits.waiting allows no more"
            self._sessions.refuse(self, client, DialError(WAITING_LIMIT, message))
            return
        self._sessions.begin(self, client)

    def dial(
        self,
        done: Callable[[socket.socket | DialError], object],
        *,
        profile: Profile | None = None,
        deadline: float | None = None,
        attempted: Attempted | None = None,
    ) -> Turn:
        """A connection to an upstream of the profile of now, unless another one is meant.

        `deadline` is on the loop's clock; without one there is the whole connect timeout.
        `attempted` is told of each attempt in place of this switchboard, which it must tell.
        """
        profile = profile or self.profile
        if deadline is None:
            deadline = self.loop.now() + self.settings.connect_timeout
        return Turn(
            self.loop,
            self.connector,
            self._slots[profile.name],
            profile,
            deadline,
            done,
            attempted or self.attempted,
        )

    def turns(self) -> list[Turn]:
        """The connections to upstreams, of all profiles."""
        return self._slots.connected()

    def connected(
        self,
        client: Held,
        upstream: socket.socket | TlsSocket,
        to_client: bytes = b"",
        to_upstream: bytes = b"",
        closed: Callable[[], object] | None = None,
        turn: Turn | None = None,
        inspector: Inspector | None = None,
    ) -> None:
        """Bytes both ways from now on, after those that were read before.

        `closed` is called at the end. The turn is the relay's from now on. The inspector sees
        the bytes before they go.
        """
        self.metrics.dial_seconds.observe(self.loop.now() - client.since)
        relay = self._relays.begin(
            client.profile.name,
            client.sock,
            upstream,
            to_client,
            to_upstream,
            closed,
            turn,
            inspector,
        )
        if not self.lost_peers.looking:
            self.lost_peers.begin()
        if self.faults is not None:
            self.faults.spoil(relay)

    def refused(self, error: DialError) -> None:
        """A client was sent away."""
        self._reports.refused(self.profile.name, error)

    def linger(self, client: socket.socket, farewell: bytes) -> None:
        """Send the last words, give them time to be read, close."""
        from podweave.helpers.ambassador.sessions.lingering import LingeringClose

        lingering = LingeringClose(self.loop, client, farewell, self._lingering.discard)
        self._lingering.add(lingering)

    def switch(self, name: str, on_switch: OnSwitch | None = None) -> dict[str, object]:
        """New and held clients go to the profile `name` from now on; says what stays where.

        `on_switch` in place of the configured policy. KeyError when there is no such profile.
        """
        previous, profile = self.profile, self.profiles[name]
        redialled = 0
        if profile is not previous:
            self.profile = profile
            self.profile_since = self.loop.now()
            self.metrics.switches.value += 1
            self._use_profile()
            redialled = self._dial_anew()
        answer: dict[str, object] = {
            "profile": name,
            "previous": previous.name,
            "redialled": redialled,
            **self._treat_leftovers(on_switch or self.settings.on_switch),
            "open": self.open_connections(),
        }
        self.journal.info("profile-switched", **answer)
        return answer

    def reconfigure(self, settings: Settings) -> dict[str, object]:
        """Go on with other settings; says what has become of whom.

        A profile that was switched to stays in use, unless the settings name another one than
        before, or have it no more.
        """
        previous, before = self.profile, self.settings
        for name, profile in settings.profiles.items():
            if name in self.profiles:
                profile.adopt(self.profiles[name].all_upstreams())
        self.settings = settings
        self.profiles = settings.profiles
        name = previous.name
        if name not in self.profiles or settings.profile != before.profile:
            name = settings.profile
        self.profile = self.profiles[name]
        self._sessions.choose(self.profiles.values())
        self._take_profiles()
        redialled = 0
        if name != previous.name:
            self.profile_since = self.loop.now()
            self.metrics.switches.value += 1
        if name != previous.name or settings.raw_profile(name) != before.raw_profile(name):
            redialled = self._dial_anew()
        return {
            "profile": name,
            "previous": previous.name,
            "redialled": redialled,
            **self._treat_leftovers(settings.on_switch),
        }

    def open_connections(self) -> dict[str, int]:
        """Connections to upstreams by profile; also of profiles that are gone from the file."""
        counts = {
            name: count
            for name, count in self._slots.counts().items()
            if count or name in self.profiles
        }
        if self.kernel is not None:
            for name in self.kernel.owners().values():
                counts[name] = counts.get(name, 0) + 1
        return counts

    def use_kernel(self, kernel: KernelDatapath) -> None:
        """New connections may be the kernel's from now on."""
        self.kernel = kernel
        self.faults_changed()

    def faults_changed(self) -> None:
        """Faults on purpose are made by this process: the kernel knows none."""
        if self.kernel is not None:
            faulty = self.faults is not None and self.profile.name in self.faults.show()
            self.kernel.use(self.profile, hindrance="the profile has faults" if faulty else "")

    def control_faults(self) -> FaultControl:
        """Where faults on purpose are set and cleared."""
        if self.faults is None:
            from podweave.helpers.ambassador.fault_control import FaultControl

            self.faults = FaultControl(self.loop, self.metrics, self.journal, self._to_upstreams)
        return self.faults

    def _connections(self) -> list[Connection]:
        clients = self.front.clients() if self.front is not None else []
        return [*self._relays, *clients]

    def _to_upstreams(self) -> list[Relay | Outgoing]:
        """Whoever has a connection to an upstream."""
        kept = self.front.connections() if self.front is not None else []
        return [*self._relays, *kept]

    def render_metrics(self) -> bytes:
        """The metrics as of now."""
        self.metrics.held.value = len(self.held)
        self._reports.show(self.profiles.values())
        if self.front is not None:
            self.front.collect()
        if self.kernel is not None:
            self.kernel.collect()
        return self._relays.render_metrics()

    def reset_all(self) -> int:
        """Everybody is disconnected, and learns that it was no orderly end. Returns how many."""
        cut = self.front.cut_all() if self.front is not None else 0
        turns = self.turns()
        holders = {turn.holder: None for turn in turns if turn.holder is not None}
        holders |= dict.fromkeys(self._relays)
        clients = list(self.held)
        for holder in holders:
            holder.reset()
        for client in clients:
            client.close()
        for lingering in list(self._lingering):
            lingering.close()
        return len(holders) + len(clients) + cut

    def _take_profiles(self) -> None:
        self._slots.limit(self.profiles)
        for name in self.profiles:
            self.metrics.open.labels(name)
            self.metrics.relayed.labels(name)
        self._use_profile()

    def _use_profile(self) -> None:
        self._checks.watch(self.profile)
        self.metrics.profile.clear()
        self.metrics.profile.set(1, self.profile.name)
        if self.front is not None:
            self.front.use(self.profile)
        self.faults_changed()

    def _treat_leftovers(self, on_switch: OnSwitch) -> dict[str, object]:
        treated = self.leftovers.treat(on_switch)
        if self.kernel is None:
            return treated
        count = self.kernel.treat(on_switch)
        key = {"keep": "kept", "cut": "cut", "drain": "draining"}[on_switch.existing]
        relayed = treated.pop("kept", 0) if key == "draining" else 0
        before = treated.get(key, relayed)
        assert isinstance(before, int)
        treated[key] = before + count
        return treated

    def _dial_anew(self) -> int:
        clients = list(self.held)
        for client in clients:
            client.dial()
        return len(clients)

    def _stale(self) -> Iterator[Turn]:
        return self._slots.stale(self.profile)

    def _were_cut(self, count: int) -> None:
        self.metrics.cut.value += count
