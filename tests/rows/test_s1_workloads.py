"""S1: a Pod is the unit of deployment; objects depend on each other down to the container; each
container is an application of its own in a process tree of its own."""

from __future__ import annotations

import json

import pytest

from tests.installations import Installation

TEMPLATE = """
metadata:
  labels: {app: shop}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: one, image: example/one, command: [sleep, "300"]}
  - {name: two, image: example/two, command: [sh, -c, "sleep 301 & wait"]}
"""

WRAPPED = {
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
    "ReplicaSet": "apps/v1",
    "ReplicationController": "v1",
}


def indented(text: str, spaces: int) -> str:
    return text.replace("\n", "\n" + " " * spaces)


def manifest(kind: str) -> str:
    selector = "{app: shop}" if kind == "ReplicationController" else "{matchLabels: {app: shop}}"
    return (
        f"apiVersion: {WRAPPED[kind]}\nkind: {kind}\nmetadata: {{name: shop}}\nspec:\n"
        f"  selector: {selector}\n  template:{indented(TEMPLATE, 4)}"
    )


@pytest.mark.parametrize("kind", WRAPPED)
def test_s1_each_workload_kind_runs_its_pod(installation: Installation, kind: str) -> None:
    installation.run("up", installation.write("shop.yaml", manifest(kind)))
    (pod,) = installation.pods()
    assert pod["status"]["phase"] == "Running"
    owners = [(owner["kind"], owner["name"]) for owner in pod["metadata"]["ownerReferences"]]
    assert owners == [({"Deployment": "ReplicaSet"}.get(kind, kind), "shop")]
    name = installation.run("exec", "shop", "--", "hostname").stdout.strip()
    assert name == ("shop-0" if kind == "StatefulSet" else "shop") == pod["metadata"]["name"]
    tree = installation.run("ps").stdout
    above = [kind, *(["ReplicaSet"] if kind == "Deployment" else []), "Pod", "one", "two"]
    places = [tree.index(word) for word in above]
    assert places == sorted(places), tree


@pytest.mark.parametrize("kind", ["Job", "CronJob"])
def test_s1_a_job_runs_to_its_end(installation: Installation, kind: str) -> None:
    template = """
spec:
  restartPolicy: Never
  containers:
  - {name: work, image: example/work, command: [sh, -c, "echo done"]}
"""
    job = f"template:{indented(template, 6)}"
    inner = f"jobTemplate:\n    spec:\n      {indented(job, 4)}" if kind == "CronJob" else job
    text = f"apiVersion: batch/v1\nkind: {kind}\nmetadata: {{name: work}}\nspec:\n  {inner}"
    if kind == "CronJob":
        text += "\n  schedule: '0 3 * * *'\n"
    installation.run("up", installation.write("job.yaml", text))
    (pod,) = installation.pods()
    assert pod["status"]["phase"] == "Succeeded"
    assert installation.run("logs", pod["metadata"]["name"]).stdout == "done\n"


def test_s1_each_container_has_its_own_processes(installation: Installation) -> None:
    installation.run("up", installation.write("shop.yaml", manifest("Deployment")))
    (pod,) = installation.pods()
    name = pod["metadata"]["name"]
    listed = {
        container: installation.run("exec", "-c", container, name, "--", "ps", "-eo", "args").stdout
        for container in ("one", "two")
    }
    assert "sleep 300" in listed["one"]
    assert "sleep 301" not in listed["one"]
    assert "sleep 301" in listed["two"]
    assert "sleep 300" not in listed["two"]


def test_s1_unknown_kinds_are_passed_over_and_no_workload_is_an_error(
    installation: Installation,
) -> None:
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {}\n"
    result = installation.run("up", installation.write("service.yaml", service), check=False)
    assert result.returncode == 2
    assert "service.yaml" in result.stderr
    text = service + "---\n" + manifest("Deployment")
    installation.run("up", installation.write("both.yaml", text))
    assert len(installation.pods()) == 1


def test_s1_json_is_read_like_yaml(installation: Installation) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {"name": "json"},
                "spec": {
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{"name": "a", "image": "a", "command": ["sleep", "300"]}],
                },
            }
        ],
    }
    installation.run("up", "-", stdin=json.dumps(pod))
    assert [each["metadata"]["name"] for each in installation.pods()] == ["json"]
