"""Profiles: one environment each, with the upstreams to dial in it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Upstream:
    __slots__ = ("host", "label", "port", "weight")

    def __init__(self, host: str, port: int, weight: int = 1) -> None:
        self.host = host
        self.port = port
        self.weight = weight
        self.label = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Profile:
    __slots__ = ("name", "upstreams")

    def __init__(self, name: str, upstreams: Sequence[Upstream]) -> None:
        self.name = name
        self.upstreams = tuple(upstreams)

    def order(self, random: Callable[[], float]) -> list[Upstream]:
        """All upstreams in the order in which a new connection tries them.

        Each is first as often as its weight says, and the rest follow by the same rule
        (Efraimidis and Spirakis). `random` gives numbers from 0 up to but less than 1.
        """
        if len(self.upstreams) == 1:
            return [self.upstreams[0]]
        drawn = [(random() ** (1.0 / upstream.weight), upstream) for upstream in self.upstreams]
        drawn.sort(key=lambda pair: pair[0], reverse=True)
        return [upstream for _, upstream in drawn]
