"""S4: one Pod, one container is the rule, and the document's own example shows why. S5: the three
exceptions are recognised and explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.installations import Installation

EXAMPLES = Path(__file__).parents[2] / "examples"


def judged(installation: Installation, *files: str) -> dict[str, Any]:
    """The judgement of the only Pod in the files."""
    result = installation.run("review", "--json", "--exit-zero", *files)
    (pod,) = json.loads(result.stdout)["pods"]
    found: dict[str, Any] = pod
    return found


def role(pod: dict[str, Any], container: str) -> str:
    (found,) = (each["role"] for each in pod["containers"] if each["name"] == container)
    return str(found)


@pytest.fixture
def monolith(installation: Installation) -> str:
    text = (EXAMPLES / "monolith-pod/monolith.yaml").read_text()
    return installation.write("monolith.yaml", text)


def test_s4_web_was_database_and_queue_in_one_pod_are_to_be_split(
    installation: Installation, monolith: str
) -> None:
    pod = judged(installation, monolith)
    assert pod["verdict"] == "split"
    assert sorted(map(tuple, pod["groups"])) == [("database",), ("mq",), ("was",), ("web",)]
    assert {role(pod, name) for name in ("database", "mq")} == {"tier"}
    blocked = {
        each["path"] for each in pod["findings"] if each["rule"] == "stateful-beside-scaling"
    }
    assert len(blocked) == 2, "both the database and the queue block scaling"


def test_s4_the_waste_has_numbers(installation: Installation, monolith: str) -> None:
    """Scaling the WAS pays for three others: by the manifest's requests 1 - 0.5 / 3 of the CPU."""
    pod = judged(installation, monolith)
    taxes = [each["message"] for each in pod["findings"] if each["rule"] == "replica-tax"]
    assert any("83%" in message and "was" in message for message in taxes), taxes
    assert pod["cost"]


def test_s4_the_split_is_one_workload_a_layer_and_passes_the_review(
    installation: Installation, monolith: str
) -> None:
    directory = installation.directory / "split"
    installation.run("split", monolith, "-o", str(directory))
    kinds = {}
    for file in directory.glob("store-*.yaml"):
        for document in yaml.safe_load_all(file.read_text()):
            if document["kind"] in ("Deployment", "StatefulSet"):
                containers = document["spec"]["template"]["spec"]["containers"]
                kinds[document["kind"], tuple(each["name"] for each in containers)] = document
    assert set(kinds) == {
        ("Deployment", ("web",)),
        ("Deployment", ("was",)),
        ("StatefulSet", ("database",)),
        ("StatefulSet", ("mq",)),
    }
    (was,) = kinds["Deployment", ("was",)]["spec"]["template"]["spec"]["containers"]
    assert "localhost" not in json.dumps(was["env"])
    assert installation.run("review", str(directory)).returncode == 0


SAME_LIFE = """\
apiVersion: v1
kind: Pod
metadata: {name: fpm}
spec:
  volumes:
  - {name: socket, emptyDir: {}}
  containers:
  - name: php
    image: php:8-fpm
    volumeMounts: [{name: socket, mountPath: /run/php}]
  - name: nginx
    image: nginx:1.27
    ports: [{containerPort: 80}]
    volumeMounts: [{name: socket, mountPath: /run/php}]
"""

COUPLED = """\
apiVersion: v1
kind: Pod
metadata: {name: cached}
spec:
  containers:
  - name: app
    image: example/app
    ports: [{containerPort: 8080}]
    env: [{name: DB, value: "127.0.0.1:5432"}]
  - name: cloud-sql-proxy
    image: gcr.io/cloud-sql-connectors/cloud-sql-proxy:2
    args: ["--port=5432", "project:region:instance"]
"""


@pytest.mark.parametrize("manifest", [SAME_LIFE, COUPLED], ids=["s5a", "s5b"])
def test_s5_what_belongs_together_is_kept_together(
    installation: Installation, manifest: str
) -> None:
    pod = judged(installation, installation.write("pod.yaml", manifest))
    assert pod["verdict"] == "keep"
    (group,) = pod["groups"]
    assert len(group) == 2
    assert all(each["evidence"] for each in pod["containers"])


def test_s5c_woven_helpers_are_recognised_for_what_they_are(installation: Installation) -> None:
    woven = installation.run(
        "weave",
        installation.write("app.yaml", (EXAMPLES / "orders/deployment.yaml").read_text()),
        installation.write("patterns.yaml", (EXAMPLES / "orders/patterns.yaml").read_text()),
    ).stdout
    pod = judged(installation, installation.write("woven.yaml", woven))
    assert pod["verdict"] == "keep"
    roles = {
        name: role(pod, name) for name in ("orders", "orders-db", "orders-logs", "orders-ship")
    }
    assert roles == {
        "orders": "app",
        "orders-db": "ambassador",
        "orders-logs": "adapter",
        "orders-ship": "sidecar",
    }
