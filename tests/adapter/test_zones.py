"""Zones: the same offsets as the standard library finds in the tz database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.timestamps import Clock, read_any
from podweave.helpers.logs.zones import zone
from podweave.model.time_zones import time_zone_rule

NAMES = [
    "Asia/Seoul", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Sydney",
    "Asia/Kolkata", "America/St_Johns", "Europe/Dublin", "Africa/Casablanca", "Asia/Jerusalem",
    "America/Nuuk", "Pacific/Chatham",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@given(moment=st.datetimes(datetime(2026, 1, 1), datetime(2036, 12, 31)))
def test_offsets_are_those_of_the_database(name: str, moment: datetime) -> None:
    if name == "Africa/Casablanca":
        return  # Ramadan isn't a rule.
    moment = moment.replace(microsecond=0, fold=0)
    text = moment.isoformat(sep=" ").encode()
    found = read_any(text, Clock(0, zone=zone(time_zone_rule(name))))
    local = moment.replace(tzinfo=ZoneInfo(name))
    if local.astimezone(UTC).astimezone(ZoneInfo(name)).replace(tzinfo=None) != moment:
        return  # There is no such time: the clocks skip it.
    assert found is not None
    assert found[0] in (int(local.timestamp()), int(local.replace(fold=1).timestamp()))


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
    assert by_day.offset(2028, march_1) == -2 * 3600
    assert zone("EST5EDT").offset(2026, int(datetime(2026, 7, 1).timestamp())) == -4 * 3600


@pytest.mark.parametrize("text", ["", "Nowhere/Land", "+9", "AAA", "AAA3BBB,M1,M2", "../x"])
def test_what_is_no_zone(text: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        zone(text)
