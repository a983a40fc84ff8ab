"""The review of everything that was given: judgements with their places, and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from podweave.model.errors import InputError
from podweave.review.case import Finding, Level
from podweave.review.inventory import Found, Inventory
from podweave.review.judge import Judgement, judge
from podweave.review.settings import Settings

if TYPE_CHECKING:
    from podweave.review.simulation.day import Plan
    from podweave.review.usage import Used

LEVELS: Final[tuple[Level, ...]] = ("note", "warning", "error")


class Reviewed(NamedTuple):
    """One Pod's judgement and where the Pod stands."""

    found: Found
    judgement: Judgement

    @property
    def file(self) -> str:
        return self.found.facts.file


class Review(NamedTuple):
    reviewed: list[Reviewed]
    errors: list[InputError]

    def worst(self) -> Level | Literal[""]:
        """The highest level among all findings."""
        levels = {finding.level for each in self.reviewed for finding in each.judgement.findings}
        return next((level for level in reversed(LEVELS) if level in levels), "")

    def fails(self, level: Level) -> bool:
        """Whether there is a finding at or above `level`."""
        worst = self.worst()
        return bool(worst) and LEVELS.index(worst) >= LEVELS.index(level)


def review(
    inventory: Inventory,
    settings: Settings | None = None,
    *,
    used: list[Used] | None = None,
    plan: Plan | None = None,
) -> Review:
    """Judge every Pod of the inventory; with measured use, and with a day to simulate, if given."""
    settings = settings or Settings()
    inventory.finish()
    errors = list(inventory.errors)
    reviewed = []
    for found in inventory.found:
        judgement = judge(found.facts)
        if used is not None or plan is not None:
            _numbers(judgement, used or [], plan)
        kept: list[Finding] = []
        ignored, wrong = settings.ignored(found.facts)
        errors.extend(
            InputError(
                message,
                path=(*found.facts.path, "metadata", "annotations"),
                file=found.facts.file,
                line=found.line((*found.facts.path, "metadata", "annotations")),
            )
            for message in wrong
        )
        for finding in judgement.findings:
            level = settings.level(finding, found.facts)
            if level is None or finding.rule in ignored:
                continue
            finding.level = level
            finding.line = found.line(finding.path)
            kept.append(finding)
        judgement.findings = kept
        reviewed.append(Reviewed(found, judgement))
    return Review(reviewed, errors)


def _numbers(judgement: Judgement, used: list[Used], plan: Plan | None) -> None:
    """Measured use and the simulated day, for those who asked: most reviews don't load this."""
    from podweave.review.cost import measured
    from podweave.review.simulation.day import simulate
    from podweave.review.simulation.summary import sentences, values
    from podweave.review.usage import peaks

    case = judgement.case
    seen, count = peaks(used, case.pod)
    if seen:
        judgement.cost["usage"] = measured(case, seen, count)
    if plan is None or judgement.verdict != "split":
        return
    day = simulate(case, msgspec.structs.replace(plan, peaks=seen))
    if day is None:
        judgement.cost["simulation"] = "unknown"
    else:
        judgement.cost["simulation"] = {**values(day), "summary": sentences(case, day)}
