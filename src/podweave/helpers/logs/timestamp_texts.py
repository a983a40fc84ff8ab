"""What timestamps say, text by text: each way to write one has its function.

The text is what the groups of a Stamp's pattern found, without the fraction (timestamps.py).
"""

from __future__ import annotations

import time

from podweave.helpers.logs.calendar import DAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.logs.clock import Clock

_MONTHS = {
    name: number
    for number, name in enumerate(
        b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}


def month_of(name: bytes) -> int:
    """The number of a month by its English name or abbreviation; 0 for anything else."""
    return _MONTHS.get(name[:3].lower(), 0)


def iso(text: bytes, clock: Clock) -> int | None:
    # 2026-11-23T02:16:56+09:00, also 2026/11/23 02:16:56
    return clock.seconds(
        int(text[0:4]),
        int(text[5:7]),
        int(text[8:10]),
        int(text[11:13]),
        int(text[14:16]),
        int(text[17:19]),
        text[19:],
    )


def iso_utc(text: bytes, clock: Clock) -> int | None:
    # 2026-11-23 02:16:56 of a format that is defined to be in UTC
    return iso(text + b"Z", clock)


def iso_apart(text: bytes, clock: Clock) -> int | None:
    # 2026-11-23  02:16:56, as apt writes it
    return iso(text[:10] + text[11:], clock)


def http(text: bytes, clock: Clock) -> int | None:
    # 23/Nov/2026:02:16:56 +0900, also 23 Nov 2026 02:16:56
    return clock.seconds(
        int(text[7:11]),
        month_of(text[3:6]),
        int(text[0:2]),
        int(text[12:14]),
        int(text[15:17]),
        int(text[18:20]),
        text[20:],
    )


def ctime(text: bytes, clock: Clock) -> int | None:
    # Mon Nov 23 02:16:56 2026
    return clock.seconds(
        int(text[20:24]),
        month_of(text[4:7]),
        int(text[8:10]),
        int(text[11:13]),
        int(text[14:16]),
        int(text[17:19]),
        b"",
    )


def month_first(text: bytes, clock: Clock) -> int | None:
    # Nov 23 2026 02:16:56, as events of CEF and LEEF have it
    return clock.seconds(
        int(text[7:11]),
        month_of(text[0:3]),
        int(text[4:6]),
        int(text[12:14]),
        int(text[15:17]),
        int(text[18:20]),
        text[20:],
    )


def syslog(text: bytes, clock: Clock) -> int | None:
    # Nov 23 02:16:56; a day of one digit has a space before it, or hasn't
    return _without_year(month_of(text[0:3]), int(text[4:6]), text[-8:], clock)


def day_month(text: bytes, clock: Clock) -> int | None:
    # 23 Nov 02:16:56
    return _without_year(month_of(text[3:6]), int(text[0:2]), text[-8:], clock)


def syslog_or_iso(text: bytes, clock: Clock) -> int | None:
    return iso(text, clock) if text[:1].isdigit() else syslog(text, clock)


def short_year(text: bytes, clock: Clock) -> int | None:
    # 26/11/23 02:16:56
    return iso(b"20" + text, clock)


def compact(text: bytes, clock: Clock) -> int | None:
    # 261123 021656
    date = b"20%b-%b-%b" % (text[0:2], text[2:4], text[4:6])
    return iso(b"%b %b:%b:%b" % (date, text[7:9], text[9:11], text[11:13]), clock)


def klog(text: bytes, clock: Clock) -> int | None:
    # 1123 02:16:56
    return _without_year(int(text[0:2]), int(text[2:4]), text[5:13], clock)


def month_and_day(text: bytes, clock: Clock) -> int | None:
    """11-23 02:16:56, with or without a year before and a zone behind it."""
    if text[4:5] == b"-":
        return iso(text, clock)
    hour, minute, second = int(text[6:8]), int(text[9:11]), int(text[12:14])
    return clock.last(int(text[0:2]), int(text[3:5]), hour, minute, second, text[14:])


def _without_year(month: int, day: int, clock_time: bytes, clock: Clock) -> int | None:
    hour, minute, second = int(clock_time[0:2]), int(clock_time[3:5]), int(clock_time[6:8])
    return clock.last(month, day, hour, minute, second, b"")


def time_of_day(text: bytes, clock: Clock) -> int | None:
    # 02:16:56
    hour, minute, second = int(text[0:2]), int(text[3:5]), int(text[6:8])
    candidates = []
    for shift in (-DAY, 0, DAY):
        day = time.gmtime(clock.until + shift)
        candidates.append(
            clock.seconds(day.tm_year, day.tm_mon, day.tm_mday, hour, minute, second, b"")
        )
    return clock.closest(candidates)


def epoch(text: bytes, clock: Clock) -> int | None:
    return int(text)


def iso_or_http(text: bytes, clock: Clock) -> int | None:
    return iso(text, clock) if text[4:5] in (b"-", b"/") else http(text, clock)
