"""Taking out what was woven in: from any text that still says it, and never by guessing."""

from __future__ import annotations

import pytest
import yaml

from podweave.manifests.reading import read
from podweave.model.errors import InputErrors
from podweave.weave import unweave, weave
from podweave.weave.annotation import KEY
from tests.weave.woven_cases import Case, only_text


def unwoven(text: str, name: str = "woven.yaml") -> str:
    return unweave([read(name, text.encode())])[0].text


@pytest.fixture
def case() -> Case:
    return Case("legacy-deployment")


@pytest.fixture
def woven(case: Case) -> str:
    return only_text(case.weave())


def test_what_is_not_woven_stays_as_it_is(case: Case) -> None:
    assert unwoven(case.text) == case.text


@pytest.mark.parametrize(
    ("before", "after", "missing"),
    [
        ("- name: orders-db\n", "- name: orders-database\n", "the helper orders-db"),
        ("      - name: podweave-state\n        emptyDir", "      - name: s\n        emptyDir",
         "the volume podweave-state"),
        ("mountPath: /var/log/orders\n      volumes", "mountPath: /var/log/x\n      volumes",
         "the volume mounted at /var/log/orders in orders"),
        ("      - name: orders\n", "      - name: shop\n", "the container orders"),
        ("- /opt/podweave/podweave-helpers.pyz\n        - ambassador", "- /x.pyz\n        - run",
         "the helper orders-db (the container of that name is another one)"),
    ],
    ids=["helper", "volume", "mount", "main container", "command"],
)  # fmt: skip
def test_woven_manifest_changed_by_hand(
    case: Case, woven: str, before: str, after: str, missing: str
) -> None:
    assert before in woven
    changed = woven.replace(before, after)
    line = next(i for i, text in enumerate(woven.splitlines(), 1) if KEY in text)
    with pytest.raises(InputErrors) as caught:
        unwoven(changed)
    text = str(caught.value)
    assert f"woven.yaml:{line}: spec.template.metadata.annotations" in text
    assert missing in text
    with pytest.raises(InputErrors):
        case.weave(changed)


@pytest.mark.parametrize(
    "value",
    ["", "{", "[]", '{"version":2,"by":"9","hash":"","helpers":{}}', '{"version":1}', "42"],
)
def test_annotation_that_is_not_podweaves(value: str) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "annotations": {KEY: value}},
        "spec": {"containers": [{"name": "x", "image": "x"}]},
    }
    with pytest.raises(InputErrors, match="can't be read"):
        unwoven(yaml.safe_dump(pod))


def test_what_the_user_added_after_weaving_stays(woven: str) -> None:
    document = list(yaml.safe_load_all(woven))
    template = document[1]["spec"]["template"]
    template["spec"]["initContainers"].insert(1, {"name": "mine", "image": "mine:1"})
    template["spec"]["volumes"].append({"name": "mine", "emptyDir": {}})
    template["metadata"]["annotations"]["mine"] = "too"
    back = list(yaml.safe_load_all(unwoven(yaml.safe_dump_all(document))))
    spec = back[1]["spec"]["template"]["spec"]
    assert [each["name"] for each in spec["initContainers"]] == ["mine", "migrate"]
    assert spec["volumes"] == [{"name": "mine", "emptyDir": {}}]
    assert back[1]["spec"]["template"]["metadata"]["annotations"] == {
        "prometheus.io/scrape": "false",
        "mine": "too",
    }
    assert len(back) == 2


def test_config_map_in_another_file_goes_too(case: Case, woven: str) -> None:
    cut = woven.rindex("---\n")
    sources = [read("config.yaml", woven[cut:].encode()), read("app.yaml", woven[:cut].encode())]
    config, app = unweave(sources)
    assert config.text == ""
    assert app.text == case.text


def test_renamed_by_kustomize_the_config_map_still_goes(woven: str) -> None:
    renamed = woven.replace("name: orders-podweave", "name: prod-orders-podweave")
    assert "prod-orders-podweave" in renamed
    assert "podweave" not in unwoven(renamed)


def test_config_map_of_a_workload_that_is_not_here_stays(woven: str) -> None:
    config = woven[woven.rindex("---\n") :]
    assert unwoven(config) == config


def test_without_patterns_weaving_leaves_a_woven_manifest_alone(woven: str) -> None:
    from podweave.manifests.bundle import bundle

    weaving = weave(bundle([read("woven.yaml", woven.encode())]))
    assert only_text(weaving) == woven
    assert weaving.changes == []
    (workload,) = weaving.bundle.workloads
    names = [each.name for each in workload.workload.template.spec.init_containers or []]
    assert names == ["orders-db", "orders-ship", "orders-logs", "migrate"]


@pytest.mark.parametrize("null", ["", " null", " ~", " NULL", " []", " {}"])
def test_keys_without_a_value_are_as_empty_as_before(null: str) -> None:
    text = f"""\
apiVersion: v1
kind: Pod
metadata:
  name: a
  annotations:{null.replace("[]", "{}")}
spec:
  initContainers:{null.replace("{}", "[]")}
  volumes:{null.replace("{}", "[]")}   # none
  containers:
  - name: a
    image: a
    volumeMounts:{null.replace("{}", "[]")}
"""
    patterns = b"""\
apiVersion: podweave.dev/v1alpha1
kind: Adapter
metadata: {name: logs}
spec: {logs: [{from: [/logs/*.log]}]}
"""
    from tests.weave.woven_cases import weave_text

    woven = only_text(weave_text("a.yaml", text, read("patterns.yaml", patterns)))
    assert woven != text
    assert unwoven(woven) == text
    twice = only_text(weave_text("a.yaml", woven, read("patterns.yaml", patterns)))
    assert twice == woven
