"""Pods that come and go, with their logs on a claim: the next goes on where the last one was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.installations import Installation, installed
from tests.log_shipping import messages
from tests.waiting import wait_until

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  terminationGracePeriodSeconds: 20
  securityContext: {runAsUser: 1000, runAsNonRoot: true, fsGroup: 1000}
  containers:
  - name: app
    image: example/app
    command: [sh, -c, "trap 'echo end >> /var/log/shop/a.log; exit' TERM;
      while :; do i=$((i+1)); echo $(date +%s%N) $i >> /var/log/shop/a.log; sleep 0.02; done"]
    volumeMounts: [{name: logs, mountPath: /var/log/shop}]
  volumes:
  - {name: logs, persistentVolumeClaim: {claimName: logs}}
"""

SHIP = """\
apiVersion: podweave.dev/v1alpha1
kind: Sidecar
metadata: {{name: ship}}
spec:
  state: {{volume: logs}}
  logs:
  - from: {source}
    store:
      files: {{directory: /var/store, volume: {{persistentVolumeClaim: {{claimName: store}}}}}}
"""

NORMALISE = """\
---
apiVersion: podweave.dev/v1alpha1
kind: Adapter
metadata: {name: normalise}
spec:
  state: {volume: logs}
  logs: [{from: [/var/log/shop/*.log]}]
"""


@pytest.fixture
def installation() -> Iterator[Installation]:
    with installed("root") as made:
        yield made


@pytest.mark.parametrize("adapted", [False, True], ids=["lines", "records"])
def test_no_line_is_lost_or_stored_twice(installation: Installation, *, adapted: bool) -> None:
    pod = installation.write("pod.yaml", POD)
    source = "{adapter: normalise}" if adapted else "[/var/log/shop/*.log]"
    patterns = SHIP.format(source=source) + (NORMALISE if adapted else "")
    ship = installation.write("ship.yaml", patterns)

    def written() -> list[str]:
        files = (installation.state / "claims").glob("*/logs/a.log")
        return [line for file in files for line in file.read_text().splitlines()]

    def live(*end: str) -> None:
        before = len(written())
        installation.run("up", pod, ship)
        wait_until(lambda: len(written()) > before + 10, 60, "the Pod writes")
        installation.run("down", "shop", *end)

    for _ in range(2):
        live()
        assert Counter(messages(installation)) == Counter(written())
    live("--grace-period", "0")
    live()
    # What wasn't acknowledged when the Pod was killed may have come twice.
    assert not Counter(written()) - Counter(messages(installation))
