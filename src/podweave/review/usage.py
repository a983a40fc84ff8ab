"""Measured use, from what metrics-server and Prometheus give out, to peaks by container.

Read are: `kubectl top pod --containers` as text, the metrics API's PodMetricsList as JSON, and
Prometheus' answer to an instant or range query whose series have the labels pod and container.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from podweave.model.errors import InputError
from podweave.model.quantities import parse_quantity
from podweave.review.facts import PodFacts

CPU_QUERY: Final = (
    "max_over_time(sum by (namespace, pod, container) (rate("
    'container_cpu_usage_seconds_total{container!="", container!="POD"}[5m]))[1d:5m])'
)
"""What to ask Prometheus for: cores by container, at the peak of the last day."""


class Used(NamedTuple):
    """What one container of one Pod used at its peak."""

    namespace: str
    pod: str
    container: str
    cores: float


def read_usage(file: str, text: str) -> list[Used]:
    """Usage in any of the known forms."""
    stripped = text.lstrip()
    if not stripped.startswith("{"):
        return _table(file, text)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not JSON: {error}", file=file) from None
    try:
        if "items" in value:
            return list(_metrics(value))
        return list(_prometheus(value))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, InputError) as error:
        raise InputError(
            f"neither a PodMetricsList nor a Prometheus answer with the labels pod and container "
            f"({error})",
            file=file,
        ) from None


def _metrics(value: dict[str, Any]) -> Any:
    for item in value["items"]:
        metadata = item["metadata"]
        for container in item["containers"]:
            cores = float(parse_quantity(container["usage"]["cpu"]))
            yield Used(metadata.get("namespace", ""), metadata["name"], container["name"], cores)


def _prometheus(value: dict[str, Any]) -> Any:
    for series in value["data"]["result"]:
        labels = series["metric"]
        samples = series["values"] if "values" in series else [series["value"]]
        peak = max(float(sample[1]) for sample in samples)
        yield Used(labels.get("namespace", ""), labels["pod"], labels["container"], peak)


def _table(file: str, text: str) -> list[Used]:
    found = []
    header: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if header is None:
            header = [word.upper() for word in words]
            if "POD" not in header or not any(word.startswith("CPU") for word in header):
                raise InputError(
                    "expected the table of `kubectl top pod --containers`, or JSON",
                    file=file,
                    line=number,
                )
            continue
        if len(words) != len(header):
            raise InputError(f"{len(words)} columns, not {len(header)}", file=file, line=number)
        row = dict(zip(header, words, strict=True))
        cpu = next(word for key, word in row.items() if key.startswith("CPU"))
        name = row.get("NAME") or row.get("CONTAINER") or ""
        try:
            cores = float(parse_quantity(cpu))
        except InputError as error:
            raise InputError(error.message, file=file, line=number) from None
        found.append(Used(row.get("NAMESPACE", ""), row["POD"], name, cores))
    return found


def peaks(used: list[Used], pod: PodFacts) -> tuple[dict[str, float], int]:
    """(container -> cores over all replicas of this workload, the number of replicas seen)."""
    own = re.compile(rf"{re.escape(pod.name)}(-[a-z0-9]+){{0,2}}")
    names = {each.name for each in pod.containers}
    found: dict[str, float] = {}
    seen: set[str] = set()
    for each in used:
        if each.namespace and each.namespace != (pod.namespace or "default"):
            continue
        if each.container in names and own.fullmatch(each.pod):
            found[each.container] = found.get(each.container, 0.0) + each.cores
            seen.add(each.pod)
    return found, len(seen)
