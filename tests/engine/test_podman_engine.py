"""The podman engine with a real Podman of the tests' own, as root."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import urllib.request
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from bench.podman_environment import Podman
from podweave.weave.options import HELPER_IMAGE
from tests.engine.podman_machine import PATIENCE, podman_machine, podman_user, server
from tests.engine.pods import pod, sh, sleeper
from tests.installations import Installation
from tests.ports import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.timeout(PATIENCE)

APPLICATION = """\
import pathlib, signal, socket, sys, time
log = pathlib.Path("/var/log/shop/access.log")
def line(text):
    with log.open("a") as out:
        request = f'10.0.0.1 - - [23/Nov/2026:03:45:00 +0000] "GET /{text} HTTP/1.1" 200 5'
        print(request, '"-" "-"', file=out)
def stop(*_):
    line("last")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
line("first")
answer = None
while True:
    with socket.create_connection(("localhost", 5432)) as database:
        now = database.recv(100).decode()
    if now != answer:
        print("database:", now, flush=True)
    answer = now
    time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    with podman_machine() as made:
        yield made


@pytest.fixture
def user(podman: Podman) -> Iterator[Installation]:
    with podman_user(podman) as made:
        yield made


def container(name: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "image": HELPER_IMAGE, **rest}


def podman_pod(name: str, *containers: dict[str, Any], **spec: Any) -> str:
    for each in [*containers, *spec.get("initContainers", [])]:
        each["image"] = HELPER_IMAGE
    return pod(name, *containers, **spec)


def printed(user: Installation, name: str, *containers: str) -> list[str]:
    only = [argument for each in containers for argument in ("-c", each)]
    return user.run("logs", name, *only).stdout.splitlines()


def test_an_application_on_localhost_is_woven_switched_and_shipped(
    user: Installation, podman: Podman
) -> None:
    store = user.directory / "store"
    store.mkdir()
    store.chmod(0o777)
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop"},
        "spec": {
            "selector": {"matchLabels": {"app": "shop"}},
            "template": {
                "metadata": {"labels": {"app": "shop"}},
                "spec": {
                    "terminationGracePeriodSeconds": 10,
                    "containers": [
                        container(
                            "app",
                            command=["python3", "-u", "-c", APPLICATION],
                            volumeMounts=[{"name": "store", "mountPath": "/var/log/store"}],
                        )
                    ],
                    "volumes": [{"name": "store", "hostPath": {"path": str(store)}}],
                },
            },
        },
    }
    with server(podman, b"dev") as dev, server(podman, b"qa") as qa:
        profiles = {
            name: {"upstreams": [{"address": f"host.podweave.internal:{port}"}]}
            for name, port in (("dev", dev), ("qa", qa))
        }
        logs = ["/var/log/shop/*.log"]
        to_files = {"files": {"directory": "/var/log/store"}}
        patterns = [
            pattern("Ambassador", "shop-db", listen="localhost:5432", profile="dev",
                    profiles=profiles, metrics={"port": 9102}),
            pattern("Adapter", "shop-logs", logs=[{"from": logs, "format": "auto"}]),
            pattern("Sidecar", "shop-ship",
                    logs=[{"from": [{"adapter": "shop-logs"}], "store": to_files}]),
        ]  # fmt: skip
        manifest = user.write("shop.json", json.dumps(deployment))
        woven = user.write("patterns.yaml", "\n---\n".join(map(json.dumps, patterns)))

        up = user.run("up", manifest, woven)
        assert "Pod shop is ready" in up.stdout
        assert "host.podweave.internal is host.containers.internal" in up.stderr
        tree = user.run("ps").stdout
        assert "Deployment shop" in tree
        assert "shop-db (ambassador)" in tree
        assert "4/4 ready" in tree

        wait_until(lambda: "database: dev" in printed(user, "shop", "app"), 60, "the dev database")
        assert user.run("switch", "qa", "shop").stdout.startswith("shop-db: ")
        wait_until(lambda: "database: qa" in printed(user, "shop", "app"), 60, "the qa database")
        assert "app" in user.run("logs", "shop", "--tail", "1").stdout
        assert 'profile_info{profile="qa"} 1' in scraped(podman, "shop", 9102)
        journal = map(json.loads, printed(user, "shop", "shop-db"))
        (serving,) = [each for each in journal if each["event.action"] == "listening"]
        (app,) = json.loads(podman.run("container", "inspect", "shop-app").stdout)
        assert datetime.fromisoformat(serving["@timestamp"]) < datetime.fromisoformat(
            app["State"]["StartedAt"]
        )
        # Should this machine fail the application all the same, it begins anew and says so.
        began = restarts(podman, "shop")
        assert set(began) <= {"shop-app"}, "\n".join(printed(user, "shop"))
        if began:
            warnings.warn("\n".join(printed(user, "shop")), stacklevel=1)

        assert user.run("down", manifest).stdout == "Pod shop is down\n"
    records = [
        json.loads(line)
        for file in sorted(store.rglob("*.ndjson"))
        for line in file.read_text().splitlines()
    ]
    paths = [record["url"]["path"] if "url" in record else record["url.path"] for record in records]
    assert paths == ["/first"] * (1 + began.get("shop-app", 0)) + ["/last"], records
    assert podman.run("volume", "ls", "--quiet").stdout == ""


def restarts(podman: Podman, pod_name: str) -> dict[str, int]:
    """How often Podman has restarted which of a Pod's containers: those it has."""
    (found,) = json.loads(podman.run("pod", "inspect", "--format", "[{{json .}}]", pod_name).stdout)
    ids = [each["Id"] for each in found["Containers"]]
    inspected = json.loads(podman.run("container", "inspect", *ids).stdout)
    return {each["Name"]: each["RestartCount"] for each in inspected if each["RestartCount"]}


def scraped(podman: Podman, pod_name: str, port: int) -> str:
    """A helper's metrics, at the address that the Pod has on Podman's bridge."""
    found = json.loads(podman.run("pod", "inspect", pod_name).stdout)
    (infra,) = json.loads(podman.run("container", "inspect", found["InfraContainerID"]).stdout)
    (network,) = infra["NetworkSettings"]["Networks"].values()
    url = f"http://{network['IPAddress']}:{port}/metrics"
    with urllib.request.urlopen(url, timeout=60) as response:
        content: bytes = response.read()
        return content.decode()


def pattern(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "podweave.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


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


def test_how_the_helper_image_is_made_is_said_where_it_is_missing(user: Installation) -> None:
    ambassador = pattern(
        "Ambassador",
        "db",
        listen="localhost:5432",
        profiles={"dev": {"upstreams": [{"address": "db.example:5432"}]}},
    )
    given = "\n---\n".join([podman_pod("app", sleeper()), json.dumps(ambassador)])
    image = "localhost/no-helpers:1"
    woven = user.run("weave", "--kubernetes", "1.28", "--helper-image", image, "-", stdin=given)
    done = user.run("up", "-", stdin=woven.stdout, check=False)
    assert done.returncode == 1
    assert f"podman build -f Containerfile -t {image} ." in done.stderr
    native = user.run("weave", "-", stdin=given).stdout
    assert "--kubernetes 1.28" in user.run("up", "-", stdin=native, check=False).stderr


def test_a_dry_run_prints_what_podman_would_be_told_and_does_nothing(
    user: Installation, podman: Podman
) -> None:
    text = podman_pod("dry", sleeper(), volumes=[{"name": "data", "emptyDir": {}}])
    steps = user.run("up", "-", "--dry-run", stdin=text).stdout
    assert "podman volume create" in steps
    assert "podman kube play --start=false" in steps
    assert "podman pod start dry" in steps
    assert podman.run("volume", "ls", "--quiet").stdout == ""
