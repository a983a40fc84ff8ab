"""For any Pod in any spelling: what weaving promises."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from podweave.model.errors import InputError, InputErrors
from podweave.weave import Options, unweave, weave
from tests.manifests.yaml_writing import Writer
from tests.weave.woven_cases import only_text

FOLDERS = ["/var/log/app", "/var/log/app/deep", "/data", "/srv/x/logs"]
names = st.sampled_from(["a", "web", "worker", "podweave-a", "x1"])


def optional(draw: Any, object: dict[str, Any], key: str, value: st.SearchStrategy[Any]) -> None:
    if draw(st.booleans()):
        object[key] = draw(value)


@st.composite
def containers(draw: Any, name: str, volumes: list[str]) -> dict[str, Any]:
    container: dict[str, Any] = {"name": name, "image": "i:1"}
    optional(draw, container, "command", st.lists(st.sampled_from(["run", "--x", "1"]), min_size=1))
    optional(draw, container, "env", st.just([{"name": "A", "value": "yes"}]))
    optional(draw, container, "ports", st.just([{"containerPort": 8080}]))
    optional(
        draw,
        container,
        "resources",
        st.sampled_from([{}, {"requests": {"cpu": "1"}}, {"limits": {"cpu": 1, "memory": "1Gi"}}]),
    )
    optional(draw, container, "securityContext", st.sampled_from([{}, {"runAsUser": 7}]))
    paths = draw(st.lists(st.sampled_from(FOLDERS), unique=True, max_size=2)) if volumes else []
    if paths or draw(st.booleans()):
        container["volumeMounts"] = [
            {"name": draw(st.sampled_from(volumes)), "mountPath": path} for path in paths
        ]
    return container


@st.composite
def templates(draw: Any) -> dict[str, Any]:
    volumes = draw(st.lists(st.sampled_from(["v1", "v2"]), unique=True))
    chosen = draw(st.lists(names, unique=True, min_size=1, max_size=4))
    cut = draw(st.integers(1, len(chosen)))
    spec: dict[str, Any] = {
        "containers": [draw(containers(name, volumes)) for name in chosen[:cut]],
    }
    if chosen[cut:] or draw(st.booleans()):
        spec["initContainers"] = [draw(containers(name, volumes)) for name in chosen[cut:]]
    if volumes or draw(st.booleans()):
        spec["volumes"] = draw(st.sampled_from([[], None])) or [
            {"name": name, "emptyDir": {}} for name in volumes
        ]
    template: dict[str, Any] = {"spec": spec}
    optional(
        draw,
        template,
        "metadata",
        st.sampled_from(
            [None, {}, {"labels": {"a": "b"}}, {"annotations": None}, {"annotations": {"x": "y"}}]
        ),
    )
    if draw(st.booleans()):
        template = dict(reversed(template.items()))
    return template


@st.composite
def manifests(draw: Any) -> tuple[str, dict[str, Any]]:
    workload: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "app"},
        "spec": {"replicas": 2, "template": draw(templates())},
    }
    if draw(st.integers(0, 3)) == 0:
        workload = {"apiVersion": "v1", "kind": "List", "items": [workload]}
    return Writer(Random(draw(st.integers(0, 2**32)))).document(workload), workload


@st.composite
def patterns(draw: Any) -> bytes:
    made = []
    if draw(st.booleans()):
        made.append(
            "apiVersion: podweave.dev/v1alpha1\nkind: Ambassador\nmetadata: {name: amb}\n"
            f"spec: {{listen: 'localhost:{draw(st.sampled_from([5432, 15901]))}', "
            "profiles: {p: {upstreams: [{address: 'h:1'}]}}}\n"
        )
    if draw(st.booleans()):
        folders = draw(st.lists(st.sampled_from(FOLDERS), min_size=1, max_size=3, unique=True))
        entries = ", ".join(f"{{from: ['{folder}/*.log']}}" for folder in folders)
        made.append(
            "apiVersion: podweave.dev/v1alpha1\nkind: Adapter\nmetadata: {name: logs}\n"
            f"spec: {{logs: [{entries}]}}\n"
        )
    if draw(st.booleans()) or not made:
        store = draw(st.sampled_from(["/store", *FOLDERS]))
        made.append(
            "apiVersion: podweave.dev/v1alpha1\nkind: Sidecar\nmetadata: {name: ship}\n"
            "spec: {logs: [{from: ['/var/log/app/x'], "
            f"store: {{files: {{directory: {store}}}}}}}]}}\n"
        )
    return "---\n".join(made).encode()


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
@given(manifests(), patterns(), patterns(), st.sampled_from([(1, 28), (1, 33)]))
def test_weave_and_unweave(
    manifest: tuple[str, dict[str, Any]], one: bytes, two: bytes, kubernetes: tuple[int, int]
) -> None:
    text, _ = manifest
    options = Options(kubernetes=kubernetes)
    source = read("m", text.encode())
    first, second = read("one", one), read("two", two)
    try:
        weaving = weave(bundle([source, first]), options)
        woven = only_text(weaving)
        other = only_text(weave(bundle([source, second]), options))
    except (InputError, InputErrors) as error:
        # A text that can't be edited safely is refused, which the tests of edits judge.
        assume("can't be edited" not in str(error))
        raise
    assert unweave([read("w", woven.encode())])[0].text == text
    assert only_text(weave(bundle([read("m", woven.encode()), first]), options)) == woven
    changed = only_text(weave(bundle([read("m", woven.encode()), second]), options))
    assert changed == other
    assert [proof.differences for proof in weaving.proofs] == [[]]
    read_again = [document.object for document in read("w", woven.encode()).documents]
    assert read_again == weaving.objects[0][1]
