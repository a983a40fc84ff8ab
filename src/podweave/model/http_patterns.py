"""What an Ambassador of the protocol http does with requests and responses."""

from __future__ import annotations

from typing import Literal

import msgspec

from podweave.model.pattern_parts import Strict
from podweave.model.upstreams import Upstream


class HttpHeaders(Strict):
    """Changes to the header fields of a message; those that frame it and Host are not for this."""

    set: dict[str, str] = msgspec.field(default_factory=dict)
    """Fields by name: in place of what the message has under this name."""
    add: dict[str, str] = msgspec.field(default_factory=dict)
    """Fields by name: beside what the message has."""
    remove: list[str] = msgspec.field(default_factory=list)
    """Names of fields to leave out."""


class HttpTimeouts(Strict):
    """How long things may take; 0: as long as they do."""

    response_seconds: int = 60
    """From the end of the request to the beginning of the response, 0 to 86400."""
    request_seconds: int = 0
    """From the beginning of the request to the end of the response, 0 to 86400."""
    idle_seconds: int = 0
    """Without a byte of content while a message is under way, 0 to 86400. A stream of events may
    well be silent for a while."""


class HttpRetries(Strict):
    """Sending a request once more. Only GET, HEAD, OPTIONS, TRACE, PUT and DELETE are repeated,
    with content only as far as it came with the head, and never after a part of the response."""

    attempts: int = 1
    """Further attempts after a connection that ended without a response, 0 to 10. A kept
    connection that turns out to have ended is replaced once in any case."""
    statuses: list[int] = msgspec.field(default_factory=list)
    """Responses that are worth another attempt, as in [502, 503, 504]."""


class HttpBreaker(Strict):
    """Leaving an upstream alone that keeps failing, and saying so at once."""

    failures: int = 5
    """Requests in a row that failed, 1 to 1000."""
    seconds: int = 10
    """How long no request goes there, 1 to 3600; then one does, and decides."""
    statuses: list[int] = msgspec.field(default_factory=lambda: [500, 502, 503, 504])
    """Responses that count as failures; no response always does."""


class HttpPool(Strict):
    """Connections to upstreams that are kept for further requests."""

    connections: int = 128
    """At most so many idle ones an upstream, 0 to 10000."""
    idle_seconds: int = 50
    """How long an idle one is kept, 1 to 3600: less than the upstream keeps it."""


class HttpGroup(Strict):
    """Further upstreams, for routes to lead to. TLS, checks and limits are the profile's."""

    upstreams: list[Upstream]
    """New requests are spread over those of the lowest priority that are up."""
    balance: Literal["weighted", "leastConnections"] = "weighted"
    """`leastConnections`: to whom has the fewest requests under way for its weight."""


class HttpRoute(Strict):
    """What becomes of the requests that match all of path, headers and methods."""

    path: str = "/"
    """A prefix in whole segments: /api is for /api and /api/orders, not for /apis."""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    """Fields that the request has with exactly this value; `*`: with any."""
    methods: list[str] = msgspec.field(default_factory=list)
    """As in [GET, HEAD]; empty: all."""
    group: str = ""
    """One of `groups`; default: the profile's own upstreams."""
    rewrite_path: str | None = None
    """In place of the prefix `path`. Absent: the path stays."""
    host: str = ""
    """As the one of all requests; default: that one."""
    request_headers: HttpHeaders | None = None
    """Changes beside those of all requests."""
    response_headers: HttpHeaders | None = None
    """Changes beside those of all responses."""
    timeouts: HttpTimeouts | None = None
    """In place of those of all requests."""
    retries: HttpRetries | None = None
    """In place of those of all requests."""


class Http(Strict):
    """Requests and responses of a profile."""

    routes: list[HttpRoute] = msgspec.field(default_factory=list)
    """The first that matches is taken; a request that none matches goes to `upstreams`."""
    groups: dict[str, HttpGroup] = msgspec.field(default_factory=dict)
    """Further upstreams by name."""
    host: str = "upstream"
    """The Host that the upstream sees: `upstream` is its own address, `keep` what the application
    has sent, anything else a name."""
    request_headers: HttpHeaders | None = None
    """Changes to all requests."""
    response_headers: HttpHeaders | None = None
    """Changes to all responses of upstreams."""
    via: str = ""
    """A name to add as `Via` to requests. Default: the ambassador doesn't show itself."""
    timeouts: HttpTimeouts | None = None
    """Absent: 60 seconds for a response to begin, nothing else."""
    retries: HttpRetries | None = None
    """Absent: one further attempt when a connection ends without a response."""
    breaker: HttpBreaker | None = None
    """Absent: none."""
    pool: HttpPool | None = None
    """Absent: 128 idle connections an upstream, for 50 seconds."""
