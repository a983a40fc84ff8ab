"""What a container offers beyond its Pod: ports, Services, claims; and what only looks like it."""

from __future__ import annotations

import re
from typing import Final

from podweave.review.facts import ContainerFacts, MountFact, PodFacts, ServicePort
from podweave.review.relations import Relations
from podweave.review.standing import Standing

_METRICS_NAME: Final = re.compile(r"metric|prom|exporter|stats(?!d)|monitor")

_EXPORTER_PORTS: Final = frozenset(
    {9100, 9104, 9113, 9114, 9117, 9121, 9127, 9150, 9187, 9216, 9253, 9308, 9419},
)
"""Ports allocated to exporters of one server each, whatever a manifest calls them."""

_ADMIN_NAME: Final = re.compile(
    r"metric|prom|exporter|stats(?!d)|monitor|health|admin|debug|pprof|live|ready|status|gossip|peer"
)


def openness(each: Standing, pod: PodFacts, relations: Relations) -> None:
    """Ports, Services, claims: what it offers beyond its Pod."""
    facts = each.facts
    listens = relations.listens[facts.name]
    local = relations.loopback[facts.name]
    targeted = services_of(pod, facts, listens)
    serving = [service for service in targeted if not _ADMIN_NAME.search(service.name)]
    declared = [port for port in facts.ports if not is_admin(port.name, port.number)]
    metrics = [port for port in facts.ports if is_metrics(port.name, port.number)]
    if serving:
        names = ", ".join(sorted({service.service for service in serving}))
        each.say("app", 1.6, f"the Service {names} leads to its port")
    elif pod.services and declared:
        each.say("sidecar", 0.9, "no Service leads to its ports, though the Pod has one")
    if declared:
        number = ", ".join(str(port.number) for port in declared[:3])
        each.say("app", 0.9, f"offers port {number}")
        if any(port.host_port for port in declared):
            each.say("app", 0.4, "has a hostPort")
    elif metrics and not serving:
        each.say("adapter", 1.3, f"offers nothing but metrics (port {metrics[0].number})")
    elif not listens and not serving:
        each.say("sidecar", 0.5, "offers no port")
    tls = any(
        re.search(r"cert|tls|ssl|pki", mount.path)
        and (volume := pod.volumes.get(mount.volume)) is not None
        and volume.kind == "secret"
        for mount in facts.mounts
    )
    if tls and only_configured(pod, each) and len({*map(_source, facts.mounts)}) > 1:
        each.say("sidecar", 1.6, "is given a certificate and a configuration, and nothing else")
    if local and local >= listens:
        weight = 3.6 if each.kind == "store" else 1.8
        each.say("sidecar", weight, "listens on loopback only: only its own Pod can reach it")
    for probe in facts.probes:
        if probe.kind == "readiness" and declared:
            each.say("app", 0.4, "has a readiness probe of its own")
    for mount in facts.mounts:
        volume = pod.volumes.get(mount.volume)
        if volume and volume.kind in {"claim", "template"}:
            others = [
                other.name
                for other in pod.running
                if other.name != facts.name
                and any(
                    _same_part(m.sub_path, mount.sub_path) and m.volume == mount.volume
                    for m in other.mounts
                )
            ]
            if not others and not mount.read_only:
                each.say(
                    "tier",
                    1.2,
                    f"keeps data of its own on the claim {volume.source or volume.name}",
                )


def _source(mount: MountFact) -> str:
    return mount.volume


def services_of(pod: PodFacts, facts: ContainerFacts, listens: set[int]) -> list[ServicePort]:
    """The Pod's Service ports that lead to this container."""
    names = {port.name for port in facts.ports if port.name}
    declared = {port.number for port in facts.ports}
    owner: dict[int, int] = {}
    for each in pod.running:
        for port in each.ports:
            owner.setdefault(port.number, each.position)
    return [
        service
        for service in pod.services
        if (
            service.target in names
            if isinstance(service.target, str)
            else service.target in declared
            or (service.target in listens and service.target not in owner)
        )
    ]


def is_admin(name: str, number: int) -> bool:
    return bool(name and _ADMIN_NAME.search(name)) or is_metrics(name, number)


def is_metrics(name: str, number: int) -> bool:
    if name:
        return bool(_METRICS_NAME.search(name)) or number in _EXPORTER_PORTS
    return 9100 <= number <= 9999 and number not in {9200, 9300, 9411, 9443, 9600, 9876}


def _same_part(first: str, second: str) -> bool:
    return not first or not second or first == second


def only_configured(pod: PodFacts, each: Standing) -> bool:
    """Whether all it is given is configuration and certificates: a program of somebody else's."""
    kinds = {
        volume.kind
        for mount in each.facts.mounts
        if (volume := pod.volumes.get(mount.volume)) is not None
    }
    return bool(kinds) and kinds <= {"config", "secret"}


def own_claim(pod: PodFacts, each: Standing) -> bool:
    return any(
        (volume := pod.volumes.get(mount.volume)) is not None
        and volume.kind in {"claim", "template"}
        for mount in each.facts.mounts
    )


def is_open(pod: PodFacts, each: Standing, relations: Relations) -> bool:
    """Whether it offers something beyond its Pod."""
    facts = each.facts
    if any(not is_admin(port.name, port.number) for port in facts.ports):
        if not pod.services:
            return True
        return (
            bool(services_of(pod, facts, relations.listens[facts.name])) or len(pod.services) == 0
        )
    return bool(services_of(pod, facts, relations.listens[facts.name])) or (
        each.kind in {"web", "proxy"} and not facts.ports and bool(relations.listens[facts.name])
    )
