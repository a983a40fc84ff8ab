"""The rules of restarting and of what kubelet reports about it, each as a playbook."""

from __future__ import annotations

import pytest

from podweave.engines.local.lifecycle.backoff import BackoffTimes
from tests.engine.playbook import Play, sidecar, spec


def fail(play: Play, name: str, ran: float = 0.0, code: int = 1) -> float:
    """Let a run end, and return how long the machine waits before the next one."""
    play.started(name)
    play.after(ran)
    ended = play.now
    commands = play.exited(name, code)
    while commands != [f"start {name}"]:
        assert commands == []
        wake = play.life.wake_at
        assert wake is not None
        commands = play.after(wake - play.now)
    return play.now - ended


def test_back_off_is_kubelets() -> None:
    play = Play(spec("app"))
    play.begin()
    delays = [fail(play, "app") for _ in range(8)]
    assert delays == [0, 10, 20, 40, 80, 160, 300, 300]


def test_back_off_resets_after_ten_minutes_of_running() -> None:
    play = Play(spec("app"))
    play.begin()
    assert [fail(play, "app") for _ in range(4)] == [0, 10, 20, 40]
    assert fail(play, "app", ran=599) == 80
    assert fail(play, "app", ran=601) == 0
    assert fail(play, "app") == 10


def test_back_off_times_can_be_chosen() -> None:
    play = Play(spec("app"), BackoffTimes(initial=1, maximum=3, reset=600))
    play.begin()
    assert [fail(play, "app") for _ in range(5)] == [0, 1, 2, 3, 3]


@pytest.mark.parametrize(
    ("policy", "code", "restarts"),
    [
        ("Always", 0, True),
        ("Always", 1, True),
        ("OnFailure", 0, False),
        ("OnFailure", 1, True),
        ("Never", 0, False),
        ("Never", 1, False),
    ],
)
def test_main_container_restarts_by_policy(policy: str, code: int, restarts: bool) -> None:
    play = Play(spec("app", "other", restartPolicy=policy))
    play.begin()
    play.started("app")
    play.started("other")
    assert play.exited("app", code) == (["start app"] if restarts else [])
    assert play.life.phase == "Running"


def test_policy_is_always_where_none_is_given() -> None:
    play = Play(spec("app"))
    play.begin()
    play.started("app")
    assert play.exited("app", 0) == ["start app"]


def test_containers_own_policy_goes_before_the_pods() -> None:
    play = Play(spec({"name": "app", "restartPolicy": "Never"}))
    play.begin()
    play.started("app")
    assert play.exited("app", 0) == ["finished Succeeded"]


def test_sidecar_restarts_always_whatever_the_policy() -> None:
    play = Play(spec("app", inits=[sidecar("proxy")], restartPolicy="Never"))
    play.begin()
    play.started("proxy")
    play.started("app")
    assert play.exited("proxy", 0) == ["start proxy"]


def test_crash_loop_is_told_as_kubelet_tells_it() -> None:
    play = Play(spec("app"))
    play.begin()
    fail(play, "app", code=3)
    play.started("app")
    play.exited("app", 4, message="out of luck")
    status = play.status("app")
    assert status["state"] == {
        "waiting": {
            "reason": "CrashLoopBackOff",
            "message": "back-off 10s restarting failed container=app",
        }
    }
    last = status["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"], last["message"]) == (4, "Error", "out of luck")
    assert status["restartCount"] == 1
    assert status["ready"] is False
    assert "BackOff" in [each.reason for each in play.reports]


@pytest.mark.parametrize(
    ("code", "signal", "oom", "reported"),
    [
        (0, None, False, (0, "Completed")),
        (1, None, False, (1, "Error")),
        (143, None, False, (143, "Error")),
        (0, 9, False, (137, "Error")),
        (0, 15, False, (143, "Error")),
        (0, 9, True, (137, "OOMKilled")),
    ],
)
def test_ends_are_reported_as_kubelet_reports_them(
    code: int, signal: int | None, oom: bool, reported: tuple[int, str]
) -> None:
    play = Play(spec("app", restartPolicy="Never"))
    play.begin()
    play.started("app")
    play.after(5)
    play.exited("app", code, signal, oom=oom)
    state = play.status("app")["state"]["terminated"]
    assert (state["exitCode"], state["reason"]) == reported
    assert state["startedAt"] == "1970-01-01T00:16:40Z"
    assert state["finishedAt"] == "1970-01-01T00:16:45Z"
