"""What Podman gets in place of the Pod, and what its answers mean."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from podweave.engines.engine import PodOrder
from podweave.engines.environment import Facts
from podweave.engines.errors import EngineError
from podweave.engines.orders import orders
from podweave.engines.podman.adaptation import (
    RECORD,
    Adapted,
    PodRecord,
    adapt,
    podman_name,
    with_podmans_host,
)
from podweave.engines.podman.pod_objects import SETTLED, pod_object
from podweave.manifests.bundle import bundle
from podweave.manifests.reading import read
from tests.engine.pods import pod, sleeper

NEW = (5, 2)
OLD = (4, 3)


def order_of(text: str) -> PodOrder:
    (order,), _ = orders(bundle([read("-", text.encode())]), {}, [])
    return order


def adapted(order: PodOrder, version: tuple[int, int] = NEW) -> Adapted:
    facts = Facts(
        pod=order.pod,
        namespace=order.pod.metadata.namespace or "default",
        node_name="machine",
        pod_ip="",
        host_ip="",
    )
    return adapt(order, facts, version)


def test_fields_that_the_model_does_not_know_are_passed_on() -> None:
    app = sleeper(securityContext={"seLinuxOptions": {"level": "s0:c1"}})
    made = adapted(order_of(pod("a", app, metadata={"labels": {"tier": "x"}}, dnsPolicy="None")))
    spec = made.manifest["spec"]
    assert spec["dnsPolicy"] == "None"
    assert spec["containers"][0]["securityContext"]["seLinuxOptions"] == {"level": "s0:c1"}
    assert made.manifest["metadata"]["labels"]["tier"] == "x"


def test_the_order_is_not_changed() -> None:
    order = order_of(pod("a", sleeper(env=[{"name": "A", "value": "$(B)"}]), volumes=[]))
    before = msgspec.json.encode(order.template)
    adapted(order)
    assert msgspec.json.encode(order.template) == before


def test_commands_are_expanded_as_the_kubelet_does() -> None:
    app = {
        "name": "app",
        "command": ["serve", "$(PORT)", "$$(PORT)", "$(NONE)"],
        "env": [{"name": "PORT", "value": "80"}],
    }
    (made,) = adapted(order_of(pod("a", app))).manifest["spec"]["containers"]
    assert made["command"] == ["serve", "80", "$(PORT)", "$(NONE)"]


def test_names_of_pods_in_namespaces_are_nobody_elses() -> None:
    assert podman_name("default", "shop") == "shop"
    assert podman_name("a", "b-c") != podman_name("a-b", "c")


def test_the_record_survives_as_a_label() -> None:
    made = adapted(order_of(pod("a", sleeper(), volumes=[{"name": "v", "emptyDir": {}}])))
    label = made.manifest["metadata"]["labels"][RECORD]
    assert msgspec.json.decode(label, type=PodRecord) == made.record
    assert made.record.volumes == ["podweave_a_v"]


@pytest.mark.parametrize(
    ("spec", "app", "words"),
    [
        ({"initContainers": [sleeper("init")]}, {}, "again and again"),
        (
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            {"volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": "s"}]},
            "subPath",
        ),
    ],
)
def test_old_podmans_faults_are_refused_and_newer_ones_are_trusted(
    spec: dict[str, Any], app: dict[str, Any], words: str
) -> None:
    order = order_of(pod("a", sleeper(**app), **spec))
    with pytest.raises(EngineError, match=words):
        adapted(order, OLD)
    adapted(order, NEW)


def test_long_annotations_are_kept_from_old_podman_only() -> None:
    annotations = {"long": "x" * 64, "short": "y"}
    order = order_of(pod("a", sleeper(), metadata={"annotations": annotations}))
    assert adapted(order, OLD).manifest["metadata"]["annotations"] == {"short": "y"}
    assert adapted(order, NEW).manifest["metadata"]["annotations"] == annotations
    assert adapted(order, OLD).record.annotations == annotations


def test_what_podman_passes_over_is_told() -> None:
    app = sleeper(
        lifecycle={"preStop": {"exec": {"command": ["true"]}}},
        readinessProbe={"tcpSocket": {"port": 80}},
    )
    notices = adapted(order_of(pod("a", app, activeDeadlineSeconds=5))).record.notices
    assert any("activeDeadlineSeconds" in each for each in notices)
    assert any("lifecycle hooks" in each for each in notices)
    assert any("readinessProbe" in each for each in notices)


def test_a_published_port_goes_before_its_host_port() -> None:
    app = sleeper(
        ports=[{"containerPort": 80, "hostPort": 8080}, {"containerPort": 81, "hostPort": 8081}]
    )
    order = order_of(pod("a", app))
    order.publish = [("127.0.0.1", 9000, 80)]
    made = adapted(order)
    assert made.record.ports == ["0.0.0.0:8081->81/tcp", "127.0.0.1:9000->80/tcp"]
    (container,) = made.manifest["spec"]["containers"]
    assert [port["hostPort"] for port in container["ports"]] == [8081, 9000]


def test_a_port_that_is_only_declared_is_not_opened_on_the_machine() -> None:
    """As Podman 4 would, to the network; a probe still finds it."""
    probe = {"httpGet": {"port": "http", "path": "/"}}
    app = sleeper(
        ports=[
            {"containerPort": 80, "name": "http"},
            {"containerPort": 53, "hostPort": 5353, "protocol": "UDP"},
        ],
        livenessProbe=probe,
    )
    made = adapted(order_of(pod("a", app)))
    (container,) = made.manifest["spec"]["containers"]
    assert container["ports"] == [{"containerPort": 53, "hostPort": 5353, "protocol": "UDP"}]
    assert container["livenessProbe"]["httpGet"]["port"] == 80


def test_this_machine_has_podmans_name_in_upstreams_only() -> None:
    config = {
        "name": "host.podweave.internal",
        "profiles": {"dev": {"upstreams": [["host.podweave.internal", 5432, 1]]}},
    }
    changed = json.loads(with_podmans_host(json.dumps(config).encode()))
    assert changed["profiles"]["dev"]["upstreams"] == [["host.containers.internal", 5432, 1]]
    assert changed["name"] == "host.podweave.internal"
    other = b'{"profiles": {"dev": {"upstreams": [["db.example", 5432, 1]]}}}'
    assert with_podmans_host(other) is other
    assert with_podmans_host(b'{"program": "adapter"}') == b'{"program": "adapter"}'


def test_this_machine_has_podmans_name_in_stores_and_groups_too() -> None:
    stores = [
        {"elasticsearch": {"urls": ["https://Host.podweave.internal.:9200", "http://b:1"]}},
        {"syslog": {"address": "host.podweave.internal:514"}},
        {
            "http": {
                "url": "http://host.podweave.internal/host.podweave.internal",
                "headers": {"X": "host.podweave.internal"},
                "tls": {"server_name": "host.podweave.internal"},
            }
        },
        {"files": {"directory": "/host.podweave.internal"}},
    ]
    groups = {"a": {"upstreams": [["host.podweave.internal", 80, 1, 0]]}}
    config = {
        "profiles": {"dev": {"upstreams": [["db", 1]], "http": {"groups": groups}}},
        "logs": [{"from": ["/var/log/host.podweave.internal"], "stores": stores}],
    }
    changed = json.loads(with_podmans_host(json.dumps(config).encode()))
    dev = changed["profiles"]["dev"]
    assert dev["http"]["groups"]["a"]["upstreams"] == [["host.containers.internal", 80, 1, 0]]
    (entry,) = changed["logs"]
    assert entry["from"] == ["/var/log/host.podweave.internal"]
    assert entry["stores"] == [
        {"elasticsearch": {"urls": ["https://host.containers.internal:9200", "http://b:1"]}},
        {"syslog": {"address": "host.containers.internal:514"}},
        {
            "http": {
                "url": "http://host.containers.internal/host.podweave.internal",
                "headers": {"X": "host.podweave.internal"},
                "tls": {"server_name": "host.podweave.internal"},
            }
        },
        stores[3],
    ]


STARTED = "2026-11-23T12:31:21.193631219+09:00"
STARTED_AT = 1795404681.0


def inspected(name: str, status: str, **rest: Any) -> dict[str, Any]:
    state = {"Status": status, "ExitCode": rest.pop("code", 0), "StartedAt": STARTED}
    found = {"Name": name, "Id": f"id-{name}", "ImageName": "i", "Image": "sha", "State": state}
    return {**found, "RestartCount": 0, **rest}


def record(*containers: str, **rest: Any) -> PodRecord:
    given = {"restart_policy": "Always", "inits": [], "helpers": {}, **rest}
    return PodRecord(
        name="a",
        namespace="default",
        uid="u",
        grace=30.0,
        owners=[],
        containers=list(containers),
        **given,
    )


INFRA = {
    **inspected("infra", "running"),
    "IsInfra": True,
    "NetworkSettings": {"Networks": {"kube": {"IPAddress": "10.89.0.9"}}},
}


def shown(record: PodRecord, *found: dict[str, Any], age: float = 60.0, **rest: Any) -> Any:
    return pod_object(record, {}, [INFRA, *found], now=STARTED_AT + age, **rest)


def test_times_are_shown_in_utc_and_the_address_is_the_pods() -> None:
    status = shown(record("app"), inspected("a-app", "running"))["status"]
    assert status["startTime"] == "2026-11-23T03:31:21Z"
    assert status["podIP"] == "10.89.0.9"
    assert status["conditions"] == [{"type": "Ready", "status": "True"}]


def test_a_container_whose_probes_are_not_passed_is_not_ready() -> None:
    running = inspected("a-app", "running")
    status = shown(record("app"), running, pending=["app"])["status"]
    assert status["containerStatuses"][0]["ready"] is False
    assert status["conditions"] == [{"type": "Ready", "status": "False"}]


def test_a_container_that_restarts_is_ready_only_when_it_has_settled() -> None:
    again = inspected("a-app", "running", RestartCount=2)
    young = shown(record("app"), again, age=SETTLED - 1)["status"]["containerStatuses"][0]
    assert (young["ready"], young["restartCount"]) == (False, 2)
    assert shown(record("app"), again, age=SETTLED + 1)["status"]["containerStatuses"][0]["ready"]
    down = inspected("a-app", "exited", RestartCount=2, code=1)
    status = shown(record("app"), down)["status"]
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert status["phase"] == "Running"


def test_an_init_container_that_podman_has_removed_has_succeeded() -> None:
    one = record("init", "app", inits=["init"])
    begun = shown(one, inspected("a-app", "running"))["status"]["initContainerStatuses"][0]
    assert begun["state"]["terminated"]["exitCode"] == 0
    waiting = shown(one, inspected("a-app", "created"))["status"]
    assert "waiting" in waiting["initContainerStatuses"][0]["state"]
    assert waiting["phase"] == "Pending"


@pytest.mark.parametrize(
    ("policy", "code", "phase"),
    [("Never", 0, "Succeeded"), ("Never", 3, "Failed"), ("Always", 0, "Failed")],
)
def test_a_pod_is_finished_when_nothing_of_it_runs(policy: str, code: int, phase: str) -> None:
    ended = inspected("a-app", "exited", code=code)
    infra = {**INFRA, **inspected("infra", "exited")}
    made = pod_object(record("app", restart_policy=policy), {}, [infra, ended], now=STARTED_AT)
    assert made["podweave"]["state"] == "finished"
    assert made["status"]["phase"] == phase


def test_nothing_of_podman_is_loaded_unless_it_is_asked_for() -> None:
    script = (
        "import sys; from podweave.cli import up, ps, logs, exec, switch, down; "
        "from podweave.engines.choice import engine; engine('local'); "
        "print([name for name in sys.modules if 'podman' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
