"""The rules of completing and stopping, each as a playbook."""

from __future__ import annotations

import pytest

from tests.engine.playbook import Play, sidecar, spec

EXEC = {"exec": {"command": ["true"]}}


def up(play: Play) -> Play:
    """Start everything; ordinary init containers end well."""
    todo = play.begin()
    while todo:
        name = todo.pop(0).removeprefix("start ")
        todo += [each for each in play.started(name) if each.startswith("start ")]
        if any(each.name == name and each.role == "init" for each in play.life.inits):
            todo += play.exited(name)
    return play


def test_pod_succeeds_when_all_main_containers_ended_well() -> None:
    play = up(Play(spec("a", "b", restartPolicy="Never")))
    assert play.exited("a") == []
    assert play.exited("b") == ["finished Succeeded"]
    assert play.condition("Ready") == "False"


def test_pod_fails_when_one_main_container_failed() -> None:
    play = up(Play(spec("a", "b", restartPolicy="Never")))
    play.exited("a", 1)
    assert play.life.phase == "Running"
    assert play.exited("b") == ["finished Failed"]


def test_completed_pod_stops_its_sidecars_in_reverse_order() -> None:
    play = up(Play(spec("job", inits=[sidecar("a"), sidecar("b")], restartPolicy="Never")))
    assert play.exited("job") == ["signal b SIGTERM"]
    assert play.exited("b") == ["signal a SIGTERM"]
    assert play.exited("a") == ["finished Succeeded"]


def test_exit_codes_of_sidecars_count_for_nothing() -> None:
    play = up(Play(spec("job", inits=[sidecar("a")], restartPolicy="OnFailure")))
    play.exited("job")
    assert play.exited("a", 3) == ["finished Succeeded"]


def test_stop_goes_to_main_containers_first_and_to_sidecars_in_reverse_order() -> None:
    play = up(Play(spec("x", "y", inits=[sidecar("a"), "init", sidecar("b")])))
    assert play.stop() == ["signal x SIGTERM", "signal y SIGTERM"]
    assert play.exited("y", signal=15) == []
    assert play.exited("x") == ["signal b SIGTERM"]
    assert play.exited("b") == ["signal a SIGTERM"]
    assert play.exited("a") == ["finished Failed"]


def test_nothing_restarts_once_the_pod_stops() -> None:
    play = up(Play(spec("app", inits=[sidecar("proxy")])))
    play.stop()
    assert play.exited("proxy", 1) == []
    assert play.exited("app", 1) == ["finished Failed"]


def test_container_that_waits_for_its_restart_just_ends() -> None:
    play = up(Play(spec("app", "other")))
    play.exited("app", 1)
    play.started("app")
    play.exited("app", 1)
    assert play.waiting("app") == "CrashLoopBackOff"
    assert play.stop() == ["signal other SIGTERM"]
    assert play.exited("other") == ["finished Failed"]
    assert play.status("app")["state"]["terminated"]["exitCode"] == 1


def test_kill_follows_when_the_grace_has_passed() -> None:
    play = up(Play(spec("app")))
    play.stop()
    assert play.after(29.9) == []
    assert play.after(0.1) == ["kill app"]
    assert play.exited("app", signal=9) == ["finished Failed"]


def test_pod_names_its_own_grace() -> None:
    play = up(Play(spec("app", terminationGracePeriodSeconds=4)))
    play.stop()
    assert play.after(3.9) == []
    assert play.after(0.1) == ["kill app"]


@pytest.mark.parametrize("grace", [0, 1, 2])
def test_two_seconds_is_the_least_grace(grace: int) -> None:
    play = up(Play(spec("app")))
    assert play.stop(grace) == ["signal app SIGTERM"]
    assert play.after(1.9) == []
    assert play.after(0.1) == ["kill app"]


def test_sidecar_grace_is_what_is_left() -> None:
    play = up(Play(spec("app", inits=[sidecar("proxy")])))
    play.stop()
    play.after(20)
    assert play.exited("app") == ["signal proxy SIGTERM"]
    assert play.after(9.9) == []
    assert play.after(0.1) == ["kill proxy"]


def test_sidecar_is_stopped_out_of_turn_when_the_grace_has_passed() -> None:
    play = up(Play(spec("app", inits=[sidecar("a"), sidecar("b")])))
    play.stop()
    assert play.after(30) == ["signal a SIGTERM", "signal b SIGTERM", "kill app"]
    assert play.exited("app", signal=9) == []
    assert play.after(1.9) == []
    assert play.after(0.1) == ["kill a", "kill b"]


def test_pre_stop_hooks_begin_all_at_once() -> None:
    hook = {"lifecycle": {"preStop": EXEC}}
    play = up(Play(spec({"name": "app", **hook}, inits=[sidecar("proxy", **hook)])))
    assert play.stop() == ["hook proxy preStop", "hook app preStop"]
    assert play.hooked("proxy", "preStop") == []
    assert play.hooked("app", "preStop") == ["signal app SIGTERM"]
    assert play.exited("app") == ["signal proxy SIGTERM"]


def test_pre_stop_hook_uses_up_the_grace() -> None:
    play = up(Play(spec({"name": "app", "lifecycle": {"preStop": EXEC}})))
    play.stop(10)
    play.after(7)
    assert play.hooked("app", "preStop") == ["signal app SIGTERM"]
    assert play.after(2.9) == []
    assert play.after(0.1) == ["kill app"]


def test_pre_stop_hook_that_hangs_is_waited_for_as_long_as_the_grace() -> None:
    play = up(Play(spec({"name": "app", "lifecycle": {"preStop": EXEC}})))
    play.stop(10)
    assert play.after(9.9) == []
    assert play.after(0.1) == ["signal app SIGTERM"]
    assert play.after(2) == ["kill app"]


def test_failed_pre_stop_hook_is_told_and_the_stop_goes_on() -> None:
    play = up(Play(spec({"name": "app", "lifecycle": {"preStop": EXEC}})))
    play.stop()
    assert play.hooked("app", "preStop", False) == ["signal app SIGTERM"]
    assert play.reports[-1].reason == "FailedPreStopHook"


def test_stop_signal_of_the_container() -> None:
    play = up(Play(spec({"name": "app", "lifecycle": {"stopSignal": "SIGUSR1"}})))
    assert play.stop() == ["signal app SIGUSR1"]


def test_second_stop_may_shorten_and_never_lengthens() -> None:
    play = up(Play(spec("app")))
    play.stop(30)
    play.after(1)
    assert play.stop(3) == []
    assert play.stop(60) == []
    assert play.after(2.9) == []
    assert play.after(0.1) == ["kill app"]


def test_stop_during_init_waits_for_the_init_container_before_its_sidecar() -> None:
    play = Play(spec("app", inits=[sidecar("proxy"), "migrate"]))
    play.begin()
    play.started("proxy")
    play.started("migrate")
    assert play.stop() == ["signal migrate SIGTERM"]
    assert play.exited("migrate", signal=15) == ["signal proxy SIGTERM"]
    assert play.exited("proxy") == ["finished Failed"]
    assert play.waiting("app") == "PodInitializing"


def test_stop_that_comes_while_a_container_starts_is_done_once_it_runs() -> None:
    play = Play(spec("app"))
    play.begin()
    assert play.stop() == []
    assert play.started("app") == ["signal app SIGTERM"]


def test_container_that_never_gets_started_is_killed_after_the_grace() -> None:
    play = Play(spec("app"))
    play.begin()
    play.stop(5)
    assert play.after(5) == ["kill app"]
    assert play.exited("app", signal=9) == ["finished Failed"]


def test_stop_of_a_liveness_kill_under_way_ends_the_pod() -> None:
    probe = {**EXEC, "failureThreshold": 1}
    play = up(Play(spec({"name": "app", "livenessProbe": probe})))
    play.probed("app", "liveness", False)
    assert play.stop() == []
    assert play.exited("app", signal=15) == ["finished Failed"]


def test_active_deadline_fails_the_pod() -> None:
    play = up(Play(spec("app", inits=[sidecar("proxy")], activeDeadlineSeconds=60)))
    assert play.after(59.9) == []
    assert play.after(0.1) == ["signal app SIGTERM"]
    assert play.exited("app", 0) == ["signal proxy SIGTERM"]
    assert play.exited("proxy", 0) == ["finished Failed"]
    assert play.life.reason == "DeadlineExceeded"


def test_stop_before_begin_finishes_at_once() -> None:
    play = Play(spec("app", inits=["init"]))
    assert play.stop() == ["finished Failed"]
