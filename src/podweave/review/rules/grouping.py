"""The verdict itself, in the words a colleague would use, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator

from podweave.review.case import Case, Finding, Level
from podweave.review.standing import Standing


def check(case: Case) -> Iterator[Finding]:
    yield from _apart(case)
    yield from _together(case)
    yield from _turning(case)
    yield from _unsure(case)


def _turning(case: Case) -> Iterator[Finding]:
    """What would turn the verdict `keep`: said of the container it hangs on most."""
    helpers = [each for each in case.helpers if not each.facts.native]
    if case.split or len(case.pod.mains) < 2 or not helpers:
        return
    least = min(helpers, key=lambda each: each.helping - each.independent)
    wanted = []
    if not least.facts.ports:
        wanted.append("a port that others call by a Service")
    elif not case.pod.services:
        wanted.append("a Service that leads to its port")
    if not case.claims(least.facts):
        wanted.append("data on a claim of its own")
    if wanted:
        yield Finding(
            "what-would-change",
            "note",
            f"{least.name} would belong in a Pod of its own if it had {' or '.join(wanted)}",
            least.facts.path,
        )


def _apart(case: Case) -> Iterator[Finding]:
    if not case.split:
        return
    by_name = {each.name: each for each in case.standings}
    groups = case.grouping.groups
    leads = [_lead(group, by_name) for group in groups]
    listed = "; ".join(f"{lead.name} ({what(case, lead)})" for lead in leads)
    yield Finding(
        "independent-tiers",
        "error",
        f"{number(len(groups)).capitalize()} applications share this Pod: {listed}. They differ in "
        "what they need and how they scale, and nothing here ties them together: one Pod each, "
        "with a Service where one is called by another (`podweave split` writes them)",
        case.spec_path("containers"),
    )
    for dial in case.relations.dials:
        home = next((group for group in groups if dial.client in group), None)
        if home is not None and dial.server not in home:
            yield Finding(
                "what-would-change",
                "note",
                f"{dial.client} reaches {dial.server} by localhost ({dial.why}). That alone "
                "doesn't need one Pod: a Service name does the same, or an Ambassador keeps "
                f"localhost:{dial.port} where {dial.client} can't be changed",
                by_name[dial.client].facts.path,
            )
            break
    else:
        yield Finding(
            "what-would-change",
            "note",
            "They would stay together if one worked on the other's files or socket, or if both "
            "ended as one",
            case.spec_path("containers"),
        )


def _lead(group: list[str], by_name: dict[str, Standing]) -> Standing:
    members = [by_name[name] for name in group]
    return next((each for each in members if each.role in {"app", "tier"}), members[0])


def what(case: Case, each: Standing) -> str:
    """What a container is, in a few words."""
    if each.role == "tier" or each.kind == "store":
        kept = case.claims(each.facts)
        data = f", data on {kept[0]}" if kept else ""
        return f"{each.product or 'a tier'}{data}"
    if each.worker:
        return "a worker"
    ports = [str(port.number) for port in each.facts.ports[:2]]
    if ports:
        return f"serves port {', '.join(ports)}"
    return each.product or "an application"


def number(count: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    return words[count] if count < len(words) else str(count)


def _together(case: Case) -> Iterator[Finding]:
    by_name = {each.name: each for each in case.standings}
    for bond in case.grouping.bonds:
        first = by_name[bond.first]
        if bond.reason == "lifecycle":
            rule, text = (
                "same-lifecycle",
                f"{bond.first} and {bond.second} stay together: {bond.text}",
            )
        elif bond.reason == "coupling":
            rule, text = (
                "tight-coupling",
                f"{bond.first} and {bond.second} stay together: {bond.text}",
            )
        else:
            rule = "helper-without-code-change"
            article = "an" if first.role[0] in "ao" else "a"
            text = f"{bond.first} is {article} {first.role} of {bond.second}: {bond.text}"
        yield Finding(rule, "note", text, first.facts.path)


def _unsure(case: Case) -> Iterator[Finding]:
    if len(case.running) < 2:
        return
    for each in case.running:
        if each.confidence >= 0.55:
            continue
        level: Level = "note"
        yield Finding(
            "unsure-role",
            level,
            f"taken as {each.role}, but the manifest says little about {each.name}: ports, probes, "
            "mounts or a Service would tell",
            each.facts.path,
        )
