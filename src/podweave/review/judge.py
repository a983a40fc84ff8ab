"""The review of one Pod, from facts to judgement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

import msgspec

from podweave.review.case import Case, Finding
from podweave.review.cost import price
from podweave.review.facts import PodFacts
from podweave.review.grouping import group
from podweave.review.relating import relate
from podweave.review.roles import stand
from podweave.review.rules import (
    address,
    faults,
    grouping,
    lifecycle,
    resources,
    scaling,
    security,
    start,
    stop,
)

RULES: Final[tuple[Callable[[Case], Iterator[Finding]], ...]] = (
    grouping.check,
    address.check,
    scaling.check,
    lifecycle.check,
    start.check,
    resources.check,
    faults.check,
    stop.check,
    security.check,
)


class Judgement(msgspec.Struct):
    """What the review says of one Pod."""

    case: Case
    verdict: Literal["keep", "split"]
    findings: list[Finding]
    cost: dict[str, Any]


def judge(pod: PodFacts) -> Judgement:
    """Roles, grouping, findings and cost of a Pod."""
    relations = relate(pod)
    standings = stand(pod, relations)
    case = Case(pod, standings, relations, group(pod, standings, relations))
    findings = [finding for rule in RULES for finding in rule(case)]
    return Judgement(case, "split" if case.split else "keep", findings, price(case))
