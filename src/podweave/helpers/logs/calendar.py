"""Days of the Gregorian calendar."""

from __future__ import annotations

from podweave.helpers.wire.dates import days as days

DAY = 86400


def days_in(year: int, month: int) -> int:
    """Days of a month."""
    if month == 2:
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        return 29 if leap else 28
    return 30 if month in (4, 6, 9, 11) else 31
