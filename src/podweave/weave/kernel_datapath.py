"""What an ambassador's `datapath: kernel` needs of the Pod, and nothing more.

Two things, and neither can be had by an ordinary helper: NET_ADMIN, which Kubernetes gives to
root only, for the redirecting rules; and the setting route_localnet, which takes a writable
/proc/sys, for packets from 127.0.0.1 to leave the Pod. The setting is made once, by an init
container that is over before anything else starts.
"""

from __future__ import annotations

from typing import Any

from podweave.manifests.bundle import FoundPattern
from podweave.model.helper_places import start
from podweave.weave.drafts import Draft, Helper, pattern_error
from podweave.weave.helper_containers import resources

NAME = "podweave-network"

REFUSED = (
    "as `datapath: kernel` asks: the Pod security standards restricted and baseline refuse such "
    "a Pod"
)


def allow_kernel(draft: Draft, found: FoundPattern, container: dict[str, Any]) -> None:
    """Give an ambassador's container what it needs, and the Pod its init container."""
    container["securityContext"] |= {
        "runAsNonRoot": False,
        "runAsUser": 0,
        "runAsGroup": 0,
        "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN"]},
    }
    if any(helper.kind == "network" for helper in draft.helpers):
        return
    if any(each.name == NAME for _, _, each in draft.target.containers()):
        message = f"{draft.target.label} has a container {NAME}, and `datapath: kernel` adds one"
        raise pattern_error(found, message, "spec", "datapath")
    reason = (
        "sets net.ipv4.conf.all.route_localnet in the Pod's own network, without which no packet "
        f"from 127.0.0.1 leaves it; privileged, {REFUSED}"
    )
    draft.helpers.append(Helper("network", found, _init_container(draft), None, reason))


def _init_container(draft: Draft) -> dict[str, Any]:
    return {
        "name": NAME,
        "image": draft.options.helper_image,
        "command": start("route-localnet"),
        "resources": resources(draft.target.pod.spec),
        "securityContext": {
            "privileged": True,
            "runAsNonRoot": False,
            "runAsUser": 0,
            "runAsGroup": 0,
            "readOnlyRootFilesystem": True,
        },
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
