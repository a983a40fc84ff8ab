"""The kubelet's rules for environment, expansion and references, on the pure functions."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.engines.environment import Facts, arguments, environment, expand
from podweave.engines.errors import EngineError
from podweave.engines.local.setup.identity import new_uid
from podweave.model.pods import ConfigMap, Container, Pod, Secret


def facts(*containers: dict[str, Any], **more: Any) -> Facts:
    pod = msgspec.convert(
        {
            "metadata": {
                "name": "orders",
                "uid": "u-1",
                "labels": {"app": "x", "podweave.dev/profile": "dev"},
                "annotations": {"a": "b"},
            },
            "spec": {"containers": [{"name": "main"}, *containers]},
        },
        Pod,
    )
    return Facts(
        pod=pod,
        namespace="shop",
        node_name="laptop",
        pod_ip="10.0.0.9",
        host_ip="192.0.2.2",
        **more,
    )


def container(**fields: Any) -> Container:
    return msgspec.convert({"name": "main", **fields}, Container)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Kubernetes' own table of third_party/forked/golang/expansion.
        ("$(VAR_A)", "A"),
        ("___$(VAR_B)___", "___B___"),
        ("___$(VAR_C)", "___C"),
        ("$(VAR_A)_$(VAR_B)", "A_B"),
        ("$(VAR_DNE)", "$(VAR_DNE)"),
        ("foo_$(VAR_DNE)_$(VAR_A)", "foo_$(VAR_DNE)_A"),
        ("$$(VAR_A)", "$(VAR_A)"),
        ("$$$(VAR_A)", "$A"),
        ("$$$$(VAR_A)", "$$(VAR_A)"),
        ("$$$$$(VAR_A)", "$$A"),
        ("$VAR_A", "$VAR_A"),
        ("$(VAR_A", "$(VAR_A"),
        ("$(VAR_A)$", "A$"),
        ("$", "$"),
        ("$$", "$"),
        ("$$$", "$$"),
        ("$(", "$("),
        ("$()", "$()"),
        ("$(VAR_REF)", "$(VAR_A)"),
        ("a$$b$c", "a$b$c"),
        ("$($(VAR_A))", "$($(VAR_A))"),
        ("--$(VAR_A)=$(VAR_EMPTY)|", "--A=|"),
        ("한$(VAR_A)글", "한A글"),
    ],
)
def test_expansion(text: str, expected: str) -> None:
    values = {"VAR_A": "A", "VAR_B": "B", "VAR_C": "C", "VAR_REF": "$(VAR_A)", "VAR_EMPTY": ""}
    assert expand(text, values.get) == expected


@given(st.text(alphabet="$()AB x", max_size=40))
def test_expansion_never_fails_and_escaping_protects(text: str) -> None:
    expand(text, {"A": "1"}.get)
    assert expand(text.replace("$", "$$"), {"A": "1"}.get) == text


def test_order_and_precedence() -> None:
    maps = {("shop", "c"): ConfigMap(data={"A": "map", "B": "map", "bad=name": "x"})}
    secrets = {("shop", "s"): Secret(data={"B": base64.b64encode(b"secret").decode()})}
    wanted = container(
        envFrom=[
            {"configMapRef": {"name": "c"}},
            {"secretRef": {"name": "s"}},
            {"prefix": "P_", "configMapRef": {"name": "c"}},
        ],
        env=[
            {"name": "A", "value": "own"},
            {"name": "LATER", "value": "$(NEXT)"},
            {"name": "NEXT", "value": "$(A)-$(B)-$(P_A)"},
            {"name": "EMPTY"},
        ],
    )
    assert environment(wanted, facts(config_maps=maps, secrets=secrets)) == {
        "A": "own",
        "B": "secret",
        "P_A": "map",
        "P_B": "map",
        "LATER": "$(NEXT)",
        "NEXT": "own-secret-map",
        "EMPTY": "",
    }


def test_values_from_keys_are_not_expanded() -> None:
    maps = {("shop", "c"): ConfigMap(data={"k": "$(A)"})}
    secrets = {("shop", "s"): Secret(data={"raw": base64.b64encode(b"=$(A)=").decode()})}
    wanted = container(
        env=[
            {"name": "A", "value": "1"},
            {"name": "K", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
            {"name": "R", "valueFrom": {"secretKeyRef": {"name": "s", "key": "raw"}}},
        ]
    )
    values = environment(wanted, facts(config_maps=maps, secrets=secrets))
    assert values == {"A": "1", "K": "$(A)", "R": "=$(A)="}


def test_binary_data_is_for_volumes_only() -> None:
    binary = {"raw": base64.b64encode(b"\0\1").decode()}
    known = facts(config_maps={("shop", "c"): ConfigMap(data={"k": "v"}, binary_data=binary)})
    everything = container(envFrom=[{"configMapRef": {"name": "c"}}])
    assert environment(everything, known) == {"k": "v"}
    reference = {"name": "R", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "raw"}}}
    with pytest.raises(EngineError, match="couldn't find key raw in ConfigMap shop/c"):
        environment(container(env=[reference]), known)


def test_a_nul_byte_is_an_error_that_names_its_place() -> None:
    secrets = {("shop", "s"): Secret(data={"k": base64.b64encode(b"a\0b").decode()})}
    everything = container(envFrom=[{"secretRef": {"name": "s"}}])
    with pytest.raises(EngineError, match="the variable k holds a NUL byte"):
        environment(everything, facts(secrets=secrets))
    with pytest.raises(EngineError, match="the command holds a NUL byte"):
        arguments(container(command=["echo", "a\0b"]), {})


def test_string_data_wins_over_data() -> None:
    secrets = {
        ("shop", "s"): Secret(
            data={"k": base64.b64encode(b"old").decode()}, string_data={"k": "new"}
        )
    }
    reference = {"name": "K", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
    assert environment(container(env=[reference]), facts(secrets=secrets)) == {"K": "new"}


@pytest.mark.parametrize("kind", ["configMap", "secret"])
@pytest.mark.parametrize("missing", ["object", "key"])
def test_missing_keys_and_objects(kind: str, missing: str) -> None:
    known = {
        "config_maps": {("shop", "there"): ConfigMap(data={})},
        "secrets": {("shop", "there"): Secret(data={})},
    }
    reference = {"name": "there" if missing == "key" else "gone", "key": "k"}
    source = {f"{kind}KeyRef": reference}
    with pytest.raises(EngineError) as caught:
        environment(container(env=[{"name": "A", "valueFrom": source}]), facts(**known))
    assert caught.value.reason == "CreateContainerConfigError"
    assert caught.value.container == "main"
    if missing == "key":
        assert "couldn't find key k in" in str(caught.value)
        assert "shop/there" in str(caught.value)
    else:
        assert '"gone" not found' in str(caught.value)
    optional = {f"{kind}KeyRef": {**reference, "optional": True}}
    assert environment(container(env=[{"name": "A", "valueFrom": optional}]), facts(**known)) == {}


@pytest.mark.parametrize("kind", ["configMapRef", "secretRef"])
def test_missing_sources_of_everything(kind: str) -> None:
    with pytest.raises(EngineError, match='"gone" not found'):
        environment(container(envFrom=[{kind: {"name": "gone"}}]), facts())
    optional = container(envFrom=[{kind: {"name": "gone", "optional": True}}])
    assert environment(optional, facts()) == {}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("metadata.name", "orders"),
        ("metadata.namespace", "shop"),
        ("metadata.uid", "u-1"),
        ("metadata.labels['podweave.dev/profile']", "dev"),
        ("metadata.labels['none']", ""),
        ("metadata.annotations['a']", "b"),
        ("spec.nodeName", "laptop"),
        ("spec.serviceAccountName", "default"),
        ("status.podIP", "10.0.0.9"),
        ("status.hostIP", "192.0.2.2"),
    ],
)
def test_fields(path: str, value: str) -> None:
    wanted = container(env=[{"name": "F", "valueFrom": {"fieldRef": {"fieldPath": path}}}])
    assert environment(wanted, facts()) == {"F": value}


def test_an_unknown_field_names_those_there_are() -> None:
    wanted = container(
        env=[{"name": "F", "valueFrom": {"fieldRef": {"fieldPath": "status.phase"}}}]
    )
    with pytest.raises(EngineError, match=r"status\.phase is not one of metadata\.annotations"):
        environment(wanted, facts())


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.cpu", None, "1"),
        ("limits.cpu", "1m", "750"),
        ("limits.memory", "1Mi", "65"),
        ("limits.memory", None, str(64 * 2**20 + 1)),
        ("requests.cpu", "1m", "750"),
        ("requests.memory", None, "0"),
        ("limits.ephemeral-storage", None, "0"),
    ],
)
def test_resources(resource: str, divisor: str | None, value: str) -> None:
    sized = {
        "name": "sized",
        "resources": {"limits": {"cpu": "750m", "memory": str(64 * 2**20 + 1)}},
    }
    if resource == "requests.memory":
        del sized["resources"]["limits"]["memory"]  # type: ignore[index]
    reference = {"containerName": "sized", "resource": resource, "divisor": divisor}
    wanted = container(env=[{"name": "R", "valueFrom": {"resourceFieldRef": reference}}])
    assert environment(wanted, facts(sized)) == {"R": value}


def test_a_limit_that_is_not_set_is_what_the_machine_has() -> None:
    reference = {"resource": "limits.cpu"}
    wanted = container(env=[{"name": "R", "valueFrom": {"resourceFieldRef": reference}}])
    assert environment(wanted, facts(machine_cpus=6)) == {"R": "6"}


def test_a_pod_gets_a_uid() -> None:
    uid = new_uid()
    assert (str(uuid.UUID(uid)), uuid.UUID(uid).version) == (uid, 4)
    assert uuid.UUID(uid).variant == uuid.RFC_4122
    assert uid != new_uid()


def test_arguments() -> None:
    wanted = container(command=["$(A)", "x"], args=["$(A)$(B)"])
    assert arguments(wanted, {"A": "1"}) == ["1", "x", "1$(B)"]
    for fields, words in (({}, "no command"), ({"args": ["x"]}, "args but no command")):
        with pytest.raises(EngineError, match=f"container main has {words}"):
            arguments(container(**fields), {})
