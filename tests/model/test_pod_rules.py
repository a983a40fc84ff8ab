"""What the API server refuses in a Pod is refused here, with its path."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podweave.model.errors import render_path
from podweave.model.pod_rules import check_pod_spec, check_workload
from podweave.model.pods import ObjectMeta, PodSpec, PodTemplate, Workload
from podweave.model.workloads import claim_templates, pod_of, template_path


def container(**fields: Any) -> dict[str, Any]:
    return {"name": "app", "image": "app:1", **fields}


def found(spec: dict[str, Any]) -> dict[str, str]:
    """path -> message of everything the rules say of a Pod's spec."""
    errors = check_pod_spec(msgspec.convert(spec, PodSpec), ())
    return {render_path(error.path): error.message for error in errors}


def one(**fields: Any) -> dict[str, Any]:
    return {"containers": [container(**fields)]}


def initial(**fields: Any) -> dict[str, Any]:
    return {**one(), "initContainers": [container(name="first", **fields)]}


def mounted(*mounts: dict[str, Any]) -> dict[str, Any]:
    return {**one(volumeMounts=list(mounts)), "volumes": [{"name": "v", "emptyDir": {}}]}


PROBE = {"tcpSocket": {"port": 80}}

RULES: list[tuple[dict[str, Any], str, str]] = [
    ({"containers": []}, "containers", "at least one container"),
    (one(name="App"), "containers[0].name", "isn't a valid name"),
    ({"containers": [container(), container()]}, "containers[1].name", "another container"),
    (
        initial() | {"containers": [container(name="first")]},
        "containers[0].name",
        "in initContainers",
    ),
    (one(image=None), "containers[0]", "the container 'app' has no image"),
    (one(image=""), "containers[0]", "has no image"),
    (one(ports=[{"containerPort": 0}]), "containers[0].ports[0].containerPort", "from 1 to 65535"),
    (
        one(ports=[{"containerPort": 1, "hostPort": 70000}]),
        "containers[0].ports[0].hostPort",
        "65535",
    ),
    (one(env=[{"name": ""}]), "containers[0].env[0].name", "isn't the name of a variable"),
    (one(env=[{"name": "A=B"}]), "containers[0].env[0].name", "isn't the name of a variable"),
    (
        one(env=[{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "spec"}}}]),
        "containers[0].env[0]",
        "either value or valueFrom",
    ),
    (
        mounted({"name": "w", "mountPath": "/a"}),
        "containers[0].volumeMounts[0].name",
        "there are v",
    ),
    (mounted({"name": "v", "mountPath": ""}), "containers[0].volumeMounts[0].mountPath", "empty"),
    (
        mounted({"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}),
        "containers[0].volumeMounts[1].mountPath",
        "mounted at /a too",
    ),
    (
        mounted({"name": "v", "mountPath": "/a", "subPath": "../x"}),
        "containers[0].volumeMounts[0].subPath",
        "without `..`",
    ),
    (
        mounted({"name": "v", "mountPath": "/a", "subPath": "x", "subPathExpr": "y"}),
        "containers[0].volumeMounts[0].subPathExpr",
        "either subPath",
    ),
    ({**one(), "volumes": [{"name": "V"}]}, "volumes[0].name", "isn't a valid name"),
    ({**one(), "volumes": [{"name": "v"}, {"name": "v"}]}, "volumes[1].name", "another volume"),
    (
        {**one(), "volumes": [{"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}}]},
        "volumes[0]",
        "several sources, emptyDir and hostPath",
    ),
    (
        one(resources={"limits": {"cpu": "lots"}}),
        "containers[0].resources.limits.cpu",
        "isn't a quantity",
    ),
    (one(resources={"requests": {"cpu": -1}}), "containers[0].resources.requests.cpu", "less than"),
    (
        one(resources={"requests": {"memory": "1Gi"}, "limits": {"memory": "1000Mi"}}),
        "containers[0].resources.requests.memory",
        "1Gi is more than the limit, 1000Mi",
    ),
    (one(livenessProbe={}), "containers[0].livenessProbe", "exactly one of exec"),
    (
        one(livenessProbe={**PROBE, "exec": {"command": ["x"]}}),
        "containers[0].livenessProbe",
        "not 2",
    ),
    (
        one(livenessProbe={**PROBE, "successThreshold": 2}),
        "containers[0].livenessProbe.successThreshold",
        "only a readinessProbe",
    ),
    (
        one(readinessProbe={**PROBE, "periodSeconds": -1}),
        "containers[0].readinessProbe.periodSeconds",
        "negative",
    ),
    (one(lifecycle={"preStop": {}}), "containers[0].lifecycle.preStop", "exactly one of exec"),
    (one(securityContext={"runAsUser": -1}), "containers[0].securityContext.runAsUser", "from 0"),
    (
        one(securityContext={"runAsUser": 0, "runAsNonRoot": True}),
        "containers[0].securityContext.runAsUser",
        "which is root",
    ),
    (
        {**one(), "securityContext": {"runAsGroup": 2**31}},
        "securityContext.runAsGroup",
        "isn't from 0",
    ),
    ({**one(), "hostname": "a.b"}, "hostname", "isn't a valid name"),
    (
        {**one(), "terminationGracePeriodSeconds": -1},
        "terminationGracePeriodSeconds",
        "less than 0",
    ),
    (initial(restartPolicy="Never"), "initContainers[0].restartPolicy", "is Always"),
    (initial(startupProbe=PROBE), "initContainers[0].startupProbe", "runs to its end"),
    (initial(readinessProbe=PROBE), "initContainers[0].readinessProbe", "runs to its end"),
    (
        initial(lifecycle={"preStop": {"sleep": {"seconds": 1}}}),
        "initContainers[0].lifecycle",
        "a native sidecar",
    ),
]


@pytest.mark.parametrize(("spec", "path", "message"), RULES)
def test_rules(spec: dict[str, Any], path: str, message: str) -> None:
    errors = found(spec)
    assert list(errors) == [path]
    assert message in errors[path]


def test_a_full_pod_is_right() -> None:
    spec = {
        "initContainers": [
            container(
                name="sidecar",
                restartPolicy="Always",
                startupProbe=PROBE,
                lifecycle={"preStop": {"exec": {"command": ["x"]}}},
            ),
            container(name="first"),
        ],
        "containers": [
            container(
                ports=[{"containerPort": 80, "name": "http"}, {"containerPort": 81, "name": "x"}],
                env=[{"name": "a.b-C", "value": ""}],
                volumeMounts=[
                    {"name": "v", "mountPath": "/a"},
                    {"name": "v", "mountPath": "/b", "subPath": "x"},
                ],
                resources={"requests": {"cpu": "100m"}, "limits": {"cpu": 1, "memory": "1Gi"}},
                readinessProbe={**PROBE, "successThreshold": 3},
            )
        ],
        "volumes": [{"name": "v", "csi": {"driver": "x"}}],
        "terminationGracePeriodSeconds": 0,
    }
    assert found(spec) == {}


def workload(kind: str, policy: str | None, **object_: Any) -> Workload:
    spec = PodSpec(
        containers=[],
        restart_policy=policy,  # type: ignore[arg-type]
    )
    return Workload(
        kind=kind,
        metadata=ObjectMeta(name="db", namespace="shop"),
        template=PodTemplate(metadata=ObjectMeta(labels={"a": "b"}), spec=spec),
        object=object_,
    )


@pytest.mark.parametrize(
    ("kind", "policy", "message"),
    [
        ("Job", None, "a Job needs a restartPolicy, OnFailure or Never"),
        ("Job", "Always", "a Job needs a restartPolicy, OnFailure or Never, not Always"),
        ("CronJob", None, "a CronJob needs a restartPolicy, OnFailure or Never"),
        ("Job", "Never", None),
        ("Deployment", "Never", "a Deployment's restartPolicy is Always, not Never"),
        ("Deployment", None, None),
        ("Pod", "Never", None),
    ],
)
def test_restart_policies(kind: str, policy: str | None, message: str | None) -> None:
    errors = check_workload(workload(kind, policy), (), ("spec", "template"))
    said = [error.message for error in errors if "restartPolicy" in error.message]
    assert said == ([message] if message else [])


def test_names_and_labels_of_a_workload() -> None:
    bad = Workload(
        kind="Deployment",
        metadata=ObjectMeta(name="A", namespace="a.b", labels={"x y": "z"}),
        template=PodTemplate(metadata=ObjectMeta(labels={"x": "a b"}), spec=PodSpec(containers=[])),
        object={},
    )
    paths = [render_path(error.path) for error in check_workload(bad, (), ("spec", "template"))]
    assert paths == [
        "metadata.name",
        "metadata.namespace",
        'metadata.labels["x y"]',
        "spec.template.metadata.labels.x",
        "spec.template.spec.containers",
    ]


def test_the_pod_of_a_workload_has_the_workloads_name_and_the_templates_labels() -> None:
    pod = pod_of(workload("Deployment", None))
    assert (pod.metadata.name, pod.metadata.namespace) == ("db", "shop")
    assert pod.metadata.labels == {"a": "b"}


def test_the_pod_of_a_stateful_set_has_an_ordinal() -> None:
    pod = pod_of(workload("StatefulSet", None))
    assert pod.metadata.name == "db-0"
    assert pod.metadata.labels == {
        "a": "b",
        "statefulset.kubernetes.io/pod-name": "db-0",
        "apps.kubernetes.io/pod-index": "0",
    }
    assert pod_of(workload("StatefulSet", None, spec={"ordinals": {"start": 3}})).metadata.name == (
        "db-3"
    )


def test_a_jobs_deadline_is_its_pods() -> None:
    job = workload("Job", None, spec={"activeDeadlineSeconds": 9})
    assert pod_of(job).spec.active_deadline_seconds == 9
    cron = {"jobTemplate": {"spec": {"activeDeadlineSeconds": 7}}}
    assert pod_of(workload("CronJob", None, spec=cron)).spec.active_deadline_seconds == 7
    assert pod_of(workload("Job", None)).spec.active_deadline_seconds is None


def test_claim_templates_are_volumes_of_the_pod() -> None:
    claims = {"volumeClaimTemplates": [{"metadata": {"name": "data"}}]}
    stateful = workload("StatefulSet", None, spec=claims)
    volumes = pod_of(stateful).spec.volumes
    assert volumes is not None
    assert volumes[0].persistent_volume_claim is not None
    assert volumes[0].persistent_volume_claim.claim_name == "data-db-0"
    assert claim_templates(workload("StatefulSet", None, spec={"volumeClaimTemplates": 5})) == []


def test_only_served_kinds_are_workloads() -> None:
    assert template_path("apps/v1", "Deployment") == ("spec", "template")
    assert template_path("v1", "Pod") == ()
    assert template_path("extensions/v1beta1", "Deployment") is None
    assert template_path(None, 5) is None
