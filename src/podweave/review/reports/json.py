"""The stable JSON form, documented in docs/review/json.md."""

from __future__ import annotations

from typing import Any

import msgspec

from podweave.model.errors import InputError, render_path
from podweave.review.review import Review, Reviewed


def to_objects(review: Review) -> dict[str, Any]:
    """The review as plain values."""
    return {
        "pods": [pod_object(each) for each in review.reviewed],
        "errors": [error_object(error) for error in review.errors],
    }


def pod_object(reviewed: Reviewed) -> dict[str, Any]:
    """One Pod; keys and meanings stay as they are in later versions."""
    case = reviewed.judgement.case
    pod = case.pod
    return {
        "file": pod.file,
        "kind": pod.kind,
        "namespace": pod.namespace or "default",
        "name": pod.name,
        "verdict": reviewed.judgement.verdict,
        "groups": case.grouping.groups,
        "containers": [
            {
                "name": each.name,
                "role": each.role,
                "confidence": each.confidence,
                "evidence": [
                    sign.text for sign in sorted(each.signs, key=lambda sign: -sign.weight)
                ],
            }
            for each in case.standings
        ],
        "findings": [
            {
                "rule": finding.rule,
                "level": finding.level,
                "message": finding.message,
                "path": render_path(finding.path),
                "line": finding.line,
            }
            for finding in reviewed.judgement.findings
        ],
        "cost": reviewed.judgement.cost,
    }


def error_object(error: InputError) -> dict[str, Any]:
    """An error of the input: which document, and what is wrong."""
    return {
        "file": error.file or "",
        "line": error.line or 0,
        "path": render_path(error.path),
        "message": error.message,
    }


def render(review: Review) -> str:
    """The JSON text."""
    return msgspec.json.format(msgspec.json.encode(to_objects(review)), indent=2).decode() + "\n"
