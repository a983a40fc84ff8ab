"""Timestamps of log lines: text to seconds since the epoch.

A timestamp is matched in up to three groups: the text down to the second, the fraction, and
what follows it (a zone, or the year in Apache's error log). The text without the fraction
repeats from line to line, so that a batch converts each distinct one once (see compile.Memo);
the fraction goes to the output as it is.

Where the line names no zone, the local one of this process holds (TZ, /etc/localtime): in a
Pod's container that is UTC unless somebody decided otherwise. Where it names no year, the last
one that doesn't put it after the time of writing; where it names no day, the one that brings it
closest to that. Of a file it is the time of its last change, else that of reading.
"""

from __future__ import annotations

import re
import time
from itertools import repeat

from podweave.helpers.logs.calendar import DAY, days, days_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from podweave.helpers.logs.schemas.schema import Time
    from podweave.helpers.logs.zones import Zone

_MONTHS = {
    name: number
    for number, name in enumerate(
        b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}

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


def month_of(name: bytes) -> int:
    """The number of a month by its English name or abbreviation; 0 for anything else."""
    return _MONTHS.get(name[:3].lower(), 0)


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


def _iso(text: bytes, clock: Clock) -> int | None:
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


def _iso_utc(text: bytes, clock: Clock) -> int | None:
    # 2026-11-23 02:16:56 of a format that is defined to be in UTC
    return _iso(text + b"Z", clock)


def _iso_apart(text: bytes, clock: Clock) -> int | None:
    # 2026-11-23  02:16:56, as apt writes it
    return _iso(text[:10] + text[11:], clock)


def _http(text: bytes, clock: Clock) -> int | None:
    # 23/Nov/2026:02:16:56 +0900, also 23 Nov 2026 02:16:56
    return clock.seconds(
        int(text[7:11]),
        _MONTHS.get(text[3:6].lower(), 0),
        int(text[0:2]),
        int(text[12:14]),
        int(text[15:17]),
        int(text[18:20]),
        text[20:],
    )


def _ctime(text: bytes, clock: Clock) -> int | None:
    # Mon Nov 23 02:16:56 2026
    return clock.seconds(
        int(text[20:24]),
        _MONTHS.get(text[4:7].lower(), 0),
        int(text[8:10]),
        int(text[11:13]),
        int(text[14:16]),
        int(text[17:19]),
        b"",
    )


def _month_first(text: bytes, clock: Clock) -> int | None:
    # Nov 23 2026 02:16:56, as events of CEF and LEEF have it
    return clock.seconds(
        int(text[7:11]),
        _MONTHS.get(text[0:3].lower(), 0),
        int(text[4:6]),
        int(text[12:14]),
        int(text[15:17]),
        int(text[18:20]),
        text[20:],
    )


def _syslog(text: bytes, clock: Clock) -> int | None:
    # Nov 23 02:16:56; a day of one digit has a space before it, or hasn't
    return _without_year(_MONTHS.get(text[0:3].lower(), 0), int(text[4:6]), text[-8:], clock)


def _day_month(text: bytes, clock: Clock) -> int | None:
    # 23 Nov 02:16:56
    return _without_year(_MONTHS.get(text[3:6].lower(), 0), int(text[0:2]), text[-8:], clock)


def _syslog_or_iso(text: bytes, clock: Clock) -> int | None:
    return _iso(text, clock) if text[:1].isdigit() else _syslog(text, clock)


def _short_year(text: bytes, clock: Clock) -> int | None:
    # 26/11/23 02:16:56
    return _iso(b"20" + text, clock)


def _compact(text: bytes, clock: Clock) -> int | None:
    # 261123 021656
    date = b"20%b-%b-%b" % (text[0:2], text[2:4], text[4:6])
    return _iso(b"%b %b:%b:%b" % (date, text[7:9], text[9:11], text[11:13]), clock)


def _klog(text: bytes, clock: Clock) -> int | None:
    # 1123 02:16:56
    return _without_year(int(text[0:2]), int(text[2:4]), text[5:13], clock)


def month_and_day(text: bytes, clock: Clock) -> int | None:
    """11-23 02:16:56, with or without a year before and a zone behind it."""
    if text[4:5] == b"-":
        return _iso(text, clock)
    hour, minute, second = int(text[6:8]), int(text[9:11]), int(text[12:14])
    return clock.last(int(text[0:2]), int(text[3:5]), hour, minute, second, text[14:])


def _without_year(month: int, day: int, clock_time: bytes, clock: Clock) -> int | None:
    hour, minute, second = int(clock_time[0:2]), int(clock_time[3:5]), int(clock_time[6:8])
    return clock.last(month, day, hour, minute, second, b"")


def _time_of_day(text: bytes, clock: Clock) -> int | None:
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


class Stamp:
    """A way to write a timestamp: its pattern, what its groups are, and how to read it."""

    __slots__ = ("_whole", "loose", "parse", "pattern", "roles", "second")

    def __init__(
        self,
        pattern: bytes,
        roles: str,
        parse: Callable[[bytes, Clock], int | None],
        *,
        loose: bytes = b"",
        second: int = 0,
    ) -> None:
        self.pattern = pattern
        self.loose = loose or pattern
        """Takes other texts, too: each distinct one is looked at again. Of one group."""
        self.roles = tuple(roles.split())
        self.parse = parse
        self.second = second
        """Where the second's two digits are, if texts of one minute differ in nothing else: with a
        zone that they name, so that it has no other offset within the minute."""
        self._whole: re.Pattern[bytes] | None = None

    def convert(self, text: bytes, clock: Clock) -> int | None:
        """As `parse`, for a text that the loose pattern found."""
        if self.loose is not self.pattern and self._compiled().fullmatch(text) is None:
            return None
        return self.parse(text, clock)

    def read(self, text: bytes, clock: Clock) -> tuple[int, str] | None:
        """A record's `time`, where all of `text` is such a timestamp."""
        return self._of(self._compiled().fullmatch(text), clock)

    def find(self, text: bytes, clock: Clock) -> tuple[int, str] | None:
        """A record's `time`, of the first such timestamp in `text`."""
        return self._of(self._compiled().search(text), clock)

    def _compiled(self) -> re.Pattern[bytes]:
        if self._whole is None:
            self._whole = re.compile(self.pattern)
        return self._whole

    def _of(self, match: re.Match[bytes] | None, clock: Clock) -> tuple[int, str] | None:
        if match is None:
            return None
        base = b""
        fraction = ""
        for role, part in zip(self.roles, match.groups(b""), strict=True):
            if role == "fraction":
                fraction = part.decode("ascii")
            else:
                base += part
        seconds = self.parse(base, clock)
        return None if seconds is None else (seconds, fraction)


_CLOCK = rb"[0-2]\d:[0-5]\d:[0-6]\d"
_MONTH = rb"[JFMASOND][a-z]{2}"
_FRACTION = rb"(?:[.,](\d{1,9}))?"
_OFFSET = rb"Z|[+-]\d\d(?::?\d\d)?"

STAMPS = {
    "ISO8601": Stamp(
        rb"(\d{4}-[01]\d-[0-3]\d[T ]" + _CLOCK + rb")" + _FRACTION + rb"( ?(?:" + _OFFSET + rb"))?",
        "seconds fraction zone",
        _iso,
    ),
    "RFC3339": Stamp(
        rb"(\d{4}-[01]\d-[0-3]\dT" + _CLOCK + rb")" + _FRACTION + rb"((?:" + _OFFSET + rb"))",
        "seconds fraction zone",
        _iso,
        second=17,
    ),
    # With the abbreviation of a zone, as PostgreSQL writes it.
    "ISOZONE": Stamp(
        rb"(\d{4}-[01]\d-[0-3]\d "
        + _CLOCK
        + rb")"
        + _FRACTION
        + rb"( (?:[A-Z]{2,5}|[+-]\d\d(?::?\d\d)?))",
        "seconds fraction zone",
        _iso,
    ),
    "SLASHDATE": Stamp(
        rb"(\d{4}/[01]\d/[0-3]\d " + _CLOCK + rb")" + _FRACTION, "seconds fraction", _iso
    ),
    # No zone, and UTC by the format's definition; between the columns of W3C logs is a tab.
    "UTCDATE": Stamp(
        rb"(\d{4}-[01]\d-[0-3]\d[T \t]" + _CLOCK + rb")" + _FRACTION, "seconds fraction", _iso_utc
    ),
    "ISOAPART": Stamp(
        rb"(\d{4}-[01]\d-[0-3]\d  " + _CLOCK + rb")" + _FRACTION, "seconds fraction", _iso_apart
    ),
    # HTTPDATE without its zone, with milliseconds
    "HTTPLOCAL": Stamp(
        rb"([0-3]\d/" + _MONTH + rb"/\d{4}:" + _CLOCK + rb")" + _FRACTION, "seconds fraction", _http
    ),
    "HTTPDATE": Stamp(
        rb"([0-3]\d/" + _MONTH + rb"/\d{4}:" + _CLOCK + rb" [+-]\d{4})",
        "seconds",
        _http,
        loose=rb"(.{26})",
        second=18,
    ),
    "DAYMONTHYEAR": Stamp(
        rb"([0-3]\d[ -]" + _MONTH + rb"[ -]\d{4} " + _CLOCK + rb")" + _FRACTION,
        "seconds fraction",
        _http,
    ),
    "DAYMONTH": Stamp(
        rb"([0-3]\d " + _MONTH + rb" " + _CLOCK + rb")" + _FRACTION, "seconds fraction", _day_month
    ),
    "CTIME": Stamp(
        rb"([A-Z][a-z]{2} " + _MONTH + rb" [ 0-3]\d " + _CLOCK + rb")" + _FRACTION + rb"( \d{4})",
        "seconds fraction zone",
        _ctime,
    ),
    "MONTHFIRST": Stamp(
        rb"("
        + _MONTH
        + rb" [ 0-3]\d \d{4} "
        + _CLOCK
        + rb")"
        + _FRACTION
        + rb"( (?:[A-Z]{2,5}|[+-]\d{4}))?",
        "seconds fraction zone",
        _month_first,
    ),
    "SYSLOGDATE": Stamp(rb"(" + _MONTH + rb" [ 0-3]?\d " + _CLOCK + rb")", "seconds", _syslog),
    # Either way in which syslog's files have it.
    "SYSLOGTIME": Stamp(
        rb"("
        + _MONTH
        + rb" [ 0-3]?\d "
        + _CLOCK
        + rb"|\d{4}-[01]\d-[0-3]\dT"
        + _CLOCK
        + rb")(?>(?:\.(\d{1,9}))?)((?:"
        + _OFFSET
        + rb")?)",
        "seconds fraction zone",
        _syslog_or_iso,
    ),
    "SHORTYEAR": Stamp(
        rb"(\d\d/[01]\d/[0-3]\d " + _CLOCK + rb")" + _FRACTION, "seconds fraction", _short_year
    ),
    "COMPACTDATE": Stamp(rb"(\d\d[01]\d[0-3]\d [0-2]\d[0-5]\d[0-6]\d)", "seconds", _compact),
    "KLOGDATE": Stamp(rb"([01]\d[0-3]\d " + _CLOCK + rb")" + _FRACTION, "seconds fraction", _klog),
    "TIMEOFDAY": Stamp(rb"(" + _CLOCK + rb")" + _FRACTION, "seconds fraction", _time_of_day),
    "EPOCH": Stamp(rb"([1-9]\d{8,9})" + _FRACTION, "seconds fraction", epoch),
}


def _date_or_http(text: bytes, clock: Clock) -> int | None:
    return _iso(text, clock) if text[4:5] in (b"-", b"/") else _http(text, clock)


def date_of_any_order() -> Stamp:
    """Dates with a year and a time of day, however they are written, and perhaps a zone."""
    year_first = rb"\d{4}[-/][01]\d[-/][0-3]\d[T ]" + _CLOCK
    day_first = rb"[0-3]\d[/ -]" + _MONTH + rb"[/ -]\d{4}[: ]" + _CLOCK
    return Stamp(
        rb"(" + year_first + b"|" + day_first + rb")" + _FRACTION + rb"( ?(?:" + _OFFSET + rb"))?",
        "seconds fraction zone",
        _date_or_http,
    )


def read_any(text: bytes, clock: Clock) -> tuple[int, str] | None:
    """Read a timestamp in any of the known ways."""
    if len(text) <= 48:
        for stamp in STAMPS.values():
            found = stamp.read(text, clock)
            if found is not None:
                return found
    return None


def read_epoch(text: str) -> tuple[int, str] | None:
    """Read an epoch in seconds, milliseconds, microseconds or nanoseconds, told by its size.

    From the text, digit by digit: a float can't hold nanoseconds.
    """
    whole, _, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit() and (fraction + "0").isdigit()):
        return None
    if not 9 <= len(whole) <= 19 or whole[0] == "0" or not fraction.isascii():
        return None
    digits = EPOCH_DIGITS[len(whole)]
    if not digits:
        return int(whole), fraction[:9]
    return int(whole[:-digits]), (whole[-digits:] + fraction)[:9]


# Digits behind the second, by the number of digits: 1e8 s is 1973, 1e11 s the year 5138.
EPOCH_DIGITS = {length: max(0, (length - 9) // 3 * 3) for length in range(9, 20)}
EPOCH_DIGITS[11] = 0
