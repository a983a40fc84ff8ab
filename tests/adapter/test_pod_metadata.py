"""The Pod's own fields, and the workload that its name comes from."""

from __future__ import annotations

import pytest

from podweave.helpers.logs.pod_metadata import constants, workload_of


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("orders", "orders"),
        ("orders-7d9f8b6c5-x2x7q", "orders"),
        ("orders-api-5c689d88bb-qvwxz", "orders-api"),
        ("orders-x2x7q", "orders"),
        ("orders-db-0", "orders-db"),
        ("orders-db-12", "orders-db"),
        ("web-frontend", "web-frontend"),
        ("", ""),
    ],
)
def test_the_workload_of_a_pod(pod: str, workload: str) -> None:
    assert workload_of(pod) == workload


def test_the_environment_says_who_the_pod_is() -> None:
    assert constants({"PATH": "/bin"}) == {}
    assert constants({"POD_NAME": "orders-0", "POD_NAMESPACE": "shop", "NODE_NAME": ""}) == {
        "pod_name": "orders-0",
        "pod_namespace": "shop",
        "service_name": "orders",
    }
    assert constants({"POD_NAME": "orders-0", "SERVICE_NAME": "db"})["service_name"] == "db"
