"""Which upstream a PostgreSQL connection leads to, by its cancel key.

A cancel request comes on a connection of its own and says nothing but the key. The profile may
have been switched since, there may be several upstreams, and a name may lead to several servers.
"""

from __future__ import annotations

from podweave.helpers.ambassador.sessions.interface import Target


class CancelKeys:
    __slots__ = ("_places",)

    def __init__(self) -> None:
        self._places: dict[bytes, Target] = {}

    def add(self, key: bytes, target: Target) -> Target:
        """Remember where, and nothing else of it: the login is none of a cancel request's."""
        place = Target(
            target.label,
            profile=target.profile,
            host=target.host,
            address=target.address,
            tls=target.tls,
            loopback=target.loopback,
        )
        self._places[key] = place
        return place

    def remove(self, key: bytes, place: Target) -> None:
        """Two servers may have given out the same key: the later one's stays."""
        if self._places.get(key) is place:
            del self._places[key]

    def find(self, key: bytes) -> Target | None:
        return self._places.get(key)

    def __len__(self) -> int:
        return len(self._places)
