"""How a profile's upstreams are watched, limited and reached: values only, checked by `settings`.

Times are in seconds.
"""

from __future__ import annotations

EJECT_AFTER_FAILURES = 5
EJECT_SECONDS = 30.0


class HttpCheck:
    """A GET of `path` that must be answered with 200 to 399."""

    __slots__ = ("host", "path", "port")

    def __init__(self, path: str, host: str = "", port: int = 0) -> None:
        self.path = path
        self.host = host
        """Empty: the upstream's address."""
        self.port = port
        """0: the upstream's own."""


class HealthCheck:
    """Asking the upstreams of the profile in use."""

    __slots__ = ("healthy_after", "http", "interval", "timeout", "unhealthy_after")

    def __init__(
        self,
        interval: float = 10.0,
        timeout: float = 3.0,
        unhealthy_after: int = 3,
        healthy_after: int = 2,
        http: HttpCheck | None = None,
    ) -> None:
        self.interval = interval
        self.timeout = timeout
        self.unhealthy_after = unhealthy_after
        self.healthy_after = healthy_after
        self.http = http


class Ejection:
    """Leaving out an upstream after `failures` in a row; 0 switches it off."""

    __slots__ = ("failures", "seconds")

    def __init__(
        self, failures: int = EJECT_AFTER_FAILURES, seconds: float = EJECT_SECONDS
    ) -> None:
        self.failures = failures
        self.seconds = seconds


class Limits:
    """How many at once; 0: no limit."""

    __slots__ = ("connections", "waiting")

    def __init__(self, connections: int = 0, waiting: int = 0) -> None:
        self.connections = connections
        self.waiting = waiting


class OnSwitch:
    """What becomes of open connections: `existing` is keep, drain or cut."""

    __slots__ = ("existing", "grace")

    def __init__(self, existing: str = "keep", grace: float = 30.0) -> None:
        self.existing = existing
        self.grace = grace
