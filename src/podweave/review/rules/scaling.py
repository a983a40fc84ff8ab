"""S4: what can't be copied, what can't scale alone, and autoscalers that can't see."""

from __future__ import annotations

from collections.abc import Iterator

from podweave.review.case import Case, Finding
from podweave.review.cost import hottest


def check(case: Case) -> Iterator[Finding]:
    yield from _stateful(case)
    yield from _claims(case)
    yield from _autoscaler(case)


def _stateful(case: Case) -> Iterator[Finding]:
    pod = case.pod
    if not case.split or (pod.kind == "StatefulSet" and not pod.scaler):
        return
    others = [each.name for each in case.independent if not case.stateful(each)]
    if not others:
        return
    hot = hottest(case)
    scaled = hot.name if hot is not None else others[0]
    for each in case.independent:
        if not case.stateful(each):
            continue
        kept = case.claims(each.facts)
        where = f" (claim {kept[0]})" if kept else ""
        if pod.scales:
            count = f"{pod.scaler.maximum}" if pod.scaler else f"{pod.replicas}"
            message = (
                f"{each.name} keeps data{where}: with {count} replicas there are {count} "
                f"separate copies that know nothing of each other, only to scale {scaled}"
            )
        else:
            message = (
                f"{each.name} keeps data{where} and can't simply be copied, so "
                f"{', '.join(others)} can't be scaled either"
            )
        yield Finding(
            "stateful-beside-scaling",
            "error" if pod.scales else "warning",
            message,
            each.facts.path,
        )


def _claims(case: Case) -> Iterator[Finding]:
    pod = case.pod
    if not pod.scales or pod.kind == "StatefulSet":
        return
    for volume in pod.volumes.values():
        if volume.kind != "claim" or not volume.access:
            continue
        if {"ReadWriteMany", "ReadOnlyMany"} & set(volume.access):
            continue
        yield Finding(
            "rwo-claim-replicas",
            "error",
            f"the claim {volume.source} is {', '.join(volume.access)}: one node at a time may "
            "mount it, so replicas on other nodes never start",
            case.spec_path("volumes", list(pod.volumes).index(volume.name)),
        )


def _autoscaler(case: Case) -> Iterator[Finding]:
    pod = case.pod
    scaler = pod.scaler
    if scaler is None or not scaler.resources:
        return
    running = pod.running
    for resource, target in scaler.resources:
        missing = [
            each
            for each in running
            if getattr(each.requests, resource, 0) is None
            and getattr(each.limits, resource, 0) is None
        ]
        if missing and target is not None:
            names = ", ".join(each.name for each in missing)
            yield Finding(
                "autoscaler-missing-request",
                "error",
                f"the autoscaler {scaler.name} goes by {resource} utilisation, which can't be "
                f"computed while {names} has no {resource} request: it never scales",
                missing[0].path,
            )
            continue
        if len(running) < 2 or target is None:
            continue
        amounts = [
            getattr(each.requests, resource) or getattr(each.limits, resource) or 0.0
            for each in running
        ]
        total = sum(amounts)
        if not total:
            continue
        if case.split:
            yield Finding(
                "autoscaler-on-mixed-pod",
                "warning",
                f"the autoscaler {scaler.name} sees only the sum of {len(running)} containers' "
                f"{resource}: scale each by itself, or use a ContainerResource metric",
                pod.running[0].path,
            )
        for each, asked in zip(running, amounts, strict=True):
            limit = getattr(each.limits, resource)
            if limit is None or not any(
                s.name == each.name and s.role in {"app", "tier"} for s in case.standings
            ):
                continue
            if limit / total < target:
                share = limit / total
                yield Finding(
                    "autoscaler-masked",
                    "warning",
                    f"{each.name} may use {limit:g} of the Pod's {total:g} {_unit(resource)}: "
                    f"saturated alone it is {share:.0%} of the Pod, below the autoscaler's "
                    f"{target:.0%}, so it can hit its limit and nothing scales",
                    each.path,
                )
            del asked


def _unit(resource: str) -> str:
    return "cores" if resource == "cpu" else "bytes of memory"
