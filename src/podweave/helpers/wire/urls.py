"""URLs of the schemes http and https (RFC 3986), as far as a client of stores needs them."""

from __future__ import annotations

PORTS = {"http": 80, "https": 443}

_UNRESERVED = b"-._~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PATH = _UNRESERVED + b"!$&'()*+,;=:@/%"
_HOST = _UNRESERVED + b":"


class Url:
    """`path` begins with a slash and doesn't end with one, except that it may be empty."""

    __slots__ = ("host", "path", "port", "query", "scheme", "userinfo")

    def __init__(
        self, scheme: str, host: str, port: int, path: str, query: str, userinfo: str
    ) -> None:
        self.scheme = scheme
        self.host = host
        """Without the brackets of an IPv6 address."""
        self.port = port
        self.path = path
        self.query = query
        self.userinfo = userinfo
        """USER:PASSWORD, not percent-encoded any more; empty where there is none."""

    @property
    def authority(self) -> str:
        """What the field Host says: the port only where it isn't the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def address(self) -> str:
        """HOST:PORT, as CONNECT asks for it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        """Without user and password: fit for messages."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{self.authority}{self.path}{query}"


def parse(text: str) -> Url:
    """ValueError, with what would be right, for what is no URL of http or https."""
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in PORTS:
        raise ValueError("must begin with http:// or https://")
    if "#" in rest:
        raise ValueError("a URL of a store has no #fragment")
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    userinfo, _, place = authority.rpartition("@")
    host, port = _place(place, PORTS[scheme])
    path = (slash + path).rstrip("/")
    if path.encode().translate(None, _PATH):
        raise ValueError(f"the path {path!r} has characters that must be percent-encoded")
    if query.encode().translate(None, _PATH + b"?"):
        raise ValueError(f"the query {query!r} has characters that must be percent-encoded")
    return Url(scheme, host, port, path, query, unquote(userinfo))


def _place(place: str, default: int) -> tuple[str, int]:
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        if not bracket or ":" not in host or (rest and not rest.startswith(":")):
            raise ValueError(f"{place!r} is not [IPv6] or [IPv6]:PORT")
        digits = rest[1:]
    else:
        host, _, digits = place.partition(":")
        if ":" in digits:
            raise ValueError(f"{place!r}: an IPv6 address stands in brackets")
    if not host or host.encode().translate(None, _HOST):
        raise ValueError(f"{host!r} is not a host")
    if not digits:
        return host, default
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits[:6]) <= 65535):
        raise ValueError(f"{digits!r} is not a port from 1 to 65535")
    return host, int(digits)


def quote(text: str, safe: bytes = b"") -> str:
    """Percent-encode all but unreserved characters and those of `safe`, in UTF-8."""
    kept = _UNRESERVED + safe
    data = text.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if byte in kept else f"%{byte:02X}" for byte in data)


def unquote(text: str) -> str:
    first, *parts = text.split("%")
    data = first.encode()
    for part in parts:
        try:
            data += bytes((int(part[:2], 16),)) + part[2:].encode()
        except ValueError:
            raise ValueError(f"%{part[:2]} is no percent-encoding") from None
    return data.decode("utf-8", "replace")
