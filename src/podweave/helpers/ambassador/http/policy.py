"""What is configured for HTTP in a profile. Times are in seconds, 0 for no limit.

Names of fields are in lower case, values and paths are bytes: they are compared with, and put
into, what is on the wire.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.profiles import Profile

HOST_OF_UPSTREAM = ""
"""A Host that is the upstream's own address."""
HOST_OF_CLIENT = "keep"

RESPONSE_SECONDS = 60.0
POOL_IDLE_SECONDS = 50.0
"""Below the 60 s and more after which the usual servers and load balancers hang up."""
POOL_CONNECTIONS = 128
HEAD_SECONDS = 60.0
"""For a request's head to come, once its first byte is there."""


class FieldRules:
    """Changes to a head's fields: what is removed, then what is set in place of it, then added."""

    __slots__ = ("added", "dropped")

    def __init__(
        self,
        remove: tuple[str, ...] = (),
        set_: tuple[tuple[str, str], ...] = (),
        add: tuple[tuple[str, str], ...] = (),
    ) -> None:
        names = (*remove, *(name for name, _ in set_))
        self.dropped = frozenset(name.lower().encode("ascii") for name in names)
        self.added = tuple(f"{name}: {value}".encode("latin-1") for name, value in (*set_, *add))


NO_RULES = FieldRules()


class Times:
    """`response`: from the whole request to the response's head. `request`: for all of it.
    `idle`: without a byte of content either way."""

    __slots__ = ("idle", "request", "response")

    def __init__(
        self, response: float = RESPONSE_SECONDS, request: float = 0.0, idle: float = 0.0
    ) -> None:
        self.response = response
        self.request = request
        self.idle = idle


class Retries:
    """`attempts`: further ones, of idempotent requests whose content is still at hand, after a
    connection that ended without a response, or a response with one of `statuses`."""

    __slots__ = ("attempts", "statuses")

    def __init__(self, attempts: int = 1, statuses: frozenset[int] = frozenset()) -> None:
        self.attempts = attempts
        self.statuses = statuses


class BreakerRules:
    """After `failures` in a row an upstream is left alone for `seconds`, then tried with one
    request. `statuses`: responses that count as failures."""

    __slots__ = ("failures", "seconds", "statuses")

    def __init__(self, failures: int, seconds: float, statuses: frozenset[int]) -> None:
        self.failures = failures
        self.seconds = seconds
        self.statuses = statuses


class Route:
    """What becomes of the requests that match; the first route that does is taken.

    `prefix` matches whole segments: /api is for /api and /api/orders, not for /apis; an empty
    one is for every target. `headers` pairs a name with a value, or None for any. `path`
    replaces the prefix; None leaves it.
    """

    __slots__ = (
        "group",
        "headers",
        "host",
        "methods",
        "path",
        "prefix",
        "requests",
        "responses",
        "retries",
        "times",
    )

    def __init__(
        self,
        prefix: bytes = b"",
        *,
        headers: tuple[tuple[bytes, bytes | None], ...] = (),
        methods: frozenset[bytes] = frozenset(),
        group: str = "",
        path: bytes | None = None,
        host: str = HOST_OF_UPSTREAM,
        requests: FieldRules = NO_RULES,
        responses: FieldRules = NO_RULES,
        times: Times | None = None,
        retries: Retries | None = None,
    ) -> None:
        self.prefix = prefix.rstrip(b"/")
        self.headers = headers
        self.methods = methods
        self.group = group
        self.path = path
        self.host = host
        self.requests = requests
        self.responses = responses
        self.times = times or Times()
        self.retries = retries or Retries()

    def matches(self, method: bytes, path: bytes, fields: list[tuple[bytes, bytes, bytes]]) -> bool:
        """`path` is the target without its query."""
        prefix = self.prefix
        if prefix and path != prefix and not path.startswith(prefix + b"/"):
            return False
        if self.methods and method not in self.methods:
            return False
        for wanted, value in self.headers:
            if not any(
                name == wanted and (value is None or found == value) for name, found, _ in fields
            ):
                return False
        return True

    def rewrite(self, target: bytes) -> bytes:
        """The target with this route's path in place of its prefix."""
        if self.path is None or not target.startswith(b"/"):
            return target
        rest = target[len(self.prefix) :]
        path = self.path.rstrip(b"/") + rest
        return path if path.startswith(b"/") else b"/" + path


class HttpPolicy:
    """All of it. The last route takes what no other has taken, and matches everything."""

    __slots__ = ("breaker", "groups", "pool_connections", "pool_idle", "routes", "via")

    def __init__(
        self,
        routes: tuple[Route, ...] = (),
        *,
        groups: dict[str, Profile] | None = None,
        breaker: BreakerRules | None = None,
        pool_connections: int = POOL_CONNECTIONS,
        pool_idle: float = POOL_IDLE_SECONDS,
        via: str = "",
    ) -> None:
        self.routes = routes or (Route(),)
        self.groups = groups or {}
        """Further upstreams, by the names that routes give. A route's "" is the profile's own."""
        self.breaker = breaker
        self.pool_connections = pool_connections
        self.pool_idle = pool_idle
        self.via = via
        """A pseudonym for the field Via (RFC 9110, section 7.6.3); empty: no Via."""

    @property
    def looks_at_paths(self) -> bool:
        return any(route.prefix for route in self.routes)
