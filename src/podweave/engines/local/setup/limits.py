"""requests and limits of a container as limits of a control group, the kubelet's way."""

from __future__ import annotations

import os
from collections.abc import Callable

from podweave.engines.local.setup import addresses
from podweave.model.pods import Container, Pod
from podweave.model.quantities import bytes_of, cpu_of
from podweave.sandbox import cgroups, mounts
from podweave.sandbox.system_calls import SandboxError

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


class PodGroups:
    """A Pod's control groups: none where nothing is to be limited, or this user may make none.

    `tell` is called with the reason why something isn't limited.
    """

    def __init__(
        self, pod: Pod, directory: str, table: list[mounts.Mount], tell: Callable[[str], None]
    ) -> None:
        self._tell = tell
        # Found again from its directory alone.
        self._path = f"{_ROOT}/{addresses.link_name(directory)}"
        self._hierarchy = self._find(pod, table)

    @property
    def directories(self) -> tuple[str, ...]:
        """Those of the Pod's group, to be removed with it."""
        bases = () if self._hierarchy is None else self._hierarchy.bases.values()
        return tuple(sorted({f"{base}/{self._path}" for base in bases}))

    def group_for(self, container: Container, attempt: int) -> cgroups.Group | None:
        """A control group for a container that is about to start; None without limits."""
        wanted = limits_of(container)
        if self._hierarchy is None or not wanted:
            return None
        try:
            return cgroups.make(self._hierarchy, f"{self._path}/{container.name}-{attempt}", wanted)
        except SandboxError as error:
            self._tell(str(error))
            self._hierarchy = None
            return None

    def _find(self, pod: Pod, table: list[mounts.Mount]) -> cgroups.Hierarchy | None:
        everyone = [*(pod.spec.init_containers or ()), *pod.spec.containers]
        wanted = {name for each in everyone for name in limits_of(each).controllers}
        if not wanted:
            return None
        found = _hierarchy(table)
        if found is None:
            self._tell("this user may not make control groups")
        elif lacking := wanted - set(found.bases):
            names = " and ".join(sorted(lacking))
            self._tell(f"the cgroup controller {names} is not there for this user")
        return found


def _hierarchy(table: list[mounts.Mount]) -> cgroups.Hierarchy | None:
    """Where this process may make control groups; None where it may not."""
    try:
        with open("/proc/self/cgroup", encoding="utf-8") as file:
            own = cgroups.own_groups(file.read())
    except OSError:
        return None
    return cgroups.find(table, own, os.geteuid())
