"""The end of a Pod: the application writes its last line as its last act and exits; it arrives.

PODWEAVE_LAST_LINE_ROUNDS: how many Pods; the acceptance is 200 of 200.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.installations import Installation, installed
from tests.log_shipping import SHIP, messages
from tests.waiting import wait_until

ROUNDS = int(os.environ.get("PODWEAVE_LAST_LINE_ROUNDS", "4"))
AT_ONCE = 4

# The last line without a newline, from a process that ends at once after it.
POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: shop-{number}}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 20
  containers:
  - name: app
    image: example/app
    command: [sh, -c, "i=0; while [ $i -lt {lines} ]; do i=$((i+1)); echo {number} line $i; done
      >> /var/log/shop/a.log; printf '{number} the last act' >> /var/log/shop/a.log"]
"""


@pytest.fixture
def installation() -> Iterator[Installation]:
    with installed("root") as made:
        yield made


@pytest.mark.timeout(120 + 5 * ROUNDS)
def test_the_last_line_arrives_every_time(installation: Installation) -> None:
    ship = installation.write("ship.yaml", SHIP)
    arrived = 0
    began = time.monotonic()
    for first in range(0, ROUNDS, AT_ONCE):
        numbers = range(first, min(ROUNDS, first + AT_ONCE))
        # From nothing but the last act to a burst before it.
        pods = "---\n".join(POD.format(number=number, lines=number % 3 * 400) for number in numbers)
        installation.run("up", installation.write("pods.yaml", pods), ship)

        def finished() -> bool:
            phases = [pod["status"]["phase"] for pod in installation.pods()]
            assert "Failed" not in phases
            return all(phase == "Succeeded" for phase in phases)

        wait_until(finished, 60, "the Pods end once their applications have")
        for number in numbers:
            wanted = [f"{number} line {line + 1}" for line in range(number % 3 * 400)]
            assert messages(installation, f"shop-{number}") == [*wanted, f"{number} the last act"]
            arrived += 1
        installation.run("down", "--all")
    print(f"{arrived} of {ROUNDS} last lines in {time.monotonic() - began:.0f} s")
    assert arrived == ROUNDS
