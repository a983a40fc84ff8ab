"""The `http` of a profile as the helper reads it: what is taken, and what is wrong where."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.ambassador.settings import Settings
from podweave.helpers.configuration import ConfigurationError
from tests.ambassador.configurations import configuration

HTTP: dict[str, Any] = {
    "host": "keep",
    "via": "podweave",
    "request_headers": {"set": {"X-Team": "orders"}, "add": {"X-A": "1"}, "remove": ["X-Debug"]},
    "response_headers": {"remove": ["Server"]},
    "timeouts": {"response": 30.0, "request": 0.0, "idle": 5},
    "retries": {"attempts": 3, "statuses": [503]},
    "breaker": {"failures": 5, "seconds": 10.0, "statuses": [500]},
    "pool": {"connections": 8, "idle": 20.0},
    "groups": {"search": {"upstreams": [["search", 9200, 1, 0]], "balance": "least_connections"}},
    "routes": [
        {
            "path": "/search",
            "headers": {"X-Canary": "*", "X-B": "c"},
            "methods": ["GET"],
            "group": "search",
            "rewrite_path": "/v2",
            "host": "search.example",
            "request_headers": {"set": {"x-team": "search"}, "remove": ["X-More"]},
            "timeouts": {"response": 1.0},
            "retries": {"attempts": 0},
        },
        {"path": "/plain"},
    ],
}


def settings(http: Any, protocol: str = "http") -> Settings:
    profiles = {"dev": {"upstreams": [["api", 80]], "http": http}}
    return Settings(configuration(profiles, protocol=protocol, listen=[["127.0.0.1", 8080]]))


def test_a_route_takes_the_rest_from_the_whole() -> None:
    policy = settings(HTTP).profiles["dev"].http
    assert policy is not None
    search, plain, rest = policy.routes
    assert (search.prefix, search.path, search.group) == (b"/search", b"/v2", "search")
    assert (search.host, plain.host, rest.host) == ("search.example", "keep", "keep")
    assert search.headers == ((b"x-canary", None), (b"x-b", b"c"))
    assert search.methods == {b"GET"}
    assert search.requests.dropped == {b"x-debug", b"x-more", b"x-team"}
    assert search.requests.added == (b"x-team: search", b"X-A: 1")
    assert plain.requests.added == (b"X-Team: orders", b"X-A: 1")
    assert search.responses.dropped == rest.responses.dropped == {b"server"}
    assert (search.times.response, search.times.idle, plain.times.response) == (1.0, 0.0, 30.0)
    assert (search.retries.attempts, plain.retries.attempts) == (0, 3)
    assert rest.prefix == b""
    assert policy.groups["search"].name == "dev"
    assert (policy.pool_connections, policy.pool_idle, policy.via) == (8, 20.0, "podweave")
    assert policy.breaker is not None


def test_all_may_be_left_out() -> None:
    policy = settings({}).profiles["dev"].http
    assert policy is not None
    assert [route.prefix for route in policy.routes] == [b""]
    assert not policy.looks_at_paths


@pytest.mark.parametrize(
    ("http", "path", "message"),
    [
        ([], "", "must be an object"),
        ({"hosts": "a"}, ".hosts", "not a known key"),
        ({"host": "a b"}, ".host", "must be escaped"),
        ({"via": "a b"}, ".via", "must be a token"),
        ({"request_headers": {"set": {"a b": "c"}}}, ".request_headers.set", "must be a token"),
        ({"request_headers": {"add": {"a": "b\n"}}}, ".request_headers.add.a", "a character"),
        ({"request_headers": {"add": {"a": "\u20ac"}}}, ".request_headers.add.a", "a character"),
        ({"response_headers": {"remove": [1]}}, ".response_headers.remove[0]", "must be a token"),
        ({"retries": {"attempts": 11}}, ".retries.attempts", "between 0 and 10"),
        ({"retries": {"statuses": [200]}}, ".retries.statuses[0]", "between 400 and 599"),
        ({"breaker": {"failures": 0}}, ".breaker.failures", "between 1 and 1000"),
        ({"timeouts": {"response": -1}}, ".timeouts.response", "between 0 and"),
        ({"pool": {"connections": -1}}, ".pool.connections", "between 0 and"),
        ({"groups": {"a": {"upstreams": []}}}, ".groups.a.upstreams", "an upstream at least"),
        (
            {"groups": {"a": {"upstreams": [["b"]]}}},
            ".groups.a.upstreams[0]",
            "must be an upstream",
        ),
        (
            {"groups": {"a": {"upstreams": [["localhost", 8080]]}}},
            ".groups.a.upstreams[0]",
            "where the ambassador itself listens",
        ),
        ({"routes": [{"group": "a"}]}, ".routes[0].group", "no such group"),
        ({"routes": [{"path": "/a b"}]}, ".routes[0].path", "must be escaped"),
        ({"routes": [{"methods": [1]}]}, ".routes[0].methods[0]", "must be a token"),
        ({"routes": [1]}, ".routes[0]", "must be an object"),
    ],
)
def test_what_is_wrong_and_where(http: Any, path: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        settings(http)
    assert error.value.path == "profiles.dev.http" + path
    assert message in error.value.message


def test_only_http_has_it() -> None:
    with pytest.raises(ConfigurationError, match="the protocol is tcp"):
        settings({}, "tcp")


odd = st.sampled_from([None, True, -1, 0, 1.5, "", "a", "\u20ac", "\r\n", [], [1], {}, {"a": 1}])


@given(st.data())
def test_whatever_comes_it_is_read_or_refused(data: st.DataObject) -> None:
    http = copy.deepcopy(HTTP)
    place: Any = http
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            place[key] = data.draw(odd)
            break
        place = place[key]
    try:
        settings(http)
    except ConfigurationError:
        pass
