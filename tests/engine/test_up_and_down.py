"""`podweave up` and `down`: what they say, what they leave, what they refuse."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from podweave.engines.local.pod_objects import pod_object
from podweave.engines.local.records import PodRecord, supervisor_of
from tests.engine.pods import pod, sh, sleeper
from tests.installations import Installation
from tests.ports import free_port
from tests.waiting import wait_until


def left(installation: Installation) -> list[str]:
    """All files in the state directory."""
    return [str(path) for path in installation.state.rglob("*") if not path.is_dir()]


def test_up_waits_until_ready_and_down_leaves_nothing(installation: Installation) -> None:
    file = installation.write("pod.yaml", pod("quiet", sleeper()))
    result = installation.run("up", file)
    assert "Pod quiet is ready" in result.stdout
    (found,) = installation.pods()
    assert found["status"]["phase"] == "Running"
    assert installation.run("down", "quiet").stdout == "Pod quiet is down\n"
    assert installation.pods() == []
    assert left(installation) == []


def test_down_is_idempotent(one: Installation) -> None:
    file = one.write("pod.yaml", pod("twice", sleeper()))
    one.run("up", file)
    one.run("down", file)
    assert one.run("down", file).returncode == 0
    assert one.run("down", "twice").returncode == 0
    assert one.run("down", "--all").returncode == 0


def test_down_takes_files_names_and_all(one: Installation) -> None:
    for name in ("a", "b", "c"):
        one.run("up", one.write(f"{name}.yaml", pod(name, sleeper())))
    one.run("down", str(one.directory / "a.yaml"), "default/b")
    assert [each["metadata"]["name"] for each in one.pods()] == ["c"]
    one.run("down", "--all")
    assert one.pods() == []


def test_that_images_are_not_pulled_is_said_once(one: Installation) -> None:
    both = pod("a", sleeper()) + "\n---\n" + pod("b", sleeper())
    result = one.run("up", one.write("both.yaml", both))
    assert result.stderr.count("images are not pulled") == 1


def test_a_pod_that_is_up_is_not_touched(one: Installation) -> None:
    file = one.write("pod.yaml", pod("there", sleeper()))
    one.run("up", file)
    (before,) = one.pods()
    result = one.run("up", file, check=False)
    assert result.returncode == 1
    assert "up already" in result.stderr
    assert "--replace" in result.stderr
    assert "down" in result.stderr
    (after,) = one.pods()
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["status"]["containerStatuses"] == before["status"]["containerStatuses"]


def test_replace_ends_the_former_pod(one: Installation) -> None:
    file = one.write("pod.yaml", pod("there", sleeper()))
    one.run("up", file)
    (before,) = one.pods()
    one.run("up", "--replace", file)
    (after,) = one.pods()
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    one.run("up", "--replace", one.write("new.yaml", pod("new", sleeper())))
    assert len(one.pods()) == 2


def test_a_finished_pod_is_kept_until_it_is_taken_down(one: Installation) -> None:
    file = one.write("job.yaml", pod("job", sh("work", "echo done"), restartPolicy="Never"))
    assert "has succeeded" in one.run("up", file).stdout
    (found,) = one.pods()
    assert found["status"]["phase"] == "Succeeded"
    assert one.run("logs", "job").stdout == "done\n"
    again = one.run("up", file, check=False)
    assert again.returncode == 1
    assert "there already (Succeeded)" in again.stderr
    one.run("down", "job")
    assert left(one) == []


def test_claims_outlive_the_pod_and_end_with_volumes(one: Installation) -> None:
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    mounts = [{"name": "data", "mountPath": "/data"}]
    writer = sh("app", "echo kept >> /data/file; sleep 300", volumeMounts=mounts)
    file = one.write("pod.yaml", pod("claims", writer, volumes=volumes))
    for _ in range(2):
        one.run("up", file)
        one.run("down", "claims")
    kept = one.state / "claims/default/data/file"
    assert kept.read_text() == "kept\nkept\n"
    one.run("up", file)
    one.run("down", "--volumes", "claims")
    assert left(one) == []


def test_a_missing_config_map_is_named_and_nothing_is_left(installation: Installation) -> None:
    volumes = [{"name": "data", "configMap": {"name": "not-there"}}]
    app = sleeper(volumeMounts=[{"name": "data", "mountPath": "/data"}])
    file = installation.write("pod.yaml", pod("lacking", app, volumes=volumes))
    result = installation.run("up", file, check=False)
    assert result.returncode == 1
    assert "not-there" in result.stderr
    assert installation.pods() == []
    assert left(installation) == []


def test_a_missing_key_of_the_environment_is_named_and_nothing_is_left(one: Installation) -> None:
    reference = {"configMapKeyRef": {"name": "not-there", "key": "x"}}
    app = sleeper(env=[{"name": "X", "valueFrom": reference}])
    result = one.run("up", one.write("pod.yaml", pod("lacking", app)), check=False)
    assert result.returncode == 1
    assert "not-there" in result.stderr
    assert "app" in result.stderr
    assert left(one) == []


def test_a_command_that_is_not_there_is_a_start_error(installation: Installation) -> None:
    app = {"name": "app", "command": ["/no/such/command"]}
    file = installation.write("pod.yaml", pod("wrong", app, restartPolicy="Never"))
    result = installation.run("up", file, check=False)
    assert result.returncode == 1
    assert "StartError" in result.stderr
    assert "/no/such/command" in result.stderr
    end = installation.container("wrong", "app")["state"]["terminated"]
    assert end["reason"] == "StartError"
    assert end["exitCode"] in (127, 128)


def test_dry_run_prints_the_steps_and_does_none(installation: Installation) -> None:
    file = installation.write("pod.yaml", pod("planned", sleeper()))
    steps = installation.run("up", "--dry-run", file).stdout.splitlines()
    assert len(steps) > 5
    assert any("namespace" in step for step in steps)
    assert any("app" in step for step in steps)
    assert not installation.state.exists()


def test_wrong_input_names_file_line_and_path(one: Installation) -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: 5\n"
    file = one.write("wrong.yaml", text)
    result = one.run("up", file, check=False)
    assert result.returncode == 2
    assert f"{file}:6: spec.containers[0]" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--publish", "80"], "HOST:CONTAINER"),
        (["--publish", "70000:80"], "1 to 65535"),
        (["--image", "nginx"], "IMAGE=DIR"),
        (["--image", "nginx=/no/such/directory"], "not a directory"),
        (["--engine", "kubernetes"], "kubectl apply"),
        (["--backoff", "5"], "1:60"),
    ],
)
def test_wrong_usage_is_answered_with_what_is_right(
    one: Installation, arguments: list[str], said: str
) -> None:
    result = one.run("up", *arguments, one.write("pod.yaml", pod("a", sleeper())), check=False)
    assert result.returncode == 2
    assert said in result.stderr


def test_unknown_stop_signal_is_an_input_error(one: Installation) -> None:
    app = sleeper(lifecycle={"stopSignal": "SIGNOT"})
    result = one.run("up", one.write("pod.json", pod("a", app)), check=False)
    assert result.returncode == 2
    assert "spec.containers[0].lifecycle.stopSignal" in result.stderr


def test_replicas_are_limited_to_one_and_that_is_said(one: Installation) -> None:
    template = json.loads(pod("x", sleeper()))
    text = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "many"},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": {"labels": {"a": "b"}}, "spec": template["spec"]},
        },
    }
    result = one.run("up", one.write("many.json", json.dumps(text)))
    assert "1 Pod in place of 3 replicas" in result.stderr
    assert len(one.pods()) == 1


def ask(port: int) -> str:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
        answer = b""
        while data := connection.recv(65536):
            answer += data
    return answer.decode()


WEB = sh(
    "web",
    "mkdir -p /tmp/pwt && echo world > /tmp/pwt/hello && exec busybox httpd -f -p 8080 -h /tmp/pwt",
    readinessProbe={"tcpSocket": {"port": 8080}, "periodSeconds": 1},
)


def test_publish_leads_into_the_pod(installation: Installation) -> None:
    port = free_port()
    file = installation.write("pod.yaml", pod("web", WEB))
    result = installation.run("up", file, "--publish", f"127.0.0.1:{port}:8080")
    assert f"127.0.0.1:{port}->8080/tcp" in result.stdout
    assert "world" in ask(port)
    installation.run("down", "web")
    with pytest.raises(ConnectionRefusedError):
        ask(port)


def test_host_port_leads_into_the_pod_and_publish_goes_before_it(one: Installation) -> None:
    ports = [free_port(), free_port()]
    container_port = {"containerPort": 8080, "hostPort": ports[0], "hostIP": "127.0.0.1"}
    file = one.write("pod.yaml", pod("web", {**WEB, "ports": [container_port]}))
    one.run("up", file)
    assert "world" in ask(ports[0])
    one.run("up", "--replace", file, "--publish", f"127.0.0.1:{ports[1]}:8080")
    assert "world" in ask(ports[1])
    with pytest.raises(ConnectionRefusedError):
        ask(ports[0])


def test_container_port_alone_publishes_nothing(one: Installation) -> None:
    port = free_port()
    file = one.write("pod.yaml", pod("web", {**WEB, "ports": [{"containerPort": port}]}))
    one.run("up", file)
    with pytest.raises(ConnectionRefusedError):
        ask(port)


def test_a_port_that_is_taken_is_named_and_nothing_is_left(one: Installation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = one.write("pod.yaml", pod("web", WEB))
        result = one.run("up", file, "--publish", f"127.0.0.1:{port}:8080", check=False)
    assert result.returncode == 1
    assert f"127.0.0.1:{port}" in result.stderr
    assert left(one) == []


def supervisor(installation: Installation, name: str) -> int:
    pid = supervisor_of(str(installation.state / "pods" / f"default_{name}"))
    assert pid is not None
    return pid


def running(argument: str) -> list[str]:
    """Command lines on this machine with an argument that only a test's container has."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if argument.encode() in arguments:
            found.append(str(path))
    return found


def test_a_killed_supervisor_takes_the_pod_along_and_up_cleans(installation: Installation) -> None:
    seconds = f"{100000 + os.getpid()}"
    app = {"name": "app", "command": ["sleep", seconds]}
    file = installation.write("pod.yaml", pod("killed", app))
    installation.run("up", file)
    assert running(seconds)
    os.kill(supervisor(installation, "killed"), signal.SIGKILL)
    wait_until(lambda: not running(seconds), 60, "the containers die with their supervisor")
    shown = installation.run("ps").stdout
    assert "killed" in shown
    assert "Lost" in shown
    (found,) = installation.pods()
    assert (found["status"]["phase"], found["podweave"]["state"]) == ("Failed", "lost")
    installation.run("up", file)
    (found,) = installation.pods()
    assert (found["status"]["phase"], found["podweave"]["state"]) == ("Running", "alive")
    os.kill(supervisor(installation, "killed"), signal.SIGKILL)
    wait_until(lambda: not running(seconds), 60, "the containers die with their supervisor")
    installation.run("down", "killed")
    assert left(installation) == []


def test_a_pod_whose_supervisor_dies_while_it_comes_up_is_called_lost(one: Installation) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1}
    file = one.write("pod.yaml", pod("torn", sleeper(readinessProbe=probe)))
    with subprocess.Popen(
        one.command("up", "--timeout", "60", file),
        env=one.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as up:

        def running() -> bool:
            return any(found["status"]["phase"] == "Running" for found in one.pods())

        try:
            wait_until(running, 60, "the Pod runs, and isn't ready")
            os.kill(supervisor(one, "torn"), signal.SIGKILL)
            _, said = up.communicate(timeout=60)
        finally:
            up.kill()
    assert up.returncode == 1
    assert "Pod torn was lost while it came up" in said


def test_sigterm_to_the_supervisor_stops_the_pod_in_order(one: Installation) -> None:
    script = "trap 'echo told; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    ready = {"exec": {"command": ["true"]}}
    one.run("up", one.write("pod.yaml", pod("told", sh("app", script, readinessProbe=ready))))
    wait_until(lambda: "up" in one.run("logs", "told").stdout, 60, "the trap is set")
    os.kill(supervisor(one, "told"), signal.SIGTERM)

    def ended() -> bool:
        (found,) = one.pods()
        return bool(found["podweave"]["state"] == "finished")

    wait_until(ended, 60, "the Pod has ended")
    (found,) = one.pods()
    assert found["status"]["phase"] == "Succeeded"
    assert one.run("logs", "told").stdout == "up\ntold\n"


def test_a_pod_that_is_not_ready_in_time_stays_and_says_why(one: Installation) -> None:
    probe = {"exec": {"command": ["sh", "-c", "echo too early; exit 1"]}, "periodSeconds": 1}
    file = one.write("pod.yaml", pod("slow", sleeper(readinessProbe=probe)))
    result = one.run("up", "--timeout", "2", file, check=False)
    assert result.returncode == 1
    assert "not ready within 2 s" in result.stderr
    assert "Readiness probe failed: too early (exit code 1)" in result.stderr
    assert one.pods()[0]["status"]["phase"] == "Running"


def test_a_pod_in_its_set_up_is_pending() -> None:
    record = PodRecord(name="early", namespace="default", uid="")
    shown = pod_object(record, supervisor=os.getpid())
    assert shown["status"]["phase"] == "Pending"
