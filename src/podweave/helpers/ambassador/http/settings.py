"""The `http` of a profile, as the weaver renders it.

    {"host": "keep", "via": "podweave",
     "request_headers": {"set": {"X-Team": "orders"}, "add": {}, "remove": ["X-Debug"]},
     "response_headers": {"remove": ["Server"]},
     "timeouts": {"response": 60.0, "request": 0.0, "idle": 0.0},
     "retries": {"attempts": 1, "statuses": [503]},
     "breaker": {"failures": 5, "seconds": 10.0, "statuses": [500, 502, 503, 504]},
     "pool": {"connections": 128, "idle": 50.0},
     "groups": {"search": {"upstreams": [["search.example", 9200, 1, 0]]}},
     "routes": [{"path": "/search", "headers": {"X-Canary": "*"}, "methods": ["GET"],
                 "group": "search", "rewrite_path": "/", "host": "upstream"}]}

All of it may be left out. A route takes the rest of what it needs from the whole.
"""

from __future__ import annotations

from podweave.helpers.ambassador.http.policy import (
    HOST_OF_CLIENT,
    HOST_OF_UPSTREAM,
    POOL_CONNECTIONS,
    POOL_IDLE_SECONDS,
    BreakerRules,
    FieldRules,
    HttpPolicy,
    Retries,
    Route,
    Times,
)
from podweave.helpers.ambassador.profiles import BALANCES, WEIGHTED, Profile
from podweave.helpers.configuration import ConfigurationError, integer
from podweave.helpers.wire.http1_grammar import TOKEN, VISIBLE, ProtocolError, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podweave.helpers.ambassador.profiles import Upstream
    from podweave.helpers.configuration import Section

_STATUSES = (500, 502, 503, 504)

_Changes = tuple[tuple[str, ...], dict[str, str], tuple[tuple[str, str], ...]]
"""What is removed, set and added."""


def read_http(
    section: Section, profile: str, upstream: Callable[[Any, str], Upstream]
) -> HttpPolicy:
    """ConfigurationError says what is wrong, and where. `upstream` reads one of them."""
    base = _base(section)
    policy = HttpPolicy(
        groups=_groups(section, profile, upstream),
        breaker=_breaker(section),
        via=_token(section.text("via", ""), section.at("via")),
        **_pool(section),
    )
    routes = []
    if "routes" in section:
        for path, value in section.array("routes"):
            routes.append(_route(_section(value, path), base, policy))
    policy.routes = (*routes, base.route())
    section.end()
    return policy


class _Base:
    """What a route and the whole have in common; a route's goes over the whole's."""

    __slots__ = ("host", "requests", "responses", "retries", "times")

    def __init__(
        self,
        host: str,
        requests: _Changes,
        responses: _Changes,
        times: Times,
        retries: Retries,
    ) -> None:
        self.host = host
        self.requests = requests
        self.responses = responses
        self.times = times
        self.retries = retries

    def route(self, prefix: bytes = b"", **more: Any) -> Route:
        return Route(
            prefix,
            host=self.host,
            requests=_rules(self.requests),
            responses=_rules(self.responses),
            times=self.times,
            retries=self.retries,
            **more,
        )


def _base(section: Section, over: _Base | None = None) -> _Base:
    host = section.text("host", "upstream" if over is None else "")
    _visible(host, section.at("host"))
    names = {"upstream": HOST_OF_UPSTREAM, "keep": HOST_OF_CLIENT}
    return _Base(
        over.host if over is not None and not host else names.get(host, host),
        _changes(section, "request_headers", over.requests if over else None),
        _changes(section, "response_headers", over.responses if over else None),
        _times(section, over.times if over else Times()),
        _retries(section, over.retries if over else Retries()),
    )


def _route(section: Section, over: _Base, policy: HttpPolicy) -> Route:
    base = _base(section, over)
    prefix = _visible(section.text("path", "/"), section.at("path"))
    group = section.text("group", "")
    if group and group not in policy.groups:
        raise ConfigurationError(section.at("group"), f"is {group!r}; there is no such group")
    headers = tuple(
        (name.lower().encode("ascii"), None if value == "*" else value.encode("latin-1"))
        for name, value in _fields(section, "headers").items()
    )
    methods = section.array("methods") if "methods" in section else []
    rewrite = None
    if "rewrite_path" in section:
        rewrite = _visible(section.text("rewrite_path"), section.at("rewrite_path"))
    section.end()
    return base.route(
        prefix,
        headers=headers,
        methods=frozenset(_token(method, path).encode("ascii") for path, method in methods),
        group=group,
        path=rewrite,
    )


def _groups(
    section: Section, profile: str, upstream: Callable[[Any, str], Upstream]
) -> dict[str, Profile]:
    if "groups" not in section:
        return {}
    groups = {}
    for name, inner in section.sections("groups").items():
        upstreams = [upstream(value, path) for path, value in inner.array("upstreams")]
        if not upstreams:
            raise ConfigurationError(inner.at("upstreams"), "must have an upstream at least")
        balance = inner.text("balance", WEIGHTED, among=BALANCES)
        # By the profile's name: its connections are counted and limited together.
        groups[name] = Profile(profile, upstreams, balance=balance)
        inner.end()
    return groups


def _changes(section: Section, key: str, over: _Changes | None) -> _Changes:
    removed, set_, added = over or ((), {}, ())
    if (inner := section.optional(key)) is None:
        return removed, set_, added
    names = inner.array("remove") if "remove" in inner else []
    own = _fields(inner, "set")
    lower = {name.lower() for name in own}
    changes = (
        (*removed, *(_token(name, path) for path, name in names)),
        {name: value for name, value in set_.items() if name.lower() not in lower} | own,
        (*added, *_fields(inner, "add").items()),
    )
    inner.end()
    return changes


def _rules(changes: _Changes) -> FieldRules:
    removed, set_, added = changes
    return FieldRules(removed, tuple(set_.items()), added)


def _times(section: Section, default: Times) -> Times:
    if (inner := section.optional("timeouts")) is None:
        return default
    times = Times(
        inner.seconds("response", Times().response),
        inner.seconds("request", 0.0),
        inner.seconds("idle", 0.0),
    )
    inner.end()
    return times


def _retries(section: Section, default: Retries) -> Retries:
    if (inner := section.optional("retries")) is None:
        return default
    retries = Retries(inner.integer("attempts", 0, 10, 1), _statuses(inner, ()))
    inner.end()
    return retries


def _breaker(section: Section) -> BreakerRules | None:
    if (inner := section.optional("breaker")) is None:
        return None
    rules = BreakerRules(
        inner.integer("failures", 1, 1000, 5),
        inner.seconds("seconds", 10.0),
        _statuses(inner, _STATUSES),
    )
    inner.end()
    return rules


def _pool(section: Section) -> dict[str, Any]:
    if (inner := section.optional("pool")) is None:
        return {}
    pool = {
        "pool_connections": inner.integer("connections", 0, 10_000, POOL_CONNECTIONS),
        "pool_idle": inner.seconds("idle", POOL_IDLE_SECONDS),
    }
    inner.end()
    return pool


def _statuses(section: Section, default: tuple[int, ...]) -> frozenset[int]:
    if "statuses" not in section:
        return frozenset(default)
    return frozenset(integer(value, path, 400, 599) for path, value in section.array("statuses"))


def _section(value: object, path: str) -> Section:
    from podweave.helpers.configuration import Section

    return Section(value, path)


def _fields(section: Section, key: str) -> dict[str, str]:
    """Field names and values that can stand in a head."""
    path = section.at(key)
    fields = section.texts(key)
    for name, value in fields.items():
        _token(name, path)
        try:
            field(f"{name}: {value}".encode("latin-1"))
        except (UnicodeEncodeError, ProtocolError) as error:
            message = "has a character that no field has"
            raise ConfigurationError(f"{path}.{name}", message) from error
    return fields


def _token(text: object, path: str) -> str:
    if not isinstance(text, str) or not text.isascii() or text.encode().translate(None, TOKEN):
        raise ConfigurationError(path, f"is {text!r}; must be a token, as HTTP has it")
    return text


def _visible(text: str, path: str) -> bytes:
    if not text.isascii() or text.encode().translate(None, VISIBLE):
        raise ConfigurationError(path, f"is {text!r}; has a character that must be escaped")
    return text.encode()
