"""What the API server refuses in a Pod and no type can say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from podweave.model.errors import InputError, Path
from podweave.model.names import (
    dns_label_problem,
    dns_subdomain_problem,
    label_key_problem,
    label_value_problem,
)
from podweave.model.pods import (
    Container,
    ObjectMeta,
    PodSecurityContext,
    PodSpec,
    SecurityContext,
    Volume,
    Workload,
)
from podweave.model.quantities import parse_quantity
from podweave.model.workloads import RUN_TO_COMPLETION, claim_templates


def check_workload(workload: Workload, path: Path, pod_path: Path) -> list[InputError]:
    """All that is wrong in a workload at `path` whose Pod template is at `pod_path`."""
    errors = list(_metadata(workload.metadata, (*path, "metadata")))
    if pod_path != path:
        errors += _metadata(workload.template.metadata, (*pod_path, "metadata"))
    spec_path = (*pod_path, "spec")
    spec = workload.template.spec
    policy = spec.restart_policy
    if workload.kind in RUN_TO_COMPLETION:
        if policy not in {"OnFailure", "Never"}:
            errors.append(
                InputError(
                    f"a {workload.kind} needs a restartPolicy, OnFailure or Never"
                    + (f", not {policy}" if policy else ""),
                    path=(*spec_path, "restartPolicy") if policy else spec_path,
                )
            )
    elif workload.kind != "Pod" and policy not in {None, "Always"}:
        errors.append(
            InputError(
                f"a {workload.kind}'s restartPolicy is Always, not {policy}",
                path=(*spec_path, "restartPolicy"),
            )
        )
    return errors + check_pod_spec(spec, spec_path, claim_templates(workload))


def check_pod_spec(spec: PodSpec, path: Path, claims: Iterable[str] = ()) -> list[InputError]:
    """All that is wrong in a Pod's spec at `path`; `claims` are volumes it has besides its own."""
    errors: list[InputError] = []
    if not spec.containers:
        errors.append(InputError("a Pod has at least one container", path=(*path, "containers")))
    errors += _settings(spec, path)
    volumes: set[str] = set()
    for index, volume in enumerate(spec.volumes or ()):
        place = (*path, "volumes", index, "name")
        problem = dns_label_problem(volume.name)
        if problem:
            errors.append(InputError(problem, path=place))
        elif volume.name in volumes:
            errors.append(InputError(f"another volume is called {volume.name!r} too", path=place))
        volumes.add(volume.name)
        sources = [
            field.encode_name
            for field in msgspec.structs.fields(Volume)
            if field.name != "name" and getattr(volume, field.name) is not None
        ]
        if len(sources) > 1:
            errors.append(
                InputError(
                    f"the volume {volume.name!r} has several sources, {' and '.join(sources)}",
                    path=(*path, "volumes", index),
                )
            )
    volumes.update(claims)
    names: dict[str, str] = {}
    for field, containers in (
        ("initContainers", spec.init_containers or ()),
        ("containers", spec.containers),
    ):
        for index, container in enumerate(containers):
            place = (*path, field, index)
            problem = dns_label_problem(container.name)
            if problem:
                errors.append(InputError(problem, path=(*place, "name")))
            elif container.name in names:
                message = f"another container, in {names[container.name]}, is called "
                errors.append(InputError(f"{message}{container.name!r} too", path=(*place, "name")))
            names.setdefault(container.name, field)
            errors += _container(container, place, volumes)
            if field == "initContainers":
                errors += _init_container(container, place)
    return errors


def _settings(spec: PodSpec, path: Path) -> Iterator[InputError]:
    if spec.hostname and (problem := dns_label_problem(spec.hostname)):
        yield InputError(problem, path=(*path, "hostname"))
    for field, value, least in (
        ("terminationGracePeriodSeconds", spec.termination_grace_period_seconds, 0),
        ("activeDeadlineSeconds", spec.active_deadline_seconds, 1),
    ):
        if value is not None and value < least:
            yield InputError(f"{value} is less than {least}", path=(*path, field))
    yield from _identity(spec.security_context, path)


def _identity(
    context: PodSecurityContext | SecurityContext | None, path: Path
) -> Iterator[InputError]:
    if context is None:
        return
    for field, value in (
        ("runAsUser", context.run_as_user),
        ("runAsGroup", context.run_as_group),
    ):
        if value is not None and not 0 <= value < 2**31:
            yield InputError(
                f"{value} isn't from 0 to {2**31 - 1}", path=(*path, "securityContext", field)
            )
    if context.run_as_non_root and context.run_as_user == 0:
        yield InputError(
            "runAsNonRoot, and yet the user is 0, which is root",
            path=(*path, "securityContext", "runAsUser"),
        )


def _metadata(metadata: ObjectMeta, path: Path) -> Iterator[InputError]:
    if metadata.name and (problem := dns_subdomain_problem(metadata.name)):
        yield InputError(problem, path=(*path, "name"))
    if metadata.namespace and (problem := dns_label_problem(metadata.namespace)):
        yield InputError(problem, path=(*path, "namespace"))
    for key, value in (metadata.labels or {}).items():
        if problem := label_key_problem(key) or label_value_problem(value):
            yield InputError(problem, path=(*path, "labels", key))
    for key in metadata.annotations or ():
        if problem := label_key_problem(key.lower()):
            yield InputError(problem, path=(*path, "annotations", key))


def _container(container: Container, path: Path, volumes: set[str]) -> Iterator[InputError]:
    if not container.image:
        yield InputError(f"the container {container.name!r} has no image", path=path)
    paths: dict[str, str] = {}
    for index, mount in enumerate(container.volume_mounts or ()):
        place = (*path, "volumeMounts", index)
        if mount.name not in volumes:
            known = f"; there are {', '.join(sorted(volumes))}" if volumes else ""
            yield InputError(
                f"no volume of the Pod is called {mount.name!r}{known}", path=(*place, "name")
            )
        if not mount.mount_path:
            yield InputError("the path is empty", path=(*place, "mountPath"))
        elif mount.mount_path in paths:
            yield InputError(
                f"the volume {paths[mount.mount_path]!r} is mounted at {mount.mount_path} too",
                path=(*place, "mountPath"),
            )
        paths.setdefault(mount.mount_path, mount.name)
        if mount.sub_path and (mount.sub_path.startswith("/") or ".." in mount.sub_path.split("/")):
            yield InputError("a relative path without `..`", path=(*place, "subPath"))
        if mount.sub_path and mount.sub_path_expr:
            yield InputError("either subPath or subPathExpr", path=(*place, "subPathExpr"))
    ports = Counter(port.name for port in container.ports or () if port.name)
    for index, port in enumerate(container.ports or ()):
        place = (*path, "ports", index)
        for field, number in (("containerPort", port.container_port), ("hostPort", port.host_port)):
            if number is not None and not 1 <= number <= 65535:
                yield InputError(f"{number} isn't a port from 1 to 65535", path=(*place, field))
        if port.name and ports[port.name] > 1:
            yield InputError(f"several ports are called {port.name!r}", path=(*place, "name"))
    for index, variable in enumerate(container.env or ()):
        if not variable.name or "=" in variable.name:
            yield InputError(
                f"{variable.name!r} isn't the name of a variable",
                path=(*path, "env", index, "name"),
            )
        elif variable.value and variable.value_from:
            yield InputError("either value or valueFrom", path=(*path, "env", index))
    yield from _identity(container.security_context, path)
    yield from _resources(container, path)
    yield from _handlers(container, path)


def _resources(container: Container, path: Path) -> Iterator[InputError]:
    if container.resources is None:
        return
    requests = container.resources.requests or {}
    limits = container.resources.limits or {}
    values = {}
    for field, quantities in (("requests", requests), ("limits", limits)):
        for name, quantity in quantities.items():
            place = (*path, "resources", field, name)
            try:
                values[field, name] = value = parse_quantity(quantity)
            except InputError as error:
                yield InputError(error.message, path=place)
            else:
                if value < 0:
                    yield InputError("less than nothing", path=place)
    for name in requests:
        limit = values.get(("limits", name))
        request = values.get(("requests", name))
        if limit is not None and request is not None and request > limit:
            yield InputError(
                f"{requests[name]} is more than the limit, {limits[name]}",
                path=(*path, "resources", "requests", name),
            )


_PROBES: Final = ("startup_probe", "readiness_probe", "liveness_probe")


def _handlers(container: Container, path: Path) -> Iterator[InputError]:
    for field in _PROBES:
        probe = getattr(container, field)
        if probe is None:
            continue
        place = (*path, _camel(field))
        given = [probe.exec, probe.http_get, probe.tcp_socket, probe.grpc]
        count = sum(action is not None for action in given)
        if count != 1:
            yield InputError(
                f"a probe has exactly one of exec, httpGet, tcpSocket and grpc, not {count}",
                path=place,
            )
        threshold = probe.success_threshold
        if threshold not in {None, 0, 1} and field != "readiness_probe":
            yield InputError(
                f"{threshold}: only a readinessProbe counts more than one success",
                path=(*place, "successThreshold"),
            )
        for number in (
            "initial_delay_seconds",
            "period_seconds",
            "timeout_seconds",
            "success_threshold",
            "failure_threshold",
        ):
            value = getattr(probe, number)
            if value is not None and value < 0:
                yield InputError(f"{value} is negative", path=(*place, _camel(number)))
    if container.lifecycle is not None:
        for field in ("post_start", "pre_stop"):
            hook = getattr(container.lifecycle, field)
            if hook is None:
                continue
            given = [hook.exec, hook.http_get, hook.tcp_socket, hook.sleep]
            count = sum(action is not None for action in given)
            if count != 1:
                yield InputError(
                    f"a hook has exactly one of exec, httpGet, tcpSocket and sleep, not {count}",
                    path=(*path, "lifecycle", _camel(field)),
                )


def _init_container(container: Container, path: Path) -> Iterator[InputError]:
    policy = container.restart_policy
    if policy == "Always":
        return
    if policy is not None:
        yield InputError(
            f"an init container's restartPolicy is Always (a native sidecar) or absent, "
            f"not {policy}",
            path=(*path, "restartPolicy"),
        )
    for field in (*_PROBES, "lifecycle"):
        if getattr(container, field) is not None:
            yield InputError(
                f"the init container {container.name!r} runs to its end and may not have this; "
                "a native sidecar (restartPolicy: Always) may",
                path=(*path, _camel(field)),
            )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
