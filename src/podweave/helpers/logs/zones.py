"""Zones of timestamps that name none: an offset, or a rule as POSIX has it.

`CET-1CEST,M3.5.0,M10.5.0/3`: standard time and its offset (west is positive), daylight saving
time, and when it begins and ends (POSIX.1-2017, chapter 8.3; RFC 9636, section 3.3.1). The rule of
a named zone is the last line of its file in the tz database. What held before that rule stands in
front of it: `10800 1269720000:14400 … MSK-3`, the offset at first, and changes with their times.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from podweave.helpers.logs.calendar import DAY, days, days_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_OFFSET = re.compile(r"([+-])(\d\d):?(\d\d)?")
_NAME = r"(?:[A-Za-z]{3,}|<[A-Za-z0-9+\-]+>)"
_TIME = r"([+-]?\d{1,3})(?::(\d\d))?(?::(\d\d))?"
_RULE = re.compile(_NAME + _TIME + rf"(?:({_NAME})(?:{_TIME})?(?:,([^,]+),([^,]+))?)?")
_DATE = re.compile(rf"(?:M(\d\d?)\.(\d)\.(\d)|(J?)(\d{{1,3}}))(?:/{_TIME})?")
_CHANGES = re.compile(r"-?\d{1,6}(?: -?\d{1,11}:-?\d{1,6})+ \S+")
_DATABASE = ("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo")


class Zone:
    """Seconds east of UTC at a local time.

    `changes`: the offset at first, then (Unix time, offset from then on), before the rule.
    """

    __slots__ = ("_daylight", "_end", "_offsets", "_standard", "_start", "_walls")

    def __init__(self, standard: int, daylight: int | None, start: str, end: str) -> None:
        self._standard = standard
        self._daylight = daylight
        self._start = _date(start)
        self._end = _date(end)
        self._walls: list[int] = []
        self._offsets: list[int] = []

    def after(self, offset: int, changes: Sequence[tuple[int, int]]) -> None:
        """Let the rule hold after these changes: (Unix time, offset from then on)."""
        for moment, then in changes:
            self._walls.append(moment + max(offset, then))
            self._offsets.append(offset)
            offset = then

    def offset(self, year: int, local: int) -> int:
        """`local`: seconds since 1970-01-01T00:00:00 of the zone's own clock.

        In the hour that is skipped, and the first time in the one that comes twice, the offset
        from before the change holds.
        """
        place = bisect_right(self._walls, local)
        if place < len(self._walls):
            return self._offsets[place]
        if self._daylight is None:
            return self._standard
        # Each is told by the clock before it; a skipped hour is over when the clock is past it.
        skipped = self._daylight - self._standard
        start = _moment(self._start, year) + max(skipped, 0)
        end = _moment(self._end, year) - min(skipped, 0)
        inside = start <= local < end if start < end else not end <= local < start
        return self._daylight if inside else self._standard


def zone(text: str) -> Zone:
    """`UTC`, `+09:00`, a POSIX rule, with or without changes before it, or a name of the tz
    database, where there is one: of that the present rule holds at all times.

    ValueError for anything else.
    """
    before, *changes = text.split(" ")
    if changes and _CHANGES.fullmatch(text):
        made = zone(changes.pop())
        pairs = [change.split(":") for change in changes]
        made.after(int(before), [(int(moment), int(offset)) for moment, offset in pairs])
        return made
    if text in ("UTC", "Z"):
        return Zone(0, None, "J1", "J1")
    match = _OFFSET.fullmatch(text)
    if match is not None:
        seconds = int(match[2]) * 3600 + int(match[3] or 0) * 60
        return Zone(-seconds if match[1] == "-" else seconds, None, "J1", "J1")
    match = _RULE.fullmatch(text)
    if match is None:
        rule = _rule_of(text)
        match = _RULE.fullmatch(rule) if rule else None
    if match is None:
        raise ValueError(
            f"{text!r} is no time zone: +09:00, Asia/Seoul or CET-1CEST,M3.5.0,M10.5.0"
        )
    standard = -_seconds(match[1], match[2], match[3])
    if match[4] is None:
        return Zone(standard, None, "J1", "J1")
    daylight = standard + 3600 if match[5] is None else -_seconds(match[5], match[6], match[7])
    # Without dates, those of the United States, as the C library has it.
    return Zone(standard, daylight, match[8] or "M3.2.0", match[9] or "M11.1.0")


def _seconds(hours: str, minutes: str | None, seconds: str | None) -> int:
    whole = abs(int(hours)) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return -whole if hours.startswith("-") else whole


_Date = tuple[int, int, int, int, int]


def _date(text: str) -> _Date:
    """(month, week, weekday, day of the year, seconds of the day); month 0: by day, 13: Julian."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no date of a zone's rule")
    at = 7200 if match[6] is None else _seconds(match[6], match[7], match[8])
    if match[1] is not None:
        return int(match[1]), int(match[2]), int(match[3]), 0, at
    return 13 if match[4] else 0, 0, 0, int(match[5]), at


def _moment(date: _Date, year: int) -> int:
    """Seconds since the epoch, by the zone's own clock."""
    month, week, weekday, day, at = date
    if month == 0:
        number = days(year, 1, 1) + day
    elif month == 13:
        leap = days_in(year, 2) == 29 and day >= 60
        number = days(year, 1, 1) + day - 1 + leap
    else:
        first = days(year, month, 1)
        # 1970-01-01 was a Thursday: 4.
        number = first + (weekday - first - 4) % 7 + (week - 1) * 7
        while number >= first + days_in(year, month):
            number -= 7
    return number * DAY + at


def _rule_of(name: str) -> str | None:
    """The rule of a named zone, where this machine has the tz database."""
    if not re.fullmatch(r"[A-Za-z][\w+\-]*(?:/[\w+\-]+){0,2}", name):
        return None
    for folder in _DATABASE:
        try:
            with open(f"{folder}/{name}", "rb") as stream:
                data = stream.read(1 << 16)
        except OSError:
            continue
        if data.startswith(b"TZif"):
            return data.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "replace")
    return None
