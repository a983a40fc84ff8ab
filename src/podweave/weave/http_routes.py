"""What an ambassador does with requests, as the helper has it."""

from __future__ import annotations

from typing import Any

from podweave.model.addresses import parse_address
from podweave.model.http_patterns import Http, HttpHeaders, HttpRoute
from podweave.model.upstreams import Upstream


def render_upstreams(upstreams: list[Upstream]) -> list[list[Any]]:
    return [
        [*parse_address(upstream.address), upstream.weight, upstream.priority]
        for upstream in upstreams
    ]


def render_http(http: Http) -> dict[str, Any]:
    """What the pattern leaves open is left open here, too."""
    rendered: dict[str, Any] = {}
    if http.host != "upstream":
        rendered["host"] = http.host
    if http.via:
        rendered["via"] = http.via
    rendered.update(_messages(http))
    if (breaker := http.breaker) is not None:
        rendered["breaker"] = {
            "failures": breaker.failures,
            "seconds": float(breaker.seconds),
            "statuses": breaker.statuses,
        }
    if (pool := http.pool) is not None:
        rendered["pool"] = {"connections": pool.connections, "idle": float(pool.idle_seconds)}
    if http.groups:
        rendered["groups"] = {
            name: {
                "upstreams": render_upstreams(group.upstreams),
                **({"balance": "least_connections"} if group.balance != "weighted" else {}),
            }
            for name, group in http.groups.items()
        }
    if http.routes:
        rendered["routes"] = [_route(route) for route in http.routes]
    return rendered


def _route(route: HttpRoute) -> dict[str, Any]:
    rendered: dict[str, Any] = {"path": route.path}
    if route.headers:
        rendered["headers"] = route.headers
    if route.methods:
        rendered["methods"] = route.methods
    if route.group:
        rendered["group"] = route.group
    if route.rewrite_path is not None:
        rendered["rewrite_path"] = route.rewrite_path
    if route.host:
        rendered["host"] = route.host
    rendered.update(_messages(route))
    return rendered


def _messages(part: Http | HttpRoute) -> dict[str, Any]:
    rendered: dict[str, Any] = {}
    if part.request_headers is not None:
        rendered["request_headers"] = _headers(part.request_headers)
    if part.response_headers is not None:
        rendered["response_headers"] = _headers(part.response_headers)
    if (timeouts := part.timeouts) is not None:
        rendered["timeouts"] = {
            "response": float(timeouts.response_seconds),
            "request": float(timeouts.request_seconds),
            "idle": float(timeouts.idle_seconds),
        }
    if (retries := part.retries) is not None:
        rendered["retries"] = {"attempts": retries.attempts, "statuses": retries.statuses}
    return rendered


def _headers(headers: HttpHeaders) -> dict[str, Any]:
    parts = {"set": headers.set, "add": headers.add, "remove": headers.remove}
    return {key: value for key, value in parts.items() if value}
