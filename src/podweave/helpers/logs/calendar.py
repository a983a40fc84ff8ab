"""Days of the Gregorian calendar."""

from __future__ import annotations

DAY = 86400


def days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01.

    The year is counted from March, so that a leap day is the last one of its year.
    """
    if month <= 2:
        year -= 1
        month += 12
    return (
        365 * year
        + year // 4
        - year // 100
        + year // 400
        + (153 * month - 457) // 5
        + day
        - (719469)
    )


def days_in(year: int, month: int) -> int:
    """Days of a month."""
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31
