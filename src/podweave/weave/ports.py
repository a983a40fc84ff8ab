"""Who listens where in a Pod: its containers share one network, and a port has one listener."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import count
from typing import Any, NamedTuple

from podweave.manifests.bundle import FoundPattern
from podweave.model.addresses import parse_address
from podweave.model.errors import InputError
from podweave.model.patterns import Ambassador
from podweave.weave.drafts import pattern_error, place
from podweave.weave.scraping import metrics_ports
from podweave.weave.targets import Target

FIRST_ADMIN_PORT = 15901


class Listener(NamedTuple):
    port: int
    who: str
    """For messages, with the place in the user's files."""


class Claim(NamedTuple):
    """A port that a pattern gives to its helper, and where it says so."""

    found: FoundPattern
    port: int
    at: tuple[str, ...]


def port_errors(target: Target, patterns: list[FoundPattern]) -> list[InputError]:
    """Helpers that can't have their ports."""
    errors = []
    listeners = {listener.port: listener.who for listener in known_listeners(target, patterns)}
    taken: dict[int, Claim] = {}
    claims = [Claim(found, port, ("spec", "listen")) for found, port in listening(patterns)]
    claims += [
        Claim(found, port, ("spec", "metrics", "port")) for found, port in metrics_ports(patterns)
    ]
    for claim in claims:
        found, port, at = claim
        if at == ("spec", "listen") and target.pod.spec.host_network:
            message = (
                f"port {port} would be one of the whole node, because {target.label} has "
                f"hostNetwork ({target.place('spec', 'hostNetwork')}): an ambassador needs a "
                "Pod with a network of its own"
            )
        elif port in listeners:
            message = (
                f"port {port} is also {listeners[port]}: containers of a Pod share one network, "
                "and only one can listen"
            )
        elif (other := taken.setdefault(port, claim)) is not claim:
            message = (
                f"port {port} is taken in {target.label} by {place(other.found, *other.at)}: "
                "give one of them another port, or a selector of its own"
            )
        else:
            continue
        errors.append(pattern_error(found, message, *at))
    return errors


def listening(patterns: list[FoundPattern]) -> Iterator[tuple[FoundPattern, int]]:
    """The ambassadors and their ports; a container of the user's own need not say one."""
    for found in patterns:
        if isinstance(found.pattern, Ambassador) and found.pattern.spec.listen:
            yield found, parse_address(found.pattern.spec.listen).port


def known_listeners(target: Target, patterns: list[FoundPattern]) -> Iterator[Listener]:
    """What listens by its own word: container ports, and ports that probes ask."""
    for group, index, container in target.containers():
        at = ("spec", group, index)
        for number, port in enumerate(container.ports or []):
            if port.protocol in (None, "TCP"):
                where = target.place(*at, "ports", number)
                who = f"the containerPort of {container.name} in {target.label} ({where})"
                yield Listener(port.container_port, who)
        for key, probe in (
            ("startupProbe", container.startup_probe),
            ("readinessProbe", container.readiness_probe),
            ("livenessProbe", container.liveness_probe),
        ):
            for action in (probe.http_get, probe.tcp_socket, probe.grpc) if probe else ():
                if action is not None and isinstance(action.port, int):
                    where = target.place(*at, key)
                    who = f"what the {key} of {container.name} in {target.label} asks ({where})"
                    yield Listener(action.port, who)
    for found in patterns:
        own: dict[str, Any] = found.pattern.spec.container or {}
        for number, stated in enumerate(own.get("ports") or []):
            number_stated = stated.get("containerPort") if isinstance(stated, dict) else None
            if isinstance(number_stated, int) and stated.get("protocol", "TCP") == "TCP":
                where = place(found, "spec", "container", "ports", number)
                if not _is_own_listen(found, number_stated):
                    yield Listener(number_stated, f"the containerPort of {where}")


def _is_own_listen(found: FoundPattern, port: int) -> bool:
    return (found, port) in list(listening([found]))


def admin_ports(target: Target, patterns: list[FoundPattern]) -> Iterator[int]:
    """Ports for the helpers' own endpoints that nothing else in the Pod is known to use."""
    taken = {listener.port for listener in known_listeners(target, patterns)}
    taken |= {port for _, port in (*listening(patterns), *metrics_ports(patterns))}
    first = FIRST_ADMIN_PORT
    if target.pod.spec.host_network:
        # Loopback is the node's: Pods of different workloads there want different ports.
        workload = f"{target.namespace or 'default'}/{target.label}"
        first += 10 * (int.from_bytes(hashlib.sha256(workload.encode()).digest()[:4]) % 1000)
    return (port for port in count(first) if port not in taken)
