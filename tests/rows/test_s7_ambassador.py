"""S7: an application with the database hard-coded at localhost reaches the database of its
environment, and never cares when that changes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from podweave.cli.demonstration import postgres
from tests.installations import Installation
from tests.ports import free_port

ASK = """\
import pg8000.native
connection = pg8000.native.Connection(
    host="localhost", port=5432, database="orders", user="orders", password="s3cret",
    ssl_context=False)
print(connection.run("show port")[0][0])
"""

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: shop, labels: {{app: shop{label}}}}}
spec:
  terminationGracePeriodSeconds: 1
  volumes:
  - {{name: driver, hostPath: {{path: {driver}}}}}
  containers:
  - name: app
    image: example/app
    command: [sleep, "300"]
    env: [{{name: PYTHONPATH, value: /driver}}]
    volumeMounts: [{{name: driver, mountPath: /driver, readOnly: true}}]
"""

AMBASSADOR = """\
apiVersion: podweave.dev/v1alpha1
kind: Ambassador
metadata: {{name: shop-db}}
spec:
  listen: localhost:5432
  protocol: postgres
  profile: dev
  profiles:
    dev: {{upstreams: [{{address: "host.podweave.internal:{dev}"}}]}}
    qa: {{upstreams: [{{address: "host.podweave.internal:{qa}"}}]}}
"""


@pytest.fixture(scope="module")
def databases() -> Iterator[dict[str, int]]:
    with tempfile.TemporaryDirectory(prefix="podweave-pg-") as directory:
        made = postgres.Installation(Path(directory))
        servers = []
        try:
            for name, like in (("dev", None), ("qa", "dev")):
                servers.append(made.create(name, free_port(), like=like))
            yield {server.name: server.port for server in servers}
        finally:
            for server in servers:
                server.stop()


@pytest.fixture
def driver() -> Iterator[str]:
    from podweave.cli.demonstration.story import install_driver

    with tempfile.TemporaryDirectory(prefix="podweave-driver-") as directory:
        Path(directory).chmod(0o755)
        install_driver(Path(directory))
        yield directory


def up(
    installation: Installation, databases: dict[str, int], driver: str, *more: str, label: str = ""
) -> None:
    installation.run(
        "up",
        installation.write("pod.yaml", POD.format(driver=driver, label=label)),
        installation.write("ambassador.yaml", AMBASSADOR.format(**databases)),
        *more,
    )


def answering(installation: Installation) -> int:
    """The port of the database that answers the application at localhost:5432."""
    return int(installation.run("exec", "-c", "app", "shop", "--", "python3", "-c", ASK).stdout)


def test_s7_the_default_profile_answers_and_switch_changes_it(
    installation: Installation, databases: dict[str, int], driver: str
) -> None:
    up(installation, databases, driver)
    assert answering(installation) == databases["dev"]
    before = installation.container("shop", "app")
    installation.run("switch", "qa", "shop")
    assert answering(installation) == databases["qa"]
    after = installation.container("shop", "app")
    assert (after["state"], after["restartCount"]) == (before["state"], 0)


def test_s7_the_option_chooses_the_profile(
    installation: Installation, databases: dict[str, int], driver: str
) -> None:
    up(installation, databases, driver, "--profile", "qa")
    assert answering(installation) == databases["qa"]


def test_s7_the_label_chooses_the_profile(
    installation: Installation, databases: dict[str, int], driver: str
) -> None:
    up(installation, databases, driver, label=", podweave.dev/profile: qa")
    assert answering(installation) == databases["qa"]


def test_s7_an_unknown_profile_is_an_error_that_names_the_known_ones(
    installation: Installation, databases: dict[str, int], driver: str
) -> None:
    up(installation, databases, driver)
    result = installation.run("switch", "prod", "shop", check=False)
    assert result.returncode != 0
    assert "dev" in result.stderr
    assert "qa" in result.stderr
    assert answering(installation) == databases["dev"]
