"""What sharing a Pod costs, by the arithmetic of requests.

- Tax of a further replica: 1 - q_hot / Σq, the part that isn't for the container that scales.
- Waste: Σ (N - n_i) × q_i over the hours of a day, N the Pod's replicas and n_i those that
  container i needs. What the others need isn't in a manifest, so there are two bounds: at least,
  only what can't be copied is wasted; at most, every other container would do with one.
- Where a request is missing the number is `unknown`, never a guess.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal

from podweave.review.case import Case
from podweave.review.curves import OFFICE
from podweave.review.facts import ContainerFacts, PodFacts
from podweave.review.standing import Standing

Resource = Literal["cpu", "memory"]
RESOURCES: Final[tuple[Resource, ...]] = ("cpu", "memory")
_GIB: Final = 2**30


def price(case: Case) -> dict[str, Any]:
    """The numbers of one Pod, ready for JSON."""
    pod = case.pod
    cost: dict[str, Any] = {"requests": {}, "unknown": []}
    unknown = sorted(
        {
            each.name
            for each in pod.running
            if requested(each, "cpu") is None or requested(each, "memory") is None
        }
    )
    cost["unknown"] = unknown
    for resource in RESOURCES:
        cost["requests"][resource] = _known(effective(pod, resource), resource)
    if len(case.grouping.groups) < 2:
        return cost
    hot = hottest(case)
    cost["hot"] = hot.name if hot else None
    cost["groups"] = [
        {
            "containers": group,
            **{r: _known(_sum(pod, group, r), r) for r in RESOURCES},
        }
        for group in case.grouping.groups
    ]
    blocked = _blocked(case)
    if blocked:
        cost["blocked"] = blocked
    if hot is None:
        return cost
    low, high = replicas(pod)
    cost["replicas"] = {"min": low, "max": high}
    cost["tax"], cost["waste"], cost["arithmetic"] = {}, {}, []
    for resource in RESOURCES:
        _waste(case, hot, resource, low, high, cost)
    return cost


def measured(case: Case, used: dict[str, float], count: int, target: float = 0.7) -> dict[str, Any]:
    """What measured peaks (cores over all replicas, by container) say of the CPU requests.

    The slack of requests that are too large is taken off first: splitting doesn't cure that.
    """
    rows: dict[str, Any] = {}
    for each in case.running:
        asked = requested(each.facts, "cpu")
        peak = used.get(each.name)
        if asked is None or peak is None:
            rows[each.name] = "unknown"
            continue
        fair = min(asked, peak / count / target) if each.role == "app" else asked
        needed = max(1, math.ceil(peak / (target * asked) - 1e-9)) if asked else 1
        rows[each.name] = {
            "peak_cores": round(peak, 4),
            "replicas_needed": needed,
            "replicas": count,
            "slack_cores": round(count * max(0.0, asked - fair), 4),
            "wasted_cores_at_peak": round(max(0, count - needed) * min(asked, fair or asked), 4),
        }
    return rows


def requested(each: ContainerFacts, resource: Resource) -> float | None:
    """A container's request; the API server takes the limit where only that is given."""
    asked = each.requests.cpu if resource == "cpu" else each.requests.memory
    limit = each.limits.cpu if resource == "cpu" else each.limits.memory
    return limit if asked is None else asked


def effective(pod: PodFacts, resource: Resource) -> float | None:
    """The Pod's request as the scheduler sees it; None where a running container's is missing."""
    sidecars = peak = 0.0
    for each in pod.containers:
        if each.init:
            asked = requested(each, resource)
            if each.native:
                if asked is None:
                    return None
                sidecars += asked
                peak = max(peak, sidecars)
            else:
                peak = max(peak, sidecars + (asked or 0.0))
    total = sidecars
    for each in pod.mains:
        asked = requested(each, resource)
        if asked is None:
            return None
        total += asked
    overhead = pod.overhead.cpu if resource == "cpu" else pod.overhead.memory
    return max(peak, total) + (overhead or 0.0)


def hottest(case: Case) -> Standing | None:
    """The container that would be scaled: the application that can be copied and asks for most."""
    apps = [each for each in case.independent if not case.stateful(each)] or [
        each for each in case.independent if each.kind != "store"
    ]
    targeted = case.pod.scaler.container_resources if case.pod.scaler else []
    for name, _ in targeted:
        for each in apps:
            if each.name == name:
                return each
    if not apps:
        return None
    return max(apps, key=lambda each: requested(each.facts, "cpu") or 0.0)


def replicas(pod: PodFacts) -> tuple[int, int]:
    """The replicas there will be: the autoscaler's, else the workload's."""
    if pod.scaler is not None:
        low = max(1, pod.scaler.minimum)
        return low, max(low, pod.scaler.maximum)
    count = max(1, pod.replicas or 1)
    return count, count


def _sum(pod: PodFacts, group: list[str], resource: Resource) -> float | None:
    total = 0.0
    for each in pod.running:
        if each.name in group:
            asked = requested(each, resource)
            if asked is None:
                return None
            total += asked
    return total


def _waste(
    case: Case, hot: Standing, resource: Resource, low: int, high: int, cost: dict[str, Any]
) -> None:
    groups = case.grouping.groups
    own = next(group for group in groups if hot.name in group)
    sums = [(group, _sum(case.pod, group, resource)) for group in groups]
    if any(amount is None for _, amount in sums):
        cost["tax"][resource] = cost["waste"][resource] = "unknown"
        return
    known = [(group, amount) for group, amount in sums if amount is not None]
    total = sum(amount for _, amount in known)
    mine = next(amount for group, amount in known if group is own)
    if not total:
        cost["tax"][resource] = cost["waste"][resource] = "unknown"
        return
    cost["tax"][resource] = round(1 - mine / total, 4)
    fixed = sum(amount for group, amount in known if group is not own and _holds_data(case, group))
    hours = sum(_count(low, high, share) - 1 for share in OFFICE)
    unit, scale = ("core-hours", 1.0) if resource == "cpu" else ("GiB-hours", 1.0 / _GIB)
    cost["waste"][resource] = {
        "unit": f"{unit} a day",
        "low": round(fixed * hours * scale, 2),
        "high": round((total - mine) * hours * scale, 2),
        "per_further_replica_hour": round((total - mine) * scale, 4),
    }
    word = "cores" if resource == "cpu" else "GiB"
    cost["arithmetic"].append(
        f"{resource}: tax = 1 - {mine * scale:g} / {total * scale:g} = {1 - mine / total:.0%}; "
        f"waste = {hours} replica-hours beyond the first × {fixed * scale:g} to "
        f"{(total - mine) * scale:g} {word}"
    )


def _count(low: int, high: int, share: float) -> int:
    return max(low, min(high, math.ceil(high * share)))


def _holds_data(case: Case, group: list[str]) -> bool:
    return any(each.name in group and case.stateful(each) for each in case.independent)


def _blocked(case: Case) -> list[str]:
    """Why the Pod can't be scaled at all, or not without harm."""
    reasons = []
    for each in case.independent:
        if case.stateful(each):
            kept = case.claims(each.facts)
            where = f" (claim {kept[0]})" if kept else ""
            reasons.append(f"{each.name} keeps data{where}: each replica would have its own")
    for volume in case.pod.volumes.values():
        if (
            volume.kind == "claim"
            and volume.access
            and not ({"ReadWriteMany", "ReadOnlyMany"} & set(volume.access))
        ):
            reasons.append(
                f"the claim {volume.source} is {', '.join(volume.access)}: one node only"
            )
    return reasons


def _known(amount: float | None, resource: Resource) -> Any:
    if amount is None:
        return "unknown"
    return round(amount, 4) if resource == "cpu" else round(amount)
