"""A simulated day in sentences, and as plain values."""

from __future__ import annotations

from typing import Any

from podweave.review.case import Case
from podweave.review.simulation.day import Day, Series


def sentences(case: Case, day: Day) -> list[str]:
    """What the day showed, its costs on the split's side too."""
    together, enough, apart = day.together, day.enough, day.apart
    lines = [
        f"to serve the day's load: together {enough.core_hours:g} core-hours and "
        f"{enough.gib_hours:g} GiB-hours, apart {apart.core_hours:g} and {apart.gib_hours:g}"
        + _saved(enough.core_hours, apart.core_hours, enough.gib_hours, apart.gib_hours),
    ]
    lines.append(f"requested cores by the hour: together {_spark(enough, enough)}")
    lines.append(f"                             apart    {_spark(apart, enough)}")
    if together.saturated:
        lines.append(
            f"as it is configured, {day.hot} is saturated for {together.saturated} minutes of the "
            f"day at {together.pods} replica{'s' if together.pods != 1 else ''}: the autoscaler "
            "sees the other containers' idle CPU"
        )
    if enough.nodes and apart.nodes:
        lines.append(
            f"a cluster of {day.plan.cluster} such Pods: {max(enough.nodes)} nodes together, "
            f"{max(apart.nodes)} apart at the peak; {enough.node_hours} and {apart.node_hours} "
            "node-hours a day"
        )
    hops = sum(
        1
        for dial in case.relations.dials
        if not any({dial.client, dial.server} <= set(group) for group in case.grouping.groups)
    )
    lines.append(
        f"the split's own price: {apart.pods} Pods and addresses at the peak instead of "
        f"{enough.pods}, and {hops} localhost call{'s' if hops != 1 else ''} that become"
        f"{'s' if hops == 1 else ''} a network hop"
    )
    lines += [f"assumed: {each}" for each in dict.fromkeys(day.assumptions)]
    return lines


def _spark(series: Series, scale: Series) -> str:
    """A curve of one character an hour, to the scale of another."""
    blocks = "▁▂▃▄▅▆▇█"
    most = max(scale.cores) or 1.0
    hourly = series.cores[:: len(series.cores) // 24]
    return "".join(blocks[min(7, int(value / most * 7.999))] for value in hourly)


def _saved(core: float, core_apart: float, gib: float, gib_apart: float) -> str:
    if not core or not gib:
        return ""
    cpu, memory = 1 - core_apart / core, 1 - gib_apart / gib
    return f" ({cpu:.0%} of the CPU and {memory:.0%} of the memory saved)"


def values(day: Day) -> dict[str, Any]:
    """For JSON."""
    return {
        "hot": day.hot,
        **{
            name: {
                "core_hours": series.core_hours,
                "gib_hours": series.gib_hours,
                "saturated_minutes": series.saturated,
                "peak_pods": series.pods,
                "cluster_node_hours": series.node_hours,
                "cluster_peak_nodes": max(series.nodes, default=0),
            }
            for name, series in (
                ("as_configured", day.together),
                ("together", day.enough),
                ("apart", day.apart),
            )
        },
        "assumptions": list(dict.fromkeys(day.assumptions)),
    }
