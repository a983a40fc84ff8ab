# ruff: noqa: E501  (a table: one line a rule)
"""Every rule with its id, family, usual level and one line of reason. The pages in docs/review/rules
have an example each; a test runs the examples and compares the pages with this list."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Family = Literal[
    "grouping",
    "lifecycle",
    "scaling",
    "resources",
    "faults",
    "address",
    "start",
    "stop",
    "security",
]


class Rule(NamedTuple):
    id: str
    family: Family
    level: Literal["error", "warning", "note"]
    title: str
    source: str


_CONCEPTS: Final = "https://kubernetes.io/docs/concepts"
_DOCUMENT: Final = "multi-container patterns, “1 container per Pod”"

RULES: Final = (
    Rule("independent-tiers", "grouping", "error", "Containers that stand for themselves share a Pod", _DOCUMENT),
    Rule("same-lifecycle", "grouping", "note", "Containers stay together because they live and end together", f"{_DOCUMENT}, case 1"),
    Rule("tight-coupling", "grouping", "note", "Containers stay together because they share files or a socket", f"{_DOCUMENT}, case 2"),
    Rule("helper-without-code-change", "grouping", "note", "A helper adds to its app without a change of the app", f"{_DOCUMENT}, case 3"),
    Rule("what-would-change", "grouping", "note", "What would change the verdict", _DOCUMENT),
    Rule("unsure-role", "grouping", "note", "The manifest says too little about a container", _DOCUMENT),
    Rule("job-endless-helper", "lifecycle", "error", "A helper keeps a Job from ending", f"{_CONCEPTS}/workloads/pods/sidecar-containers/#jobs-with-sidecar-containers"),
    Rule("ends-in-endless-pod", "lifecycle", "warning", "A container ends in a Pod that restarts everything that ends", f"{_CONCEPTS}/workloads/pods/pod-lifecycle/#restart-policy"),
    Rule("stateful-beside-scaling", "scaling", "error", "A container that can't be copied blocks the scaling of its Pod", _DOCUMENT),
    Rule("rwo-claim-replicas", "scaling", "error", "Several replicas share a claim that one node may mount", f"{_CONCEPTS}/storage/persistent-volumes/#access-modes"),
    Rule("autoscaler-on-mixed-pod", "scaling", "warning", "An autoscaler looks at the sum of unlike containers", "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#container-resource-metrics"),
    Rule("autoscaler-masked", "scaling", "warning", "A saturated container can't move the autoscaler", "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details"),
    Rule("autoscaler-missing-request", "scaling", "error", "An autoscaler by utilisation needs a request in every container", "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#support-for-resource-metrics"),
    Rule("missing-requests", "resources", "note", "A container has no requests, so its cost can't be known", f"{_CONCEPTS}/configuration/manage-resources-containers/"),
    Rule("opposed-profiles", "resources", "warning", "One wants CPU and another memory: no node fits both well", _DOCUMENT),
    Rule("replica-tax", "resources", "warning", "Each replica pays mostly for containers that needn't scale", _DOCUMENT),
    Rule("several-processes", "faults", "warning", "A container runs several services under one init process", "https://docs.docker.com/engine/containers/multi-service_container/"),
    Rule("missing-readiness", "faults", "note", "A container takes traffic and has no readiness probe", f"{_CONCEPTS}/workloads/pods/pod-lifecycle/#container-probes"),
    Rule("fault-unseen", "faults", "note", "A main container without a port or probe can fail unseen", _DOCUMENT),
    Rule("port-conflict", "address", "error", "Two containers want one port of the Pod's one address", f"{_CONCEPTS}/workloads/pods/#pod-networking"),
    Rule("host-port-replicas", "address", "warning", "A hostPort lets one replica run on each node", f"{_CONCEPTS}/configuration/overview/"),
    Rule("classic-sidecar", "start", "note", "A helper runs beside its app that could be a native sidecar", f"{_CONCEPTS}/workloads/pods/sidecar-containers/"),
    Rule("helper-needed-first", "start", "warning", "The app needs a helper that starts beside it", f"{_CONCEPTS}/workloads/pods/sidecar-containers/"),
    Rule("init-needs-main", "start", "error", "An init container waits for a container that starts after it", f"{_CONCEPTS}/workloads/pods/init-containers/"),
    Rule("grace-too-short", "stop", "warning", "The grace period is over before the drain is", f"{_CONCEPTS}/workloads/pods/pod-lifecycle/#pod-termination"),
    Rule("privileged-neighbour", "security", "warning", "A privileged container lends its power to the whole Pod", f"{_CONCEPTS}/security/pod-security-standards/"),
    Rule("shared-processes", "security", "note", "The containers see each other's processes and secrets", "https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/"),
)  # fmt: skip

BY_ID: Final = {rule.id: rule for rule in RULES}
