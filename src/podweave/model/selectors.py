"""Label selectors: whether labels match."""

from __future__ import annotations

from collections.abc import Mapping

from podweave.model.pods import LabelSelector, LabelSelectorRequirement


def matches(selector: LabelSelector | None, labels: Mapping[str, str] | None) -> bool:
    """Whether `labels` satisfy every part of the selector; no selector and an empty one match all.

    That is what an absent selector means in a pattern; elsewhere in Kubernetes it may match
    nothing, so don't use this there without a look.
    """
    if selector is None:
        return True
    labels = labels or {}
    return all(
        labels.get(key) == value for key, value in (selector.match_labels or {}).items()
    ) and all(_satisfied(part, labels) for part in selector.match_expressions or ())


def _satisfied(requirement: LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    present = requirement.key in labels
    listed = present and labels[requirement.key] in (requirement.values or ())
    if requirement.operator == "In":
        return listed
    if requirement.operator == "NotIn":
        return not listed
    return present if requirement.operator == "Exists" else not present
