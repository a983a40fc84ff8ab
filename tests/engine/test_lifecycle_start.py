"""The rules of starting, each as a playbook: events in, commands out, a fake clock."""

from __future__ import annotations

import pytest

from podweave.engines.local.lifecycle.container import LifecycleError
from tests.engine.playbook import Play, sidecar, spec

EXEC = {"exec": {"command": ["true"]}}


def test_main_containers_start_together() -> None:
    play = Play(spec("a", "b", "c"))
    assert play.begin() == ["start a", "start b", "start c"]


def test_init_containers_run_in_order_before_the_main_ones() -> None:
    play = Play(spec("app", inits=["first", "second"]))
    assert play.begin() == ["start first"]
    assert play.started("first") == []
    assert play.exited("first") == ["start second"]
    assert play.started("second") == []
    assert play.waiting("app") == "PodInitializing"
    assert play.exited("second") == ["start app"]
    assert play.status("first")["ready"] is True
    assert play.status("first")["state"]["terminated"]["reason"] == "Completed"


def test_without_init_containers_the_main_ones_wait_as_container_creating() -> None:
    play = Play(spec("app"))
    assert play.waiting("app") == "ContainerCreating"
    play.begin()
    assert play.waiting("app") == "ContainerCreating"


def test_failed_init_container_restarts_with_back_off() -> None:
    play = Play(spec("app", inits=["migrate"]))
    play.begin()
    play.started("migrate")
    assert play.exited("migrate", 1) == ["start migrate"]
    play.started("migrate")
    assert play.exited("migrate", 1) == []
    assert play.waiting("migrate") == "CrashLoopBackOff"
    assert play.after(9.9) == []
    assert play.after(0.1) == ["start migrate"]
    play.started("migrate")
    assert play.exited("migrate", 0) == ["start app"]
    assert play.status("migrate")["restartCount"] == 2


def test_failed_init_container_fails_a_pod_that_never_restarts() -> None:
    play = Play(spec("app", inits=["migrate"], restartPolicy="Never"))
    play.begin()
    play.started("migrate")
    assert play.exited("migrate", 3) == ["finished Failed"]
    assert play.waiting("app") == "PodInitializing"


def test_failed_init_container_stops_the_sidecars_of_a_pod_that_never_restarts() -> None:
    play = Play(spec("app", inits=[sidecar("proxy"), "migrate"], restartPolicy="Never"))
    play.begin()
    assert play.started("proxy") == ["start migrate"]
    play.started("migrate")
    assert play.exited("migrate", 3) == ["signal proxy SIGTERM"]
    assert play.exited("proxy", 0) == ["finished Failed"]


def test_sidecar_without_probe_lets_the_next_start_once_it_runs() -> None:
    play = Play(spec("app", inits=[sidecar("one"), sidecar("two")]))
    assert play.begin() == ["start one"]
    assert play.started("one") == ["start two"]
    assert play.started("two") == ["start app"]


def test_sidecar_is_gated_by_its_startup_probe() -> None:
    probe = {**EXEC, "periodSeconds": 2}
    play = Play(spec("app", inits=[sidecar("proxy", startupProbe=probe)]))
    play.begin()
    assert play.started("proxy") == ["probe proxy startup"]
    assert play.probed("proxy", "startup", False) == []
    assert play.after(1.9) == []
    assert play.after(0.1) == ["probe proxy startup"]
    assert play.status("proxy")["started"] is False
    assert play.probed("proxy", "startup", True) == ["start app"]
    assert play.status("proxy")["started"] is True


def test_sidecar_is_gated_by_its_post_start_hook() -> None:
    play = Play(spec("app", inits=[sidecar("proxy", lifecycle={"postStart": EXEC})]))
    play.begin()
    assert play.started("proxy") == ["hook proxy postStart"]
    assert play.status("proxy")["started"] is False
    assert play.hooked("proxy", "postStart") == ["start app"]


def test_sidecar_that_ends_before_it_is_started_restarts_and_gates_on() -> None:
    play = Play(spec("app", inits=[sidecar("proxy", startupProbe=EXEC)], restartPolicy="Never"))
    play.begin()
    play.started("proxy")
    assert play.exited("proxy", 0) == ["start proxy"]
    assert play.started("proxy") == ["probe proxy startup"]
    assert play.probed("proxy", "startup", True) == ["start app"]


def test_sidecar_that_restarts_later_holds_nobody_up() -> None:
    play = Play(spec("app", inits=[sidecar("proxy", startupProbe=EXEC), "migrate"]))
    play.begin()
    play.started("proxy")
    assert play.probed("proxy", "startup", True) == ["start migrate"]
    play.started("migrate")
    assert play.exited("proxy", 1) == ["start proxy"]
    play.started("proxy")
    assert play.exited("migrate", 0) == ["start app"]


def test_sidecar_readiness_counts_for_the_pod_only() -> None:
    play = Play(spec("app", inits=[sidecar("proxy", readinessProbe=EXEC)]))
    play.begin()
    assert play.started("proxy") == ["probe proxy readiness", "start app"]
    play.started("app")
    assert play.condition("Ready") == "False"
    play.probed("proxy", "readiness", True)
    assert play.condition("Ready") == "True"


def test_failed_post_start_hook_stops_the_container_and_it_restarts() -> None:
    play = Play(spec({"name": "app", "lifecycle": {"postStart": EXEC}}))
    play.begin()
    play.started("app")
    assert play.hooked("app", "postStart", False) == ["signal app SIGTERM"]
    assert [each.reason for each in play.reports] == ["Started", "FailedPostStartHook", "Killing"]
    assert play.exited("app", signal=15) == ["start app"]


def test_probing_begins_after_the_post_start_hook() -> None:
    app = {"name": "app", "lifecycle": {"postStart": EXEC}, "readinessProbe": EXEC}
    play = Play(spec(app))
    play.begin()
    assert play.started("app") == ["hook app postStart"]
    assert play.after(60) == []
    assert play.hooked("app", "postStart") == ["probe app readiness"]


def test_command_that_cannot_be_executed_is_a_start_error() -> None:
    play = Play(spec("app", restartPolicy="Never"))
    play.begin()
    assert play.start_failed("app", "exec: nope: not found") == ["finished Failed"]
    state = play.status("app")["state"]["terminated"]
    assert (state["exitCode"], state["reason"]) == (128, "StartError")
    assert state["message"] == "exec: nope: not found"


def test_container_that_cannot_be_made_waits_with_the_reason_and_is_tried_again() -> None:
    play = Play(spec("app", restartPolicy="Never"))
    play.begin()
    reason = "CreateContainerConfigError"
    assert play.start_failed("app", "no ConfigMap x", reason=reason) == ["start app"]
    assert play.start_failed("app", "no ConfigMap x", reason=reason) == []
    assert play.waiting("app") == reason
    assert play.after(10) == ["start app"]
    play.started("app")
    assert play.status("app")["restartCount"] == 0


def test_phase_is_pending_until_a_main_container_runs() -> None:
    play = Play(spec("app", inits=["init"]))
    play.begin()
    play.started("init")
    assert play.life.phase == "Pending"
    assert play.condition("Initialized") == "False"
    play.exited("init")
    assert play.condition("Initialized") == "True"
    phases = [play.life.phase]
    play.started("app")
    assert [*phases, play.life.phase] == ["Pending", "Running"]


def test_an_event_that_cannot_be_is_a_fault() -> None:
    play = Play(spec("app"))
    with pytest.raises(LifecycleError):
        play.started("app")
