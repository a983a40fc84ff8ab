"""From a profile's upstreams to the addresses that have answered: who may get connections.

The kernel asks nobody before it sends a client somewhere. So each address is dialled once before
it gets any, and again every few seconds; names are resolved anew as their TTL says. Where nothing
answers there are no members, and clients are the listener's, which holds them and tries again.
"""

from __future__ import annotations

import socket

from podweave.helpers.dialing.connector import DialError, address_family, is_loopback
from podweave.helpers.wire.nftables import Member

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.ambassador.profiles import Profile, Upstream
    from podweave.helpers.dialing.connector import Cancellable
    from podweave.helpers.dialing.direct import DirectConnector
    from podweave.helpers.dialing.resolver import Question, Resolver, Result
    from podweave.helpers.loop import Loop, Timer

    Found = Callable[[list[Member], DialError | None], object]
    Attempted = Callable[[Upstream, DialError | None], object]

RESOLVE_SECONDS = 2.0
CHECK_SECONDS = 10.0
CHECK_TIMEOUT = 2.0

_SHARES = 2520
"""Divided by any number of addresses up to ten without a remainder."""


class Members:
    """Looks after one profile until `close`. `found(members, why there are none)` is called when
    they have changed."""

    def __init__(
        self,
        loop: Loop,
        connector: DirectConnector,
        resolver: Resolver,
        profile: Profile,
        found: Found,
        attempted: Attempted,
    ) -> None:
        self._loop = loop
        self._connector = connector
        self._resolver = resolver
        self._profile = profile
        self._found = found
        self._attempted = attempted
        self._addresses: dict[Upstream, list[str]] = {}
        self._failures: dict[Upstream, DialError] = {}
        self._good: dict[tuple[Upstream, str], bool] = {}
        self._questions: list[Question] = []
        self._dials: dict[tuple[Upstream, str], Cancellable] = {}
        self._told: list[Member] | None = None
        self._checked = 0.0
        self._timer: Timer = loop.call_later(0, self._resolve)

    def close(self) -> None:
        self._timer.cancel()
        for question in self._questions:
            question.cancel()
        for dial in self._dials.values():
            dial.cancel()
        self._dials.clear()

    def _resolve(self) -> None:
        self._timer = self._loop.call_later(RESOLVE_SECONDS, self._resolve)
        now = self._loop.now()
        health = self._profile.health_check
        every = health.interval if health is not None else CHECK_SECONDS
        again = now - self._checked >= every
        if again:
            self._checked = now
        for question in self._questions:
            question.cancel()
        self._questions = []
        for upstream in self._profile.upstreams:
            if is_loopback(upstream.host):
                self._resolved(upstream, ["127.0.0.1"], again)
            elif address_family(upstream.host) is not None:
                self._resolved(upstream, [upstream.host], again)
            else:
                self._ask(upstream, again)

    def _ask(self, upstream: Upstream, again: bool) -> None:
        def answered(result: Result) -> None:
            if isinstance(result, DialError):
                self._failures[upstream] = result
                self._resolved(upstream, [], again)
            else:
                self._resolved(upstream, result, again)

        self._questions.append(self._resolver.resolve(upstream.host, answered))

    def _resolved(self, upstream: Upstream, addresses: Sequence[str], again: bool) -> None:
        usable = [address for address in addresses if ":" not in address]
        if addresses and not usable:
            message = f"{upstream.label} has IPv6 addresses only"
            self._failures[upstream] = DialError("EAFNOSUPPORT", message)
        self._addresses[upstream] = usable
        for key in [key for key in self._good if key[0] is upstream and key[1] not in usable]:
            del self._good[key]
        for address in usable:
            key = (upstream, address)
            if key not in self._dials and (again or key not in self._good):
                self._dial(key)
        self._tell()

    def _dial(self, key: tuple[Upstream, str]) -> None:
        upstream, address = key

        def done(result: socket.socket | DialError) -> None:
            del self._dials[key]
            if isinstance(result, DialError):
                self._failures[upstream] = result
                self._good[key] = False
                self._attempted(upstream, result)
            else:
                result.close()
                self._good[key] = True
                self._attempted(upstream, None)
            self._tell()

        self._dials[key] = self._connector.connect(address, upstream.port, CHECK_TIMEOUT, done)

    def _tell(self) -> None:
        members = self._members()
        if not members and (self._dials or (self._told is None and self._unknown())):
            # Not known yet; what was there before is the listener's to hold.
            return
        if members != self._told:
            self._told = members
            failure = next(iter(self._failures.values()), None)
            self._found(members, None if members else failure)

    def _unknown(self) -> list[Upstream]:
        """Upstreams of which nothing is known yet: neither an answer nor a failure."""
        return [
            upstream
            for upstream in self._profile.upstreams
            if upstream not in self._addresses
            or any((upstream, each) not in self._good for each in self._addresses[upstream])
        ]

    def _members(self) -> list[Member]:
        """Those of the first priority that anybody of has answered.

        In the beginning none of a lower one, as long as the first may still answer: who is
        connected stays where it is.
        """
        now = self._loop.now()
        waiting = self._unknown() if self._told is None else []
        best: int | None = None
        members: list[Member] = []
        for upstream in sorted(self._profile.upstreams, key=lambda each: each.priority):
            if best is not None and upstream.priority != best:
                break
            if best is None and any(each.priority < upstream.priority for each in waiting):
                break
            if upstream.state.down or not upstream.usable(now):
                continue
            good = [
                address
                for address in self._addresses.get(upstream, ())
                if self._good.get((upstream, address))
            ]
            for address in good:
                packed = socket.inet_aton(address)
                share = upstream.weight * _SHARES // len(good)
                members.append(Member(upstream.label, packed, upstream.port, share))
            if good:
                best = upstream.priority
        return members
