"""The connections to the upstreams of each profile, and how many each may have."""

from __future__ import annotations

from podweave.helpers.ambassador.turns import Slots

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from podweave.helpers.ambassador.profiles import Profile
    from podweave.helpers.ambassador.turns import Turn


class SlotsByProfile:
    """Those of a profile that is gone are kept: it may have connections still."""

    def __init__(self) -> None:
        self._slots: dict[str, Slots] = {}

    def __getitem__(self, name: str) -> Slots:
        return self._slots[name]

    def limit(self, profiles: Mapping[str, Profile]) -> None:
        """These profiles are all there are now, with their limits."""
        for name in self._slots.keys() - profiles.keys():
            self._slots[name].set_limit(0)
        for name, profile in profiles.items():
            self._slots.setdefault(name, Slots()).set_limit(profile.limits.connections)

    def connected(self) -> list[Turn]:
        return [turn for slots in self._slots.values() for turn in slots.connected]

    def counts(self) -> dict[str, int]:
        """How many are connected, by profile."""
        return {name: len(slots.connected) for name, slots in self._slots.items()}

    def stale(self, profile: Profile) -> Iterator[Turn]:
        """Connections to where a new one of this profile could not lead."""
        labels = {upstream.label for upstream in profile.all_upstreams()}
        for name, slots in self._slots.items():
            for turn in list(slots.connected):
                if turn.holder is None or turn.upstream is None:
                    continue
                if name != profile.name or turn.upstream.label not in labels:
                    yield turn
