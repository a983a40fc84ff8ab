"""A log sidecar with the embedded store, and what is in that store."""

from __future__ import annotations

import json

from tests.installations import Installation

SHIP = """\
apiVersion: podweave.dev/v1alpha1
kind: Sidecar
metadata: {name: ship}
spec:
  logs:
  - from: [/var/log/shop/*.log]
    store:
      files:
        directory: /var/log/store
        volume: {persistentVolumeClaim: {claimName: store}}
"""


def messages(installation: Installation, pod: str = "*") -> list[str]:
    """The stored lines of a Pod, or of all, in the order of the store's files."""
    return [
        json.loads(line)["message"]
        for file in sorted((installation.state / "claims").glob(f"*/store/*/{pod}/*.ndjson"))
        for line in file.read_text().splitlines()
    ]
