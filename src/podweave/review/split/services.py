"""Services after a split: each leads to one tier, and every tier that is called has one."""

from __future__ import annotations

import copy
from typing import Any, Final

from podweave.review.case import Case
from podweave.review.inventory import Placed
from podweave.review.split.pieces import Piece, Split, Tier

COMPONENT: Final = "app.kubernetes.io/component"


def services(case: Case, tiers: list[Tier], others: list[Placed], split: Split) -> list[Placed]:
    """Divide the Services that led to the Pod; returns the objects that are none of them."""
    remaining = []
    for each in others:
        selector = (each.object.get("spec") or {}).get("selector")
        hits = (
            each.object.get("kind") == "Service"
            and isinstance(selector, dict)
            and bool(selector)
            and selector.items() <= case.pod.labels.items()
            and (each.object.get("metadata", {}).get("namespace") or "") == case.pod.namespace
        )
        if hits:
            _divide(case, tiers, each.object, split)
        else:
            remaining.append(each)
    called = {
        dial.server
        for dial in case.relations.dials
        if _home(tiers, dial.client) is not _home(tiers, dial.server)
    }
    for tier in tiers:
        if tier.service:
            _headless(case, tier)
            continue
        needed = tier.kind == "StatefulSet" or bool(called & set(tier.containers))
        if needed and tier.ports:
            tier.service = tier.name
            tier.pieces.append(Piece(_service(case, tier, headless=False)))
            split.report.append(f"Service/{tier.name}: ports {', '.join(map(str, tier.ports))}")
        elif needed:
            tier.service = tier.name
            split.open.append(f"{tier.name}: no port is known, so there is no Service for it yet")
        elif tier.ports:
            split.open.append(
                f"{tier.name}: nobody here calls it by a Service; if it serves others, give it one"
            )
    return remaining


def _divide(case: Case, tiers: list[Tier], service: dict[str, Any], split: Split) -> None:
    """One Service of the Pod to one for each tier its ports lead to."""
    ports = service["spec"].get("ports") or []
    parts: dict[int, list[dict[str, Any]]] = {}
    for port in ports:
        tier = _owner(case, tiers, port)
        if tier is not None:
            parts.setdefault(tiers.index(tier), []).append(port)
        else:
            split.open.append(
                f"Service {service['metadata'].get('name')}: no container declares the target of "
                f"its port {port.get('port')}; it was left out"
            )
    name = str(service["metadata"].get("name"))
    headless = service["spec"].get("clusterIP") == "None"
    for number, (index, some) in enumerate(parts.items()):
        tier = tiers[index]
        new = copy.deepcopy(service)
        if number:
            new["metadata"]["name"] = f"{name}-{tier.lead}"[:63]
            new["spec"].pop("clusterIP", None)
            new["spec"].pop("clusterIPs", None)
        for key in ("uid", "resourceVersion", "creationTimestamp"):
            new["metadata"].pop(key, None)
        new.pop("status", None)
        new["spec"]["selector"] = {**new["spec"]["selector"], COMPONENT: tier.lead}
        new["spec"]["ports"] = some
        tier.pieces.append(Piece(new))
        own = new["metadata"]["name"]
        if not tier.service and all(_same(port) for port in some):
            tier.service = own
        if tier.kind == "StatefulSet" and headless and not number:
            tier.pieces[0].object["spec"]["serviceName"] = own
        split.report.append(f"Service/{own}: leads to {tier.name} alone")


def _same(port: dict[str, Any]) -> bool:
    """Whether a Service's port is the container's: then localhost:PORT becomes NAME:PORT."""
    target = port.get("targetPort", port.get("port"))
    return bool(target == port.get("port")) or isinstance(target, str)


def _owner(case: Case, tiers: list[Tier], port: dict[str, Any]) -> Tier | None:
    target = port.get("targetPort", port.get("port"))
    for each in case.running:
        names = {one.name for one in each.facts.ports if one.name}
        numbers = {one.number for one in each.facts.ports} or case.relations.listens[each.name]
        if (
            target in names
            or target in numbers
            or (isinstance(target, str) and target.isdigit() and int(target) in numbers)
        ):
            return _home(tiers, each.name)
    return None


def _home(tiers: list[Tier], name: str) -> Tier:
    return next(tier for tier in tiers if name in tier.containers)


def _headless(case: Case, tier: Tier) -> None:
    """A StatefulSet's own Service, where the one it has is of another kind or name."""
    if tier.kind != "StatefulSet":
        return
    spec = tier.pieces[0].object["spec"]
    have = {piece.name for piece in tier.pieces if piece.kind == "Service"}
    if spec["serviceName"] not in have:
        if tier.service:
            spec["serviceName"] = tier.service
        else:
            tier.pieces.append(Piece(_service(case, tier, headless=True)))


def _service(case: Case, tier: Tier, *, headless: bool) -> dict[str, Any]:
    pod = case.pod
    metadata: dict[str, Any] = {"name": tier.name}
    if pod.namespace:
        metadata["namespace"] = pod.namespace
    metadata["labels"] = {COMPONENT: tier.lead}
    declared = {
        port.number: port
        for each in pod.running
        if each.name in tier.containers
        for port in each.ports
    }
    ports = []
    for number in tier.ports:
        fact = declared.get(number)
        port: dict[str, Any] = {
            "name": (fact.name if fact and fact.name else f"port-{number}"),
            "port": number,
        }
        if fact and fact.protocol != "TCP":
            port["protocol"] = fact.protocol
        ports.append(port)
    spec: dict[str, Any] = {"selector": {**pod.labels, COMPONENT: tier.lead}, "ports": ports}
    if headless:
        spec["clusterIP"] = "None"
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
