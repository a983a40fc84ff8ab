"""Whom a container runs as, and what that one may do."""

from __future__ import annotations

import pytest

from podweave.engines.errors import EngineError
from tests.sandbox.machine import Machine, listener, shell


def test_root_by_default_with_the_usual_capabilities(machine: Machine) -> None:
    outcome = machine.run("id -u; id -g; grep -E 'Cap(Eff|Bnd)' /proc/self/status")
    user, group, *capabilities = outcome.output.split()
    assert (user, group) == ("0", "0")
    assert capabilities == ["CapEff:", "00000000a80425fb", "CapBnd:", "00000000a80425fb"]


def test_run_as_user_and_group(machine: Machine) -> None:
    security = {"runAsUser": 1234, "runAsGroup": 4321}
    outcome = machine.run(
        "id -u; id -g; grep CapEff /proc/self/status; touch /tmp/x /v/y && stat -c %u /v/y",
        securityContext=security,
        volumeMounts=[{"name": "v", "mountPath": "/v"}],
        pod={"volumes": [{"name": "v", "emptyDir": {}}]},
    )
    assert outcome.output.split() == ["1234", "4321", "CapEff:", "0000000000000000", "1234"]


def test_the_container_s_user_beats_the_pod_s(machine: Machine) -> None:
    pod = machine.pod(
        shell("id -u", securityContext={"runAsUser": 1001}),
        shell("id -u"),
        securityContext={"runAsUser": 1002},
    )
    assert (pod.run("main").output, pod.run("c1").output) == ("1001\n", "1002\n")


def test_non_root_without_a_user_is_not_root(machine: Machine) -> None:
    assert machine.run("id -u", securityContext={"runAsNonRoot": True}).output == "65532\n"


def test_non_root_and_user_0_is_refused(machine: Machine) -> None:
    pod = machine.pod(shell("id", securityContext={"runAsNonRoot": True, "runAsUser": 0}))
    with pytest.raises(EngineError, match="runAsNonRoot") as caught:
        pod.start()
    assert caught.value.reason == "CreateContainerConfigError"


@pytest.mark.only("root")
def test_groups(machine: Machine) -> None:
    outcome = machine.run(
        "id -G",
        pod={
            "securityContext": {
                "runAsUser": 1234,
                "runAsGroup": 1,
                "fsGroup": 77,
                "supplementalGroups": [88],
            }
        },
    )
    assert outcome.output == "1 77 88\n"


def test_capabilities_added_and_dropped(machine: Machine) -> None:
    security = {"capabilities": {"add": ["NET_ADMIN"], "drop": ["ALL"]}}
    outcome = machine.run("grep -E 'Cap(Eff|Bnd)' /proc/self/status", securityContext=security)
    assert outcome.output.split()[1::2] == ["0000000000001000"] * 2


def test_no_new_privileges(machine: Machine) -> None:
    grep = "grep NoNewPrivs /proc/self/status"
    assert (
        machine.run(grep, securityContext={"allowPrivilegeEscalation": False}).output.split()[1]
        == "1"
    )
    assert machine.run(grep).output.split()[1] == "0"


@pytest.mark.only("root")
def test_privileged(machine: Machine) -> None:
    outcome = machine.run(
        "grep CapEff /proc/self/status; ls /dev/kmsg; cat /proc/timer_list | head -1 | wc -l",
        securityContext={"privileged": True},
    )
    _, held, device, readable = outcome.output.split()
    assert int(held, 16) & 1 << 21  # SYS_ADMIN
    assert (device, readable) == ("/dev/kmsg", "1")


@pytest.mark.only("user")
def test_privileged_needs_root(machine: Machine) -> None:
    pod = machine.pod(shell("id", securityContext={"privileged": True}))
    with pytest.raises(EngineError, match=r"privileged.*root"):
        pod.start()


def test_listener_on_a_low_port_as_a_user(machine: Machine) -> None:
    container = machine.pod(
        listener("127.0.0.1", 80, "x", securityContext={"runAsUser": 1000})
    ).start()
    container.wait_for("listening")
