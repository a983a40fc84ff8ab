"""Requests: missing, opposed, and what every further replica pays for."""

from __future__ import annotations

from collections.abc import Iterator

from podweave.review.case import Case, Finding


def check(case: Case) -> Iterator[Finding]:
    yield from _missing(case)
    if case.split:
        yield from _opposed(case)
        yield from _tax(case)


def _missing(case: Case) -> Iterator[Finding]:
    bare = [
        each
        for each in case.pod.running
        if each.requests.cpu is None
        and each.requests.memory is None
        and each.limits.cpu is None
        and each.limits.memory is None
    ]
    if bare:
        names = ", ".join(each.name for each in bare)
        has = "has" if len(bare) == 1 else "have"
        yield Finding(
            "missing-requests",
            "note",
            f"{names} {has} no requests: what the Pod costs is unknown, and the scheduler guesses",
            bare[0].path,
        )


def _opposed(case: Case) -> Iterator[Finding]:
    shapes = [
        (each, each.facts.requests.memory / each.facts.requests.cpu / 2**30)
        for each in case.independent
        if each.facts.requests.cpu and each.facts.requests.memory
    ]
    if len(shapes) < 2:
        return
    lean = min(shapes, key=lambda pair: pair[1])
    rich = max(shapes, key=lambda pair: pair[1])
    if rich[1] >= 4 * lean[1]:
        yield Finding(
            "opposed-profiles",
            "warning",
            f"{lean[0].name} wants {lean[1]:.2g} GiB for each core and {rich[0].name} "
            f"{rich[1]:.2g}: apart, each could go to nodes of its own shape",
            rich[0].facts.path,
        )


def _tax(case: Case) -> Iterator[Finding]:
    for resource in ("cpu", "memory"):
        asked = [(each, getattr(each.facts.requests, resource)) for each in case.running]
        if any(amount is None for _, amount in asked):
            continue
        total = sum(amount for _, amount in asked)
        hot = [
            (each, amount)
            for each, amount in asked
            if each.role == "app" and not case.stateful(each)
        ]
        if not hot or not total:
            continue
        each, amount = max(hot, key=lambda pair: pair[1])
        tax = 1 - amount / total
        if tax >= 0.5:
            word = "CPU" if resource == "cpu" else "memory"
            yield Finding(
                "replica-tax",
                "warning",
                f"to scale {each.name}, every further replica pays {tax:.0%} of its {word} for "
                "the other containers",
                each.facts.path,
            )
