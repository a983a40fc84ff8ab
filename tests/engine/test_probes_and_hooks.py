"""Probes and hooks on the real thing, from the supervisor into the Pod."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.engine.pods import pod, sh, sleeper
from tests.installations import Installation
from tests.waiting import wait_until

SERVE = "mkdir -p /tmp/pwt && echo yes > /tmp/pwt/here && exec busybox httpd -f -p 8080 -h /tmp/pwt"


def events(installation: Installation, reason: str) -> list[str]:
    (found,) = installation.pods()
    return [each["message"] for each in found["podweave"]["events"] if each["reason"] == reason]


@pytest.mark.parametrize(
    "probe",
    [
        {"httpGet": {"port": "web", "path": "/here"}},
        {"httpGet": {"port": 8080, "path": "here", "httpHeaders": [{"name": "X", "value": "y"}]}},
        {"tcpSocket": {"port": "web"}},
        {"exec": {"command": ["test", "-e", "/tmp/pwt/here"]}},
    ],
    ids=["http-name", "http-number", "tcp", "exec"],
)
def test_readiness_is_found(installation: Installation, probe: dict[str, Any]) -> None:
    ports = [{"name": "web", "containerPort": 8080}]
    web = sh(
        "web", f"sleep 0.3; {SERVE}", ports=ports, readinessProbe={**probe, "periodSeconds": 1}
    )
    installation.run("up", installation.write("pod.yaml", pod("web", web)))
    assert installation.container("web", "web")["ready"] is True


def test_an_answer_of_404_is_unready(one: Installation) -> None:
    probe = {"httpGet": {"port": 8080, "path": "/not"}, "periodSeconds": 1}
    web = sh("web", SERVE, readinessProbe=probe)
    result = one.run("up", "--timeout", "3", one.write("p.yaml", pod("web", web)), check=False)
    assert result.returncode == 1
    assert any("404" in each for each in events(one, "Unhealthy"))
    assert one.container("web", "web")["ready"] is False


def test_a_probe_that_hangs_is_cut_off(one: Installation) -> None:
    probe = {"exec": {"command": ["sleep", "100"]}, "timeoutSeconds": 1}
    result = one.run(
        "up",
        "--timeout",
        "3",
        one.write("p.yaml", pod("slow", sleeper(readinessProbe=probe))),
        check=False,
    )
    assert result.returncode == 1
    assert "timed out after 1s" in result.stderr
    listed = one.run("exec", "slow", "--", "ps", "-eo", "args").stdout
    assert "sleep 100" not in listed


def test_a_tls_server_is_probed_without_verification(one: Installation) -> None:
    serve = (
        "cd $(mktemp -d) && openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -days 1"
        " -subj /CN=x 2>/dev/null && exec openssl s_server -accept 8443 -key k -cert c -www -quiet"
    )
    probe = {"httpGet": {"port": 8443, "scheme": "HTTPS"}, "periodSeconds": 1, "timeoutSeconds": 3}
    one.run("up", one.write("p.yaml", pod("tls", sh("web", serve, readinessProbe=probe))))
    assert one.container("tls", "web")["ready"] is True


def test_a_grpc_server_is_asked_for_its_health(one: Installation) -> None:
    grpc = pytest.importorskip("grpc")
    site = grpc.__file__.removesuffix("/grpc/__init__.py")
    code = """
import grpc, threading
from concurrent import futures
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
servicer = health.HealthServicer()
servicer.set("db", health_pb2.HealthCheckResponse.SERVING)
server = grpc.server(futures.ThreadPoolExecutor(2))
health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
server.add_insecure_port("0.0.0.0:9000")
server.start()
threading.Event().wait()
"""
    app = {
        "name": "app",
        "command": [sys.executable, "-c", code],
        "env": [{"name": "PYTHONPATH", "value": site}],
        "readinessProbe": {"grpc": {"port": 9000, "service": "db"}, "periodSeconds": 1},
        "livenessProbe": {"grpc": {"port": 9000, "service": "db"}, "initialDelaySeconds": 30},
    }
    one.run("up", one.write("p.yaml", pod("grpc", app)))
    assert one.container("grpc", "app")["ready"] is True


def test_failed_liveness_restarts_the_container(installation: Installation) -> None:
    script = "test -e /v/once && exec sleep 300; touch /v/once; touch /tmp/pwt-ill; exec sleep 300"
    probe = {
        "exec": {"command": ["test", "!", "-e", "/tmp/pwt-ill"]},
        "periodSeconds": 1,
        "failureThreshold": 1,
        "initialDelaySeconds": 1,
    }
    app = sh("app", script, livenessProbe=probe, volumeMounts=[{"name": "v", "mountPath": "/v"}])
    volumes = [{"name": "v", "emptyDir": {}}]
    text = pod("ill", app, volumes=volumes)
    installation.run("up", installation.write("p.yaml", text))

    def restarted() -> bool:
        return bool(installation.container("ill", "app")["restartCount"] == 1)

    wait_until(restarted, 60, "the container is restarted")
    last = installation.container("ill", "app")["lastState"]["terminated"]
    assert last["exitCode"] in (137, 143)
    assert any("failed liveness probe" in each for each in events(installation, "Killing"))


def test_hooks_run_at_their_time(installation: Installation) -> None:
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "v"}}]
    mounts = [{"name": "v", "mountPath": "/v"}]

    def note(text: str) -> dict[str, Any]:
        return {"exec": {"command": ["sh", "-c", f"echo {text} >> /v/order"]}}

    script = (
        "trap 'echo term >> /v/order; exit 0' TERM; touch /tmp/pwt-up; while :; do sleep .1; done"
    )
    app = sh(
        "app",
        script,
        volumeMounts=mounts,
        lifecycle={"postStart": note("postStart"), "preStop": note("preStop")},
        readinessProbe={
            "exec": {"command": ["test", "-e", "/tmp/pwt-up"]},
            "periodSeconds": 1,
        },
    )
    installation.run("up", installation.write("p.yaml", pod("hooks", app, volumes=volumes)))
    installation.run("down", "hooks")
    order = installation.state / "claims/default/v/order"
    assert order.read_text().split() == ["postStart", "preStop", "term"]


def test_a_failed_post_start_hook_is_told(one: Installation) -> None:
    hook = {"postStart": {"exec": {"command": ["sh", "-c", "echo no luck; exit 3"]}}}
    text = pod("hooks", sleeper(lifecycle=hook), restartPolicy="Never")
    result = one.run("up", one.write("p.yaml", text), check=False)
    assert result.returncode == 1
    assert "FailedPostStartHook: postStart hook failed: no luck (exit code 3)" in result.stderr


def test_sleep_and_http_hooks(one: Installation) -> None:
    lifecycle = {
        "postStart": {"sleep": {"seconds": 0}},
        "preStop": {"httpGet": {"port": 8080, "path": "/cgi-bin/bye"}},
    }
    ready = {"tcpSocket": {"port": 8080}, "periodSeconds": 1}
    answers = (
        "mkdir -p /tmp/pwt/cgi-bin; cd /tmp/pwt/cgi-bin; "
        "printf '#!/bin/sh\\necho asked >/v/said\\necho\\n' >bye; chmod +x bye; "
    )
    volumes = [{"name": "v", "persistentVolumeClaim": {"claimName": "v"}}]
    mounts = [{"name": "v", "mountPath": "/v"}]
    web = sh("web", answers + SERVE, lifecycle=lifecycle, readinessProbe=ready, volumeMounts=mounts)
    one.run("up", one.write("p.yaml", pod("hooks", web, volumes=volumes)))
    one.run("down", "hooks")
    assert (one.state / "claims/default/v/said").read_text() == "asked\n"


def test_the_termination_message_is_reported(installation: Installation) -> None:
    app = sh("app", "echo out of disk > /dev/termination-log; exit 4")
    other = sh("other", "echo first; echo last; exit 5")
    other["terminationMessagePolicy"] = "FallbackToLogsOnError"
    file = installation.write("p.yaml", pod("words", app, other, restartPolicy="Never"))
    assert installation.run("up", file, check=False).returncode == 1
    ends = {
        name: installation.container("words", name)["state"]["terminated"]
        for name in ("app", "other")
    }
    assert (ends["app"]["exitCode"], ends["app"]["message"]) == (4, "out of disk\n")
    assert (ends["other"]["exitCode"], ends["other"]["message"]) == (5, "first\nlast")


def test_a_stop_signal_of_its_own_is_sent(one: Installation) -> None:
    script = "trap 'echo usr1; exit 0' USR1; echo up; while :; do sleep 0.05; done"
    app = sh("app", script, lifecycle={"stopSignal": "SIGUSR1"})
    text = pod("signals", app, volumes=[])
    one.run("up", one.write("p.yaml", text))
    wait_until(lambda: "up" in one.run("logs", "signals").stdout, 60, "the trap is set")
    follower = subprocess.Popen(
        one.command("logs", "-f", "signals"), env=one.environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert follower.stdout is not None
        assert follower.stdout.readline() == "up\n"
        one.run("down", "signals")
        assert follower.stdout.read() == "usr1\n"
    finally:
        follower.kill()
        follower.wait()
        if follower.stdout:
            follower.stdout.close()
