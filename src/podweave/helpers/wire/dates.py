"""Dates without a library: days since the epoch, and the date of HTTP."""

from __future__ import annotations

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar.

    The year is counted from March, so that a leap day is the last one of its year.
    """
    if month <= 2:
        year -= 1
        month += 12
    leaps = year // 4 - year // 100 + year // 400
    return 365 * year + leaps + (153 * month - 457) // 5 + day - 719469


def http_date(text: str) -> int | None:
    """Unix time of `Sun, 06 Nov 1994 08:49:37 GMT`, the one form that may be sent today.

    None for anything else (RFC 9110, section 5.6.7, where recipients take two older forms, too).
    """
    parts = text.split(" ")
    if len(parts) != 6 or parts[5] != "GMT" or parts[2] not in _MONTHS:
        return None
    clock = parts[4].split(":")
    numbers = [parts[1], parts[3], *clock]
    if len(clock) != 3 or not all(part.isascii() and part.isdigit() for part in numbers):
        return None
    if [len(part) for part in numbers] != [2, 4, 2, 2, 2]:
        return None
    day, year, hour, minute, second = (int(part) for part in numbers)
    if not (1 <= day <= 31 and hour < 24 and minute < 60 and second <= 60):
        return None
    month = _MONTHS.index(parts[2]) + 1
    return days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
