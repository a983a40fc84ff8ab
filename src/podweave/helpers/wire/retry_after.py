"""The field Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""

from __future__ import annotations

from podweave.helpers.wire.dates import http_date

MOST = 3600.0
"""Whatever a server asks for: a typing error of its operator must not stop delivery for days."""


def seconds(value: str | None, now: float) -> float | None:
    """How long to wait, 0 to MOST; None for no field, or one that can't be read.

    `now` is Unix time. A date in the past means at once.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(MOST, float(text[:12]))
    when = http_date(text)
    return None if when is None else min(MOST, max(0.0, when - now))
