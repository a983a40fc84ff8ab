"""One day in steps of five minutes: what is asked of each container, who scales, what it takes.

Together, the autoscaler sees the sum of all containers; apart, each tier has its own. What a
manifest doesn't say is assumed, and each assumption is part of the result.
"""

from __future__ import annotations

from typing import Final

import msgspec

from podweave.review.case import Case
from podweave.review.cost import hottest, replicas, requested
from podweave.review.curves import CURVES
from podweave.review.simulation.autoscaler import Autoscaler
from podweave.review.simulation.packing import Shape, TooLargeError, nodes

STEPS: Final = 288
HOURS_A_STEP: Final = 24 / STEPS
TARGET: Final = 0.7
NODE: Final = Shape(3.92, 14.5 * 2**30)
"""What is left of 4 cores and 16 GiB after the kubelet and the system."""


class Plan(msgspec.Struct, frozen=True):
    """What to simulate."""

    curve: str = "office"
    loads: dict[str, list[float]] = {}
    """Container -> its load over the day in any unit, where it is known."""
    peaks: dict[str, float] = {}
    """Container -> cores it used at its peak, over all replicas, where it was measured."""
    node: Shape = NODE
    cluster: int = 10_000
    """Pods in the cluster, all like this one."""


class Series(msgspec.Struct):
    """One way to run it, over the day."""

    replicas: dict[str, list[int]]
    """By the group's lead."""
    cores: list[float] = []
    memory: list[float] = []
    saturated: int = 0
    """Minutes in which the hot container asked for more than it may use."""
    core_hours: float = 0.0
    gib_hours: float = 0.0
    pods: int = 0
    """At the peak."""
    nodes: list[int] = []
    """For the cluster, by the hour."""
    node_hours: int = 0


class Day(msgspec.Struct):
    hot: str
    together: Series
    """As it is configured."""
    enough: Series
    """Together, with the replicas that the hot container needs: what serving the load takes."""
    apart: Series
    assumptions: list[str]
    plan: Plan


class _Group(msgspec.Struct):
    lead: str
    containers: list[str]
    cpu: float
    memory: float
    copies: bool
    demand: list[float]
    """Cores asked of it in each step, over all replicas."""
    limit: float
    """Cores one replica may use."""


def simulate(case: Case, plan: Plan | None = None) -> Day | None:
    """Replay a day; None where nothing can be scaled or requests are missing."""
    plan = plan or Plan()
    hot = hottest(case)
    if hot is None or not case.split:
        return None
    assumptions: list[str] = []
    target = _target(case, assumptions)
    low, high = replicas(case.pod)
    if high == low:
        high = max(low, 10)
        assumptions.append(f"no autoscaler is given: {hot.name} scales from {low} to {high}")
    groups = _groups(case, plan, hot.name, target, high, assumptions)
    if groups is None:
        return None
    lead = next(group for group in groups if hot.name in group.containers)
    together = _together(groups, lead, Autoscaler(low, high, target), whole=True)
    enough = _together(groups, lead, Autoscaler(low, high, target), whole=False)
    apart = _apart(groups, low, high, target)
    try:
        _cluster(groups, (together, enough, apart), plan)
    except TooLargeError:
        assumptions.append("a Pod is larger than a node: nodes aren't counted")
    return Day(hot.name, together, enough, apart, assumptions, plan)


def _target(case: Case, assumptions: list[str]) -> float:
    scaler = case.pod.scaler
    for resource, share in scaler.resources if scaler else []:
        if resource == "cpu" and share:
            return share
    assumptions.append(f"scaling by CPU at {TARGET:.0%} of the request")
    return TARGET


def _groups(
    case: Case, plan: Plan, hot: str, target: float, high: int, assumptions: list[str]
) -> list[_Group] | None:
    found = []
    for group in case.grouping.groups:
        members = [each for each in case.running if each.name in group]
        lead = next((each for each in members if each.role in {"app", "tier"}), members[0])
        cpu = memory = 0.0
        for each in members:
            asked_cpu = requested(each.facts, "cpu")
            asked_memory = requested(each.facts, "memory")
            if asked_cpu is None or asked_memory is None:
                return None
            cpu += asked_cpu
            memory += asked_memory
        if not cpu:
            return None
        copies = (
            not any(case.stateful(each) for each in members if each.role in {"app", "tier"})
            or hot in group
        )
        peak = sum(plan.peaks.get(each.name, 0.0) for each in members)
        if not peak:
            peak = cpu * target * (high if hot in group else 1)
            if hot in group:
                assumptions.append(f"{lead.name} needs {high} replicas at its peak")
            else:
                assumptions.append(f"{lead.name} needs one replica at its peak")
        load = plan.loads.get(lead.name)
        if load is None:
            shape = CURVES[plan.curve]
            if lead.name not in plan.peaks:
                assumptions.append(f"{lead.name}: the built-in day {plan.curve!r}")
        else:
            most = max(load) or 1.0
            shape = tuple(value / most for value in load)
        limit = sum(each.facts.limits.cpu or each.facts.requests.cpu or 0.0 for each in members)
        demand = [peak * share for share in _spread(shape)]
        found.append(_Group(lead.name, group, cpu, memory, copies, demand, max(limit, cpu)))
    return found


def _spread(shape: tuple[float, ...]) -> list[float]:
    """A curve of any length on the day's steps, in straight lines."""
    count = len(shape)
    if count == 1:
        return [shape[0]] * STEPS
    values = []
    for step in range(STEPS):
        place = step * count / STEPS
        index = int(place)
        after = shape[(index + 1) % count]
        values.append(shape[index] + (after - shape[index]) * (place - index))
    return values


def _together(groups: list[_Group], hot: _Group, scaler: Autoscaler, *, whole: bool) -> Series:
    """One Pod for all; the autoscaler sees the whole Pod, or the hot group alone."""
    seen = groups if whole else [hot]
    total = sum(group.cpu for group in seen)
    count = scaler.minimum
    counts = []
    series = Series({})
    for step in range(STEPS):
        used = sum(min(group.demand[step] / count, group.limit) for group in seen)
        if hot.demand[step] / count > hot.limit + 1e-9:
            series.saturated += 24 * 60 // STEPS
        counts.append(count)
        count = scaler.step(count, used / total)
    series.replicas = {group.lead: counts for group in groups}
    series.pods = max(counts)
    _sum(series, groups)
    return series


def _apart(groups: list[_Group], low: int, high: int, target: float) -> Series:
    series = Series({})
    for group in groups:
        scaler = Autoscaler(low if group.copies else 1, high if group.copies else 1, target)
        if group.copies and max(group.demand) <= group.cpu:
            scaler.minimum = 1
        count = scaler.minimum
        counts = []
        for step in range(STEPS):
            counts.append(count)
            count = scaler.step(count, min(group.demand[step] / count, group.limit) / group.cpu)
        series.replicas[group.lead] = counts
    series.pods = max(sum(each) for each in zip(*series.replicas.values(), strict=True))
    _sum(series, groups)
    return series


def _sum(series: Series, groups: list[_Group]) -> None:
    for step in range(STEPS):
        series.cores.append(sum(g.cpu * series.replicas[g.lead][step] for g in groups))
        series.memory.append(sum(g.memory * series.replicas[g.lead][step] for g in groups))
    series.core_hours = round(sum(series.cores) * HOURS_A_STEP, 2)
    series.gib_hours = round(sum(series.memory) * HOURS_A_STEP / 2**30, 2)


def _cluster(groups: list[_Group], ways: tuple[Series, Series, Series], plan: Plan) -> None:
    """Nodes for a cluster full of this workload, hour by hour."""
    together, enough, apart = ways
    whole = Shape(sum(group.cpu for group in groups), sum(group.memory for group in groups))
    copies = max(1, plan.cluster // max(1, enough.pods))
    for step in range(0, STEPS, STEPS // 24):
        for series in (together, enough):
            count = series.replicas[groups[0].lead][step] * copies
            series.nodes.append(nodes([(whole, count)], plan.node))
        shapes = [
            (Shape(group.cpu, group.memory), apart.replicas[group.lead][step] * copies)
            for group in groups
        ]
        apart.nodes.append(nodes(shapes, plan.node))
    for series in ways:
        series.node_hours = sum(series.nodes)
