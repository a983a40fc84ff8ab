"""Values that schemas make of neutral ones."""

from __future__ import annotations

import json
import re
import socket
import time

from podweave.helpers.logs.markers import Marker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The frequent ones first. Nothing steps back: the next byte is a dot or a newline.
_OCTET = rb"(?:1[0-9]{0,2}+|[3-9][0-9]?+|2[0-4]?+[0-9]?+|25[0-5]|0)"
ONLY_IPV4 = re.compile(rb"(?>(?:" + rb"\.".join([_OCTET] * 4) + rb"\n)*)")
"""Texts, each with a newline, that are IPv4 addresses."""

SYSLOG_SEVERITIES = {
    "trace": 7,
    "debug": 7,
    "info": 6,
    "notice": 5,
    "warn": 4,
    "error": 3,
    "fatal": 2,
}
"""RFC 5424, section 6.2.1."""


def iso_seconds(seconds: int) -> str:
    """RFC 3339 in UTC, down to the second and without the zone."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    except (OverflowError, ValueError, OSError):
        return "1970-01-01T00:00:00"


def ip(address: str) -> str | None:
    """The address, where it is one of IPv4 or IPv6: without a port, or a link-local one's zone."""
    if address[:1] == "[":
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    address = address.partition("%")[0]
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, address)
        except (OSError, ValueError):
            continue
        return address
    return None


def outcome(status: int) -> str:
    """What an HTTP status says of a request's success."""
    return "failure" if status >= 400 else "success"


def nanoseconds(seconds: float) -> int:
    """Whole nanoseconds."""
    return round(seconds * 1e9)


def lower(text: str) -> str:
    """As ECS and OpenTelemetry want names of protocols."""
    return text.lower()


def protocol(text: str) -> str:
    """The name of a protocol without its version: HTTP/1.1 is http."""
    return text.lower().partition("/")[0]


_TLS = re.compile(r"(?:(TLS|SSL) ?v? ?)?([1-3])(?:\.?([0-9]))?", re.IGNORECASE)


def tls_version(text: str) -> str:
    """The number of TLSv1.3, TLSv12 or 1.2; what is none stays as it is."""
    found = _TLS.fullmatch(text)
    if found is None:
        return text
    return found[2] if found[3] is None else f"{found[2]}.{found[3]}"


def tls_protocol(text: str) -> str | None:
    """tls or ssl, where the version says so."""
    found = _TLS.fullmatch(text)
    return None if found is None or found[1] is None else found[1].lower()


_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}")


def mac(text: str) -> str:
    """As RFC 7042 writes it: 52-54-00-12-34-56; what is no MAC address stays as it is."""
    return text.replace(":", "-").upper() if _MAC.fullmatch(text) else text


def syslog_severity(level: str) -> int | None:
    return SYSLOG_SEVERITIES.get(level)


def compact(value: Any) -> str:
    """A value as JSON in a text."""
    if isinstance(value, Marker):
        marker: str = value.through(compact)
        return marker
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


_NAMELESS = "_"
"""Instead of an empty name, which stores refuse the whole record for."""


def flattened(attributes: dict[str, Any], between: str) -> dict[str, Any]:
    """Objects in objects as members whose names are joined; nulls are left out."""
    flat: dict[str, Any] = {}
    _flatten("", attributes, between, flat)
    return flat


def _flatten(prefix: str, value: dict[str, Any], between: str, flat: dict[str, Any]) -> None:
    for key, item in value.items():
        if isinstance(item, dict):
            _flatten(prefix + (key or _NAMELESS) + between, item, between, flat)
        elif item is not None:
            put(flat, prefix + (key or _NAMELESS), item)


def put(members: dict[str, Any], name: str, value: Any) -> None:
    """Add a member; under another name where the name is taken."""
    free, number = name, 2
    while free in members:
        free = f"{name}_{number}"
        number += 1
    members[free] = value
