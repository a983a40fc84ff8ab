"""The rules of probing, each as a playbook."""

from __future__ import annotations

from typing import Any

from tests.engine.playbook import Play, sidecar, spec

EXEC = {"exec": {"command": ["true"]}}


def app(**rest: Any) -> dict[str, Any]:
    return {"name": "app", **rest}


def running(container: dict[str, Any], **rest: Any) -> tuple[Play, list[str]]:
    play = Play(spec(container, **rest))
    play.begin()
    return play, play.started(container["name"])


def test_initial_delay_passes_before_the_first_probe() -> None:
    play, commands = running(app(readinessProbe={**EXEC, "initialDelaySeconds": 7}))
    assert commands == []
    assert play.after(6.9) == []
    assert play.after(0.1) == ["probe app readiness"]


def test_initial_delay_of_liveness_counts_from_the_container_start() -> None:
    probes = {"startupProbe": EXEC, "livenessProbe": {**EXEC, "initialDelaySeconds": 30}}
    play, _ = running(app(**probes))
    play.after(12)
    assert play.probed("app", "startup", True) == []
    assert play.after(17.9) == []
    assert play.after(0.1) == ["probe app liveness"]


def test_period_counts_from_the_sending_of_the_probe_before() -> None:
    play, _ = running(app(readinessProbe={**EXEC, "periodSeconds": 5}))
    play.after(3)
    assert play.probed("app", "readiness", True) == []
    assert play.after(1.9) == []
    assert play.after(0.1) == ["probe app readiness"]


def test_a_probe_is_not_sent_while_the_one_before_is_unanswered() -> None:
    play, _ = running(app(readinessProbe={**EXEC, "periodSeconds": 1}))
    assert play.after(5) == []
    assert play.probed("app", "readiness", True) == ["probe app readiness"]


def test_container_with_readiness_probe_is_unready_until_it_succeeds() -> None:
    play, _ = running(app(readinessProbe=EXEC))
    assert play.status("app")["ready"] is False
    play.probed("app", "readiness", True)
    assert play.status("app")["ready"] is True


def test_success_threshold_asks_for_successes_in_a_row() -> None:
    play, _ = running(app(readinessProbe={**EXEC, "successThreshold": 2, "periodSeconds": 1}))
    answers = []
    for ok in (True, False, True, True):
        play.probed("app", "readiness", ok)
        answers.append(play.status("app")["ready"])
        play.after(1)
    assert answers == [False, False, False, True]


def test_failure_threshold_asks_for_failures_in_a_row() -> None:
    play, _ = running(app(readinessProbe={**EXEC, "periodSeconds": 1}))
    answers = []
    for ok in (True, False, False, True, False, False, False):
        play.probed("app", "readiness", ok)
        answers.append(play.status("app")["ready"])
        play.after(1)
    assert answers == [True, True, True, True, True, True, False]


def test_failed_readiness_restarts_nothing() -> None:
    play, _ = running(app(readinessProbe={**EXEC, "failureThreshold": 1}))
    assert play.probed("app", "readiness", False) == []
    assert play.life.phase == "Running"


def test_startup_probe_holds_the_other_probes_back() -> None:
    probes = {"startupProbe": EXEC, "readinessProbe": EXEC, "livenessProbe": EXEC}
    play, commands = running(app(**probes))
    assert commands == ["probe app startup"]
    assert play.after(60) == []
    assert play.probed("app", "startup", True) == ["probe app readiness", "probe app liveness"]
    assert play.after(60) == []  # and the startup probe is over


def test_failed_startup_probe_stops_the_container_and_it_restarts() -> None:
    play, _ = running(app(startupProbe={**EXEC, "failureThreshold": 2, "periodSeconds": 1}))
    assert play.probed("app", "startup", False) == []
    play.after(1)
    assert play.probed("app", "startup", False) == ["signal app SIGTERM"]
    assert play.exited("app", signal=15) == ["start app"]
    assert play.started("app") == ["probe app startup"]


def test_failed_liveness_probe_stops_with_grace_and_restarts_by_policy() -> None:
    probe = {**EXEC, "failureThreshold": 1}
    play, _ = running(app(livenessProbe=probe), terminationGracePeriodSeconds=5)
    assert play.probed("app", "liveness", False) == ["signal app SIGTERM"]
    assert play.after(4.9) == []
    assert play.after(0.1) == ["kill app"]
    assert play.exited("app", signal=9) == ["start app"]
    assert play.status("app")["restartCount"] == 0
    play.started("app")
    assert play.status("app")["restartCount"] == 1
    assert play.status("app")["lastState"]["terminated"]["exitCode"] == 137


def test_failed_liveness_probe_ends_a_pod_that_never_restarts() -> None:
    probe = {**EXEC, "failureThreshold": 1}
    play, _ = running(app(livenessProbe=probe), restartPolicy="Never")
    play.probed("app", "liveness", False)
    assert play.exited("app", signal=15) == ["finished Failed"]


def test_probe_grace_goes_before_the_pods() -> None:
    probe = {**EXEC, "failureThreshold": 1, "terminationGracePeriodSeconds": 3}
    play, _ = running(app(livenessProbe=probe))
    play.probed("app", "liveness", False)
    assert play.after(2.9) == []
    assert play.after(0.1) == ["kill app"]


def test_liveness_stop_runs_the_pre_stop_hook() -> None:
    probe = {**EXEC, "failureThreshold": 1}
    play, _ = running(app(livenessProbe=probe, lifecycle={"preStop": EXEC}))
    assert play.probed("app", "liveness", False) == ["hook app preStop"]
    assert play.hooked("app", "preStop") == ["signal app SIGTERM"]


def test_sidecar_that_fails_liveness_waits_for_nobody() -> None:
    proxy = sidecar("proxy", livenessProbe={**EXEC, "failureThreshold": 1})
    play = Play(spec("app", inits=[proxy]))
    play.begin()
    play.started("proxy")
    play.started("app")
    assert play.probed("proxy", "liveness", False) == ["signal proxy SIGTERM"]
    assert play.exited("proxy", signal=15) == ["start proxy"]


def test_answers_to_an_earlier_run_are_passed_over() -> None:
    play, _ = running(app(livenessProbe={**EXEC, "failureThreshold": 1}))
    assert play.exited("app", 1) == ["start app"]
    late = play.attempt("app") - 1
    play.started("app")
    from podweave.engines.local.lifecycle.events import ProbeDone

    assert play.event(ProbeDone("app", late, "liveness", False, "late")) == []


def test_a_new_run_is_probed_from_the_beginning() -> None:
    play, _ = running(app(readinessProbe=EXEC))
    play.probed("app", "readiness", True)
    play.exited("app", 1)
    assert play.started("app") == ["probe app readiness"]
    assert play.status("app")["ready"] is False


def test_liveness_ends_and_readiness_goes_on_while_the_pod_stops() -> None:
    probe = {**EXEC, "periodSeconds": 1}
    play, _ = running(app(livenessProbe=probe, readinessProbe=probe))
    play.probed("app", "readiness", True)
    play.probed("app", "liveness", True)
    play.stop()
    assert play.after(1) == ["probe app readiness"]
