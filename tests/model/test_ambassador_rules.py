"""What the rules find in ambassadors, each with its path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.model.rules import found


def ambassador(**changed: Any) -> dict[str, Any]:
    spec = {
        "listen": "localhost:5432",
        "profiles": {"dev": {"upstreams": [{"address": "db.example:5432"}]}},
    }
    return {key: value for key, value in {**spec, **changed}.items() if value is not None}


def upstream(**upstream: Any) -> dict[str, Any]:
    return {"dev": {"upstreams": [upstream]}}


def dev(**profile: Any) -> dict[str, Any]:
    return {"dev": {"upstreams": [{"address": "db.example:5432"}], **profile}}


AMBASSADORS: list[tuple[dict[str, Any], str, str]] = [
    ({"listen": None}, "spec", "listen is missing"),
    ({"profiles": None}, "spec", "profiles is missing"),
    ({"profiles": {}}, "spec", "profiles is missing"),
    ({"listen": "0.0.0.0:5432"}, "spec.listen", "not loopback"),
    ({"listen": "10.0.0.1:5432"}, "spec.listen", "write localhost:5432"),
    ({"listen": "db.example:5432"}, "spec.listen", "not loopback"),
    ({"listen": "[::]:5432"}, "spec.listen", "not loopback"),
    ({"listen": "5432"}, "spec.listen", "has no port"),
    ({"listen": "localhost:0"}, "spec.listen", "from 1 to 65535"),
    ({"listen": "localhost:65536"}, "spec.listen", "from 1 to 65535"),
    ({"listen": "localhost:http"}, "spec.listen", "from 1 to 65535"),
    ({"profile": "deb"}, "spec.profile", "did you mean 'dev'?"),
    ({"profiles": {"dev": {"upstreams": []}}}, "spec.profiles.dev.upstreams", "at least one"),
    ({"profiles": upstream(address="db")}, "spec.profiles.dev.upstreams[0].address", "no port"),
    *(
        (
            {"profiles": upstream(address=address)},
            "spec.profiles.dev.upstreams[0].address",
            "itself listens",
        )
        for address in ("localhost:5432", "LocalHost:5432", "127.0.0.1:5432", "[0:0::1]:5432")
    ),
    (
        {"profiles": upstream(address="postgres://db:1")},
        "spec.profiles.dev.upstreams[0].address",
        "is a URL",
    ),
    (
        {"profiles": upstream(address="2001:db8::1:5432")},
        "spec.profiles.dev.upstreams[0].address",
        "in brackets",
    ),
    (
        {"profiles": upstream(address="x:1", weight=0)},
        "spec.profiles.dev.upstreams[0].weight",
        "1 to 1000",
    ),
    (
        {"profiles": upstream(address="x:1", weight=1001)},
        "spec.profiles.dev.upstreams[0].weight",
        "1 to 1000",
    ),
    (
        {"profiles": upstream(address="x:1", priority=101)},
        "spec.profiles.dev.upstreams[0].priority",
        "0 to 100",
    ),
    (
        {"profiles": {"dev": {"upstreams": [{"address": "x:1"}, {"address": "X:1"}]}}},
        "spec.profiles.dev.upstreams[1].address",
        "upstreams[0] already",
    ),
    ({"connectTimeoutSeconds": 0}, "spec.connectTimeoutSeconds", "from 1"),
    ({"onSwitch": {"graceSeconds": -1, "existing": "drain"}}, "spec.onSwitch.graceSeconds", "0 to"),
    ({"onSwitch": {"graceSeconds": 5}}, "spec.onSwitch.graceSeconds", "it is keep"),
    ({"datapath": "kernel", "protocol": "mysql"}, "spec.datapath", "the protocol is mysql"),
    ({"datapath": "kernel", "profiles": dev(tls={})}, "spec.datapath", "profile dev has tls"),
    ({"container": {"image": "x"}, "profiles": None, "onSwitch": {}}, "spec.onSwitch", "beside"),
    ({"drainSeconds": -1}, "spec.drainSeconds", "from 0"),
    ({"selector": {}}, "spec.selector", "leave the selector out"),
    (
        {"selector": {"matchLabels": {"a b": "x"}}},
        'spec.selector.matchLabels["a b"]',
        "isn't a valid key",
    ),
    (
        {"selector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
        "spec.selector.matchExpressions[0]",
        "at least one value",
    ),
    (
        {"selector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]}},
        "spec.selector.matchExpressions[0].values",
        "needs none",
    ),
    ({"container": {"image": "envoy:1"}}, "spec.profiles", "beside `container`"),
    (
        {"container": {"image": "x"}, "profiles": None, "metrics": {"port": 9102}},
        "spec.metrics",
        "declare the port in the container's own `ports`",
    ),
    ({"loginTimeoutSeconds": 5}, "spec.loginTimeoutSeconds", "postgres and mysql only"),
    (
        {"protocol": "mysql", "loginTimeoutSeconds": 0},
        "spec.loginTimeoutSeconds",
        "0 isn't from 1 to 3600",
    ),
    ({"metrics": {"port": 1023}}, "spec.metrics.port", "1023 isn't from 1024 to 65535"),
    ({"container": {}, "profiles": None}, "spec.container", "has an image"),
    (
        {"container": {"image": "x", "name": "y"}, "profiles": None},
        "spec.container.name",
        "leave this out",
    ),
]


PROFILES: list[tuple[str, dict[str, Any], str, str]] = [
    ("tcp", {"healthCheck": {"intervalSeconds": 0}}, "healthCheck.intervalSeconds", "1 to 3600"),
    ("tcp", {"healthCheck": {"unhealthyAfter": 0}}, "healthCheck.unhealthyAfter", "1 to 100"),
    (
        "tcp",
        {"healthCheck": {"intervalSeconds": 2, "timeoutSeconds": 3}},
        "healthCheck.timeoutSeconds",
        "longer than intervalSeconds",
    ),
    ("tcp", {"healthCheck": {"http": {"path": "x"}}}, "healthCheck.http.path", "as in /healthz"),
    ("tcp", {"healthCheck": {"http": {"path": "/a b"}}}, "healthCheck.http.path", "isn't a path"),
    (
        "tcp",
        {"healthCheck": {"http": {"path": "/", "host": "a/b"}}},
        "healthCheck.http.host",
        "isn't a Host",
    ),
    (
        "tcp",
        {"healthCheck": {"http": {"path": "/", "port": 0}}},
        "healthCheck.http.port",
        "1 to 65535",
    ),
    ("tcp", {"ejection": {"failures": -1}}, "ejection.failures", "0 to 1000"),
    ("tcp", {"ejection": {"seconds": 0}}, "ejection.seconds", "1 to 3600"),
    ("tcp", {"limits": {"connections": -1}}, "limits.connections", "0 to 1000000"),
    ("tcp", {"tls": {"mode": "disable", "serverName": "x"}}, "tls.serverName", "means nothing"),
    ("tcp", {"tls": {"serverName": "a b"}}, "tls.serverName", "isn't a host name"),
    ("tcp", {"tls": {"ca": {}}}, "tls.ca", "either secretRef or configMapRef"),
    (
        "tcp",
        {"tls": {"ca": {"secretRef": {"name": "a"}, "configMapRef": {"name": "a"}}}},
        "tls.ca",
        "either",
    ),
    (
        "tcp",
        {"tls": {"ca": {"secretRef": {"name": "A"}}}},
        "tls.ca.secretRef.name",
        "isn't a valid name",
    ),
    (
        "tcp",
        {"tls": {"ca": {"configMapRef": {"name": "a", "key": "../x"}}}},
        "tls.ca.configMapRef.key",
        "isn't the key",
    ),
    (
        "tcp",
        {"tls": {"certificate": {"secretRef": {"name": ""}}}},
        "tls.certificate.secretRef.name",
        "is empty",
    ),
    ("tcp", {"credentials": {"secretRef": {"name": "x"}}}, "credentials", "postgres, mysql, redis"),
    ("http", {"credentials": {"secretRef": {"name": "x"}}}, "credentials", "protocol is http"),
    (
        "postgres",
        {"credentials": {"secretRef": {"name": "_"}}},
        "credentials.secretRef.name",
        "isn't a valid name",
    ),
    (
        "postgres",
        {"credentials": {"secretRef": {"name": "x", "usernameKey": "a/b"}}},
        "credentials.secretRef.usernameKey",
        "isn't the key",
    ),
    (
        "postgres",
        {"credentials": {"secretRef": {"name": "x", "usernameKey": "password"}}},
        "credentials.secretRef.passwordKey",
        "the key of the user's name, too",
    ),
    ("http", {"database": "x"}, "database", "the protocol is http"),
    ("redis", {"database": "orders"}, "database", "number of a Redis database"),
    ("redis", {"database": -1}, "database", "number of a Redis database"),
    ("postgres", {"database": "x" * 64}, "database", "64 bytes"),
    ("mysql", {"database": " "}, "database", "isn't the name"),
]


@pytest.mark.parametrize(("protocol", "changed", "path", "message"), PROFILES)
def test_profile(protocol: str, changed: dict[str, Any], path: str, message: str) -> None:
    errors = found("Ambassador", ambassador(protocol=protocol, profiles=dev(**changed)))
    assert list(errors) == [f"spec.profiles.dev.{path}"]
    assert message in errors[f"spec.profiles.dev.{path}"]


def test_a_profile_with_everything_is_right() -> None:
    profile = {
        "balance": "leastConnections",
        "healthCheck": {"http": {"path": "/healthz?deep", "host": "db.example:81", "port": 81}},
        "ejection": {"failures": 0},
        "limits": {"connections": 100, "waiting": 10},
        "tls": {
            "serverName": "db.example",
            "ca": {"configMapRef": {"name": "ca"}},
            "certificate": {"secretRef": {"name": "client"}},
        },
        "credentials": {"secretRef": {"name": "login", "usernameKey": "user"}},
        "database": 3,
    }
    switch = {"existing": "drain", "graceSeconds": 5}
    assert (
        found("Ambassador", ambassador(protocol="redis", profiles=dev(**profile), onSwitch=switch))
        == {}
    )


@pytest.mark.parametrize(("changed", "path", "message"), AMBASSADORS)
def test_ambassador(changed: dict[str, Any], path: str, message: str) -> None:
    errors = found("Ambassador", ambassador(**changed))
    assert list(errors) == [path]
    assert message in errors[path]


@pytest.mark.parametrize("address", ["localhost:5433", "127.0.0.2:5432", "db.example:5432"])
def test_another_server_of_the_pod_is_an_upstream_like_any(address: str) -> None:
    assert found("Ambassador", ambassador(profiles=upstream(address=address))) == {}


def test_several_errors_come_at_once() -> None:
    errors = found(
        "Ambassador",
        ambassador(listen="0.0.0.0:1", profile="x", drainSeconds=-1),
        name="Not_A_Name",
    )
    assert list(errors) == ["metadata.name", "spec.listen", "spec.profile", "spec.drainSeconds"]
