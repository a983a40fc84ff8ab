"""Timestamps: every layout, zones, missing years and days, and what is no date."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.calendar import days
from podweave.helpers.logs.clock import Clock, zone_offset
from podweave.helpers.logs.columns import Seconds
from podweave.helpers.logs.formats.own import catalogue as own_formats
from podweave.helpers.logs.timestamps import STAMPS, read_any, read_epoch

NOW = 1795400216  # 2026-11-23T02:16:56Z, a Monday
CLOCK = Clock(NOW + 0.25, 0)


@pytest.mark.parametrize("name", [name for name, stamp in STAMPS.items() if stamp.second])
def test_seconds_of_a_minute_are_read_as_each_is(name: str) -> None:
    forms = {
        "HTTPDATE": (b"%02d/%b/2026:%02d:%02d:%02d %b", (b"Nov", b"Foo")),
        "RFC3339": (b"2026-11-%02dT%02d:%02d:%02d%b", (b"",)),
    }
    form, months = forms[name]
    texts = []
    for month, minute, second in product(months, (0, 59), range(70)):
        for day, hour, zone in ((23, 2, b"+0900"), (31, 25, b"-0000"), (1, 0, b"-1130")):
            date = (day, month) if month else (day,)
            texts.append(form % (*date, hour, minute, second, zone))
    stamp = STAMPS[name]
    found = Seconds(stamp, b"%d".__mod__).of(texts, CLOCK)
    for text, seconds in zip(texts, found, strict=True):
        expected = stamp.convert(text, CLOCK)
        assert seconds == (None if expected is None else b"%d" % expected), text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"2026-11-23T02:16:56Z", (NOW, "")),
        (b"2026-11-23 02:16:56,789", (NOW, "789")),
        (b"2026-11-23T11:16:56.123456789+09:00", (NOW, "123456789")),
        (b"2026-11-23 11:16:56+0900", (NOW, "")),
        (b"2026-11-23 11:16:56 +09", (NOW, "")),
        (b"2026-11-22T21:46:56-04:30", (NOW, "")),
        (b"2026-11-23 11:16:56.5 KST", (NOW, "5")),
        (b"2026-11-23 02:16:56 UTC", (NOW, "")),
        (b"2026/11/23 02:16:56", (NOW, "")),
        (b"23/Nov/2026:11:16:56 +0900", (NOW, "")),
        (b"23 Nov 2026 02:16:56,001", (NOW, "001")),
        (b"23-Nov-2026 02:16:56", (NOW, "")),
        (b"Mon Nov 23 02:16:56.123456 2026", (NOW, "123456")),
        (b"Mon Nov 23 02:16:56 2026", (NOW, "")),
        (b"Nov 23 2026 02:16:56", (NOW, "")),
        (b"Nov 23 2026 11:16:56.789 KST", (NOW, "789")),
        (b"Feb 29 2026 02:16:56", None),
        (b"Nov 23 02:16:56", (NOW, "")),
        (b"1123 02:16:56.123456", (NOW, "123456")),
        (b"02:16:56.789", (NOW, "789")),
        (b"1795400216.5", (NOW, "5")),
        (b"2016-12-31T23:59:60Z", (1483228800, "")),
        (b"2026-02-29T00:00:00Z", None),
        (b"2024-02-29T00:00:00Z", (1709164800, "")),
        (b"2026-13-01T00:00:00Z", None),
        (b"2026-11-23T24:00:00Z", None),
        (b"31/Foo/2026:00:00:00 +0000", None),
        (b"yesterday", None),
        (b"x" * 100_000, None),
    ],
)
def test_ways_to_write_a_time(text: bytes, expected: tuple[int, str] | None) -> None:
    assert read_any(text, CLOCK) == expected


@given(
    st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_iso_times_agree_with_the_standard_library(moment: datetime, minutes: int) -> None:
    zoned = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    found = read_any(zoned.isoformat().encode(), CLOCK)
    assert found == (int(zoned.timestamp()), "")
    assert days(moment.year, moment.month, moment.day) == (moment.date().toordinal() - 719163)


@pytest.mark.parametrize(
    ("now", "text", "expected"),
    [
        ("2027-01-01T00:00:03", b"Dec 31 23:59:59", "2026-12-31T23:59:59"),
        ("2026-12-31T23:59:58", b"Jan  1 00:00:01", "2027-01-01T00:00:01"),
        ("2026-07-01T12:00:00", b"Jul  1 11:00:00", "2026-07-01T11:00:00"),
        ("2026-07-01T12:00:00", b"Jul 1 11:00:00", "2026-07-01T11:00:00"),
        ("2026-11-23T02:00:00", b"Nov 24 23:00:00", "2026-11-24T23:00:00"),
        # Nobody logs the day after tomorrow.
        ("2026-11-23T02:00:00", b"Dec 10 07:13:56", "2025-12-10T07:13:56"),
        ("2024-03-01T00:00:00", b"Feb 29 12:00:00", "2024-02-29T12:00:00"),
        ("2027-06-01T00:00:00", b"Feb 29 12:00:00", "2024-02-29T12:00:00"),
        ("2025-01-05T00:00:00", b"Feb 29 12:00:00", "2024-02-29T12:00:00"),
    ],
)
def test_a_year_that_is_not_named(now: str, text: bytes, expected: str) -> None:
    clock = Clock(datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp(), 0)
    found = STAMPS["SYSLOGDATE"].read(text, clock)
    assert found is not None
    assert datetime.fromtimestamp(found[0], UTC).isoformat()[:19] == expected


def test_a_date_of_an_own_layout_without_its_year_is_past_too() -> None:
    layout = own_formats.load("log4j", "%d{dd MMM HH:mm:ss} %-5p %m").layouts[0]
    now = datetime(2026, 11, 23, 2, tzinfo=UTC).timestamp()
    record = layout.record(b"10 Dec 07:13:56 INFO  x", Clock(now, 0))
    assert record is not None
    assert datetime.fromtimestamp(record["time"][0], UTC).year == 2025


def test_a_day_that_is_not_named() -> None:
    midnight = NOW - 8216
    before = STAMPS["TIMEOFDAY"].read(b"23:59:59", Clock(midnight + 5, 0))
    after = STAMPS["TIMEOFDAY"].read(b"00:00:01", Clock(midnight - 5, 0))
    assert before == (midnight - 1, "")
    assert after == (midnight + 1, "")


def test_the_zone_of_the_process_is_the_zone_of_lines_without_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "Asia/Seoul")
    time.tzset()
    try:
        assert read_any(b"2026-11-23 11:16:56", Clock(NOW)) == (NOW, "")
        assert read_any(b"2026-11-23 11:16:56 XYZ", Clock(NOW)) == (NOW, "")
        assert read_any(b"2026-11-23 02:16:56Z", Clock(NOW)) == (NOW, "")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert read_any(b"2026-11-23 11:16:56", Clock(NOW, 9 * 3600)) == (NOW, "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{NOW}", (NOW, "")),
        (f"{NOW}007", (NOW, "007")),
        (f"{NOW}000007", (NOW, "000007")),
        (f"{NOW}123456789", (NOW, "123456789")),
        (f"{NOW}.5", (NOW, "5")),
        (f"{NOW}.1234567891", (NOW, "123456789")),
        (f"{NOW}000.25", (NOW, "00025")),
        ("17", None),
        ("inf", None),
        ("nan", None),
        (f"-{NOW}", None),
        ("1.7e9", None),
        ("1" * 40, None),
        ("١٧٩٥٤٠٠٢١٦", None),
    ],
)
def test_epochs_tell_their_unit_by_their_size(text: str, expected: tuple[int, str] | None) -> None:
    assert read_epoch(text) == expected


@pytest.mark.parametrize(
    ("zone", "seconds"),
    [(b"Z", 0), (b"+09:00", 32400), (b"-0430", -16200), (b"+09", 32400), (b"", None), (b"?", None)],
)
def test_zones(zone: bytes, seconds: int | None) -> None:
    assert zone_offset(zone) == seconds
