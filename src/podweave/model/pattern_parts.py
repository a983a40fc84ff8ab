"""What every kind of pattern is made of: strictness, a selector, a name.

Strict: an unknown key is an error. The JSON Schema that `podweave schema` prints comes from the
types, so a docstring here is what an editor shows.
"""

from __future__ import annotations

from typing import Any, Final, dataclass_transform

import msgspec

from podweave.model.pods import LabelSelector, LabelSelectorRequirement

GROUP: Final = "podweave.dev"
API_VERSION: Final = "podweave.dev/v1alpha1"


# Said again for type checkers: they don't inherit `frozen=True` from a base class.
@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Strict(
    msgspec.Struct,
    rename="camel",
    frozen=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
):
    """A pattern's struct: unknown keys are errors."""


class SelectorRequirement(LabelSelectorRequirement, forbid_unknown_fields=True):
    """One of a selector's matchExpressions."""


class Selector(LabelSelector, forbid_unknown_fields=True):
    """Which workloads the pattern is for, by their Pods' labels; all parts must match."""

    match_expressions: list[SelectorRequirement] | None = None  # type: ignore[assignment]


class Metrics(Strict):
    """The helper's metrics for a Prometheus that isn't in the Pod."""

    port: int
    """Where `GET /metrics` is answered on the Pod's own addresses, 1024 to 65535; nothing else but
    `GET /healthz` is. Declared as the containerPort `metrics-PORT`."""


METRICS_BOUNDS: Final = {("Metrics", "port"): (1024, 65535)}
"""Helpers aren't root, and some container runtimes keep the ports below for root."""


class State(Strict):
    """Where a log helper keeps how far it has read. On a volume that outlives the Pod, as that of
    the files does, the next Pod goes on where this one was."""

    volume: str | dict[str, Any]
    """The name of a volume of the Pod, or of a StatefulSet's volumeClaimTemplates; or a Kubernetes
    volume source, as in `{persistentVolumeClaim: {claimName: logs}}`."""
    path: str = ".podweave"
    """A folder in it, which is made. Below it, each helper of each workload has one."""


class PatternMeta(Strict):
    """The pattern's own name and labels."""

    name: str
    """DNS label; also the name of the woven container."""
    labels: dict[str, str] | None = None
    """For your own use; podweave doesn't read them."""
    annotations: dict[str, str] | None = None
    """For your own use; podweave doesn't read them."""
