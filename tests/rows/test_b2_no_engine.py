"""B2: the woven Pod runs on a plain Linux machine, with no container engine to be found."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.installations import Installation
from tests.waiting import wait_until

ENGINES = ("podman", "docker", "containerd", "ctr", "nerdctl", "runc", "crun", "buildah", "kubelet")
EXAMPLE = Path(__file__).parents[2] / "examples/orders"

SERVICE = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  selector: {matchLabels: {app: orders}}
  template:
    metadata: {labels: {app: orders}}
    spec:
      terminationGracePeriodSeconds: 10
      containers:
      - name: orders
        image: registry.example/shop/orders:2.3
        command: [sh, -c, "echo 'level=info msg=\\"up and running\\"' > /var/log/orders/a.log; exec sleep 300"]
"""  # noqa: E501


def test_b2_the_woven_pod_runs_without_a_container_engine(installation: Installation) -> None:
    """A PATH with every program of this machine, the engines alone left out."""
    tools = installation.directory / "bin"
    tools.mkdir()
    for directory in reversed([*os.defpath.split(":"), "/usr/sbin", "/sbin"]):
        for program in Path(directory).glob("*") if directory else ():
            link = tools / program.name
            if program.name not in ENGINES and not link.is_symlink():
                link.symlink_to(program)
    installation.environment["PATH"] = str(tools)
    assert not any(shutil.which(engine, path=str(tools)) for engine in ENGINES)
    installation.run(
        "up",
        installation.write("deployment.yaml", SERVICE),
        installation.write("patterns.yaml", (EXAMPLE / "patterns.yaml").read_text()),
    )
    (pod,) = installation.pods()
    assert pod["status"]["phase"] == "Running"
    helpers = {status["name"] for status in pod["status"]["initContainerStatuses"]}
    assert helpers == {"orders-db", "orders-logs", "orders-ship"}

    def shipped() -> bool:
        return "up and running" in installation.run("search", "running", check=False).stdout

    wait_until(shipped, 60, "the application's line is in the store")
