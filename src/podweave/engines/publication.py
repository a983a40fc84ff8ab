"""Ports of the machine that lead into a Pod, as manifest and command line ask for them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from podweave.engines.errors import EngineError
from podweave.model.pods import Pod


class Publication(msgspec.Struct, frozen=True):
    """A port of the machine and the port of the Pod behind it."""

    host_ip: str
    host_port: int
    container_port: int

    def __str__(self) -> str:
        host = f"[{self.host_ip}]" if ":" in self.host_ip else self.host_ip
        return f"{host}:{self.host_port}->{self.container_port}/tcp"


def publications_of(pod: Pod, published: Sequence[Publication]) -> list[Publication]:
    """What the manifest's hostPorts and the command line ask for, the command line first: a
    port of the container that it names isn't published by its hostPort as well."""
    if pod.spec.host_network:
        return []
    named = {each.container_port for each in published}
    wanted = list(published)
    for container in [*(pod.spec.init_containers or ()), *pod.spec.containers]:
        for port in container.ports or ():
            if not port.host_port or port.container_port in named:
                continue
            if port.protocol not in (None, "TCP"):
                raise EngineError(
                    f"hostPort {port.host_port}: {port.protocol} can't be published by this engine",
                    container=container.name,
                )
            wanted.append(
                Publication(port.host_ip or "0.0.0.0", port.host_port, port.container_port)
            )
    return list(dict.fromkeys(wanted))
