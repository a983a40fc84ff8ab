"""S6: the application writes log files to a folder; the sidecar ships them to the store, the last
line included, without changing the application."""

from __future__ import annotations

from tests.installations import Installation
from tests.log_shipping import SHIP, messages
from tests.waiting import wait_until

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: shop}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 20
  containers:
  - name: app
    image: example/app
    command: [sh, -c, {script!r}]
"""


def start(installation: Installation, script: str) -> None:
    pod = installation.write("pod.yaml", POD.format(script=script))
    installation.run("up", pod, installation.write("ship.yaml", SHIP))


def test_s6_every_line_arrives_and_the_last_one_too(installation: Installation) -> None:
    script = (
        "i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo line $i; done >> /var/log/shop/a.log;"
        " printf 'the last act' >> /var/log/shop/a.log"
    )
    start(installation, script)
    wanted = [f"line {number}" for number in range(1, 5001)] + ["the last act"]

    def finished() -> bool:
        (pod,) = installation.pods()
        return bool(pod["status"]["phase"] == "Succeeded")

    wait_until(finished, 30, "the Pod ends once its application has ended")
    assert messages(installation) == wanted


def test_s6_rotation_and_kill_lose_nothing(installation: Installation) -> None:
    script = (
        "cd /var/log/shop; i=0; while :; do i=$((i+1)); echo line $i >> a.log;"
        " [ $((i % 500)) -eq 0 ] && mv a.log a.$i.log; sleep 0.001; done"
    )
    start(installation, script)
    for number in range(3):
        seen = len(messages(installation))

        def more_lines(seen: int = seen) -> bool:
            return len(messages(installation)) > seen + 300

        def restarted(number: int = number) -> bool:
            return bool(installation.container("shop", "ship")["restartCount"] > number)

        wait_until(more_lines, 30, "lines arrive")
        # PID 1 is the container's init, the program its first child; the shell may die with it.
        installation.run("exec", "-c", "ship", "shop", "--", "sh", "-c", "kill -9 2", check=False)
        wait_until(restarted, 30, "the sidecar is started again")
    installation.run("down", "shop")
    arrived = [int(message.split()[1]) for message in messages(installation)]
    assert set(arrived) == set(range(1, max(arrived) + 1))
    firsts = list(dict.fromkeys(arrived))
    assert firsts == sorted(firsts)
