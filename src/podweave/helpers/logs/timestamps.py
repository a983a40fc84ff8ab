"""Timestamps of log lines: text to seconds since the epoch.

A timestamp is matched in up to three groups: the text down to the second, the fraction, and
what follows it (a zone, or the year in Apache's error log). The text without the fraction
repeats from line to line, so that a batch converts each distinct one once (see memo.Memo);
the fraction goes to the output as it is.
"""

from __future__ import annotations

import re

from podweave.helpers.logs import timestamp_texts as texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podweave.helpers.logs.clock import Clock


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
        texts.iso,
    ),
    "RFC3339": Stamp(
        rb"(\d{4}-[01]\d-[0-3]\dT" + _CLOCK + rb")" + _FRACTION + rb"((?:" + _OFFSET + rb"))",
        "seconds fraction zone",
        texts.iso,
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
        texts.iso,
    ),
    "SLASHDATE": Stamp(
        rb"(\d{4}/[01]\d/[0-3]\d " + _CLOCK + rb")" + _FRACTION, "seconds fraction", texts.iso
    ),
    # No zone, and UTC by the format's definition; between the columns of W3C logs is a tab.
    "UTCDATE": Stamp(
        rb"(\d{4}-[01]\d-[0-3]\d[T \t]" + _CLOCK + rb")" + _FRACTION,
        "seconds fraction",
        texts.iso_utc,
    ),
    "ISOAPART": Stamp(
        rb"(\d{4}-[01]\d-[0-3]\d  " + _CLOCK + rb")" + _FRACTION,
        "seconds fraction",
        texts.iso_apart,
    ),
    # HTTPDATE without its zone, with milliseconds
    "HTTPLOCAL": Stamp(
        rb"([0-3]\d/" + _MONTH + rb"/\d{4}:" + _CLOCK + rb")" + _FRACTION,
        "seconds fraction",
        texts.http,
    ),
    "HTTPDATE": Stamp(
        rb"([0-3]\d/" + _MONTH + rb"/\d{4}:" + _CLOCK + rb" [+-]\d{4})",
        "seconds",
        texts.http,
        loose=rb"(.{26})",
        second=18,
    ),
    "DAYMONTHYEAR": Stamp(
        rb"([0-3]\d[ -]" + _MONTH + rb"[ -]\d{4} " + _CLOCK + rb")" + _FRACTION,
        "seconds fraction",
        texts.http,
    ),
    "DAYMONTH": Stamp(
        rb"([0-3]\d " + _MONTH + rb" " + _CLOCK + rb")" + _FRACTION,
        "seconds fraction",
        texts.day_month,
    ),
    "CTIME": Stamp(
        rb"([A-Z][a-z]{2} " + _MONTH + rb" [ 0-3]\d " + _CLOCK + rb")" + _FRACTION + rb"( \d{4})",
        "seconds fraction zone",
        texts.ctime,
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
        texts.month_first,
    ),
    "SYSLOGDATE": Stamp(rb"(" + _MONTH + rb" [ 0-3]?\d " + _CLOCK + rb")", "seconds", texts.syslog),
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
        texts.syslog_or_iso,
    ),
    "SHORTYEAR": Stamp(
        rb"(\d\d/[01]\d/[0-3]\d " + _CLOCK + rb")" + _FRACTION, "seconds fraction", texts.short_year
    ),
    "COMPACTDATE": Stamp(rb"(\d\d[01]\d[0-3]\d [0-2]\d[0-5]\d[0-6]\d)", "seconds", texts.compact),
    "KLOGDATE": Stamp(
        rb"([01]\d[0-3]\d " + _CLOCK + rb")" + _FRACTION, "seconds fraction", texts.klog
    ),
    "TIMEOFDAY": Stamp(rb"(" + _CLOCK + rb")" + _FRACTION, "seconds fraction", texts.time_of_day),
    "EPOCH": Stamp(rb"([1-9]\d{8,9})" + _FRACTION, "seconds fraction", texts.epoch),
}


def date_of_any_order() -> Stamp:
    """Dates with a year and a time of day, however they are written, and perhaps a zone."""
    year_first = rb"\d{4}[-/][01]\d[-/][0-3]\d[T ]" + _CLOCK
    day_first = rb"[0-3]\d[/ -]" + _MONTH + rb"[/ -]\d{4}[: ]" + _CLOCK
    return Stamp(
        rb"(" + year_first + b"|" + day_first + rb")" + _FRACTION + rb"( ?(?:" + _OFFSET + rb"))?",
        "seconds fraction zone",
        texts.iso_or_http,
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
