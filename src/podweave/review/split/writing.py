"""A Split to the texts of its files."""

from __future__ import annotations

import re
from typing import Any

from podweave.manifests.reading import read
from podweave.manifests.rendering import render
from podweave.review.split.pieces import Piece, Split


def files(split: Split) -> dict[str, str]:
    """File name -> text: one a tier, one for what they share, and a kustomization of all."""
    result: dict[str, str] = {}
    ambassadors: list[str] = []
    for tier in split.tiers:
        own = [piece for piece in tier.pieces if piece.kind != "Ambassador"]
        result[f"{tier.name}.yaml"] = "---\n".join(_text(piece) for piece in own)
        ambassadors += [_text(piece) for piece in tier.pieces if piece.kind == "Ambassador"]
    if split.shared:
        result["shared.yaml"] = "---\n".join(_text(piece) for piece in split.shared)
    kustomization: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(result),
    }
    head = ""
    if split.open:
        head = "".join(f"# to decide: {line}\n" for line in split.open)
    if ambassadors:
        # Not among the resources: a cluster doesn't know the kind; `podweave weave` takes it.
        result["ambassadors.yaml"] = "---\n".join(ambassadors)
    result["kustomization.yaml"] = head + render(kustomization)
    return result


def _text(piece: Piece) -> str:
    """An object as YAML with its comments above what they are about."""
    text = render(piece.object)
    if not piece.comments:
        return text
    (document,) = read("-", text.encode()).documents
    lines = text.split("\n")
    above: dict[int, list[str]] = {}
    for comment in piece.comments:
        above.setdefault(document.line(comment.path) - 1, []).append(comment.text)
    result = []
    for number, line in enumerate(lines):
        indent = re.match(r" *", line)
        assert indent is not None
        result += [f"{indent[0]}# {text}" for text in above.get(number, ())]
        result.append(line)
    return "\n".join(result)
