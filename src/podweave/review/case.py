"""A Pod under review with all that was concluded so far: what rules, cost and reports look at."""

from __future__ import annotations

from typing import Literal

import msgspec

from podweave.model.errors import Path
from podweave.review.facts import ContainerFacts, PodFacts
from podweave.review.grouping import Grouping
from podweave.review.relations import Relations
from podweave.review.standing import Standing

Level = Literal["error", "warning", "note"]


class Finding(msgspec.Struct):
    """One thing to say about a Pod."""

    rule: str
    level: Level
    message: str
    path: Path
    line: int = 0


class Case(msgspec.Struct):
    pod: PodFacts
    standings: list[Standing]
    relations: Relations
    grouping: Grouping

    @property
    def split(self) -> bool:
        return len(self.grouping.groups) > 1

    @property
    def running(self) -> list[Standing]:
        return [each for each in self.standings if each.role != "init"]

    @property
    def independent(self) -> list[Standing]:
        """Containers that are there for their own sake."""
        return [each for each in self.running if each.role in {"app", "tier"}]

    @property
    def helpers(self) -> list[Standing]:
        return [each for each in self.running if each.role not in {"app", "tier"}]

    def stateful(self, each: Standing) -> bool:
        """Whether a container keeps data, so that a second copy is not the same."""
        return each.kind == "store" or bool(self.claims(each.facts))

    def claims(self, facts: ContainerFacts) -> list[str]:
        """Names of the claims a container writes to."""
        return [
            volume.source or volume.name
            for mount in facts.mounts
            if (volume := self.pod.volumes.get(mount.volume))
            and volume.kind in {"claim", "template"}
            and not mount.read_only
        ]

    def spec_path(self, *rest: str | int) -> Path:
        return (*self.pod.pod_path, "spec", *rest)
