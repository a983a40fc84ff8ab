"""Time zones: names of the tz database, and what a helper without that database needs of them.

A helper's image may have no tz database, so the weaver writes the zone's rule into its
configuration, as POSIX has it (`CET-1CEST,M3.5.0,M10.5.0/3`): the last line of the zone's file
(RFC 9636, section 3.3). It holds from the zone's last change on, which is what logs are about.
"""

from __future__ import annotations

import importlib.resources
import os
import re
import zoneinfo

_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):?[0-5]\d|[+-](?:0\d|1[0-4])|Z|UTC")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+){0,2}")


def time_zone_problem(name: str) -> str | None:
    """What keeps `name` from being a time zone; or None."""
    if _OFFSET.fullmatch(name) or posix_rule(name) is not None:
        return None
    return f"{name!r} is no time zone: a name like Asia/Seoul, or an offset like +09:00"


def time_zone_rule(name: str) -> str:
    """What the adapter is told: an offset as it is, the POSIX rule of a named zone."""
    if _OFFSET.fullmatch(name):
        return name
    return posix_rule(name) or name


def posix_rule(name: str) -> str | None:
    """The rule of a named zone; None where this machine knows no such zone."""
    data = _file(name) if _NAME.fullmatch(name) else None
    if data is None or not data.startswith(b"TZif") or data[4:5] < b"2":
        return None
    return data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "replace") or None


def _file(name: str) -> bytes | None:
    for folder in zoneinfo.TZPATH:
        try:
            with open(os.path.join(folder, name), "rb") as stream:
                return stream.read()
        except OSError:
            continue
    *packages, last = name.split("/")
    try:
        package = importlib.resources.files(".".join(("tzdata.zoneinfo", *packages)))
        return package.joinpath(last).read_bytes()
    except (ImportError, OSError):
        return None
