"""B1: one small resource per pattern, the same file for a laptop, Podman and a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
import pytest

from bench.podman_environment import Podman
from podweave.weave.options import HELPER_IMAGE
from tests.engine.podman_machine import PATIENCE, podman_machine, podman_user, server
from tests.installations import Installation, installed

pytestmark = pytest.mark.timeout(PATIENCE)

APPLICATION = """\
import socket
print(socket.create_connection(("localhost", 5432)).recv(100).decode())
"""

MANIFEST = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: app
        image: {HELPER_IMAGE}
        command: [sleep, "300"]
"""

PATTERN = """\
apiVersion: podweave.dev/v1alpha1
kind: Ambassador
metadata: {{name: shop-db}}
spec:
  selector: {{matchLabels: {{app: shop}}}}
  listen: localhost:5432
  profile: dev
  profiles:
    dev: {{upstreams: [{{address: "host.podweave.internal:{dev}"}}]}}
    qa: {{upstreams: [{{address: "host.podweave.internal:{qa}"}}]}}
"""


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    with podman_machine() as made:
        yield made


def test_one_file_serves_a_laptop_podman_and_a_cluster(podman: Podman, tmp_path: Path) -> None:
    with server(podman, b"dev") as dev, server(podman, b"qa") as qa:
        manifest, pattern = tmp_path / "shop.yaml", tmp_path / "patterns.yaml"
        manifest.write_text(MANIFEST)
        pattern.write_text(PATTERN.format(dev=dev, qa=qa))
        files = (str(manifest), str(pattern))
        with installed("root") as laptop:
            assert dialled_and_switched(laptop, files) == ["dev", "qa"]
            woven = laptop.run("weave", "-o", "json", *files).stdout
        with podman_user(podman) as user:
            assert dialled_and_switched(user, files) == ["dev", "qa"]
    objects = json.loads(woven)["items"]
    assert {each["kind"] for each in objects} == {"Deployment", "ConfigMap"}
    for each in objects:
        kubernetes_validate.validate(each, "1.33", strict=True)


def dialled_and_switched(user: Installation, files: tuple[str, ...]) -> list[str]:
    """What answers at the application's localhost, before and after a switch."""
    dial = ("exec", "shop", "-c", "app", "--", "python3", "-c", APPLICATION)
    user.run("up", *files)
    before = user.run(*dial).stdout.strip()
    user.run("switch", "qa", "shop")
    after = user.run(*dial).stdout.strip()
    user.run("down", *files)
    assert user.pods() == []
    return [before, after]
