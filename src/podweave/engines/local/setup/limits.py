"""requests and limits of a container as limits of a control group, the kubelet's way."""

from __future__ import annotations

import os

from podweave.engines.local.setup import addresses
from podweave.model.pods import Container
from podweave.model.quantities import bytes_of, cpu_of
from podweave.sandbox import cgroups, mounts

_ROOT = "podweave"
_LEAST_SHARES = 2


def limits_of(container: Container) -> cgroups.Limits:
    """Memory and CPU limits; the CPU request, else the limit, is the weight."""
    resources = container.resources
    limits = (resources.limits if resources else None) or {}
    requests = {**limits, **((resources.requests if resources else None) or {})}
    cpu, memory, request = limits.get("cpu"), limits.get("memory"), requests.get("cpu")
    shares = None
    if request is not None:
        shares = max(_LEAST_SHARES, int(cpu_of(request) * 1024))
    return cgroups.Limits(
        cpus=float(cpu_of(cpu)) if cpu is not None and cpu_of(cpu) else None,
        shares=shares,
        memory=bytes_of(memory) if memory is not None and bytes_of(memory) else None,
    )


def hierarchy(table: list[mounts.Mount]) -> cgroups.Hierarchy | None:
    """Where this process may make control groups; None where it may not."""
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            own = cgroups.own_groups(file.read())
    except OSError:
        return None
    return cgroups.find(table, own, os.geteuid())


def pod_path(directory: str) -> str:
    """The Pod's group: found again from its directory alone."""
    return f"{_ROOT}/{addresses.link_name(directory)}"


def pod_directories(found: cgroups.Hierarchy, directory: str) -> list[str]:
    """The directories of the Pod's group, to be removed with it."""
    return sorted({f"{base}/{pod_path(directory)}" for base in found.bases.values()})
