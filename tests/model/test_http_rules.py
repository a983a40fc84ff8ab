"""What the rules find in an Ambassador's `http`, each with its path."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podweave.model.errors import render_path
from podweave.model.pattern_rules import check_pattern
from podweave.model.patterns import PATTERN_TYPES

GROUPS = {"search": {"upstreams": [{"address": "search.example:9200"}]}}


def found(http: dict[str, Any], protocol: str = "http") -> dict[str, str]:
    """path below the profile's http -> message of everything the rules say."""
    profile = {"upstreams": [{"address": "api.example:80"}], "http": http}
    spec = {"listen": "localhost:8080", "protocol": protocol, "profiles": {"dev": profile}}
    pattern = msgspec.convert(
        {"metadata": {"name": "api"}, "spec": spec}, PATTERN_TYPES["Ambassador"]
    )
    place = "spec.profiles.dev.http"
    return {
        render_path(error.path).removeprefix(place).lstrip("."): error.message
        for error in check_pattern(pattern)
    }


@pytest.mark.parametrize(
    ("http", "path", "message"),
    [
        ({"host": "a b"}, "host", "isn't a host"),
        ({"host": ""}, "host", "isn't a host"),
        ({"via": "a b"}, "via", "isn't a name for Via"),
        ({"requestHeaders": {"set": {"Host": "a"}}}, "requestHeaders.set.Host", "`host` says"),
        ({"requestHeaders": {"add": {"a b": "c"}}}, 'requestHeaders.add["a b"]', "isn't the name"),
        ({"requestHeaders": {"add": {"a": "b\r\nc: d"}}}, "requestHeaders.add.a", "the value"),
        ({"requestHeaders": {"add": {"a": "\u20ac"}}}, "requestHeaders.add.a", "the value"),
        ({"responseHeaders": {"remove": ["Content-Length"]}}, "responseHeaders.remove[0]", "fram"),
        ({"timeouts": {"responseSeconds": -1}}, "timeouts.responseSeconds", "from 0 to 86400"),
        (
            {"timeouts": {"responseSeconds": 30, "requestSeconds": 20}},
            "timeouts.responseSeconds",
            "longer than requestSeconds",
        ),
        ({"retries": {"attempts": 11}}, "retries.attempts", "from 0 to 10"),
        ({"retries": {"statuses": [200]}}, "retries.statuses[0]", "status of a failure"),
        ({"breaker": {"failures": 0}}, "breaker.failures", "from 1 to 1000"),
        ({"breaker": {"statuses": [600]}}, "breaker.statuses[0]", "status of a failure"),
        ({"pool": {"connections": -1}}, "pool.connections", "from 0 to 10000"),
        ({"groups": {"A": GROUPS["search"]}}, "groups.A", "lower"),
        ({"groups": {"a": {"upstreams": []}}}, "groups.a.upstreams", "a group has at least one"),
        (
            {"groups": {"a": {"upstreams": [{"address": "b"}]}}},
            "groups.a.upstreams[0].address",
            "no port",
        ),
        ({"routes": [{"path": "api"}]}, "routes[0].path", "doesn't begin with /"),
        ({"routes": [{"path": "/a b"}]}, "routes[0].path", "escape it"),
        ({"routes": [{"path": "/a?b"}]}, "routes[0].path", "escape it"),
        ({"routes": [{"path": "/a/../b"}]}, "routes[0].path", ".."),
        ({"routes": [{"rewritePath": ""}]}, "routes[0].rewritePath", "doesn't begin with /"),
        ({"routes": [{"methods": ["get"]}]}, "routes[0].methods[0]", "GET"),
        ({"routes": [{"methods": ["CONNECT"]}]}, "routes[0].methods[0]", "isn't a method"),
        ({"routes": [{"headers": {"a:": "b"}}]}, 'routes[0].headers["a:"]', "isn't the name"),
        ({"routes": [{"group": "x"}]}, "routes[0].group", "`groups` is empty"),
        (
            {"groups": GROUPS, "routes": [{"group": "serach"}]},
            "routes[0].group",
            "did you mean 'search'?",
        ),
        ({"routes": [{"host": "a/b"}]}, "routes[0].host", "isn't a host"),
        ({"routes": [{"path": "/a"}, {"path": "/a/b"}]}, "routes[1]", "routes[0] takes all"),
        (
            {"routes": [{"headers": {"A": "*"}}, {"path": "/x", "headers": {"a": "1"}}]},
            "routes[1]",
            "routes[0] takes all",
        ),
    ],
)
def test_what_is_wrong_and_where(http: dict[str, Any], path: str, message: str) -> None:
    errors = found(http)
    assert list(errors) == [path]
    assert message in errors[path]


@pytest.mark.parametrize(
    "routes",
    [
        [{"path": "/api"}, {"path": "/apis"}],
        [{"path": "/api/v1"}, {"path": "/api"}],
        [{"path": "/", "methods": ["GET"]}, {"path": "/"}],
        [{"path": "/", "headers": {"a": "1"}}, {"path": "/", "headers": {"a": "2"}}, {}],
        [{"path": "/s", "group": "search", "rewritePath": "/", "host": "keep"}],
    ],
)
def test_routes_that_are_right(routes: list[dict[str, Any]]) -> None:
    assert found({"groups": GROUPS, "routes": routes}) == {}


def test_only_http_has_it() -> None:
    assert "the protocol is tcp" in found({"via": "podweave"}, "tcp")[""]
