"""Malformed, huge and hostile input: a clear error, never a traceback, never for long."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from podweave.review.inventory import Inventory
from podweave.review.reports import github, html, junit, sarif, text
from podweave.review.reports.json import to_objects
from podweave.review.review import Review, review
from tests.review.corpus import CORPUS

GOOD = "apiVersion: v1\nkind: Pod\nmetadata: {name: good}\nspec:\n  containers: [{name: a}]\n"


def reviewed(data: bytes) -> Review:
    inventory = Inventory()
    inventory.add("in.yaml", data)
    return review(inventory)


def pod(**spec: Any) -> bytes:
    return json.dumps(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bad"}, "spec": spec}
    ).encode()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "containers are missing"),
        ({"containers": []}, "containers are missing"),
        ({"containers": "nginx"}, "containers must be a list"),
        ({"containers": ["nginx"]}, "a container is a mapping"),
        ({"containers": [{"image": "nginx"}]}, "the container has no name"),
        ({"containers": [{"name": 3}]}, "the container has no name"),
        ({"containers": [{"name": "a"}, {"name": "a"}]}, "two containers are called 'a'"),
        ({"containers": [{"name": f"c{n}"} for n in range(300)]}, "300 containers"),
        ({"containers": [{"name": "a"}], "initContainers": {}}, "must be a list of containers"),
    ],
)
def test_a_pod_that_cannot_be_judged_is_an_error(spec: dict[str, Any], message: str) -> None:
    result = reviewed(pod(**spec))
    assert result.reviewed == []
    (error,) = result.errors
    assert message in error.message
    assert error.line == 1


@pytest.mark.parametrize(
    ("container", "message"),
    [
        ({"ports": [{"containerPort": "eighty"}]}, "expected a whole number"),
        ({"ports": [{"containerPort": 99999}]}, "containerPort must be a number"),
        ({"ports": {"containerPort": 80}}, "must be a list"),
        ({"env": ["A=b"]}, "must be a mapping"),
        ({"command": "sleep 1"}, "must be a list of words"),
        ({"resources": {"requests": {"cpu": "much"}}}, "isn't a quantity"),
        ({"resources": {"requests": {"memory": -1}}}, "not a quantity"),
        ({"resources": {"requests": {"cpu": "1e999"}}}, "larger than any machine"),
        ({"resources": []}, "must be a mapping"),
        ({"livenessProbe": "always"}, "a probe is a mapping"),
        ({"volumeMounts": 7}, "must be a list"),
        ({"securityContext": {"runAsUser": "root"}}, "expected a whole number"),
    ],
)
def test_a_wrong_field_is_an_error_and_the_pod_is_judged_all_the_same(
    container: dict[str, Any], message: str
) -> None:
    result = reviewed(pod(containers=[{"name": "a", **container}]))
    assert [each.judgement.verdict for each in result.reviewed] == ["keep"]
    assert [message in error.message for error in result.errors] == [True]


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff\xfe\x00",
        b"a: &a [" + b"*a, " * 10,
        b"&a [" * 500,
        b"{" * 10_000,
        b"a: " + b"[" * 300 + b"]" * 300,
        b"kind: Pod\n",
        b"apiVersion: v1\nkind: 3\n",
        b"- apiVersion: v1\n",
        b"42\n",
        b"? [complex]\n: key\n",
        b"!!python/object/apply:os.system ['true']\n",
        b"apiVersion: v1\nkind: Pod\nspec: *nowhere\n",
        b"apiVersion: v1\nkind: Pod\nspec: null\n",
    ],
)
def test_hostile_documents_are_errors_and_the_next_is_judged(bad: bytes) -> None:
    result = reviewed(bad.rstrip() + b"\n---\n" + GOOD.encode())
    assert [each.found.facts.name for each in result.reviewed] in (["good"], [])
    assert result.errors
    if b"\xff" not in bad:
        assert [each.found.facts.name for each in result.reviewed] == ["good"]


def test_an_expanding_document_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    bomb = "apiVersion: v1\nkind: Pod\n" + "\n".join(lines)
    result = reviewed(f"{bomb}\n---\n{GOOD}".encode())
    assert [each.found.facts.name for each in result.reviewed] == ["good"]
    assert any("alias" in error.message for error in result.errors)


def test_a_doubled_key_is_an_error_and_the_last_one_counts() -> None:
    result = reviewed(GOOD.replace("kind: Pod\n", "kind: Pod\nkind: Pod\n").encode())
    assert [each.judgement.verdict for each in result.reviewed] == ["keep"]
    assert "twice" in result.errors[0].message
    assert result.errors[0].line == 3


def test_long_values_are_cut_not_searched_for_ever() -> None:
    huge = "localhost:" * 200_000 + "-" * 100_000
    container = {"name": "a", "args": [huge], "env": [{"name": "X", "value": huge}]}
    result = reviewed(pod(containers=[container, {"name": "b", "command": ["sh", "-c", huge]}]))
    assert len(result.reviewed) == 1


def test_old_and_foreign_kinds_with_a_pod_template_are_judged() -> None:
    for version, kind in (
        ("extensions/v1beta1", "Deployment"),
        ("apps.openshift.io/v1", "DeploymentConfig"),
        ("argoproj.io/v1alpha1", "Rollout"),
        ("serving.knative.dev/v1", "Service"),
    ):
        content = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n" + (
            "spec:\n  template:\n    spec:\n      containers:\n"
            "      - {name: web, image: nginx, ports: [{containerPort: 80}]}\n"
            "      - {name: db, image: mysql, ports: [{containerPort: 3306}]}\n"
        )
        result = reviewed(content.encode())
        assert [each.judgement.verdict for each in result.reviewed] == ["split"], kind


def test_a_kubectl_list_keeps_places() -> None:
    items = [yaml.safe_load(GOOD.replace("good", f"p{n}")) for n in range(3)]
    data = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1).encode()
    result = reviewed(data)
    assert [each.found.facts.name for each in result.reviewed] == ["p0", "p1", "p2"]
    lines = [each.judgement.findings[0].line for each in result.reviewed]
    assert lines == sorted(set(lines))


def render_all(result: Review) -> None:
    msgspec.json.encode(to_objects(result))
    for report in (text, sarif, junit, github, html):
        assert report.render(result)


SAMPLES = [path.read_bytes() for path in sorted(CORPUS.glob("*.yaml"))[:40]]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.data_too_large])
@given(st.data())
def test_damaged_manifests_never_break_the_review(data: st.DataObject) -> None:
    """A real manifest with a part cut out, doubled or replaced."""
    sample = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(sample)))
        end = min(len(sample), start + data.draw(st.integers(0, 40)))
        sample[start:end] = data.draw(st.binary(max_size=12))
    render_all(reviewed(bytes(sample)))


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [
        "ports", "env", "envFrom", "volumeMounts", "command", "args", "resources", "image",
        "livenessProbe", "readinessProbe", "lifecycle", "securityContext", "restartPolicy",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.dictionaries(KEYS, VALUES, max_size=5), min_size=1, max_size=3),
    st.dictionaries(
        st.sampled_from(["volumes", "hostNetwork", "overhead", "restartPolicy"]), VALUES
    ),
)
def test_fields_of_any_type_never_break_the_review(
    containers: list[dict[str, Any]], spec: dict[str, Any]
) -> None:
    named = [{"name": f"c{index}", **each} for index, each in enumerate(containers)]
    document = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x"},
        "spec": {"containers": named, **spec},
    }
    text_of = yaml.safe_dump(document, allow_unicode=True)
    render_all(reviewed(text_of.encode("utf-8", "surrogatepass")))


def test_a_long_stream_keeps_the_lines_of_the_file() -> None:
    """Thousands of documents whose Services share a label: nothing may grow with the square."""
    one = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p%d, labels: {by: helm, app: p%d}}\n"
        "spec:\n  containers: [{name: a, image: nginx, ports: [{containerPort: 80}]}]\n---\n"
        "apiVersion: v1\nkind: Service\nmetadata: {name: s%d}\n"
        "spec: {selector: {by: helm, app: p%d}, ports: [{port: 80}]}\n---\n"
    )
    result = reviewed("".join(one % (n, n, n, n) for n in range(2000)).encode())
    assert [len(each.found.facts.services) for each in result.reviewed] == [1] * 2000
    lines = [each.judgement.findings[0].line for each in result.reviewed]
    assert lines == [5 + 11 * n for n in range(2000)]


def test_a_template_is_told_from_broken_yaml() -> None:
    template = "metadata:\n  name: {{ .Release.Name }}\n  {{- if .Values.labels }}\n  a: b\n"
    result = reviewed(f"{template}---\n{GOOD}".encode())
    assert ["helm template" in error.message for error in result.errors] == [True]
    assert [each.found.facts.name for each in result.reviewed] == ["good"]
