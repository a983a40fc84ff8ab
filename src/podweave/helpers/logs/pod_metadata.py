"""What the downward API says of the Pod, as neutral fields of every record."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLES = {
    "POD_NAME": "pod_name",
    "POD_NAMESPACE": "pod_namespace",
    "POD_UID": "pod_uid",
    "POD_IP": "pod_ip",
    "NODE_NAME": "node_name",
}
# What controllers append to the names of their Pods, in the alphabet that they use for it:
# Deployment orders-7d9f8b6c5-x2x7q, DaemonSet and Job orders-x2x7q, StatefulSet orders-0.
_HASH = "[bcdfghjklmnpqrstvwxz2456789]"
_APPENDED = re.compile(rf"-(?:{_HASH}{{6,10}}-{_HASH}{{5}}|{_HASH}{{5}}|\d{{1,4}})")


def constants(environ: Mapping[str, str]) -> dict[str, str]:
    """The fields that the environment knows."""
    fields = {
        field: environ[variable] for variable, field in _VARIABLES.items() if environ.get(variable)
    }
    service = environ.get("SERVICE_NAME") or environ.get("OTEL_SERVICE_NAME")
    if not service and "pod_name" in fields:
        service = workload_of(fields["pod_name"])
    if service:
        fields["service_name"] = service
    return fields


def workload_of(pod: str) -> str:
    """The name of the workload whose Pod has this name, as well as the name alone tells."""
    for start in range(1, len(pod)):
        if pod[start] == "-" and _APPENDED.fullmatch(pod, start):
            return pod[:start]
    return pod
