"""The podman engine with a real Podman of the tests' own, as root."""

from __future__ import annotations

import contextlib
import json
import os
import socket

import pytest

from bench.podman_environment import Podman
from tests.engine.podman_machine import PATIENCE, podman_pod, printed
from tests.engine.pods import pod, sh, sleeper
from tests.installations import Installation
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(PATIENCE)


def test_environment_and_volumes_are_those_of_the_manifest(user: Installation) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop"},
        "data": {"colour": "red"},
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "keys", "namespace": "shop"},
        "stringData": {"password": "hunter2"},
    }
    app = sh(
        "app",
        "echo $WHERE $NODE $COLOUR $PASSWORD; cat /all/colour /all/labels; id -u; "
        "echo mine > /scratch/file; cat /scratch/file; stat -c %a /memory; sleep 300",
        securityContext={"runAsUser": 65532, "runAsGroup": 65532},
        env=[
            {"name": "NS", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "WHERE", "value": "in-$(NS)"},
            {"name": "PASSWORD",
             "valueFrom": {"secretKeyRef": {"name": "keys", "key": "password"}}},
            {"name": "COLOUR",
             "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "colour"}}},
        ],
        volumeMounts=[
            {"name": "all", "mountPath": "/all"},
            {"name": "scratch", "mountPath": "/scratch"},
            {"name": "memory", "mountPath": "/memory"},
        ],
    )  # fmt: skip
    labels = {"fieldRef": {"fieldPath": "metadata.labels['tier']"}, "path": "labels"}
    volumes = [
        {"name": "all", "projected": {"sources": [
            {"configMap": {"name": "settings"}}, {"downwardAPI": {"items": [labels]}}]}},
        {"name": "scratch", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory"}},
    ]  # fmt: skip
    metadata = {"namespace": "shop", "labels": {"tier": "front"}}
    text = podman_pod("env", app, metadata=metadata, volumes=volumes)
    user.run("up", "-", stdin="\n---\n".join([json.dumps(config), json.dumps(secret), text]))
    words = wait_until(
        lambda: (found := " ".join(printed(user, "shop/env")).split())[6:] and found,
        60,
        "all seven words",
    )
    node = os.uname().nodename
    assert words[:4] == ["in-shop", node, "red", "hunter2"]
    assert words[4:] == ["redfront65532", "mine", "1777"]


def test_pods_with_volumes_of_one_name_share_nothing_but_claims(user: Installation) -> None:
    mounts = [{"name": "data", "mountPath": "/data"}, {"name": "kept", "mountPath": "/kept"}]
    volumes = [
        {"name": "data", "emptyDir": {}},
        {"name": "kept", "persistentVolumeClaim": {"claimName": "archive"}},
    ]
    writer = sh("app", "echo a > /data/one; echo a > /kept/one; sleep 300", volumeMounts=mounts)
    user.run("up", "-", stdin=podman_pod("one", writer, volumes=volumes))
    reader = sleeper(volumeMounts=mounts)
    user.run("up", "-", stdin=podman_pod("two", reader, volumes=volumes))
    look = ("exec", "two", "--", "sh", "-c", "ls /data /kept")
    wait_until(lambda: "one" in user.run(*look).stdout, 60, "the kept file")
    seen = user.run(*look).stdout
    assert seen.split() == ["/data:", "/kept:", "one"]
    user.run("down", "one", "two", "--grace-period", "0")
    user.run("up", "-", stdin=podman_pod("two", sleeper(volumeMounts=mounts), volumes=volumes))
    assert user.run(*look).stdout.split() == ["/data:", "/kept:", "one"]


def test_published_ports_lead_into_the_pod(user: Installation) -> None:
    serve = (
        "import socket; s = socket.create_server(('', 8080))\nwhile 1: s.accept()[0].send(b'hi')"
    )
    app = {"name": "app", "command": ["python3", "-c", serve]}
    port = free_port()
    text = podman_pod("web", app)
    shown = user.run("up", "-", "--publish", f"127.0.0.1:{port}:8080", stdin=text).stdout
    assert f"127.0.0.1:{port}->8080/tcp" in shown

    def ask() -> bytes:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), 5) as dialled,
        ):
            return dialled.recv(10)
        return b""

    assert wait_until(ask, 60, "an answer") == b"hi"


def test_a_declared_port_is_the_pods_own_and_a_host_port_the_machines(user: Installation) -> None:
    """As on a node: two Pods may declare one port, and only one of them have it as hostPort."""
    with socket.create_server(("0.0.0.0", 0)) as taken:
        port = taken.getsockname()[1]
        declared = [{"containerPort": port, "name": "web"}]
        user.run("up", "-", stdin=podman_pod("one", sleeper(ports=declared)))
        user.run("up", "-", stdin=podman_pod("two", sleeper(ports=declared)))
        ports = [{"containerPort": 80, "hostPort": port}]
        refused = user.run("up", "-", stdin=podman_pod("three", sleeper(ports=ports)), check=False)
    assert refused.returncode == 1
    assert "address already in use" in refused.stderr
    assert f":{port}" in refused.stderr
    assert {each["metadata"]["name"] for each in user.pods()} == {"one", "two"}


def test_exec_passes_input_output_and_exit_code(user: Installation) -> None:
    user.run("up", "-", stdin=podman_pod("tool", sleeper()))
    done = user.run(
        "exec", "-i", "tool", "--", "sh", "-c", "cat; exit 7", stdin="in\n", check=False
    )
    assert (done.returncode, done.stdout) == (7, "in\n")
    assert user.run("exec", "tool", "--", "no-such-program", check=False).returncode == 127


def test_logs_are_followed_to_the_end_without_a_line_twice(user: Installation) -> None:
    script = "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); sleep 0.1; done"
    user.run("up", "-", stdin=podman_pod("count", sh("app", script), restartPolicy="Never"))
    lines = user.run("logs", "-f", "count").stdout.splitlines()
    assert lines == [f"line {number}" for number in range(40)]
    tail = user.run("logs", "count", "--tail", "2", "--timestamps").stdout.splitlines()
    assert [line.split(" ", 1)[1] for line in tail] == ["line 38", "line 39"]


def test_a_pod_that_ends_is_shown_with_its_faulty_container(user: Installation) -> None:
    broken = sh("broken", "echo cannot go on; exit 3")
    done = user.run("up", "-", stdin=podman_pod("once", broken, restartPolicy="Never"), check=False)
    assert done.returncode == 1
    assert "exit 3" in done.stderr
    assert "cannot go on" in done.stderr
    assert "✗ broken" in user.run("ps").stdout
    (shown,) = user.pods()
    assert (shown["status"]["phase"], shown["podweave"]["state"]) == ("Failed", "finished")


def test_a_pod_is_ready_when_its_probes_say_so(user: Installation) -> None:
    probe = {"exec": {"command": ["false"]}}
    text = podman_pod("probed", sleeper(readinessProbe=probe), hostNetwork=True)
    done = user.run("up", "-", "--timeout", "2", stdin=text, check=False)
    assert done.returncode == 1
    assert "is not ready within 2 s" in done.stderr
    probe["exec"]["command"] = ["true"]
    text = podman_pod("probed", sleeper(readinessProbe=probe), hostNetwork=True)
    assert "Pod probed is ready" in user.run("up", "-", "--replace", stdin=text).stdout


def test_a_pod_of_that_name_is_left_alone_or_replaced(user: Installation) -> None:
    text = podman_pod("one", sleeper())
    user.run("up", "-", stdin=text)
    (before,) = user.pods()
    again = user.run("up", "-", stdin=text, check=False)
    assert again.returncode == 1
    assert "is there already; `podweave up --replace`" in again.stderr
    assert user.pods()[0]["metadata"]["uid"] == before["metadata"]["uid"]
    user.run("up", "-", "--replace", stdin=text)
    assert user.pods()[0]["metadata"]["uid"] != before["metadata"]["uid"]


def test_a_failing_init_container_is_told_with_its_last_words(user: Installation) -> None:
    text = podman_pod(
        "init",
        sleeper(),
        initContainers=[sh("migrate", "echo no such table; exit 4")],
        restartPolicy="Never",
        volumes=[{"name": "data", "emptyDir": {}}],
    )
    done = user.run("up", "-", stdin=text, check=False)
    assert done.returncode == 1
    assert "container migrate: exit 4" in done.stderr
    assert "no such table" in done.stderr
    assert user.pods() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (podman_pod("a", sleeper(), initContainers=[sleeper("side", restartPolicy="Always")]),
         "container side: Podman has no native sidecars"),
        (podman_pod("a", sleeper(env=[{"name": "IP", "valueFrom": {
            "fieldRef": {"fieldPath": "status.podIP"}}}])),
         "container app: IP comes from status.podIP"),
        (podman_pod("a", sleeper(), volumes=[{"name": "d", "configMap": {"name": "none"}}]),
         'configmap "none" not found'),
        (podman_pod("a", sleeper(), volumes=[{"name": "d", "nfs": {"path": "/", "server": "x"}}]),
         "volume d: its source isn't one"),
        (pod("a", {"name": "app", "image": "localhost/there-is-none:1", "command": ["true"]}),
         "there-is-none"),
    ],
    ids=["native sidecar", "Pod address", "missing ConfigMap", "volume source", "missing image"],
)  # fmt: skip
def test_what_podman_cannot_do_is_refused_and_leaves_nothing(
    user: Installation, text: str, words: str
) -> None:
    done = user.run("up", "-", stdin=text, check=False)
    assert done.returncode == 1
    assert words in done.stderr
    assert user.pods() == []


def test_a_dry_run_prints_what_podman_would_be_told_and_does_nothing(
    user: Installation, podman: Podman
) -> None:
    text = podman_pod("dry", sleeper(), volumes=[{"name": "data", "emptyDir": {}}])
    steps = user.run("up", "-", "--dry-run", stdin=text).stdout
    assert "podman volume create" in steps
    assert "podman kube play --start=false" in steps
    assert "podman pod start dry" in steps
    assert podman.run("volume", "ls", "--quiet").stdout == ""
