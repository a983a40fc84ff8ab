"""What is wrong in an Ambassador's `http` and no type can say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from podweave.model.bounds import Bounds, check_bounds
from podweave.model.errors import InputError, Path
from podweave.model.http_patterns import Http, HttpHeaders, HttpRetries, HttpRoute, HttpTimeouts
from podweave.model.names import dns_label_problem, is_token
from podweave.model.suggestions import did_you_mean

_DAY: Final = 86400

BOUNDS: Final[Bounds] = {
    ("HttpTimeouts", "responseSeconds"): (0, _DAY),
    ("HttpTimeouts", "requestSeconds"): (0, _DAY),
    ("HttpTimeouts", "idleSeconds"): (0, _DAY),
    ("HttpRetries", "attempts"): (0, 10),
    ("HttpBreaker", "failures"): (1, 1000),
    ("HttpBreaker", "seconds"): (1, 3600),
    ("HttpPool", "connections"): (0, 10_000),
    ("HttpPool", "idleSeconds"): (1, 3600),
}

FIXED_HEADERS: Final = (
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
)
"""They say where a message ends and what holds for one connection, or have a key of their own."""

_HOST: Final = frozenset("-._:[]0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def check_http(http: Http, path: Path) -> Iterator[InputError]:
    """All that is wrong in `http` at `path`, its groups' upstreams apart."""
    for name in http.groups:
        if problem := dns_label_problem(name):
            yield InputError(problem, path=(*path, "groups", name))
    yield from _host(http.host, path)
    if http.via and not is_token(http.via):
        yield InputError(f"{http.via!r} isn't a name for Via: as in podweave", path=(*path, "via"))
    yield from _messages(http, path)
    if http.breaker is not None:
        at = (*path, "breaker")
        yield from check_bounds(http.breaker, BOUNDS, at)
        yield from _statuses(http.breaker.statuses, at)
    if http.pool is not None:
        yield from check_bounds(http.pool, BOUNDS, (*path, "pool"))
    for index, route in enumerate(http.routes):
        place = (*path, "routes", index)
        yield from _route(route, http, place)
        for before, other in enumerate(http.routes[:index]):
            if _takes_all_of(other, route):
                yield InputError(
                    f"no request gets here: routes[{before}] takes all of them; the first route "
                    "that matches is taken",
                    path=place,
                )
                break


def _route(route: HttpRoute, http: Http, path: Path) -> Iterator[InputError]:
    for key, value in (("path", route.path), ("rewritePath", route.rewrite_path)):
        if value is not None and (problem := path_problem(value)):
            yield InputError(problem, path=(*path, key))
    for name, value in route.headers.items():
        yield from _header(name, value, (*path, "headers", name))
    for index, method in enumerate(route.methods):
        if not is_token(method) or method == "CONNECT":
            yield InputError(
                f"{method!r} isn't a method that is routed: as in GET",
                path=(*path, "methods", index),
            )
        elif method != method.upper():
            yield InputError(
                f"methods are in capitals: {method.upper()}", path=(*path, "methods", index)
            )
    if route.group and route.group not in http.groups:
        hint = did_you_mean(route.group, http.groups) or (
            f"; there are {', '.join(http.groups)}" if http.groups else "; `groups` is empty"
        )
        yield InputError(f"no group is called {route.group!r}{hint}", path=(*path, "group"))
    if route.host:
        yield from _host(route.host, path)
    yield from _messages(route, path)


def _messages(part: Http | HttpRoute, path: Path) -> Iterator[InputError]:
    """What all requests and a route have in common."""
    for headers, key in (
        (part.request_headers, "requestHeaders"),
        (part.response_headers, "responseHeaders"),
    ):
        if headers is not None:
            yield from _headers(headers, (*path, key))
    if part.timeouts is not None:
        yield from _timeouts(part.timeouts, (*path, "timeouts"))
    if part.retries is not None:
        yield from _retries(part.retries, (*path, "retries"))


def _timeouts(timeouts: HttpTimeouts, path: Path) -> Iterator[InputError]:
    yield from check_bounds(timeouts, BOUNDS, path)
    most = timeouts.request_seconds
    plain = HttpTimeouts().response_seconds
    if most and timeouts.response_seconds not in (0, plain) and timeouts.response_seconds > most:
        yield InputError(
            f"{timeouts.response_seconds} is longer than requestSeconds, {most}, which ends it all",
            path=(*path, "responseSeconds"),
        )


def _retries(retries: HttpRetries, path: Path) -> Iterator[InputError]:
    yield from check_bounds(retries, BOUNDS, path)
    yield from _statuses(retries.statuses, path)


def _statuses(statuses: list[int], path: Path) -> Iterator[InputError]:
    for index, status in enumerate(statuses):
        if not 400 <= status <= 599:
            yield InputError(
                f"{status} isn't the status of a failure, 400 to 599",
                path=(*path, "statuses", index),
            )


def _headers(headers: HttpHeaders, path: Path) -> Iterator[InputError]:
    for key, fields in (("set", headers.set), ("add", headers.add)):
        for name, value in fields.items():
            at = (*path, key, name)
            yield from _header(name, value, at)
            yield from _not_fixed(name, at)
    for index, name in enumerate(headers.remove):
        yield from _header(name, "", (*path, "remove", index))
        yield from _not_fixed(name, (*path, "remove", index))


def _not_fixed(name: str, path: Path) -> Iterator[InputError]:
    if name.lower() in FIXED_HEADERS:
        hint = "; `host` says what it is" if name.lower() == "host" else ""
        yield InputError(
            f"{name} belongs to the connection or the framing and isn't changed here{hint}",
            path=path,
        )


def _header(name: str, value: str, path: Path) -> Iterator[InputError]:
    if not is_token(name):
        yield InputError(f"{name!r} isn't the name of a header field: as in X-Team", path=path)
    elif value != value.strip(" \t") or any(
        char != "\t" and not (" " <= char <= "~" or "\xa0" <= char <= "\xff") for char in value
    ):
        yield InputError(f"{value!r} can't be the value of a header field", path=path)


def _host(host: str, path: Path) -> Iterator[InputError]:
    if not host or not set(host) <= _HOST:
        yield InputError(
            f"{host!r} isn't a host: `upstream`, `keep`, or a name as in api.example",
            path=(*path, "host"),
        )


def _takes_all_of(first: HttpRoute, second: HttpRoute) -> bool:
    prefix = first.path.rstrip("/") + "/"
    if not (second.path.rstrip("/") + "/").startswith(prefix):
        return False
    if first.methods and not (second.methods and set(second.methods) <= set(first.methods)):
        return False
    wanted = {name.lower(): value for name, value in second.headers.items()}
    return all(
        name.lower() in wanted and value in ("*", wanted[name.lower()])
        for name, value in first.headers.items()
    )


def path_problem(path: str) -> str | None:
    """What keeps `path` from being the beginning of a request's path; or None."""
    if not path.startswith("/"):
        return f"{path!r} doesn't begin with /"
    if not all("!" <= char <= "~" for char in path) or set(path) & set("?#"):
        return f"{path!r} has a character that a path doesn't: escape it, as in %20"
    if any(segment in (".", "..") for segment in path.split("/")):
        return f"{path!r} has . or .. in it"
    return None
