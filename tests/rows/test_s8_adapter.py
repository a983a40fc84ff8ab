"""S8: many formats in, the schema of the tool in use out, and no application changed."""

from __future__ import annotations

import json
from typing import Any

from tests.installations import Installation
from tests.waiting import wait_until

NGINX = '10.0.0.7 - - [23/Nov/2026:09:15:01 +0900] "GET /orders/17 HTTP/1.1" 404 153 "-" "curl/8.5"'
LOG4J = (
    "2026-11-23 00:15:02,250 ERROR [main] com.example.Shop - order failed\n"
    "java.lang.IllegalStateException: no stock\n"
    "\tat com.example.Shop.place(Shop.java:17)\n"
    "2026-11-23 00:15:03,000 INFO  [main] com.example.Shop - going on"
)

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: shop}
spec:
  terminationGracePeriodSeconds: 10
  volumes:
  - name: samples
    configMap: {name: samples}
  containers:
  - name: app
    image: example/app
    command: [sh, -c, "cat /samples/access > /var/log/shop/access.log; cat /samples/app > /var/log/shop/app.log; exec sleep 300"]
    volumeMounts: [{name: samples, mountPath: /samples}]
---
apiVersion: podweave.dev/v1alpha1
kind: Adapter
metadata: {name: normal}
spec:
  logs:
  - from: [/var/log/shop/*.log]
    schema: ecs
"""  # noqa: E501


def records(installation: Installation) -> list[dict[str, Any]]:
    text = installation.run("logs", "-c", "normal", "shop").stdout
    # Beside the records are the adapter's own lines about itself, on stderr.
    every = [json.loads(line) for line in text.splitlines()]
    return [record for record in every if "ecs" in record]


def test_s8_two_formats_become_one_schema(installation: Installation) -> None:
    samples = json.dumps(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "samples"},
            "data": {"access": NGINX + "\n", "app": LOG4J + "\n"},
        }
    )
    installation.run(
        "up", installation.write("pod.yaml", POD), installation.write("samples.json", samples)
    )
    wait_until(lambda: len(records(installation)) >= 3, 60, "three events")
    by_time = sorted(records(installation), key=lambda record: str(record["@timestamp"]))
    access, failed, on = by_time
    assert str(access["@timestamp"]).startswith("2026-11-23T00:15:01")
    assert access["http"]["response"]["status_code"] == 404
    assert access["source"]["ip"] == "10.0.0.7"
    assert failed["log"]["level"].lower() == "error"
    assert failed["message"] == "order failed"
    assert failed["error"]["type"] == "java.lang.IllegalStateException"
    assert "Shop.java:17" in failed["error"]["stack_trace"]
    assert on["message"] == "going on"
    assert {record["ecs"]["version"] for record in by_time} == {access["ecs"]["version"]}
    assert {record["kubernetes"]["pod"]["name"] for record in by_time} == {"shop"}
