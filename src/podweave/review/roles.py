"""What each container is for, by weighing the signs.

Two questions, in this order. *Is it there for another container?* Helpers read their app's
files, dial its port, stand before its port or on its way out; they have no port, claim or
Service of their own. *If it isn't*, it is an application, or a tier that keeps data. Known
software is one sign among the others, so a container without name and image is still judged by
what it does.

Weights are in units of "a strong sign" = 2. They were set by hand on the reasoning beside each
and checked on `tests/corpus`, masked and unmasked.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from podweave.review.behaviour import behaviour, known, named
from podweave.review.facts import PodFacts
from podweave.review.openness import openness
from podweave.review.products import HELPERS, Kind, image_path, recognise
from podweave.review.relations import Relations
from podweave.review.standing import Helper, Sign, Standing
from podweave.review.ties import (
    before_the_only_other,
    dialling,
    same_software,
    sharing,
    untied,
)


def stand(pod: PodFacts, relations: Relations) -> list[Standing]:
    """Weigh the signs of every container and conclude its role."""
    standings = [Standing(each) for each in pod.containers]
    running = [each for each in standings if not each.facts.init or each.facts.native]
    for each in standings:
        seen = recognise(each.facts, pod)
        # An attendant often runs its server's image: sentinel is redis started in another way.
        seen.sort(key=lambda found: -found.weight - (found.product.kind == "guard"))
        if seen:
            each.kind, each.product = seen[0].product.kind, seen[0].product.name
        if each.facts.init and not each.facts.native:
            each.role, each.confidence = "init", 1.0
            each.signs = [Sign("init", 2, "an init container: it ends before the app starts")]
        else:
            known(each, seen)
            named(each)
            _woven(each)
            behaviour(each)
            openness(each, pod, relations)
            if each.facts.native:
                each.say("sidecar", 1, "a native sidecar: an init container that keeps running")
    by_name = {each.name: each for each in running}
    dialling(pod, relations, by_name)
    sharing(pod, relations, by_name)
    _weight_of_resources(running)
    same_software(pod, running)
    untied(pod, relations, running)
    before_the_only_other(pod, relations, running)
    _conclude(pod, running, relations)
    return standings


_HELPER_ARCHIVE: Final = "podweave-helpers.pyz"
_HELPER_PROGRAMS: Final[tuple[Helper, ...]] = ("ambassador", "adapter", "sidecar")


def _woven(each: Standing) -> None:
    """podweave's own helpers say with their first argument what they are."""
    argv = each.facts.argv
    for archive, program in pairwise(argv):
        if archive.rpartition("/")[2] == _HELPER_ARCHIVE:
            for role in _HELPER_PROGRAMS:
                if program == role:
                    each.say(role, 12, f"runs podweave's {role}")  # known, not judged


def _weight_of_resources(running: list[Standing]) -> None:
    """A helper asks for little beside its app."""
    asked = [(each, each.facts.requests.memory or each.facts.limits.memory) for each in running]
    known = [(each, amount) for each, amount in asked if amount]
    most = max((amount for _, amount in known), default=0.0)
    for each, amount in asked:
        if amount and most and amount <= most / 4:
            each.say(
                "sidecar", 0.4, "asks for a quarter of the biggest container's memory, or less"
            )
        elif amount and all(other is each or amount >= 1.5 * much for other, much in known):
            weight = 0.6 if len(known) > 1 else 0.0
            if weight:
                each.say("app", weight, "asks for far more memory than any other container")


def _conclude(pod: PodFacts, running: list[Standing], relations: Relations) -> None:
    """Roles from the scales; somebody in a Pod is always the one the others are for."""
    default = pod.annotations.get("kubectl.kubernetes.io/default-container")
    mains = [each for each in running if not each.facts.native]
    for each in mains:
        if each.name == default:
            each.say("app", 1.5, "is the Pod's default container")
        if each.name == pod.name and each.kind not in HELPERS and len(mains) > 1:
            each.say("app", 0.8, "carries the name of the workload")
    if mains:
        mains[0].say("app", 0.6, "is the first container")
    for each in running:
        margin = each.independent - each.helping
        if margin > 0 and not each.facts.native:
            tier = each.kind == "store" and each.score("tier") > 0
            each.role = "tier" if tier else "app"
        else:
            each.role = each.helper_role
        each.confidence = _confidence(margin, each)
    independent = [each for each in mains if each.role in {"app", "tier"}]
    if not independent and mains:
        chosen = max(
            mains,
            key=lambda each: (
                _main_rank(each),
                round(each.independent - each.helping),
                -each.facts.position,
            ),
        )
        if chosen.facts.image:
            # Processes of one solution: the first one is its main process.
            same = [each for each in mains if each.facts.image == chosen.facts.image]
            chosen = next((each for each in same if each.name == pod.name), same[0])
        chosen.role = "app"
        chosen.confidence = min(chosen.confidence, 0.7)
        chosen.say("app", 0.1, "the others are there for it, or it for nobody")
        independent = [chosen, *_other_agents(chosen, mains, relations)]
    if len(independent) == 1 and independent[0].role == "tier":
        # Alone with its helpers it is the Pod's application, whatever it keeps.
        independent[0].role = "app"


def _other_agents(chosen: Standing, mains: list[Standing], relations: Relations) -> list[Standing]:
    """Node agents put side by side: of other software, with ports of their own, and unrelated."""
    found = []
    for each in mains:
        if each is chosen or {each.kind, chosen.kind} != {"logs", "exporter"}:
            continue
        pair = {each.name, chosen.name}
        related = any({dial.client, dial.server} == pair for dial in relations.dials) or any(
            share.kind != "host" for share in relations.between(*pair)
        )
        words = set(re.split(r"[-_/]", f"{each.name}/{image_path(each.facts.image)}"))
        other = set(re.split(r"[-_/]", f"{chosen.name}/{image_path(chosen.facts.image)}"))
        if each.facts.ports and not related and not words & other - {"exporter", "agent", "prom"}:
            each.role, each.confidence = "app", min(each.confidence, 0.6)
            each.say("app", 0.1, f"has nothing to do with {chosen.name}")
            found.append(each)
    return found


_RANKS: Final[dict[Kind, int]] = {
    "storage": 0, "sync": 0, "gate": 1, "guard": 1, "mesh": 1, "secrets": 1, "logs": 2,
    "policy": 2, "build": 3, "daemon": 1, "tunnel": 2, "outbound": 1, "exporter": 3, "tool": 2,
}  # fmt: skip
"""Among helpers alone, which kind is likelier to be what the others are for."""


def _main_rank(each: Standing) -> int:
    return _RANKS.get(each.kind, 4) if each.kind else 4


def _confidence(margin: float, each: Standing) -> float:
    """From a coin's toss to near certainty; a container that says nothing about itself gets low."""
    strength = abs(margin)
    told = min(1.0, 0.4 + 0.15 * len(each.signs))
    return round(min(0.98, 0.5 + 0.48 * (strength / (strength + 1.2))) * (0.6 + 0.4 * told), 2)
