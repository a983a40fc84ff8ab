"""Terminals that don't speak UTF-8."""

from __future__ import annotations

import json
import subprocess

from tests.installations import Installation

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: plain
  annotations: {note: 주문}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: app, image: x, command: [sleep, "1000"]}
"""


def test_what_a_terminal_cannot_show_is_replaced_but_data_stays(one: Installation) -> None:
    one.environment |= {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    one.run("up", one.write("p.yaml", POD))
    assert "? Pod plain" in one.run("ps").stdout
    data = subprocess.run(
        one.command("ps", "--json"), env=one.environment, check=True, capture_output=True
    ).stdout
    assert json.loads(data)["items"][0]["metadata"]["annotations"] == {"note": "주문"}
