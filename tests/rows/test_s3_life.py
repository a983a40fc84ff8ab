"""S3: a container's life hangs on its init process; the faulty container is seen at a glance."""

from __future__ import annotations

from tests.installations import Installation
from tests.waiting import wait_until

ORDER = """\
apiVersion: v1
kind: Pod
metadata: {name: ordered}
spec:
  terminationGracePeriodSeconds: 5
  volumes:
  - {name: shared, emptyDir: {}}
  - {name: journal, persistentVolumeClaim: {claimName: journal}}
  initContainers:
  - name: first
    image: a
    command: [sh, -c, "echo first >> /journal/order"]
    volumeMounts: &mounts
    - {name: shared, mountPath: /shared}
    - {name: journal, mountPath: /journal}
  - name: helper
    image: a
    restartPolicy: Always
    command:
    - sh
    - -c
    - |
      trap 'echo helper-ends >> /journal/order; exit 0' TERM
      echo helper >> /journal/order
      touch /shared/helper-is-up
      while :; do sleep 0.05; done
    startupProbe:
      exec: {command: [test, -e, /shared/helper-is-up]}
      periodSeconds: 1
    volumeMounts: *mounts
  - name: second
    image: a
    command: [sh, -c, "test -e /shared/helper-is-up && echo second >> /journal/order"]
    volumeMounts: *mounts
  containers:
  - name: app
    image: a
    command:
    - sh
    - -c
    - |
      trap 'echo app-ends >> /journal/order; exit 0' TERM
      echo app >> /journal/order
      touch /shared/app-is-up
      while :; do sleep 0.05; done
    readinessProbe:
      exec: {command: [test, -e, /shared/app-is-up]}
      periodSeconds: 1
    volumeMounts: *mounts
"""


def test_s3_start_and_stop_follow_the_kubelet_order(installation: Installation) -> None:
    installation.run("up", installation.write("pod.yaml", ORDER))
    installation.run("down", "ordered")
    (journal,) = (installation.state / "claims").glob("*/journal/order")
    assert journal.read_text().split() == [
        *("first", "helper", "second", "app"),
        *("app-ends", "helper-ends"),
    ]


FAULTY = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: fine, image: a, command: [sleep, "300"]}
  - {name: broken, image: a, command: [sh, -c, "echo no database here >&2; exit 3"]}
"""


def test_s3_the_faulty_container_is_seen_at_a_glance(installation: Installation) -> None:
    result = installation.run(
        "up", "--timeout", "10", installation.write("pod.yaml", FAULTY), check=False
    )
    assert result.returncode == 1
    said = result.stdout + result.stderr
    assert "broken" in said
    assert "no database here" in said

    def restarted() -> bool:
        return bool(installation.container("shop", "broken")["restartCount"])

    wait_until(restarted, 60, "the broken container is restarted")
    lines = installation.run("ps").stdout.splitlines()
    (faulty,) = (line for line in lines if "broken" in line)
    (fine,) = (line for line in lines if "fine" in line)
    assert "exit 3" in faulty or "exit code 3" in faulty, faulty
    assert "Running" in fine or "running" in fine
    last = installation.container("shop", "broken")
    end = last["lastState"].get("terminated") or last["state"]["terminated"]
    assert (end["exitCode"], end["reason"]) == (3, "Error")
    assert installation.container("shop", "fine")["restartCount"] == 0


ORPHANS = """\
apiVersion: v1
kind: Pod
metadata: {name: orphans}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: app
    image: a
    command: [sh, -c, "(sleep 0.1 &) ; (sleep 0.2 &) ; exec sleep 300"]
"""


def test_s3_process_one_reaps_orphans(installation: Installation) -> None:
    installation.run("up", installation.write("pod.yaml", ORPHANS))

    def only_the_app() -> bool:
        listed = installation.run("exec", "orphans", "--", "ps", "-eo", "stat,args").stdout
        return "sleep 0." not in listed and "Z" not in [line[0] for line in listed.splitlines()[1:]]

    wait_until(only_the_app, 60, "no zombie left")


KILLED = """\
apiVersion: v1
kind: Pod
metadata: {name: killed}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  containers:
  - {name: app, image: a, command: [sh, -c, "kill -9 $$$$"]}
"""


def test_s3_a_signal_is_reported_as_kubelet_reports_it(installation: Installation) -> None:
    result = installation.run("up", installation.write("pod.yaml", KILLED), check=False)
    assert result.returncode == 1
    end = installation.container("killed", "app")["state"]["terminated"]
    assert (end["exitCode"], end["reason"]) == (137, "Error")
    (pod,) = installation.pods()
    assert pod["status"]["phase"] == "Failed"
