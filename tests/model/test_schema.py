"""The published JSON Schema says what the types and rules say, by a validator that isn't ours."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec
import pytest

from podweave.model.pattern_parts import API_VERSION
from podweave.model.pattern_rules import check_pattern
from podweave.model.patterns import PATTERN_TYPES
from podweave.model.schema import schema

VALIDATOR = jsonschema.Draft202012Validator(schema())


def pattern(kind: str, spec: dict[str, Any], name: str = "orders") -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


PROFILES = {"dev": {"upstreams": [{"address": "db.example:5432"}]}}
LOGS = [{"from": ["/var/log/app/*.log"]}]
STORE = {"files": {"directory": "/var/log/store"}}

GOOD = [
    pattern("Ambassador", {"listen": "localhost:5432", "profiles": PROFILES}),
    pattern(
        "Ambassador",
        {
            "selector": {
                "matchLabels": {"app": "orders"},
                "matchExpressions": [{"key": "tier", "operator": "In", "values": ["db"]}],
            },
            "listen": "127.0.0.1:5432",
            "protocol": "postgres",
            "datapath": "proxy",
            "profile": "qa",
            "profiles": {
                "qa": {"upstreams": [{"address": "[2001:db8::1]:5432", "weight": 3}]},
                **PROFILES,
            },
            "connectTimeoutSeconds": 5,
            "drainSeconds": 0,
        },
    ),
    pattern(
        "Ambassador",
        {
            "listen": "localhost:6379",
            "protocol": "redis",
            "onSwitch": {"existing": "drain", "graceSeconds": 5},
            "profiles": {
                "stage": {
                    "upstreams": [{"address": "a.example:6379", "weight": 3, "priority": 1}],
                    "balance": "leastConnections",
                    "healthCheck": {"intervalSeconds": 2, "http": {"path": "/", "port": 81}},
                    "ejection": {"failures": 3, "seconds": 60},
                    "limits": {"connections": 10, "waiting": 5},
                    "tls": {
                        "mode": "verify-full",
                        "serverName": "db.example",
                        "ca": {"secretRef": {"name": "ca", "key": "bundle.pem"}},
                        "certificate": {"secretRef": {"name": "client"}},
                    },
                    "credentials": {"secretRef": {"name": "login", "passwordKey": "pw"}},
                    "database": 3,
                }
            },
        },
    ),
    pattern("Ambassador", {"container": {"image": "envoy:1"}, "listen": "localhost:80"}),
    pattern("Adapter", {"logs": LOGS}),
    pattern("Adapter", {"logs": [{**LOGS[0], "format": "nginx", "to": "/out/a.ndjson"}]}),
    pattern("Adapter", {"logs": [{**LOGS[0], "format": {"regex": "(?P<message>.*)"}}]}),
    pattern("Adapter", {"container": {"image": "mine:1"}}),
    pattern("Sidecar", {"logs": [{**LOGS[0], "store": STORE, "target": "app"}]}),
    pattern("Sidecar", {"logs": [{"from": [{"adapter": "orders-logs"}], "store": STORE}]}),
    pattern("Sidecar", {"logs": [{"from": {"adapter": "orders-logs"}, "store": STORE}]}),
    pattern("Sidecar", {"container": {"image": "mine:1"}, "logs": LOGS}),
    pattern("Adapter", {"logs": LOGS, "metrics": {"port": 9102}}),
    pattern("Sidecar", {"logs": [{**LOGS[0], "store": STORE}], "metrics": {"port": 9102}}),
]


def dev(**profile: Any) -> dict[str, Any]:
    """An Ambassador with one profile."""
    upstreams = [{"address": "db.example:5432"}]
    profiles = {"dev": {"upstreams": upstreams, **profile}}
    return pattern("Ambassador", {"listen": "localhost:5432", "profiles": profiles})


def web(**http: Any) -> dict[str, Any]:
    """The same, with HTTP."""
    made = dev(http=http)
    made["spec"]["protocol"] = "http"
    return made


GOOD += [
    dev(tls={"mode": "require", "ca": {"secretRef": {"name": "ca"}}}),
    web(pool={"connections": 10_000}, retries={"attempts": 10}),
]

BAD = [
    {},
    dev(balance="random"),
    dev(healthCheck={"interval": 1}),
    dev(healthCheck={"http": {}}),
    dev(healthCheck={"http": {"path": "healthz"}}),
    dev(ejection={"failures": 1001}),
    dev(limits={"connections": -1}),
    dev(tls={"mode": "verify-ca"}),
    dev(tls={"ca": {}}),
    web(pool={"connections": 10_001}),
    web(retries={"attempts": 11}),
    dev(tls={"ca": {"secretRef": {"key": "ca.crt"}}}),
    dev(credentials={"secretRef": "login"}),
    dev(credentials={"username": "kim"}),
    dev(database=[]),
    pattern("Ambassadors", {}),
    {**GOOD[0], "apiVersion": "podweave.dev/v1"},
    {**GOOD[0], "extra": 1},
    pattern("Ambassador", {"listen": "localhost:5432", "profiles": PROFILES}, "No_Name"),
    pattern("Ambassador", {"listen": "localhost:5432"}),
    pattern("Ambassador", {"listen": "localhost:5432", "profiles": {}}),
    pattern("Ambassador", {"listen": 5432, "profiles": PROFILES}),
    pattern("Ambassador", {"listen": "localhost:5432", "profiles": PROFILES, "protcol": "tcp"}),
    pattern("Ambassador", {"listen": "localhost:5432", "profiles": PROFILES, "protocol": "amqp"}),
    pattern("Ambassador", {"listen": "localhost:5432", "profiles": {"dev": {"upstreams": []}}}),
    pattern(
        "Ambassador",
        {"listen": "localhost:1", "profiles": {"dev": {"upstreams": [{"address": "db"}]}}},
    ),
    pattern(
        "Ambassador",
        {
            "listen": "localhost:1",
            "profiles": {"dev": {"upstreams": [{"address": "db:1", "weight": 0}]}},
        },
    ),
    pattern(
        "Ambassador",
        {"listen": "localhost:1", "profiles": PROFILES, "selector": {"matchLabel": {}}},
    ),
    pattern("Adapter", {}),
    pattern("Adapter", {"logs": LOGS, "metrics": {}}),
    pattern("Adapter", {"logs": LOGS, "metrics": 9102}),
    pattern("Adapter", {"logs": LOGS, "metrics": {"port": 80}}),
    pattern("Adapter", {"logs": LOGS, "metrics": {"port": "9102"}}),
    pattern("Adapter", {"logs": [{"from": []}]}),
    pattern("Adapter", {"logs": [{"from": ["var/log/x.log"]}]}),
    pattern("Adapter", {"logs": [{**LOGS[0], "format": "ngnix"}]}),
    pattern("Adapter", {"logs": [{**LOGS[0], "format": {"glob": "x"}}]}),
    pattern("Sidecar", {"logs": [{**LOGS[0], "store": {"files": {"directory": "logs"}}}]}),
    pattern("Sidecar", {"logs": [{**LOGS[0], "store": {"s3": {}}}]}),
    pattern("Sidecar", {"logs": [{**LOGS[0], "store": STORE}], "drainSeconds": 3601}),
    pattern("Adapter", {"logs": [{**LOGS[0], "steps": [{"sample": {"share": 2}}]}]}),
    pattern(
        "Adapter", {"logs": [{**LOGS[0], "steps": [{"rateLimit": {"events": 1, "seconds": 0}}]}]}
    ),
]


def model_accepts(value: dict[str, Any]) -> bool:
    type_ = PATTERN_TYPES.get(value.get("kind", ""))
    if type_ is None:
        return False
    try:
        return not check_pattern(msgspec.convert(value, type_))
    except msgspec.ValidationError:
        return False


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize("value", GOOD)
def test_good_patterns_pass_schema_and_model(value: dict[str, Any]) -> None:
    VALIDATOR.validate(value)
    assert model_accepts(value)


@pytest.mark.parametrize("value", BAD)
def test_bad_patterns_fail_schema_and_model(value: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(value)
    assert not model_accepts(value)


def test_every_object_is_closed() -> None:
    for name, definition in schema()["$defs"].items():
        if definition.get("type") == "object":
            assert definition["additionalProperties"] is False, name


def test_every_key_has_a_description() -> None:
    missing = [
        f"{name}.{key}"
        for name, definition in schema()["$defs"].items()
        for key, property_ in definition["properties"].items()
        if "description" not in property_
        and key not in {"apiVersion", "kind", "metadata", "spec"}
        and not name.startswith("Selector")
    ]
    assert missing == []


def test_every_object_has_a_description() -> None:
    assert [name for name, found in schema()["$defs"].items() if not found.get("description")] == []
