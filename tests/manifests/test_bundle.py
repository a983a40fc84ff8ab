"""Sorting what was read, and every error in it with file, line and path."""

from __future__ import annotations

from typing import Any

import pytest

from podweave.manifests.bundle import Bundle, bundle
from podweave.manifests.conversion import listed
from podweave.manifests.reading import read
from podweave.manifests.rendering import render
from podweave.model.ambassador_patterns import AmbassadorSpec
from podweave.model.errors import InputErrors
from podweave.model.patterns import Ambassador
from podweave.model.workloads import TEMPLATE_PATHS, descend, pod_of

POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "web"}},
    "spec": {"containers": [{"name": "web", "image": "nginx"}]},
}


def bundled(*texts: str) -> Bundle:
    return bundle([read(f"f{n}.yaml", text.encode()) for n, text in enumerate(texts)])


def errors(*texts: str) -> list[str]:
    with pytest.raises(InputErrors) as caught:
        bundled(*texts)
    return [str(error) for error in caught.value.errors]


def workload(api_version: str, kind: str, name: str = "web") -> dict[str, Any]:
    """A workload of any kind around POD."""
    template: dict[str, Any] = {**POD, "spec": dict(POD["spec"])}
    if kind in {"Job", "CronJob"}:
        template["spec"]["restartPolicy"] = "Never"
    path = TEMPLATE_PATHS[api_version, kind]
    value: Any = template
    for part in reversed(path):
        value = {part: value}
    head = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}
    if not path:
        head["metadata"] = {**head["metadata"], **template["metadata"]}  # type: ignore[dict-item]
        return {**head, "spec": template["spec"]}
    return {**head, **value}


@pytest.mark.parametrize(("api_version", "kind"), list(TEMPLATE_PATHS))
def test_every_workload_kind_has_its_pod_found(api_version: str, kind: str) -> None:
    found = bundled(render(workload(api_version, kind))).workloads[0]
    assert (found.workload.kind, found.path) == (kind, ())
    assert (
        descend(found.document.object, (*found.pod_path, "spec", "containers", 0, "name")) == "web"
    )
    pod = pod_of(found.workload)
    assert pod.metadata.name == ("web-0" if kind == "StatefulSet" else "web")
    assert (pod.metadata.labels or {})["app"] == "web"
    assert pod.spec.containers[0].image == "nginx"


def test_items_of_lists_are_found_where_they_are() -> None:
    items = [workload("v1", "Pod", "a"), {"apiVersion": "v1", "kind": "Service", "spec": {}}]
    nested = {"apiVersion": "v1", "kind": "List", "items": [workload("v1", "Pod", "b")]}
    text = render({"apiVersion": "v1", "kind": "List", "items": [*items, nested]})
    found = bundled(text)
    assert [each.path for each in found.workloads] == [("items", 0), ("items", 2, "items", 0)]
    assert found.workloads[1].pod_path == ("items", 2, "items", 0)
    assert [each.path for each in found.others] == [("items", 1)]


def test_items_of_a_typed_list_need_no_kind() -> None:
    pod = {key: value for key, value in workload("v1", "Pod").items() if key != "kind"}
    text = render({"apiVersion": "v1", "kind": "PodList", "items": [pod]})
    assert bundled(text).workloads[0].workload.kind == "Pod"


def test_configuration_patterns_and_the_rest() -> None:
    found = bundled(
        """\
apiVersion: v1
kind: ConfigMap
metadata: {name: c, namespace: "n"}
data: {a: b}
binaryData:
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {a: b}
---
apiVersion: podweave.dev/v1alpha1
kind: Ambassador
metadata: {name: db}
spec:
  listen: localhost:5432
  profiles: {dev: {upstreams: [{address: "db:5432"}]}}
---
apiVersion: example.com/v1
kind: Deployment
spec: whatever
"""
    )
    assert found.config_maps["n", "c"].data == {"a": "b"}
    assert found.secrets["default", "s"].string_data == {"a": "b"}
    assert isinstance(found.patterns[0].pattern, Ambassador)
    assert found.others[0].object["kind"] == "Deployment"


def test_unknown_fields_of_kubernetes_objects_pass() -> None:
    pod = workload("v1", "Pod")
    pod["spec"]["futureField"] = {"x": 1}
    assert bundled(render(pod)).workloads[0].workload.object["spec"]["futureField"] == {"x": 1}


def test_null_counts_as_absent_in_kubernetes_objects() -> None:
    pod = workload("v1", "Pod")
    pod["spec"].update(volumes=None, initContainers=None, nodeName=None)
    pod["metadata"]["annotations"] = {"a": None}
    pod["spec"]["containers"][0] = {
        **pod["spec"]["containers"][0],
        "env": [{"name": "A", "value": None}],
    }
    assert bundled(render(pod)).workloads[0].workload.template.spec.volumes is None


def pod_text(container: str) -> str:
    return f"""\
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: nginx
{container}"""


AMBASSADOR = """\
apiVersion: podweave.dev/v1alpha1
kind: Ambassador
metadata: {name: db}
spec:
"""

ERRORS: list[tuple[str, list[str]]] = [
    (
        pod_text(
            "    ports:\n    - containerPort: '80'\n    command: sleep\n  - name: 5\n    image: x\n"
        ),
        [
            "f0.yaml:10: spec.containers[0].ports[0].containerPort: expected a whole number, got "
            "the "
            "string '80': leave out the quotes",
            "f0.yaml:11: spec.containers[0].command: expected a list, got the string 'sleep': "
            "begin "
            "each item with `- `",
            "f0.yaml:12: spec.containers[1].name: expected a string, got the number 5: put it in "
            "quotes",
        ],
    ),
    (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n  labels:\n    a: ok\n"
        "    b: yes\nspec:\n  containers: []\n",
        [
            "f0.yaml:7: metadata.labels.b: expected a string, got true (y, yes, on mean that "
            "too): put it in quotes"
        ],
    ),
    (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n",
        ["f0.yaml:1: spec is missing"],
    ),
    (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: []}\n",
        ["f0.yaml:4: spec.containers: a Pod has at least one container"],
    ),
    (
        "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: x, image: i}]}\n",
        ["f0.yaml:1: metadata: the name is missing"],
    ),
    (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {}\n",
        ["f0.yaml:4: spec: template is missing"],
    ),
    (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n  replicas: two\n"
        "  template: {spec: {containers: [{name: x, image: i}]}}\n",
        ["f0.yaml:5: spec.replicas: expected a whole number"],
    ),
    (
        "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: x}\n",
        [
            "f0.yaml:1: apiVersion: Kubernetes no longer serves Deployment as "
            "extensions/v1beta1: it is apps/v1"
        ],
    ),
    (
        "apiVersion: podweave.dev/v1\nkind: Ambasador\n",
        [
            "f0.yaml:1: apiVersion: this version of podweave knows podweave.dev/v1alpha1, not "
            "podweave.dev/v1",
            "f0.yaml:2: kind: the pattern kinds are Ambassador, Adapter and Sidecar, not "
            "'Ambasador': "
            "did you mean 'Ambassador'?",
        ],
    ),
    (
        "apiVersion: podweave/v1alpha1\nkind: Adapter\n",
        ["f0.yaml:1: apiVersion: a podweave Adapter has the apiVersion podweave.dev/v1alpha1"],
    ),
    (
        AMBASSADOR
        + "  listn: localhost:1\n  protocol: postgress\n  profiles: []\n  frobnicate: 1\n",
        [
            "f0.yaml:5: spec.listn: unknown key: did you mean 'listen'?",
            "f0.yaml:6: spec.protocol: 'postgress' isn't one of http, mysql, postgres, redis and "
            "tcp: "
            "did you mean 'postgres'?",
            "f0.yaml:7: spec.profiles: expected a mapping, got a list",
            "f0.yaml:8: spec.frobnicate: unknown key; known are "
            + listed(AmbassadorSpec.__struct_encode_fields__),
        ],
    ),
    (
        AMBASSADOR
        + "  listen: 0.0.0.0:5432\n  profiles:\n    dev:\n      upstreams:\n      - address: db\n",
        [
            "f0.yaml:5: spec.listen: '0.0.0.0:5432' is not loopback: an ambassador listens for "
            "its own "
            "Pod only, write localhost:5432",
            "f0.yaml:9: spec.profiles.dev.upstreams[0].address: 'db' has no port: HOST:PORT, as in "
            "db.example:5432",
        ],
    ),
    (
        "apiVersion: v1\nkind: List\nitems:\n- 5\n- {kind: Pod}\n",
        [
            "f0.yaml:4: items[0]: an item of a List is a mapping",
            "f0.yaml:5: items[1]: an item of a List has apiVersion and kind",
        ],
    ),
    (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {port: 80}\n",
        ["f0.yaml:4: data.port: expected a string, got the number 80: put it in quotes"],
    ),
]


@pytest.mark.parametrize(("text", "expected"), ERRORS)
def test_errors(text: str, expected: list[str]) -> None:
    assert errors(text) == expected


@pytest.mark.parametrize("kind", ["ConfigMap", "Secret"])
def test_two_of_the_same_name_are_ambiguous(kind: str) -> None:
    text = f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: c\n"
    assert errors(text, "# other\n" + text) == [
        f"f1.yaml:5: metadata.name: {kind} default/c is there twice, first in f0.yaml line 4: "
        "which one is meant?"
    ]
    in_another_namespace = text + "  namespace: other\n"
    assert bundled(text, in_another_namespace)


def test_errors_of_all_files_come_at_once() -> None:
    assert errors(AMBASSADOR, AMBASSADOR.replace("{name: db}", "{name: other}")) == [
        "f0.yaml:4: spec: expected a mapping, got nothing (null)",
        "f1.yaml:4: spec: expected a mapping, got nothing (null)",
    ]
