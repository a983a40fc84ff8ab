"""HOST:PORT in its spellings."""

from __future__ import annotations

import ipaddress
import re
from typing import Final, NamedTuple

from podweave.model.errors import InputError

_HOST_LABEL: Final = re.compile(r"[A-Za-z0-9_]([-A-Za-z0-9_]*[A-Za-z0-9_])?")
_LOOPBACK_NAME: Final = "localhost"


class Address(NamedTuple):
    """A host, a name or an IP without brackets, and a port."""

    host: str
    port: int


def parse_address(text: str) -> Address:
    """Parse `HOST:PORT` or `[IPv6]:PORT`. Raises InputError, without a path."""
    if "://" in text:
        raise InputError(f"{text!r} is a URL: write HOST:PORT, as in db.example:5432")
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        if not is_ipv6(host):
            raise InputError(f"{host!r} in brackets isn't an IPv6 address")
    elif ":" in host or is_ipv6(text):
        raise InputError(f"{text!r}: an IPv6 address stands in brackets, as in [2001:db8::1]:5432")
    elif text.endswith("]"):
        raise InputError(f"{text!r} has no port: [IPv6]:PORT")
    if not colon:
        raise InputError(f"{text!r} has no port: HOST:PORT, as in db.example:5432")
    return Address(_host(host, text), _port(port, text))


def parse_listen(text: str) -> list[Address]:
    """The addresses that `listen` stands for: `localhost:PORT` is 127.0.0.1 and ::1.

    Raises InputError, without a path, for anything beyond loopback.
    """
    host, port = parse_address(text)
    if host.lower() == _LOOPBACK_NAME:
        return [Address("127.0.0.1", port), Address("::1", port)]
    if not is_loopback(host):
        raise InputError(
            f"{text!r} is not loopback: an ambassador listens for its own Pod only, "
            f"write localhost:{port}"
        )
    return [Address(host, port)]


def is_loopback(host: str) -> bool:
    """Whether a host is this Pod itself: localhost, 127.0.0.0/8, ::1."""
    if host.lower() == _LOOPBACK_NAME:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def leads_to(address: Address, listen: Address) -> bool:
    """Whether who dials `address` in a Pod may reach who listens on `listen`, an IP, there."""
    if address.port != listen.port:
        return False
    if address.host.lower() == _LOOPBACK_NAME:
        return is_loopback(listen.host)
    try:
        return ipaddress.ip_address(address.host) == ipaddress.ip_address(listen.host)
    except ValueError:
        return False


def is_ipv6(host: str) -> bool:
    """Whether a host is an IPv6 address, without brackets."""
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return True


def host_problem(host: str) -> str | None:
    """What keeps `host` from being a host's name or an IP without brackets; or None."""
    try:
        _host(host, host)
    except InputError as error:
        return error.message
    return None


def _host(host: str, text: str) -> str:
    if is_ipv6(host):
        return host
    if not host:
        raise InputError(f"{text!r} has no host: HOST:PORT, as in db.example:5432")
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or not all(len(x) <= 63 and _HOST_LABEL.fullmatch(x) for x in labels):
        raise InputError(f"{host!r} isn't a host name or an IP address")
    if all(label.isdigit() for label in labels):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            raise InputError(f"{host!r} isn't an IPv4 address") from None
    return host


def _port(port: str, text: str) -> int:
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 1 <= int(port) <= 65535):
        raise InputError(f"{text!r}: the port {port!r} isn't a number from 1 to 65535")
    return int(port)
