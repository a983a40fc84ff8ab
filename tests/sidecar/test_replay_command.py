"""`podweave replay` on a Pod in the local engine, with a store on the machine beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.installations import Installation, installed
from tests.sidecar.http_peer import Reply
from tests.sidecar.receiver import OK, receiving
from tests.waiting import wait_until

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: shop, labels: {app: shop}}
spec:
  terminationGracePeriodSeconds: 15
  containers:
  - name: app
    image: example/app
    command: [sh, -c, "printf 'good\\nbad\\nfine\\n' >> /var/log/shop/a.log; sleep 1000"]
"""

SHIP = """\
apiVersion: podweave.dev/v1alpha1
kind: Sidecar
metadata: {{name: ship}}
spec:
  logs:
  - from: [/var/log/shop/*.log]
    store: {{name: sink, http: {{url: "http://host.podweave.internal:{port}/in"}}}}
"""


@pytest.fixture
def installation() -> Iterator[Installation]:
    with installed("root") as made:
        yield made


def test_refused_records_are_shown_and_sent_again(installation: Installation) -> None:
    mended = False

    def answer(records: list[dict[str, Any]]) -> Reply:
        bad = not mended and any(record["message"] == "bad" for record in records)
        return Reply(400, "no such field") if bad else OK

    with receiving() as receiver:
        receiver.answer = answer
        files = (
            installation.write("pod.yaml", POD),
            installation.write("ship.yaml", SHIP.format(port=receiver.peer.port)),
        )
        installation.run("up", *files)
        wait_until(lambda: receiver.messages() == ["good", "fine"], 30, "the good ones")

        def kept() -> int:
            said = installation.run("replay", "--list", "--json").stdout
            count: int = json.loads(said)["stores"]["sink"]["records"]
            return count

        wait_until(lambda: kept() == 1, 30, "the bad one is a dead letter")
        listed = installation.run("replay", "shop", "--list").stdout
        assert "ship: sink: 1 record" in listed
        assert "no such field" in listed
        assert "the last: bad" in listed
        mended = True
        assert "being sent again" in installation.run("replay").stdout
        wait_until(lambda: receiver.messages() == ["good", "fine", "bad"], 30, "the bad one")
        wait_until(lambda: kept() == 0, 30, "no dead letters")
        assert receiver.records[-1]["kubernetes"]["pod"]["labels"] == {"app": "shop"}
        unknown = installation.run("replay", "--store", "x", check=False)
        assert unknown.returncode == 2
        assert "there is no store 'x'; there is sink" in unknown.stderr
