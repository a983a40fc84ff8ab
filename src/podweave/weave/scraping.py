"""What a Prometheus on the cluster needs to find a helper's metrics: a named port, annotations.

The annotations (`prometheus.io/scrape` and its like) are a custom that can name one port of a
Pod. So they are added where one helper alone has metrics and the Pod has none of them: those that
are there lead to the application's metrics, or say that nothing is to be scraped. A PodMonitor
finds every helper by its port's name.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from podweave.manifests.bundle import FoundPattern
from podweave.weave.drafts import Draft, NewAnnotation
from podweave.weave.shapes import mapping
from podweave.weave.targets import Target

PREFIX: Final = "prometheus.io/"
EVERYWHERE: Final = ("0.0.0.0", "::")


def metrics_ports(patterns: list[FoundPattern]) -> Iterator[tuple[FoundPattern, int]]:
    """The helpers that show their metrics beyond loopback, and where."""
    for found in patterns:
        if (metrics := found.pattern.spec.metrics) is not None:
            yield found, metrics.port


def rendered_metrics(found: FoundPattern) -> dict[str, Any]:
    """The key of the helper's configuration, where it has one."""
    metrics = found.pattern.spec.metrics
    return {"metrics": [[host, metrics.port] for host in EVERYWHERE]} if metrics else {}


def annotate(draft: Draft, patterns: list[FoundPattern]) -> None:
    """Add the annotations where they can be right; the helpers' reasons say where they can't."""
    scraped = list(metrics_ports(patterns))
    hindrance = _hindrance(draft.target, len(scraped))
    for found, port in scraped:
        name = found.pattern.metadata.name
        said = f"; its metrics are on the Pod's port {port}{hindrance}"
        for helper in draft.helpers:
            if helper.name == name:
                helper.reason += said
        if not hindrance:
            why = f"by these Prometheus finds the metrics of {name}"
            draft.annotations = {
                f"{PREFIX}scrape": NewAnnotation("true", why),
                f"{PREFIX}port": NewAnnotation(str(port), why),
                f"{PREFIX}path": NewAnnotation("/metrics", why),
            }


def _hindrance(target: Target, count: int) -> str:
    if count > 1:
        return (
            f", without {PREFIX} annotations, which can name one port of a Pod: {count} helpers "
            "have metrics"
        )
    annotations = mapping(mapping(target.template.get("metadata")).get("annotations"))
    for key in annotations:
        if str(key).startswith(PREFIX):
            where = target.place("metadata", "annotations", key)
            return f"; the Pod has annotations of its own for Prometheus ({where}), which stay"
    return ""
