"""Cost, measured use, load curves, the autoscaler's arithmetic, bin packing and the day."""

from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from podweave.model.errors import InputError
from podweave.review.case import Case
from podweave.review.cost import effective, measured, price
from podweave.review.curves import CURVES, read_loads
from podweave.review.inventory import Inventory
from podweave.review.judge import judge
from podweave.review.simulation.autoscaler import Autoscaler
from podweave.review.simulation.day import Plan, simulate
from podweave.review.simulation.packing import Shape, TooLargeError, nodes
from podweave.review.usage import peaks, read_usage


def case(text: str) -> Case:
    inventory = Inventory()
    inventory.add("x.yaml", text.encode())
    inventory.finish()
    assert inventory.errors == []
    return judge(inventory.found[0].facts).case


def deployment(api: str, db: str, replicas: int = 4) -> str:
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: shop}}}}
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      containers:
      - name: api
        image: example/api:1
        ports: [{{containerPort: 8080}}]
        resources: {api}
      - name: db
        image: postgres:16
        ports: [{{containerPort: 5432}}]
        resources: {db}
"""


FULL = "{requests: {cpu: 500m, memory: 1Gi}}"


def test_tax_and_waste_are_the_formulas() -> None:
    cost = price(case(deployment(FULL, "{requests: {cpu: '1.5', memory: 3Gi}}")))
    assert cost["tax"] == {"cpu": 0.75, "memory": 0.75}
    # Four replicas all day: three beyond the first, 24 hours.
    assert cost["waste"]["cpu"]["low"] == cost["waste"]["cpu"]["high"] == 3 * 24 * 1.5
    assert cost["waste"]["memory"]["high"] == 3 * 24 * 3


def test_what_is_not_requested_is_unknown_never_nought() -> None:
    cost = price(case(deployment(FULL, "{}")))
    assert cost["requests"] == {"cpu": "unknown", "memory": "unknown"}
    assert cost["tax"] == cost["waste"] == {"cpu": "unknown", "memory": "unknown"}
    assert cost["unknown"] == ["db"]


def test_a_limit_stands_for_a_missing_request() -> None:
    cost = price(case(deployment(FULL, "{limits: {cpu: '1', memory: 1Gi}}")))
    assert cost["requests"]["cpu"] == 1.5


def test_effective_requests_count_init_containers_and_native_sidecars() -> None:
    document = yaml.safe_load(deployment(FULL, FULL))
    spec = document["spec"]["template"]["spec"]
    spec["initContainers"] = [
        {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "1"}}},
        {"name": "i", "resources": {"requests": {"cpu": "5"}}},
    ]
    spec["overhead"] = {"cpu": "250m"}
    facts = case(yaml.safe_dump(document)).pod
    # max(sidecar 1 + init 5, sidecar 1 + mains 1) + overhead
    assert effective(facts, "cpu") == 6.25


def test_measured_use_separates_waste_from_slack() -> None:
    judged = case(deployment(FULL, "{requests: {cpu: '2', memory: 1Gi}}"))
    rows = measured(judged, {"api": 1.4, "db": 0.7}, 4)
    assert rows["api"]["replicas_needed"] == 4
    assert rows["api"]["wasted_cores_at_peak"] == 0
    assert rows["db"] == {
        "peak_cores": 0.7,
        "replicas_needed": 1,
        "replicas": 4,
        "slack_cores": 0.0,
        "wasted_cores_at_peak": 6.0,
    }
    assert measured(judged, {}, 4) == {"api": "unknown", "db": "unknown"}


METRICS = {
    "kind": "PodMetricsList",
    "items": [
        {
            "metadata": {"name": "shop-5d8-x1", "namespace": "default"},
            "containers": [{"name": "api", "usage": {"cpu": "250m", "memory": "1Gi"}}],
        },
        {
            "metadata": {"name": "shop-5d8-x2", "namespace": "default"},
            "containers": [{"name": "api", "usage": {"cpu": "300000000n", "memory": "1Gi"}}],
        },
        {
            "metadata": {"name": "other-1", "namespace": "default"},
            "containers": [{"name": "api", "usage": {"cpu": "9"}}],
        },
    ],
}
PROMETHEUS = {
    "data": {
        "result": [
            {
                "metric": {"namespace": "default", "pod": "shop-5d8-x1", "container": "api"},
                "values": [[0, "0.1"], [60, "0.25"]],
            },
            {
                "metric": {"namespace": "default", "pod": "shop-5d8-x2", "container": "api"},
                "value": [0, "0.3"],
            },
            {
                "metric": {"namespace": "elsewhere", "pod": "shop-5d8-x9", "container": "api"},
                "value": [0, "9"],
            },
        ]
    }
}
TABLE = """NAMESPACE   POD           NAME   CPU(cores)   MEMORY(bytes)
default     shop-5d8-x1   api    250m         90Mi
default     shop-5d8-x2   api    300m         90Mi
"""


@pytest.mark.parametrize("text", [json.dumps(METRICS), json.dumps(PROMETHEUS), TABLE])
def test_usage_is_read_from_what_people_have(text: str) -> None:
    found, count = peaks(read_usage("u", text), case(deployment(FULL, FULL)).pod)
    assert found == {"api": pytest.approx(0.55)}
    assert count == 2


@pytest.mark.parametrize(
    "text", ["{", "{}", '{"items": [1]}', '{"data": {"result": 7}}', "A B\n", TABLE + "short\n"]
)
def test_usage_that_cannot_be_read_says_so(text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_usage("u.txt", text)
    assert caught.value.file == "u.txt"


@given(st.text(max_size=200))
def test_loads_and_usage_never_break(text: str) -> None:
    for read in (read_loads, read_usage):
        try:
            read("f", text)
        except InputError:
            pass


def test_loads_are_columns_by_container() -> None:
    assert read_loads("l", "time,api,db\n0,1,5\n1,3,5\n") == {"api": [1, 3], "db": [5, 5]}
    for wrong, line in (
        ("api\nx\n", 2),
        ("api\n1\n-2\n", 3),
        ("api,db\n1\n", 2),
        ("api\nnan\n", 2),
    ):
        with pytest.raises(InputError) as caught:
            read_loads("l", wrong)
        assert caught.value.line == line


def test_built_in_days_are_a_share_an_hour() -> None:
    for curve in CURVES.values():
        assert len(curve) == 24
        assert max(curve) == 1
        assert min(curve) > 0


def test_the_autoscaler_is_the_documented_one() -> None:
    scaler = Autoscaler(1, 10, 0.5)
    assert scaler.step(2, 1.0) == 4  # ceil(2 × 1.0 / 0.5)
    assert scaler.step(4, 0.52) == 4  # within the tolerance
    assert scaler.step(4, 0.1) == 4  # stabilised: what was wanted a step ago still counts
    assert scaler.step(4, 0.1) == 1
    assert Autoscaler(2, 3, 0.5).step(3, 9.0) == 3
    assert Autoscaler(2, 3, 0.5).step(3, 0.0) == 2


def test_nodes_are_packed_first_fit_the_largest_first() -> None:
    node = Shape(4, 16)
    assert nodes([(Shape(3, 4), 2), (Shape(1, 4), 2)], node) == 2
    assert nodes([(Shape(2, 2), 5)], node) == 3
    assert nodes([(Shape(0.01, 0.01), 250)], node, per_node=110) == 3
    assert nodes([], node) == 0
    with pytest.raises(TooLargeError):
        nodes([(Shape(5, 1), 1)], node)


@given(st.lists(st.tuples(st.floats(0.1, 4), st.floats(0.1, 16), st.integers(0, 3000)), max_size=4))
def test_nodes_are_enough_and_no_fewer_than_possible(
    shapes: list[tuple[float, float, int]],
) -> None:
    node = Shape(4, 16)
    pods = [(Shape(cpu, memory), count) for cpu, memory, count in shapes]
    found = nodes(pods, node)
    cpu = sum(shape.cpu * count for shape, count in pods) / node.cpu
    memory = sum(shape.memory * count for shape, count in pods) / node.memory
    assert found >= math.floor(max(cpu, memory) - 1e-6)
    assert found <= sum(count for _, count in pods)


def test_a_day_apart_never_takes_more_than_it_needs() -> None:
    judged = case(deployment(FULL, "{requests: {cpu: '2', memory: 4Gi}}", replicas=1))
    for curve in CURVES:
        day = simulate(judged, Plan(curve=curve))
        assert day is not None
        assert set(day.apart.replicas["db"]) == {1}
        assert day.apart.core_hours <= day.enough.core_hours
        assert max(day.enough.replicas["api"]) <= 10
        assert len(day.apart.nodes) == 24


def test_a_day_without_requests_is_not_simulated() -> None:
    assert simulate(case(deployment(FULL, "{}"))) is None
