"""A container under consideration: the signs, and what was concluded from them."""

from __future__ import annotations

from typing import Literal

import msgspec

from podweave.review.facts import ContainerFacts
from podweave.review.products import Kind

Role = Literal["app", "sidecar", "ambassador", "adapter", "init", "tier"]


Helper = Literal["sidecar", "ambassador", "adapter"]


class Sign(msgspec.Struct, frozen=True):
    """One reason to believe something of a container."""

    towards: Role
    weight: float
    text: str


class Standing(msgspec.Struct):
    """A container, what speaks for what, and what was concluded."""

    facts: ContainerFacts
    signs: list[Sign] = []
    kind: Kind | None = None
    """Of the software it is most likely to be."""
    product: str = ""
    role: Role = "app"
    confidence: float = 0.0
    front: bool = False
    """It stands before another container's port."""
    idle: bool = False
    """It only waits for somebody to run something in it."""
    worker: bool = False
    """It serves nobody and takes its work from elsewhere."""

    @property
    def name(self) -> str:
        return self.facts.name

    def say(self, towards: Role, weight: float, text: str) -> None:
        self.signs.append(Sign(towards, weight, text))

    def score(self, *roles: Role) -> float:
        return sum(sign.weight for sign in self.signs if sign.towards in roles)

    @property
    def helping(self) -> float:
        """How much speaks for a helper, of whatever pattern."""
        return self.score("sidecar", "ambassador", "adapter")

    @property
    def independent(self) -> float:
        return self.score("app", "tier")

    @property
    def helper_role(self) -> Helper:
        best: Helper = "sidecar"
        others: tuple[Helper, ...] = ("ambassador", "adapter")
        for role in others:
            if self.score(role) > self.score(best):
                best = role
        return best
