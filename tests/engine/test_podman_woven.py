"""A woven application on Podman, from its start to its last line, as root."""

from __future__ import annotations

import json
import urllib.request
import warnings
from datetime import datetime
from typing import Any

import pytest

from bench.podman_environment import Podman
from podweave.weave.options import HELPER_IMAGE
from tests.engine.podman_machine import PATIENCE, podman_pod, printed, server
from tests.engine.pods import sleeper
from tests.installations import Installation
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


def container(name: str, **rest: Any) -> dict[str, Any]:
    return {"name": name, "image": HELPER_IMAGE, **rest}


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
