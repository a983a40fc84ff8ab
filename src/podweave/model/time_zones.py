"""Time zones: names of the tz database, and what a helper without that database needs of them.

A helper's image may have no tz database, so the weaver writes the zone's rule into its
configuration, as POSIX has it (`CET-1CEST,M3.5.0,M10.5.0/3`): the last line of the zone's file
(RFC 9636, section 3.3). Where that wasn't the rule at all times since SINCE, what was stands
before it: the offset at first, and each change with the offset from then on, in seconds:
`10800 1269720000:14400 … MSK-3`.
"""

from __future__ import annotations

import importlib.resources
import io
import os
import re
import struct
import zoneinfo
from datetime import UTC, datetime

_OFFSET = re.compile(r"[+-](?:0\d|1[0-4]):?[0-5]\d|[+-](?:0\d|1[0-4])|Z|UTC")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(?:/[A-Za-z0-9_+\-]+){0,2}")


SINCE = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
"""Unix time; logs are younger."""
_HEADER = struct.Struct(">4sc15x6I")


def time_zone_problem(name: str) -> str | None:
    """What keeps `name` from being a time zone; or None."""
    if _OFFSET.fullmatch(name) or posix_rule(name) is not None:
        return None
    return f"{name!r} is no time zone: a name like Asia/Seoul, or an offset like +09:00"


def time_zone_rule(name: str) -> str:
    """What the adapter is told: an offset as it is, of a named zone its rules since SINCE."""
    if _OFFSET.fullmatch(name):
        return name
    rule = posix_rule(name)
    data = _file(name)
    if rule is None or data is None:
        return name
    before, changes = _before_the_rule(data, rule)
    if not changes:
        return rule
    return " ".join((str(before), *(f"{at}:{offset}" for at, offset in changes), rule))


def _before_the_rule(data: bytes, rule: str) -> tuple[int, list[tuple[int, int]]]:
    """The offset at SINCE, and the changes since then up to the last that the rule doesn't know."""
    alone = _HEADER.pack(b"TZif", b"2", 0, 0, 0, 0, 1, 1) + struct.pack(">iBBc", 0, 0, 0, b"\0")
    known = zoneinfo.ZoneInfo.from_file(io.BytesIO(alone * 2 + b"\n%b\n" % rule.encode()))

    def told(moment: int) -> int:
        offset = datetime.fromtimestamp(moment, known).utcoffset()
        assert offset is not None
        return int(offset.total_seconds())

    before, changes = _changes(data)
    earlier = [offset for at, offset in changes if at < SINCE]
    before = earlier[-1] if earlier else before
    changes = changes[len(earlier) :]
    offsets = [before, *(offset for _, offset in changes)]
    left = len(changes)
    while left:
        at = changes[left - 1][0]
        if (told(at - 1), told(at)) != (offsets[left - 1], offsets[left]):
            # Until the next change the rule may know one that there wasn't.
            left += 1
            break
        left -= 1
    return before, changes[:left]


def _changes(data: bytes) -> tuple[int, list[tuple[int, int]]]:
    """The first offset of a zone's file, and each change: Unix time, the offset from then on."""
    first = _HEADER.unpack_from(data)
    # The first block has times of 32 bits.
    place = _HEADER.size + _length(first[2:], 4)
    _, _, *counts = _HEADER.unpack_from(data, place)
    _, _, _, times, types, _ = counts
    place += _HEADER.size
    moments = struct.unpack_from(f">{times}q", data, place)
    kinds = data[place + times * 8 :][:times]
    place += times * 9
    offsets = [offset for offset, _, _ in struct.iter_unpack(">iBB", data[place:][: types * 6])]
    made = [offsets[kind] for kind in kinds]
    return offsets[0], list(zip(moments, made, strict=True))


def _length(counts: tuple[int, ...], size: int) -> int:
    """Bytes of a block behind its header, RFC 9636, section 3.2."""
    universal, standard, leaps, times, types, letters = counts
    return times * (size + 1) + types * 6 + letters + leaps * (size + 4) + standard + universal


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
