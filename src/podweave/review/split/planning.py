"""A judged Pod to a Split: one workload a group, and everything else to the group it belongs to."""

from __future__ import annotations

import copy
import re
from typing import Any, Final

from podweave.model.errors import Path
from podweave.model.workloads import descend
from podweave.review.case import Case
from podweave.review.inventory import Placed
from podweave.review.review import Reviewed
from podweave.review.split.ambassadors import ambassador, ambassador_name
from podweave.review.split.pieces import Comment, Piece, Split, Tier
from podweave.review.split.references import rewrite_container, rewrite_text
from podweave.review.split.scaling import autoscalers
from podweave.review.split.services import services

COMPONENT: Final = "app.kubernetes.io/component"


def plan(reviewed: Reviewed, others: list[Placed], *, keep_localhost: bool = False) -> Split:
    """Take one workload apart. Pods with the verdict keep come back as one tier, unchanged."""
    case = reviewed.judgement.case
    pod = case.pod
    origin = f"{pod.kind}/{pod.name}"
    if not case.split:
        lead = case.running[0].name
        whole = Tier(pod.name, lead, case.grouping.groups[0], pod.kind, False, [])
        whole.pieces = [Piece(copy.deepcopy(reviewed.found.object))]
        kept = [Piece(copy.deepcopy(each.object)) for each in others]
        return Split(origin, [whole], kept, [f"{origin}: its containers belong together"])
    tiers = [_tier(case, group) for group in case.grouping.groups]
    split = Split(origin, tiers, [])
    for tier in tiers:
        tier.pieces.append(_workload(case, reviewed.found.object, tier, split))
    remaining = services(case, tiers, others, split)
    remaining = autoscalers(case, tiers, remaining, split)
    _references(case, tiers, remaining, split, keep_localhost)
    split.shared = [Piece(copy.deepcopy(each.object)) for each in remaining]
    for piece in split.shared:
        selector = descend(piece.object, ("spec", "selector")) or descend(
            piece.object, ("spec", "podSelector")
        )
        labels = selector.get("matchLabels", selector) if isinstance(selector, dict) else None
        if isinstance(labels, dict) and labels.items() <= pod.labels.items() and labels:
            split.open.append(
                f"{piece.kind}/{piece.name} selects the labels that all tiers have: add "
                f"{COMPONENT} where it is meant for one of them"
            )
    return split


def _tier(case: Case, group: list[str]) -> Tier:
    members = [each for each in case.standings if each.name in group]
    lead = next((each for each in members if each.role in {"app", "tier"}), members[0])
    running = [each for each in members if each.role != "init"]
    stateful = any(case.stateful(each) for each in running if each.role in {"app", "tier"})
    pod = case.pod
    # An application with a named claim stays a Deployment, as people write it; what needs an
    # identity of its own is a store, or whatever had a claim for each replica already.
    identity = any(each.kind == "store" for each in running if each.role in {"app", "tier"}) or any(
        volume.kind == "template"
        for each in running
        for mount in each.facts.mounts
        if (volume := pod.volumes.get(mount.volume)) is not None
    )
    kind = pod.kind
    if kind not in {"DaemonSet", "Job", "CronJob"}:
        kind = "StatefulSet" if identity else "Deployment"
    ports = sorted({port for each in running for port in case.relations.listens.get(each.name, ())})
    return Tier(_name(pod.name, lead.name), lead.name, group, kind, stateful, ports)


def _name(workload: str, lead: str) -> str:
    """The tier's name: a DNS label that also leaves room for a StatefulSet's ordinal."""
    clean = re.sub(r"[^a-z0-9-]+", "-", workload.lower()).strip("-") or "app"
    name = clean if clean == lead else f"{clean}-{lead}"
    if len(name) > 50:
        name = f"{clean[: 49 - min(len(lead), 30)]}-{lead[-30:]}"
    return name.strip("-")


def _workload(case: Case, object: dict[str, Any], tier: Tier, split: Split) -> Piece:
    pod = case.pod
    at = pod.pod_path[len(pod.path) :]
    template = copy.deepcopy(descend(object, at))
    spec = template["spec"]
    comments: list[Comment] = []
    labels = {**pod.labels, COMPONENT: tier.lead}
    metadata = template.get("metadata") if at else None
    annotations = (metadata or {}).get("annotations")
    inner: dict[str, Any] = {"labels": labels}
    if annotations:
        inner["annotations"] = annotations
    inner_path = ("spec", "template") if tier.kind != "CronJob" else (
        "spec", "jobTemplate", "spec", "template",
    )  # fmt: skip
    _cut(case, spec, tier)
    for key, why in (
        ("shareProcessNamespace", "it was set for all containers: does this tier still need it?"),
        ("hostNetwork", "it was set for all containers: does this tier still need it?"),
        ("nodeName", "all tiers were bound to one node: is that still meant?"),
    ):
        if spec.get(key):
            comments.append(Comment((*inner_path, "spec", key), f"podweave: {why}"))
    if (
        tier.kind in {"Deployment", "StatefulSet"}
        and spec.get("restartPolicy", "Always") != "Always"
    ):
        was = spec.pop("restartPolicy")
        split.open.append(
            f"{tier.name}: the Pod had restartPolicy {was}, which a {tier.kind} can't have; if "
            "it ends by itself it is a Job"
        )
    outer = copy.deepcopy(object.get("spec") or {}) if at else {}
    meta = {"name": tier.name}
    own = object.get("metadata") or {}
    for key in ("namespace", "annotations"):
        if own.get(key):
            meta[key] = copy.deepcopy(own[key])
    if isinstance(meta.get("annotations"), dict):
        meta["annotations"].pop("kubectl.kubernetes.io/last-applied-configuration", None)  # type: ignore[attr-defined]
        meta["annotations"].pop("deployment.kubernetes.io/revision", None)  # type: ignore[attr-defined]
        if not meta["annotations"]:
            del meta["annotations"]
    meta["labels"] = {**(own.get("labels") or {}), COMPONENT: tier.lead}  # type: ignore[assignment]
    body = _body(case, tier, outer, {"metadata": inner, "spec": spec}, labels, comments, split)
    version = "batch/v1" if tier.kind in {"Job", "CronJob"} else "apps/v1"
    piece = Piece({"apiVersion": version, "kind": tier.kind, "metadata": meta, "spec": body})
    piece.comments = comments
    _claims(case, tier, piece, inner_path, split)
    split.report.append(f"{tier.kind}/{tier.name}: {', '.join(tier.containers)}")
    return piece


def _body(
    case: Case,
    tier: Tier,
    outer: dict[str, Any],
    template: dict[str, Any],
    labels: dict[str, str],
    comments: list[Comment],
    split: Split,
) -> dict[str, Any]:
    """The workload's spec, of the kind that fits the tier."""
    pod = case.pod
    if tier.kind == "CronJob":
        outer["jobTemplate"]["spec"]["template"] = template
        return outer
    if tier.kind == "Job":
        for key in ("selector", "manualSelector"):
            outer.pop(key, None)
        outer["template"] = template
        return outer
    body: dict[str, Any] = {}
    replicas = pod.replicas
    if tier.stateful and pod.kind != "StatefulSet" and (replicas or 1) > 1:
        split.open.append(
            f"{tier.name}: {replicas} replicas were {replicas} separate stores; it starts with 1. "
            "Which of them has the data to keep?"
        )
        comments.append(
            Comment(("spec", "replicas"), f"podweave: was {replicas}, each a store of its own")
        )
        replicas = 1
    scaled = pod.scaler is not None and not tier.stateful
    if tier.kind != "DaemonSet" and not scaled:
        body["replicas"] = replicas if replicas is not None else 1
    # Old API versions let the selector be derived from the labels; apps/v1 wants it written.
    selector = outer.get("selector")
    match = selector.get("matchLabels") if isinstance(selector, dict) else None
    body["selector"] = {"matchLabels": {**(match or pod.labels), COMPONENT: tier.lead}}
    if tier.kind == "StatefulSet":
        body["serviceName"] = tier.name
        templates = [
            each
            for each in outer.get("volumeClaimTemplates") or []
            if descend(each, ("metadata", "name")) in _mounted(template["spec"])
        ]
        if templates:
            body["volumeClaimTemplates"] = templates
    kept = {
        "Deployment": (
            "strategy",
            "minReadySeconds",
            "progressDeadlineSeconds",
            "revisionHistoryLimit",
        ),
        "StatefulSet": ("podManagementPolicy", "minReadySeconds", "revisionHistoryLimit"),
        "DaemonSet": ("updateStrategy", "minReadySeconds", "revisionHistoryLimit"),
    }[tier.kind]
    for key in kept:
        if key in outer:
            body[key] = outer[key]
    if pod.kind == tier.kind == "StatefulSet" and "updateStrategy" in outer:
        body["updateStrategy"] = outer["updateStrategy"]
    body["template"] = template
    return body


def _mounted(spec: dict[str, Any]) -> set[str]:
    names: set[str] = set()
    for key in ("initContainers", "containers"):
        for container in spec.get(key) or []:
            for mount in [
                *(container.get("volumeMounts") or []),
                *(container.get("volumeDevices") or []),
            ]:
                names.add(str(mount.get("name")))
    return names


def _cut(case: Case, spec: dict[str, Any], tier: Tier) -> None:
    """Leave the tier's containers and the volumes they mount."""
    for key in ("initContainers", "containers"):
        if key in spec:
            spec[key] = [each for each in spec[key] or [] if each.get("name") in tier.containers]
            if not spec[key]:
                del spec[key]
    if "containers" not in spec:
        # Only a native sidecar is left of a group: it becomes an ordinary container.
        spec["containers"] = [
            {key: value for key, value in each.items() if key != "restartPolicy"}
            for each in spec.pop("initContainers")
        ]
    mounted = _mounted(spec)
    volumes = [each for each in spec.get("volumes") or [] if each.get("name") in mounted]
    spec.pop("volumes", None)
    if volumes:
        spec["volumes"] = volumes
    del case


def _claims(case: Case, tier: Tier, piece: Piece, inner: tuple[str, ...], split: Split) -> None:
    """Say what happens to data: claims that two tiers mount, data without a claim, new names."""
    pod = case.pod
    spec = descend(piece.object, (*inner, "spec"))
    for index, volume in enumerate(spec.get("volumes") or []):
        fact = pod.volumes.get(str(volume.get("name")))
        if fact is None:
            continue
        users = {
            each.name
            for each in pod.running
            if any(mount.volume == fact.name for mount in each.mounts)
        }
        strangers = sorted(users - set(tier.containers))
        if not strangers or fact.kind in {"config", "secret"}:
            continue
        at: Path = (*inner, "spec", "volumes", index)
        if fact.kind in {"claim", "template"}:
            modes = ", ".join(fact.access) or "unknown access modes"
            text = (
                f"the claim {fact.source or fact.name} ({modes}) is also mounted by "
                f"{', '.join(strangers)}: two Pods on two nodes need ReadWriteMany, or a claim each"
            )
        elif fact.kind == "host":
            text = (
                f"{fact.source} of the node was also seen by {', '.join(strangers)}: apart they "
                "may run on different nodes"
            )
        else:
            text = (
                f"the emptyDir {fact.name} was also mounted by {', '.join(strangers)}: apart each "
                "has its own; do they still need each other's files?"
            )
        piece.comments.append(Comment(at, f"podweave: {text}"))
        split.open.append(f"{tier.name}: {text}")
    if tier.kind != "StatefulSet":
        return
    for each in descend(piece.object, ("spec", "volumeClaimTemplates")) or []:
        name = descend(each, ("metadata", "name"))
        if pod.kind == "StatefulSet":
            text = (
                f"the claims are called {name}-{pod.name}-N today and {name}-{tier.name}-N from "
                "now on: move the data, or rename the claims, before this starts"
            )
            piece.comments.append(Comment(("spec", "volumeClaimTemplates"), f"podweave: {text}"))
            split.open.append(f"{tier.name}: {text}")
    lasting = {"claim", "template"}
    if not any(
        (fact := pod.volumes.get(name)) is not None and fact.kind in lasting
        for name in _mounted(spec)
    ):
        text = (
            "it keeps data and has no claim: what it stores is gone with the Pod, as it was before"
        )
        piece.comments.append(Comment((*inner, "spec", "containers"), f"podweave: {text}"))
        split.open.append(f"{tier.name}: {text}")


def _references(
    case: Case, tiers: list[Tier], others: list[Placed], split: Split, keep_localhost: bool
) -> None:
    """Lead every localhost address that now lies in another tier to its Service."""
    home = {name: tier for tier in tiers for name in tier.containers}
    by_name = {each.name: each.facts for each in case.standings}
    wanted: dict[str, dict[int, Tier]] = {}
    for dial in case.relations.dials:
        if home[dial.client] is not home[dial.server]:
            wanted.setdefault(dial.client, {})[dial.port] = home[dial.server]
    ambassadors: dict[str, dict[int, Tier]] = {}
    for client, ports in wanted.items():
        tier = home[client]
        if keep_localhost:
            ambassadors.setdefault(tier.name, {}).update(ports)
            continue
        containers = _containers(tier.pieces[0].object)

        def where(port: int, ports: dict[int, Tier] = ports) -> str | None:
            return ports[port].service if port in ports else None

        changed = rewrite_container(containers[client], by_name[client], where)
        changed += _configs(by_name[client].config, client, where, others)
        split.report += changed
        seen = {
            port
            for port, server in ports.items()
            if any(server.service in text for text in changed)
        }
        for port, server in ports.items():
            if port not in seen:
                text = (
                    f"{client} reaches localhost:{port}, which is now {server.service}:{port}, but "
                    "where that is set isn't in these files: change it there, or run split with "
                    "--keep-localhost, which keeps localhost by an Ambassador"
                )
                path = _container_path(tier.pieces[0].object, client)
                tier.pieces[0].comments.append(Comment(path, f"podweave: {text}"))
                split.open.append(f"{tier.name}: {text}")
    for tier in tiers:
        for port, server in sorted(ambassadors.get(tier.name, {}).items()):
            tier.pieces.append(
                Piece(
                    ambassador(tier, server, port, case.pod.labels, COMPONENT, case.pod.namespace)
                )
            )
            split.report.append(
                f"Ambassador/{ambassador_name(tier, server, port)}: localhost:{port} in "
                f"{tier.name} leads to {server.service}:{port} (`podweave weave` the tiers' files "
                "together with ambassadors.yaml)"
            )


def _configs(config: dict[str, str], client: str, where: Any, others: list[Placed]) -> list[str]:
    """Rewrite the ConfigMaps a container mounts, where they were given."""
    changed = []
    for each in others:
        if each.object.get("kind") != "ConfigMap" or not isinstance(each.object.get("data"), dict):
            continue
        data = each.object["data"]
        for key, old in data.items():
            if key in config and isinstance(old, str) and (new := rewrite_text(old, where)) != old:
                data[key] = new
                name = descend(each.object, ("metadata", "name"))
                hosts = ", ".join(
                    sorted(
                        set(re.findall(r"[\w.-]+:\d+", new)) - set(re.findall(r"[\w.-]+:\d+", old))
                    )
                )
                changed.append(f"{client}: {key} of ConfigMap/{name} now says {hosts}")
    return changed


def _containers(object: dict[str, Any]) -> dict[str, dict[str, Any]]:
    spec = descend(object, ("spec", "template", "spec")) or descend(
        object, ("spec", "jobTemplate", "spec", "template", "spec")
    )
    return {
        each["name"]: each
        for key in ("initContainers", "containers")
        for each in spec.get(key) or []
    }


def _container_path(object: dict[str, Any], name: str) -> tuple[str | int, ...]:
    at: tuple[str, ...] = ("spec", "template", "spec")
    if descend(object, at) is None:
        at = ("spec", "jobTemplate", "spec", "template", "spec")
    for key in ("initContainers", "containers"):
        for index, each in enumerate(descend(object, (*at, key)) or []):
            if each.get("name") == name:
                return (*at, key, index)
    return at
