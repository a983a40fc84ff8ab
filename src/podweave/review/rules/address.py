"""One address for all containers: ports that collide, on the Pod and on the node."""

from __future__ import annotations

from collections.abc import Iterator

from podweave.review.case import Case, Finding


def check(case: Case) -> Iterator[Finding]:
    for number, protocol, names in case.grouping.collisions:
        late = next(each for each in case.pod.running if each.name == names[1])
        yield Finding(
            "port-conflict",
            "error",
            f"{' and '.join(names)} both want {protocol} port {number}: the Pod has one address, "
            "so the second one to start fails",
            late.path,
        )
    pod = case.pod
    if pod.kind == "DaemonSet" or not pod.scales:
        return
    for each in pod.running:
        for index, port in enumerate(each.ports):
            if port.host_port:
                yield Finding(
                    "host-port-replicas",
                    "warning",
                    f"{each.name} takes port {port.host_port} of the node: a second replica needs "
                    "a second node; a Service doesn't",
                    (*each.path, "ports", index),
                )
