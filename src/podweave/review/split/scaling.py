"""Autoscalers after a split: one for each tier that can be copied."""

from __future__ import annotations

import copy
from typing import Any

from podweave.review.case import Case
from podweave.review.inventory import Placed
from podweave.review.split.pieces import Comment, Piece, Split, Tier


def autoscalers(case: Case, tiers: list[Tier], others: list[Placed], split: Split) -> list[Placed]:
    """Divide the workload's HorizontalPodAutoscaler; returns the objects that are none of it."""
    pod = case.pod
    remaining = []
    for each in others:
        spec = each.object.get("spec") or {}
        target = spec.get("scaleTargetRef") or {}
        mine = (
            each.object.get("kind") == "HorizontalPodAutoscaler"
            and target.get("name") == pod.name
            and target.get("kind") == pod.kind
        )
        if not mine:
            remaining.append(each)
            continue
        for tier in tiers:
            if tier.stateful:
                split.report.append(f"{tier.name}: keeps data, so it gets no autoscaler")
                continue
            piece = _one(case, tier, each.object, split)
            if piece is not None:
                tier.pieces.append(piece)
    return remaining


def _one(case: Case, tier: Tier, object: dict[str, Any], split: Split) -> Piece | None:
    new = copy.deepcopy(object)
    new.pop("status", None)
    spec = new["spec"]
    new["apiVersion"] = "autoscaling/v2" if "metrics" in spec else "autoscaling/v1"
    new["metadata"] = {**new["metadata"], "name": tier.name}
    spec["scaleTargetRef"] = {"apiVersion": "apps/v1", "kind": tier.kind, "name": tier.name}
    metrics = []
    for metric in spec.get("metrics") or []:
        container = (metric.get("containerResource") or {}).get("container")
        if container is None or container in tier.containers:
            metrics.append(metric)
    if spec.get("metrics") and not metrics:
        split.report.append(
            f"{tier.name}: no metric of the autoscaler is about it, so it gets none"
        )
        return None
    if "metrics" in spec:
        spec["metrics"] = metrics
    text = (
        "minReplicas and maxReplicas were chosen for all containers together: set them for "
        f"{tier.lead} alone"
    )
    split.open.append(f"{tier.name}: {text}")
    split.report.append(f"HorizontalPodAutoscaler/{tier.name}")
    return Piece(new, [Comment(("spec", "maxReplicas"), f"podweave: {text}")])
