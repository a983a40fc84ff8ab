"""Which Pod a name on the command line means, and which container in it."""

from __future__ import annotations

from typing import Any

from podweave.cli.pod_tree import Pod, container_statuses, pod_name
from podweave.model.errors import InputError

DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


def find_pod(pods: list[Pod], name: str) -> Pod:
    """The Pod called NAME, NAMESPACE/NAME, or KIND/NAME after what owns it.

    NAME alone may be the owner's, too, where no Pod is called so: a StatefulSet's Pod is NAME-0.
    """
    matching = [pod for pod in pods if _is_called(pod, name)]
    matching = matching or [pod for pod in pods if _is_owned_by(pod, name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        names = ", ".join(f"{pod['metadata']['namespace']}/{name}" for pod in matching)
        raise InputError(f"{name} is the name of several Pods: {names}")
    known = ", ".join(pod_name(pod) for pod in pods)
    others = f"; there are: {known}" if known else ", nor any other"
    raise InputError(f"there is no Pod {name}{others}")


def only_pod(pods: list[Pod]) -> Pod:
    """The one Pod there is, where none is named."""
    if len(pods) == 1:
        return pods[0]
    known = ", ".join(pod_name(pod) for pod in pods)
    raise InputError(f"name one of the Pods: {known}" if pods else "there is no Pod")


def container_name(pod: Pod, name: str | None) -> str:
    """The container called so; without a name the default one, else the first main container."""
    statuses = container_statuses(pod)
    names = [str(each["name"]) for each in statuses] or list(pod["podweave"]["containers"])
    if name is None:
        annotations: dict[str, Any] = pod["metadata"].get("annotations", {})
        default = annotations.get(DEFAULT_CONTAINER)
        if default in names:
            return str(default)
        mains = [str(each["name"]) for each in pod["status"].get("containerStatuses", [])]
        applications = [each for each in mains if each not in pod["podweave"]["helpers"]]
        return (applications or mains or names)[0]
    if name not in names:
        raise InputError(f"Pod {pod_name(pod)} has no container {name}; it has: {', '.join(names)}")
    return name


def _is_called(pod: Pod, name: str) -> bool:
    metadata = pod["metadata"]
    above, _, below = name.rpartition("/")
    if not above:
        return bool(metadata["name"] == below)
    if metadata["namespace"] == above and metadata["name"] == below:
        return True
    objects = [*pod["podweave"]["owners"], {"kind": "Pod", "name": metadata["name"]}]
    return any(each["kind"].lower() == above.lower() and each["name"] == below for each in objects)


def _is_owned_by(pod: Pod, name: str) -> bool:
    return any(each["name"] == name for each in pod["podweave"]["owners"])
