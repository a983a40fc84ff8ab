"""A request's head: read strictly, routed, and written anew for the upstream. No I/O, no state.

What two servers may understand differently is refused (RFC 9112, sections 3, 5, 6 and 11.2):

    400  a line end that isn't CRLF, folded fields, space before the colon, control characters
    400  Content-Length twice, or beside Transfer-Encoding; chunked not last; chunked in HTTP/1.0
    400  no Host or two, a Host that isn't HOST:PORT, a Host that differs from the target's
    400  a target with a fragment, or with dot segments where paths are routed
    501  CONNECT, an unknown transfer coding; 505 another version
"""

from __future__ import annotations

from podweave.helpers.ambassador.http.fields import (
    HOP_BY_HOP,
    Line,
    framing,
    lines_of,
    passed_on,
    read_line,
)
from podweave.helpers.ambassador.http.policy import HOST_OF_CLIENT, HOST_OF_UPSTREAM
from podweave.helpers.wire.http1_grammar import (
    CHUNKED,
    ProtocolError,
    declared_length,
    members,
    persists,
    request_line,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.http.policy import HttpPolicy, Route
    from podweave.helpers.wire.http1_grammar import Field

IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"TRACE"))
"""RFC 9110, section 9.2.2."""

_HOST = b"-._~!$&'()*+;=%:[]0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SPECIAL = HOP_BY_HOP | {b"host", b"content-length", b"transfer-encoding"}
_NOT_TUNNELLED = frozenset((b"h2c", b"h2", b"http/2.0", b"tls/1.0", b"http/1.1"))
"""Upgrades behind which requests would go by unread, or which this connection already is."""

_ROUTED_PATHS_MAY_NOT = (b"/.", b"/%2e", b"/%2E")


class Head:
    """A head as it was read. `fields` are those that are passed on, Host and framing apart."""

    __slots__ = (
        "fields",
        "host",
        "keep_alive",
        "length",
        "method",
        "minor",
        "target",
        "upgrade",
    )

    def __init__(self, method: bytes, target: bytes, minor: int) -> None:
        self.method = method
        self.target = target
        self.minor = minor
        self.fields: list[Line] = []
        self.host = b""
        self.length: int | None = None
        """None: neither Content-Length nor Transfer-Encoding; or CHUNKED."""
        self.keep_alive = minor == 1
        self.upgrade = b""
        """Another protocol that the client offers to speak; empty for none."""

    @property
    def path(self) -> bytes:
        return self.target.partition(b"?")[0]


def read(head: bytes) -> Head:
    """Read a head, with or without its last empty line. ProtocolError carries the status."""
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    result = _request_line(lines[0])
    fields = result.fields
    hosts: list[bytes] = []
    lengths: list[Field] = []
    options: list[bytes] = []
    upgrade = b""
    for raw in lines[1:]:
        line = read_line(raw)
        name = line[0]
        if name not in _SPECIAL:
            fields.append(line)
        elif name == b"host":
            hosts.append(line[1])
        elif name == b"connection":
            options += members(line[1])
        elif name == b"upgrade":
            upgrade = upgrade + b", " + line[1] if upgrade else line[1]
        elif name in (b"content-length", b"transfer-encoding"):
            lengths.append(line[:2])
    if lengths:
        result.length = _length(result.minor, lengths)
    result.host = _host(result, hosts)
    if options:
        _apply_connection(result, options, upgrade)
    return result


def _request_line(line: bytes) -> Head:
    method, target, minor = request_line(line)
    if b"#" in target:
        raise ProtocolError(400, "the target has characters that must be escaped")
    if method == b"CONNECT":
        raise ProtocolError(501, "CONNECT is not for this proxy: it takes requests, no tunnels")
    if target[0] != 0x2F and target != b"*" and target[:7].lower() != b"http://":
        raise ProtocolError(400, "the target is neither a path nor http://HOST/PATH")
    if target == b"*" and method != b"OPTIONS":
        raise ProtocolError(400, "the target * is for OPTIONS only")
    return Head(method, target, minor)


def _length(minor: int, fields: list[Field]) -> int | None:
    length = declared_length(minor, fields)
    # Also two that are alike: what stands between this proxy and its server may differ on them.
    if length != CHUNKED and len(fields) > 1:
        raise ProtocolError(400, "two Content-Length fields")
    return length


def _host(head: Head, hosts: list[bytes]) -> bytes:
    """The host that is asked; with a target that names one, the target becomes its path."""
    if len(hosts) > 1 or (not hosts and head.minor == 1):
        raise ProtocolError(400, "HTTP/1.1 takes exactly one Host")
    host = hosts[0] if hosts else b""
    if host.translate(None, _HOST) or (hosts and not host):
        raise ProtocolError(400, "Host is not HOST or HOST:PORT")
    if head.target[0] == 0x2F or head.target == b"*":
        return host
    authority, slash, rest = head.target[7:].partition(b"/")
    authority, mark, query = authority.partition(b"?")
    if not authority or authority.translate(None, _HOST):
        raise ProtocolError(400, "the target is neither a path nor http://HOST/PATH")
    if mark:
        rest, slash = query + slash + rest, b"?"
        head.target = b"/?" + rest
    else:
        head.target = b"/" + rest
    if host and host.lower() != authority.lower():
        raise ProtocolError(400, "Host is not the host that the target names")
    return authority


def _apply_connection(head: Head, options: list[bytes], upgrade: bytes) -> None:
    """What the client says of its connection, and the fields that are for this hop only."""
    head.keep_alive = persists(head.minor, options)
    # An upgrade of a request with content is let go: what comes first then, the content or the
    # other protocol, is what readers differ on.
    if (
        b"upgrade" in options
        and upgrade
        and head.minor == 1
        and not head.length
        and _NOT_TUNNELLED.isdisjoint(members(upgrade))
    ):
        head.upgrade = upgrade
    head.fields = passed_on(head.fields, options)


def choose_route(head: Head, policy: HttpPolicy) -> Route:
    """The first route that matches. ProtocolError for paths that can be read in two ways."""
    path = head.path
    if policy.looks_at_paths and any(mark in path for mark in _ROUTED_PATHS_MAY_NOT):
        for segment in path.split(b"/"):
            if segment.lower().replace(b"%2e", b".") in (b".", b".."):
                raise ProtocolError(400, "the path has . or .. in it; it is routed by its segments")
    for route in policy.routes:
        if route.matches(head.method, path, head.fields):
            return route
    return policy.routes[-1]


def host_of(head: Head, route: Route, authority: bytes) -> bytes:
    """The Host that the upstream at `authority` is asked as."""
    if route.host == HOST_OF_UPSTREAM:
        return authority
    if route.host == HOST_OF_CLIENT:
        return head.host or authority
    return route.host.encode("ascii")


def write(head: Head, route: Route, via: str, authority: bytes) -> bytes:
    """The head for the upstream at `authority`, which is HOST, or HOST:PORT."""
    lines = [
        head.method + b" " + route.rewrite(head.target) + b" HTTP/1.1",
        b"Host: " + host_of(head, route, authority),
        *lines_of(head.fields, route.requests),
        *route.requests.added,
        *framing(head.length),
    ]
    if head.upgrade:
        lines.append(b"Connection: Upgrade")
        lines.append(b"Upgrade: " + head.upgrade)
    if via:
        lines.append(b"Via: 1.%d %b" % (head.minor, via.encode("ascii")))
    return b"\r\n".join(lines) + b"\r\n\r\n"
