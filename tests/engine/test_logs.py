"""`podweave logs`."""

from __future__ import annotations

import re
import subprocess

from tests.engine.pods import pod, sh, sleeper
from tests.installations import Installation
from tests.waiting import wait_until


def test_lines_of_one_container_come_as_they_were(installation: Installation) -> None:
    long = 40000
    script = f"echo err >&2; echo one; printf '%0{long}d\\n' 7; printf last"
    file = installation.write("pod.yaml", pod("talk", sh("app", script), restartPolicy="Never"))
    installation.run("up", file)
    lines = installation.run("logs", "talk").stdout.splitlines()
    # Two streams are two pipes: only the order within each of them is certain.
    lines.remove("err")
    assert lines == ["one", "7".zfill(long), "last"]


def test_all_containers_are_told_apart_and_c_chooses_one(one: Installation) -> None:
    file = one.write(
        "pod.yaml", pod("talk", sh("a", "echo x"), sh("bee", "echo y"), restartPolicy="Never")
    )
    one.run("up", file)
    lines = one.run("logs", "talk").stdout.splitlines()
    assert sorted(lines) == ["a   | x", "bee | y"]
    assert one.run("logs", "-c", "bee", "talk").stdout == "y\n"
    assert one.run("logs", "-c", "bee").stdout == "y\n"
    wrong = one.run("logs", "-c", "sea", "talk", check=False)
    assert wrong.returncode == 2
    assert "a, bee" in wrong.stderr


def test_tail_and_timestamps(one: Installation) -> None:
    script = "for i in 1 2 3 4 5; do echo $i; done"
    one.run("up", one.write("pod.yaml", pod("talk", sh("app", script), restartPolicy="Never")))
    assert one.run("logs", "--tail", "2", "talk").stdout == "4\n5\n"
    assert one.run("logs", "--tail", "0", "talk").stdout == ""
    (line,) = one.run("logs", "--tail", "1", "--timestamps", "talk").stdout.splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z 5", line)


def test_previous_is_the_run_before_the_restart(one: Installation) -> None:
    volumes = [{"name": "v", "emptyDir": {}}]
    mounts = [{"name": "v", "mountPath": "/v"}]
    script = (
        "echo run >> /v/runs; wc -l < /v/runs; test $(wc -l < /v/runs) -gt 1 && sleep 300; false"
    )
    file = one.write(
        "pod.yaml", pod("again", sh("app", script, volumeMounts=mounts), volumes=volumes)
    )
    one.run("up", file)
    wait_until(lambda: one.run("logs", "again").stdout == "2\n", 60, "the second run")
    assert one.run("logs", "--previous", "again").stdout == "1\n"


def test_follow_ends_with_the_pod(one: Installation) -> None:
    volumes = [{"name": "v", "emptyDir": {}}]
    script = "echo begin; while ! test -e /v/go; do sleep 0.05; done; echo end"
    app = sh("app", script, volumeMounts=[{"name": "v", "mountPath": "/v"}])
    one.run("up", one.write("pod.yaml", pod("long", app, volumes=volumes, restartPolicy="Never")))
    follower = subprocess.Popen(
        one.command("logs", "-f", "long"),
        env=one.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "begin\n"
        one.run("exec", "long", "--", "touch", "/v/go")
        assert follower.stdout.read() == "end\n"
        assert follower.wait(timeout=60) == 0
    finally:
        follower.kill()
        follower.wait()
        if follower.stdout:
            follower.stdout.close()


def test_a_pod_that_is_not_there_is_answered_with_those_that_are(one: Installation) -> None:
    one.run("up", one.write("pod.yaml", pod("here", sleeper())))
    result = one.run("logs", "elsewhere", check=False)
    assert result.returncode == 2
    assert "here" in result.stderr
