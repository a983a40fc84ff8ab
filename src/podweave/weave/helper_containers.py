"""The container of a helper: how it is started, watched, limited and locked in.

Every helper satisfies the *restricted* Pod security standard, and podweave's own have requests
and limits, so that they pass wherever the application's Pod does.
"""

from __future__ import annotations

from typing import Any

from podweave.model.helper_places import CONFIG_FOLDER, OWN_FOLDERS, config_path, start
from podweave.model.pattern_parts import Metrics
from podweave.model.pods import Container, PodSpec
from podweave.model.quantities import parse_quantity
from podweave.weave.drafts import Kind
from podweave.weave.options import Options
from podweave.weave.targets import Target

CONFIG_VOLUME = "podweave-config"
STATE_VOLUME = "podweave-state"

DEFAULT_USER = 65532
"""Where the main container names none. Not 65534: that is nobody, whose files others share."""

NEEDED_FOLDERS = (*OWN_FOLDERS, "/proc", "/sys", "/dev")
"""A volume in one of these or above it, and the helper can't start."""

SYSTEM_FOLDERS = ("/bin", "/lib", "/lib64", "/usr/bin", "/usr/lib", "/usr/local/bin",
                  "/usr/local/lib")  # fmt: skip
"""A volume over one of these or above it hides Python; one inside (a server's own
`/usr/local/tomcat/logs`) does not."""

ENVIRONMENT = {
    "POD_NAME": "metadata.name",
    "POD_NAMESPACE": "metadata.namespace",
    "POD_UID": "metadata.uid",
    "NODE_NAME": "spec.nodeName",
    "POD_IP": "status.podIP",
}


def render(
    name: str,
    kind: Kind,
    target: Target,
    options: Options,
    *,
    user: tuple[int, int],
    mounts: list[dict[str, Any]],
    env: list[dict[str, Any]],
    metrics: Metrics | None = None,
) -> dict[str, Any]:
    """The container of one of podweave's own helpers."""
    container: dict[str, Any] = {
        "name": name,
        "image": options.helper_image,
        "command": start(kind, config_path(name)),
    }
    if options.native_sidecars:
        container["restartPolicy"] = "Always"
    if metrics is not None:
        container["ports"] = [{"name": f"metrics-{metrics.port}", "containerPort": metrics.port}]
    return container | {
        "env": environment() + env,
        "startupProbe": {
            # `wait` blocks in the container for up to 4 s, so that a helper that is up is seen
            # at once and not at the next period.
            "exec": {"command": start("wait", config_path(name))},
            "periodSeconds": 1,
            "timeoutSeconds": 5,
            "failureThreshold": 60,
        },
        "resources": resources(target.pod.spec),
        "securityContext": security_context(user) | {"readOnlyRootFilesystem": True},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": CONFIG_VOLUME, "mountPath": CONFIG_FOLDER, "readOnly": True},
            *mounts,
        ],
    }


def complete(
    own: dict[str, Any],
    name: str,
    target: Target,
    options: Options,
    *,
    user: tuple[int, int],
    mounts: list[dict[str, Any]],
    env: list[dict[str, Any]],
) -> dict[str, Any]:
    """A container of the user's own with what it leaves open filled in; its own fields win.

    No startupProbe and no read-only root: nobody but the user knows the image.
    """
    container = {"name": name} | own
    if options.native_sidecars:
        container["restartPolicy"] = "Always"
    stated = {variable.get("name") for variable in own.get("env") or []}
    added = [variable for variable in environment() + env if variable["name"] not in stated]
    container["env"] = [*(own.get("env") or []), *added]
    container["resources"] = own.get("resources") or _open_resources(target.pod.spec)
    security = dict(own.get("securityContext") or {})
    for key, value in security_context(user).items():
        if key != "runAsGroup" or "runAsUser" not in security or security["runAsUser"] == user[0]:
            security.setdefault(key, value)
    if security.get("privileged") is True:
        # The API server refuses the two together.
        security.pop("allowPrivilegeEscalation")
    container["securityContext"] = security
    stated_mounts = own.get("volumeMounts") or []
    taken = {(mount.get("mountPath"), mount.get("name")) for mount in stated_mounts}
    container["volumeMounts"] = [
        *stated_mounts,
        *(mount for mount in mounts if (mount["mountPath"], mount["name"]) not in taken),
    ]
    if not container["volumeMounts"]:
        del container["volumeMounts"]
    return container


def environment() -> list[dict[str, Any]]:
    return [
        {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}
        for name, path in ENVIRONMENT.items()
    ]


def security_context(user: tuple[int, int]) -> dict[str, Any]:
    return {
        "runAsNonRoot": True,
        "runAsUser": user[0],
        "runAsGroup": user[1],
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def user_of(target: Target, container: Container) -> tuple[int, int]:
    """The user and group a helper of this container runs as: the same where the manifest says a
    user other than root, because then it may read what the container writes."""
    own = container.security_context
    pod = target.pod.spec.security_context
    user = own.run_as_user if own else None
    if user is None:
        user = pod.run_as_user if pod else None
    group = own.run_as_group if own else None
    if group is None:
        group = pod.run_as_group if pod else None
    if not user:
        return DEFAULT_USER, DEFAULT_USER
    return user, group or user


def resources(spec: PodSpec) -> dict[str, Any]:
    """Requests and limits of a helper.

    Requests: a utilisation HPA doesn't work on a Pod where one is missing. Limits: quotas want
    them. One core costs nothing as a limit, since a helper has one thread. A Guaranteed Pod
    stays Guaranteed: there requests and limits are the same.
    """
    if is_guaranteed(spec):
        same = {"cpu": "200m", "memory": "64Mi"}
        return {"requests": same, "limits": dict(same)}
    return {
        "requests": {"cpu": "10m", "memory": "32Mi"},
        "limits": {"cpu": "1", "memory": "64Mi"},
    }


def _open_resources(spec: PodSpec) -> dict[str, Any]:
    """Of a container of the user's own that states none: what it needs isn't known, so it has a
    request, without which an HPA fails, and no limit that would kill it."""
    stated = resources(spec)
    return stated if is_guaranteed(spec) else {"requests": stated["requests"]}


def is_guaranteed(spec: PodSpec) -> bool:
    """Whether every container's cpu and memory limits are stated and equal its requests."""
    for container in [*(spec.init_containers or []), *spec.containers]:
        stated = container.resources
        limits = (stated.limits if stated else None) or {}
        requests = (stated.requests if stated else None) or {}
        for resource in ("cpu", "memory"):
            if resource not in limits:
                return False
            request = requests.get(resource, limits[resource])
            if parse_quantity(request) != parse_quantity(limits[resource]):
                return False
    return True
