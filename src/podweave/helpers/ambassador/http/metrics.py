"""What is counted of HTTP, beside what every protocol counts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.wire.prometheus import Registry

_PREFIX = "podweave_ambassador_http"


class HttpMetrics:
    def __init__(self, registry: Registry) -> None:
        counter, gauge = registry.counter, registry.gauge
        self.requests = counter(
            f"{_PREFIX}_requests_total",
            "Requests whose response came from an upstream, by profile and status code.",
            "profile",
            "code",
        )
        self.request_seconds = registry.histogram(
            f"{_PREFIX}_request_seconds",
            "From a request's head to the end of its response, by profile.",
            "profile",
        )
        self.failures = counter(
            f"{_PREFIX}_failures_total",
            "Requests that got no whole response from an upstream, by profile and reason.",
            "profile",
            "reason",
        )
        self.refused = counter(
            f"{_PREFIX}_requests_refused_total",
            "Requests that can't be understood in one way only, by status code.",
            "code",
        )
        self.retries = counter(
            f"{_PREFIX}_retries_total",
            "Requests sent once more: `stale` after a kept connection had ended, else `failed`.",
            "reason",
        )
        self.upgrades = counter(
            f"{_PREFIX}_upgrades_total", "Connections that went on in another protocol (101)."
        ).labels()
        self.clients = gauge(f"{_PREFIX}_clients", "Connections of clients.").labels()
        self.idle = gauge(
            f"{_PREFIX}_upstream_connections_idle",
            "Connections kept for further requests, by profile and upstream.",
            "profile",
            "upstream",
        )
        self.busy = gauge(
            f"{_PREFIX}_requests_active",
            "Requests under way, by profile and upstream.",
            "profile",
            "upstream",
        )
        self.breaker_open = gauge(
            f"{_PREFIX}_breaker_open",
            "1 while the upstream's circuit breaker is open.",
            "profile",
            "upstream",
        )
