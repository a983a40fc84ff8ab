"""The proxy that the environment names: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY.

In lower case or upper, the former first, as everybody reads them. NO_PROXY is a list, divided by
commas, of `*`, host names (their subdomains are meant, too, with a leading dot or without),
addresses and networks (10.0.0.0/8), each perhaps with a port. What is on loopback is never asked
for through a proxy: it would be the proxy's loopback.
"""

from __future__ import annotations

import socket

from podweave.helpers.dialing.connector import address_family, is_loopback
from podweave.helpers.wire.urls import Url, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(url: Url, environ: Mapping[str, str]) -> Url | None:
    """The proxy to reach `url` through; None for the direct way. ValueError for a bad proxy."""
    if is_loopback(url.host) or _excepted(url, _variable(environ, "no_proxy")):
        return None
    name = f"{url.scheme}_proxy"
    text = _variable(environ, name)
    if not text:
        name = "all_proxy"
        text = _variable(environ, name)
    if not text:
        return None
    try:
        proxy = parse(text if "://" in text else f"http://{text}")
    except ValueError as error:
        raise ValueError(f"{name.upper()}: {error}") from None
    if proxy.scheme != "http":
        raise ValueError(f"{name.upper()}: a proxy is spoken to as http://HOST:PORT")
    return proxy


def _variable(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _excepted(url: Url, exceptions: str) -> bool:
    host = url.host.lower().removesuffix(".")
    for entry in exceptions.lower().split(","):
        name = entry.strip()
        if name == "*":
            return True
        if not name:
            continue
        name, port = _split(name)
        if port and port != str(url.port):
            continue
        if "/" in name:
            if _within(host, name):
                return True
            continue
        name = name.removeprefix("*").removeprefix(".").removesuffix(".")
        if name and (host == name or host.endswith(f".{name}")):
            return True
    return False


def _split(name: str) -> tuple[str, str]:
    """A host and its port; the colons of a bare IPv6 address are not a port's."""
    if name.startswith("["):
        host, _, rest = name[1:].partition("]")
        return host, rest.removeprefix(":")
    if name.count(":") == 1:
        host, _, port = name.partition(":")
        return host, port
    return name, ""


def _within(host: str, network: str) -> bool:
    base, _, length = network.partition("/")
    family = address_family(base)
    if family is None or family != address_family(host) or not length.isdigit():
        return False
    kind = socket.AddressFamily(family)
    first = socket.inet_pton(kind, base)
    bits = len(first) * 8
    if int(length) > bits:
        return False
    shift = bits - int(length)
    other = socket.inet_pton(kind, host.partition("%")[0])
    return int.from_bytes(first, "big") >> shift == int.from_bytes(other, "big") >> shift
