"""Zones: the same offsets as the standard library finds in the tz database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.timestamps import read_any
from podweave.helpers.logs.zones import Zone, zone
from podweave.model.time_zones import time_zone_rule

NAMES = [
    "Asia/Seoul", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Sydney",
    "Asia/Kolkata", "America/St_Johns", "Europe/Dublin", "Africa/Casablanca", "Asia/Jerusalem",
    "America/Nuuk", "Pacific/Chatham", "Europe/Moscow", "Europe/Istanbul", "Asia/Tehran",
    "Pacific/Apia", "Australia/Lord_Howe",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200)
@given(moment=st.datetimes(datetime(2000, 1, 2), datetime(2036, 12, 31)))
def test_offsets_are_those_of_the_database(name: str, moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    text = moment.isoformat(sep=" ").encode()
    found = read_any(text, Clock(0, zone=_zone_of(name)))
    # In a skipped hour, and the first time in one that comes twice, the offset from before.
    offset = moment.replace(tzinfo=ZoneInfo(name), fold=0).utcoffset()
    assert offset is not None
    local = int(moment.replace(tzinfo=UTC).timestamp())
    assert found == (local - int(offset.total_seconds()), "")


@pytest.mark.parametrize("name", NAMES)
def test_offsets_around_each_change(name: str) -> None:
    known = ZoneInfo(name)
    found = _zone_of(name)
    day, last = datetime(2000, 1, 3), None
    while day.year < 2034:
        offset = day.replace(tzinfo=known).utcoffset()
        if last is not None and offset != last:
            # Somewhere within the day.
            for minutes in range(-26 * 60, 3 * 60, 15):
                for seconds in (-1, 0):
                    near = day + timedelta(minutes=minutes, seconds=seconds)
                    expected = near.replace(tzinfo=known).utcoffset()
                    assert expected is not None
                    local = int(near.replace(tzinfo=UTC).timestamp())
                    assert found.offset(near.year, local) == expected.total_seconds(), near
        last = offset
        day += timedelta(days=1)


@cache
def _zone_of(name: str) -> Zone:
    return zone(time_zone_rule(name))


@pytest.mark.parametrize(
    ("text", "hours"),
    [("UTC", 0), ("+09:00", 9), ("-0330", -3.5), ("KST-9", 9), ("<+0545>-5:45", 5.75)],
)
def test_fixed_offsets(text: str, hours: float) -> None:
    assert zone(text).offset(2026, 0) == timedelta(hours=hours).total_seconds()


def test_a_name_is_looked_up_where_there_is_a_database() -> None:
    assert zone("Asia/Seoul").offset(2026, 0) == 9 * 3600


def test_julian_days_and_the_default_dates() -> None:
    by_day = zone("AAA3BBB,J60/2,300")
    march_1 = int(datetime(2028, 3, 1, 2, tzinfo=UTC).timestamp())
    assert by_day.offset(2028, march_1 - 1) == -3 * 3600
    assert by_day.offset(2028, march_1 + 3600) == -2 * 3600
    assert zone("EST5EDT").offset(2026, int(datetime(2026, 7, 1).timestamp())) == -4 * 3600


@pytest.mark.parametrize(
    "text",
    ["", "Nowhere/Land", "0 1:2", "0 1:2 Nowhere/Land", "+9", "AAA", "AAA3BBB,M1,M2", "../x"],
)
def test_what_is_no_zone(text: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        zone(text)
