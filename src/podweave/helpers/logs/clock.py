"""The time of reading a line, by which timestamps are read that don't say all of theirs.

Where the line names no zone, the local one of this process holds (TZ, /etc/localtime): in a
Pod's container that is UTC unless somebody decided otherwise. Where it names no year, the last
one that doesn't put it after the time of writing; where it names no day, the one that brings it
closest to that. Of a file it is the time of its last change, else that of reading.
"""

from __future__ import annotations

import time
from itertools import repeat

from podweave.helpers.logs.calendar import DAY, days, days_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from podweave.helpers.logs.schemas.schema import Time
    from podweave.helpers.logs.zones import Zone

_AHEAD = 2 * DAY
"""Seconds into the future that a timestamp without a year may be: clocks and zones differ."""
_YEARS_BACK = 8
"""29 February is that far at most."""

# Abbreviations that mean one thing in the logs of servers. Others (IST, CST of China, ...) are
# ambiguous: with them the local zone holds, which is the zone of the writer in the usual Pod.
_ZONES = {
    b"": None,
    b"Z": 0,
    b"UTC": 0,
    b"GMT": 0,
    b"WET": 0,
    b"KST": 32400,
    b"JST": 32400,
    b"CET": 3600,
    b"CEST": 7200,
    b"EET": 7200,
    b"EEST": 10800,
    b"MSK": 10800,
    b"EST": -18000,
    b"EDT": -14400,
    b"PST": -28800,
    b"PDT": -25200,
}


class Clock:
    """The time of reading, and the zone of lines that name none (None: the local one).

    `offset`: seconds east of UTC; `zone` says it where it changes with the season. `until`: when
    the last line was, at most (a file's time); dates without a year are of before.
    """

    __slots__ = ("now", "offset", "until", "zone")

    def __init__(
        self,
        now: float | None = None,
        offset: int | None = None,
        zone: Zone | None = None,
        until: float | None = None,
    ) -> None:
        self.now = time.time() if now is None else now
        self.until = self.now if until is None else min(until, self.now)
        self.offset = offset
        self.zone = zone

    def reading(self) -> tuple[int, str]:
        """The time of reading as a record's `time`."""
        milliseconds = int(self.now * 1000)
        return milliseconds // 1000, f"{milliseconds % 1000:03d}"

    def at(self, index: int) -> Clock:
        """The clock of one of the lines that this is the clock of (see line_times)."""
        return self

    def of(self, indexes: Sequence[int]) -> Clock:
        """The clock of some of them."""
        return self

    def following(self, before: Clock | None) -> Clock:
        """The clock of its lines behind those of another."""
        return self

    def spans(self) -> list[tuple[int, int, Clock]]:
        """Where to cut its lines so that each part has one idea of now; none: nowhere."""
        return []

    def written(self, node: Time) -> Iterable[bytes]:
        """Each line's time of reading as a schema writes it."""
        return repeat(node.text(self.reading()).encode())

    def seconds(
        self, year: int, month: int, day: int, hour: int, minute: int, second: int, zone: bytes
    ) -> int | None:
        """Seconds since the epoch; None for what is no date."""
        if not (1 <= month <= 12 and 1 <= day <= days_in(year, month)):
            return None
        if hour > 23 or minute > 59 or second > 60:
            return None
        offset = zone_offset(zone)
        local = days(year, month, day) * DAY + hour * 3600 + minute * 60 + second
        if offset is None:
            offset = self.offset if self.zone is None else self.zone.offset(year, local)
        if offset is None:
            try:
                return int(time.mktime((year, month, day, hour, minute, second, 0, 0, -1)))
            except (OverflowError, ValueError):
                return None
        return local - offset

    def year(self) -> int:
        return time.gmtime(self.until).tm_year

    def last(
        self, month: int, day: int, hour: int, minute: int, second: int, zone: bytes
    ) -> int | None:
        """Seconds since the epoch, in the last year that doesn't put them into the future."""
        this = self.year()
        for year in range(this + 1, this - _YEARS_BACK, -1):
            seconds = self.seconds(year, month, day, hour, minute, second, zone)
            if seconds is not None and seconds <= self.until + _AHEAD:
                return seconds
        return None

    def closest(self, candidates: list[int | None]) -> int | None:
        """The candidate closest to the time of writing."""
        valid = [candidate for candidate in candidates if candidate is not None]
        return min(valid, key=lambda value: abs(value - self.until), default=None)


def zone_offset(zone: bytes) -> int | None:
    """Seconds east of UTC; None where the text names no zone that is known."""
    zone = zone.strip()
    if zone[:1] not in (b"+", b"-"):
        return _ZONES.get(zone)
    digits = zone[1:].replace(b":", b"")
    if not digits.isdigit() or len(digits) not in (2, 4):
        return None
    offset = int(digits[:2]) * 3600 + (int(digits[2:]) * 60 if len(digits) == 4 else 0)
    return -offset if zone[:1] == b"-" else offset
