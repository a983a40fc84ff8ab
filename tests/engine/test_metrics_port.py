"""A helper's metrics are there on the Pod's own addresses, for whoever isn't in the Pod."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

from tests.engine.pods import pod, sleeper
from tests.installations import Installation
from tests.ports import free_port

PORTS = {"db": 9102, "logs": 9103, "ship": 9104}
NAMES = {
    "db": "podweave_ambassador_clients_accepted_total",
    "logs": "podweave_adapter_",
    "ship": "podweave_logs_",
}

ASK = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"


def pattern(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "podweave.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"metrics": {"port": PORTS[name]}, **spec},
    }


PATTERNS = [
    pattern(
        "Ambassador",
        "db",
        listen="localhost:5432",
        profiles={"dev": {"upstreams": [{"address": "db.example:5432"}]}},
    ),
    pattern("Adapter", "logs", logs=[{"from": ["/var/log/shop/*.log"]}]),
    pattern(
        "Sidecar",
        "ship",
        logs=[{"from": [{"adapter": "logs"}], "store": {"files": {"directory": "/var/log/st"}}}],
    ),
]


def test_a_scrape_from_outside_of_the_pod(installation: Installation) -> None:
    """Through the Pod's address, and where it is published; and nothing but a scrape."""
    outside = {name: free_port() for name in PORTS}
    publish = [
        word for name, port in PORTS.items() for word in ("--publish", f"{outside[name]}:{port}")
    ]
    files = [
        installation.write("pod.yaml", pod("shop", sleeper())),
        *(installation.write(f"{each['kind']}.json", json.dumps(each)) for each in PATTERNS),
    ]
    installation.run("up", *files, *publish)
    (status,) = [each["status"] for each in installation.pods()]
    for name, port in PORTS.items():
        inside = f"http://{status['podIP']}:{port}/metrics"
        ask = ["exec", "shop", "--", "python3", "-c", ASK, inside]
        assert NAMES[name] in installation.run(*ask).stdout
        address = f"http://127.0.0.1:{outside[name]}"
        with urllib.request.urlopen(f"{address}/metrics", timeout=60) as response:
            assert NAMES[name] in response.read().decode()
        for path in ("/quitquitquit", "/profile", "/replay"):
            assert refused(f"{address}{path}", b"qa") == 404
        assert refused(f"{address}/metrics", b"x") == 405
        assert refused(f"{address}/state") == 404


def refused(url: str, content: bytes | None = None) -> int:
    try:
        urllib.request.urlopen(url, data=content, timeout=60)
    except urllib.error.HTTPError as error:
        return error.code
    raise AssertionError(f"{url} answered")
