"""podweave is killed at each step of a Pod's set-up: `up` and `down` clean what it left."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from podweave.engines.local.client import prefork
from podweave.engines.local.local_engine import LocalEngine
from podweave.engines.local.records import supervisor_of
from podweave.engines.local.setup.addresses import link_name
from podweave.engines.local.setup.operations import Operation
from podweave.engines.local.supervision.launch import Launch, launch_of, supervise
from podweave.engines.orders import orders
from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from tests.engine.pods import pod, sh
from tests.waiting import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="cgroups, veth and NAT are root's")

NAME = f"crash-{os.getpid()}"
VOLUMES = [{"name": "v", "emptyDir": {}}, {"name": "m", "emptyDir": {"medium": "Memory"}}]
MOUNTS = [{"name": "v", "mountPath": "/v"}, {"name": "m", "mountPath": "/m"}]
TEXT = pod(NAME, sh("app", "sleep 300", volumeMounts=MOUNTS), volumes=VOLUMES)


def plan(engine: LocalEngine) -> Launch:
    (order,), _ = orders(bundle([read("pod.json", TEXT.encode())]), {}, [])
    return launch_of(order, engine.state)


def launch(plan: Launch) -> socket.socket:
    return prefork.detached(lambda report: supervise(plan, report))


def traces(state: Path) -> dict[str, list[str]]:
    """What the Pod could leave on the machine outside of its directory."""
    groups = [
        os.path.join(parent, name)
        for parent, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if NAME in name
    ]
    table = Path("/proc/self/mountinfo").read_text().splitlines()
    link = link_name(str(state / "pods" / f"default_{NAME}"))
    return {
        "cgroups": groups,
        "mounts": [line for line in table if NAME in line],
        "links": [name for name in os.listdir("/sys/class/net") if name == link],
        "files": [str(path) for path in state.rglob("*") if not path.is_dir()],
    }


NOTHING: dict[str, list[str]] = {"cgroups": [], "mounts": [], "links": [], "files": []}


def wait_for_death(directory: str) -> None:
    wait_until(lambda: supervisor_of(directory) is None, 60, "the supervisor has died")


def killed_at(engine: LocalEngine, step: int) -> bool:
    """Set the Pod up and kill the supervisor ahead of a step; False when there is no such step."""
    launched = plan(engine)
    count = 0

    def before(operation: Operation) -> None:
        nonlocal count
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    launched.before = before
    with launch(launched) as answers, answers.makefile("rb") as lines:
        answers.settimeout(60)
        first = lines.readline()
    if first:
        assert "error" not in json.loads(first), first
    else:
        wait_for_death(launched.directory)
    return not first


def kill_after(engine: LocalEngine, delay: float) -> None:
    """Bring the Pod up and kill its supervisor a moment after that has begun."""
    launched = plan(engine)
    launch(launched).close()
    pid = wait_until(lambda: supervisor_of(launched.directory), 60, "the supervisor has begun")
    assert pid is not None
    begun = time.monotonic()
    wait_until(lambda: time.monotonic() - begun >= delay, 60, "a moment")
    os.kill(pid, signal.SIGKILL)
    wait_for_death(launched.directory)


def test_killed_at_each_step_nothing_stays(tmp_path: Path) -> None:
    engine = LocalEngine(str(tmp_path / "state"))
    step = 0
    while killed_at(engine, step):
        # Either way of cleaning: the next `up` on the same directory, or `down`.
        if step % 2:
            (found,) = engine.pods()
            assert found["podweave"]["state"] == "lost"
            engine.stop(found, grace=0, volumes=True)
            assert traces(tmp_path / "state") == NOTHING, f"after step {step}"
        step += 1
        assert step < 200
    assert step >= 5
    (found,) = engine.pods()
    assert found["podweave"]["state"] == "alive"
    engine.stop(found, grace=0, volumes=True)
    assert traces(tmp_path / "state") == NOTHING


def test_killed_at_any_moment_of_its_life_nothing_stays(tmp_path: Path) -> None:
    engine = LocalEngine(str(tmp_path / "state"))
    for delay in (0.0, 0.01, 0.02, 0.04, 0.08):
        kill_after(engine, delay)
    (found,) = engine.pods()
    engine.stop(found, grace=0, volumes=True)
    assert traces(tmp_path / "state") == NOTHING
    assert not (tmp_path / "state" / "pods").exists()
