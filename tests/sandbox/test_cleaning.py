"""Nothing stays behind: after an orderly end, a failed set-up, and a supervisor killed anywhere."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from podweave.engines.errors import EngineError
from podweave.engines.local.setup import addresses
from podweave.engines.local.setup.operations import Operation
from podweave.engines.local.setup.pod_sandbox import PodSandbox, clean
from podweave.sandbox import nat, network, processes
from podweave.sandbox.system_calls import SandboxError
from tests.sandbox.machine import Machine, pod_of, shell
from tests.waiting import wait_until

CONTAINERS = (
    shell(
        "touch /v/x; mkdir /v/closed; touch /v/closed/y; chmod 0 /v/closed; echo ready; sleep 300",
        resources={"limits": {"memory": "64Mi", "cpu": "1"}},
        volumeMounts=[{"name": "v", "mountPath": "/v"}, {"name": "m", "mountPath": "/m"}],
        securityContext={"readOnlyRootFilesystem": True},
    ),
)
SPEC: dict[str, Any] = {
    "volumes": [{"name": "v", "emptyDir": {}}, {"name": "m", "emptyDir": {"medium": "Memory"}}]
}


def control_groups(directory: str) -> list[str]:
    name = addresses.link_name(directory)
    return [
        f"{place}/{name}"
        for place, directories, _ in os.walk("/sys/fs/cgroup")
        if name in directories
    ]


def namespaces_of(pids: list[int]) -> set[str]:
    found = set()
    for pid in pids:
        for kind in ("mnt", "net", "ipc", "uts", "pid", "user"):
            try:
                found.add(os.readlink(f"/proc/{pid}/ns/{kind}"))
            except OSError:
                pass  # gone, or hidden from us
    return found


def assert_nothing_left(machine: Machine, directory: str, namespaces: set[str]) -> None:
    # Only a process or a mount keeps a namespace, and no process is left: see the caller.
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        table = file.read()
    assert machine.directory not in table
    assert not [number for number in namespaces if number in table]
    assert control_groups(directory) == []
    assert addresses.link_name(directory) not in network.names()
    left = set(os.listdir(directory)) if os.path.isdir(directory) else set()
    assert left <= {"logs"}
    if machine.root:
        with nat.locked():
            if not any(name.startswith(addresses.LINK_PREFIX) for name in network.names()):
                rules = subprocess.run(
                    ["nft", "list", "tables"], capture_output=True, text=True, check=True
                )
                assert "table ip podweave" not in rules.stdout
                assert not os.path.exists("/run/podweave/ip_forward")


def reap_everything() -> bool:
    """Reap what came to this process, the subreaper; whether nothing is left of it."""
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return False
        except ChildProcessError:
            return True


def note(machine: Machine, text: str) -> None:
    """Tell the test where the supervisor is, and wait there to be killed."""
    with open(f"{machine.directory}/note.new", "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(f"{machine.directory}/note.new", f"{machine.directory}/note")
    while True:
        # Process one is in a PID namespace of its own: it couldn't kill its supervisor.
        signal.pause()


def supervise(machine: Machine, stop_at: int) -> None:
    """A supervisor that is killed ahead of step `stop_at`, wherever that step runs."""
    supervisor = os.getpid()
    count = 0

    def before(operation: Operation) -> None:
        nonlocal count
        if count == stop_at:
            found = namespaces_of(processes.descendants(supervisor))
            note(machine, f"{operation.describe()}\n{' '.join(found)}")
        count += 1

    pod = machine.pod(*CONTAINERS, before=before, settings={"helpers": frozenset({"h"})}, **SPEC)
    container = pod.start()
    container.wait_for("ready")
    found = namespaces_of(processes.descendants(supervisor))
    note(machine, f"(all done)\n{' '.join(found)}")


def kill_when_noted(machine: Machine, supervisor: int) -> str:
    """Kill the supervisor once it has noted where it is; its note."""
    place = f"{machine.directory}/note"
    wait_until(lambda: os.path.exists(place), 30, "the supervisor is at its step")
    os.kill(supervisor, signal.SIGKILL)
    wait_until(reap_everything, 60, "all processes end with their supervisor")
    with open(place, encoding="utf-8") as file:
        text = file.read()
    os.unlink(place)
    return text


def kills(machine: Machine) -> Iterator[tuple[str, set[str]]]:
    """Kill a supervisor at each step in turn; what it was about to do, and its namespaces."""
    for step in range(500):
        pid = processes.fork(lambda step=step: supervise(machine, step))  # type: ignore[misc]
        text = kill_when_noted(machine, pid)
        what, _, namespaces = text.partition("\n")
        yield what, set(namespaces.split())
        if what == "(all done)":
            return
    raise AssertionError("the set-up never ended")


@pytest.mark.timeout(300)
def test_a_supervisor_killed_at_each_step(machine: Machine) -> None:
    directory = machine.place("pod")
    seen = []
    for what, namespaces in kills(machine):
        seen.append(what)
        clean(directory)
        assert_nothing_left(machine, directory, namespaces)
        clean(directory)  # once more is no error
    assert len(seen) > 30
    assert seen[-1] == "(all done)"
    assert any("agent" in what for what in seen)
    assert any("private writable layer" in what for what in seen)


def test_a_killed_supervisor_takes_the_next_up_with_it_without_cleaning(machine: Machine) -> None:
    """Who forgets `clean` can still create the Pod again."""
    for _ in range(2):
        kill_when_noted(machine, processes.fork(lambda: supervise(machine, -1)))
    pod = machine.pod(shell("echo again"))
    assert pod.run().output == "again\n"


def test_destroy_leaves_nothing(machine: Machine) -> None:
    pod = machine.pod(*CONTAINERS, settings={"helpers": frozenset({"h"})}, **SPEC)
    pod.start().wait_for("ready")
    namespaces = namespaces_of(processes.descendants(os.getpid()))
    pod.sandbox.destroy()
    assert processes.descendants(os.getpid()) == []
    assert_nothing_left(machine, pod.directory, namespaces)
    pod.sandbox.destroy()


def test_a_failed_set_up_is_undone(machine: Machine) -> None:
    volumes = [
        {"name": "a", "emptyDir": {}},
        {"name": "v", "hostPath": {"path": "/nope", "type": "Directory"}},
    ]
    with pytest.raises(EngineError, match="volume v: hostPath /nope"):
        machine.pod(shell("true"), volumes=volumes)
    assert_nothing_left(machine, machine.place("pod"), set())
    assert processes.descendants(os.getpid()) == []


def test_a_set_up_interrupted_at_each_step_is_undone(machine: Machine) -> None:
    steps = PodSandbox.plan(pod_of(*CONTAINERS, **SPEC), machine.settings(), machine.place("pod"))
    outside = [step.describe() for step in steps]
    for stop_at in range(outside.index(f"mount a tmpfs on {machine.place('pod')}/root")):
        count = 0

        def before(operation: Operation, stop_at: int = stop_at) -> None:
            nonlocal count
            if count == stop_at:
                raise SandboxError("interrupted", "", 4)
            count += 1

        with pytest.raises(SandboxError, match="interrupted"):
            machine.pod(*CONTAINERS, before=before, **SPEC)
        assert processes.descendants(os.getpid()) == []
        assert_nothing_left(machine, machine.place("pod"), set())
    assert stop_at > 10


def test_a_lost_agent_is_an_error_and_a_lost_broker_comes_back(machine: Machine) -> None:
    pod = machine.pod(shell("true"), settings={"helpers": frozenset({"h"})})
    setup = pod.sandbox._setup
    broker = setup._broker
    assert broker is not None
    os.kill(broker, signal.SIGKILL)
    os.waitpid(broker, 0)
    assert pod.sandbox.reaped(broker)
    assert setup._broker not in (None, broker)
    os.kill(setup.agent.pid, signal.SIGKILL)
    os.waitpid(setup.agent.pid, 0)
    with pytest.raises(EngineError, match="agent"):
        pod.sandbox.reaped(setup.agent.pid)
    assert not pod.sandbox.reaped(1)


def test_the_plan_touches_nothing(machine: Machine) -> None:
    pod = pod_of(*CONTAINERS, **SPEC)
    steps = PodSandbox.plan(pod, machine.settings(), machine.place("pod"))
    text = "\n".join(step.describe() for step in steps)
    assert "start the Pod's agent in new namespaces" in text
    assert "at /v" in text
    assert not os.path.exists(machine.place("pod"))
