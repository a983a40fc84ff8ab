"""Timestamps as an application's configuration writes them: Java's letters, strftime's."""

from __future__ import annotations

import re
import time

from podweave.helpers.logs.calendar import DAY
from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.timestamp_texts import month_of
from podweave.helpers.logs.timestamps import STAMPS, Stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TWO = rb"[ \d]\d"
_OFFSET = rb"(?:Z|[+-]\d\d(?::?\d\d)?)"
_NAMED = rb"[A-Z][A-Za-z]{1,4}"
_NAME = rb"[A-Za-z]{3,9}\.?"
_EPOCH = rb"[1-9]\d{8,9}"

EPOCH_MILLISECONDS = Stamp(
    rb"([1-9]\d{8,9})(\d{3})", "seconds fraction", lambda text, clock: int(text)
)
EPOCH_MICROSECONDS = Stamp(
    rb"([1-9]\d{8,9})(\d{6})", "seconds fraction", lambda text, clock: int(text)
)

Piece = tuple[str, bytes]
"""A part's role ("" for what stands between) and its pattern."""


def java(pattern: str) -> Stamp:
    """Of SimpleDateFormat's and DateTimeFormatter's letters; ValueError where one isn't known."""
    pieces: list[Piece] = []
    place = 0
    while place < len(pattern):
        letter = pattern[place]
        if letter == "'":
            end = pattern.find("'", place + 1)
            if end < 0:
                raise ValueError(f"the date {pattern!r} has a quote that doesn't end")
            pieces.append(("", re.escape(pattern[place + 1 : end] or "'").encode()))
            place = end + 1
            continue
        if not (letter.isascii() and letter.isalpha()):
            pieces.append(("", re.escape(letter).encode()))
            place += 1
            continue
        end = place
        while end < len(pattern) and pattern[end] == letter:
            end += 1
        piece = _java_piece(letter, end - place)
        if piece is None:
            raise ValueError(f"the date {pattern!r} has {letter * (end - place)}, which isn't read")
        pieces.append(piece)
        place = end
    return stamp_of(pieces, pattern)


def _java_piece(letter: str, count: int) -> Piece | None:
    if letter in "yu":
        return ("short_year", rb"\d\d") if count == 2 else ("year", rb"\d{4}")
    if letter in "ML":
        if count >= 3:
            return "month_name", _NAME
        return "month", rb"\d\d" if count == 2 else rb"\d{1,2}"
    if letter in "Sn":
        return "fraction", b"\\d{%d}" % (9 if letter == "n" else min(count, 9))
    if letter in "Ee":
        return "", _NAME
    if letter == "a":
        return "half", rb"[AaPp]\.?[Mm]\.?"
    if letter == "z":
        return "zone", rb"(?:" + _NAMED + rb"|[+-]\d\d(?::?\d\d)?)"
    if letter in "ZXxO":
        return "zone", _OFFSET
    role = {"d": "day", "H": "hour", "k": "hour", "h": "hour12", "K": "hour12"}
    role |= {"m": "minute", "s": "second", "D": "yearday"}
    if letter not in role:
        return None
    return role[letter], rb"\d\d" if count == 2 else rb"\d{1,3}"


_STRFTIME: dict[str, tuple[Piece, ...]] = {
    "Y": (("year", rb"\d{4}"),),
    "y": (("short_year", rb"\d\d"),),
    "m": (("month", rb"\d\d"),),
    "d": (("day", rb"\d\d"),),
    "e": (("day", _TWO),),
    "j": (("yearday", rb"\d{3}"),),
    "H": (("hour", rb"\d\d"),),
    "k": (("hour", _TWO),),
    "I": (("hour12", rb"\d\d"),),
    "l": (("hour12", _TWO),),
    "M": (("minute", rb"\d\d"),),
    "S": (("second", rb"\d\d"),),
    "f": (("fraction", rb"\d{6}"),),
    "p": (("half", rb"[AaPp][Mm]"),),
    "z": (("zone", _OFFSET),),
    "Z": (("zone", rb"(?:" + _NAMED + rb"|[+-]\d\d(?::?\d\d)?)"),),
    "b": (("month_name", _NAME),),
    "B": (("month_name", _NAME),),
    "h": (("month_name", _NAME),),
    "a": (("", _NAME),),
    "A": (("", _NAME),),
    "s": (("epoch", _EPOCH),),
    "%": (("", b"%"),),
    "n": (("", b" "),),
    "t": (("", rb"\t"),),
}
_COMPOSED = {
    "F": "%Y-%m-%d",
    "T": "%H:%M:%S",
    "R": "%H:%M",
    "D": "%m/%d/%y",
    "c": "%a %b %e %H:%M:%S %Y",
    "x": "%m/%d/%y",
    "X": "%H:%M:%S",
    "r": "%I:%M:%S %p",
}


def strftime(pattern: str) -> Stamp:
    """Of strftime's directives, in the C locale; ValueError where one isn't known."""
    return stamp_of(_strftime_pieces(pattern), pattern)


def _strftime_pieces(pattern: str) -> list[Piece]:
    pieces: list[Piece] = []
    place = 0
    while place < len(pattern):
        if pattern[place] != "%":
            pieces.append(("", re.escape(pattern[place]).encode()))
            place += 1
            continue
        match = re.compile(r"%[-_0^#E]?(?:([369]f)|([A-Za-z%]))").match(pattern, place)
        name = match[1] or match[2] if match else ""
        if name in _COMPOSED:
            pieces += _strftime_pieces(_COMPOSED[name])
        elif name[1:] == "f":
            pieces.append(("fraction", b"\\d{%d}" % int(name[0])))
        elif match is None or name not in _STRFTIME:
            raise ValueError(
                f"the date {pattern!r} has {pattern[place : place + 2]}, which isn't read"
            )
        elif match[0][1:2] in ("-", "_") and _STRFTIME[name][0][1] == rb"\d\d":
            pieces.append((_STRFTIME[name][0][0], rb" ?\d{1,2}"))
        else:
            pieces += _STRFTIME[name]
        assert match is not None
        place = match.end()
    return pieces


def stamp_of(pieces: list[Piece], shown: str) -> Stamp:
    """Of parts one after the other; ValueError, with the text it is shown as, for what is none."""
    roles = [role for role, _ in pieces if role]
    for role in set(roles):
        if roles.count(role) > 1:
            raise ValueError(f"the date {shown!r} names the {role.replace('_', ' ')} twice")
    if not {"hour", "hour12", "epoch", "day", "yearday"} & set(roles):
        raise ValueError(f"the date {shown!r} has neither a day nor an hour")
    names = [role for role, _ in pieces]
    split = names.index("fraction") if "fraction" in names else len(pieces)
    before, after = pieces[:split], pieces[split + 1 :]
    groups = [b"".join(pattern for _, pattern in before)]
    if not groups[0]:
        raise ValueError(f"the date {shown!r} begins with a fraction")
    pattern, kinds = b"(" + groups[0] + b")", "seconds"
    if split < len(pieces):
        pattern += b"(" + pieces[split][1] + b")"
        kinds += " fraction"
    if after:
        pattern += b"(" + b"".join(pattern for _, pattern in after) + b")"
        kinds += " zone"
    named = b"".join(
        b"(?P<%b>%b)" % (role.encode(), pattern) if role else pattern
        for role, pattern in before + after
    )
    return Stamp(pattern, kinds, _reader(re.compile(named)))


def _reader(expression: re.Pattern[bytes]) -> Callable[[bytes, Clock], int | None]:
    def parse(text: bytes, clock: Clock) -> int | None:
        match = expression.fullmatch(text)
        return None if match is None else _seconds(match.groupdict(b""), clock)

    return parse


def _seconds(parts: dict[str, bytes], clock: Clock) -> int | None:
    if "epoch" in parts:
        return int(parts["epoch"])
    month = day = None
    if "month_name" in parts:
        month = month_of(parts["month_name"])
    elif "month" in parts:
        month = int(parts["month"])
    if "day" in parts:
        day = int(parts["day"])
    hour = int(parts.get("hour", b"0") or 0)
    if "hour12" in parts:
        hour = int(parts["hour12"]) % 12
    if parts.get("half", b"").lower().startswith(b"p"):
        hour = hour % 12 + 12
    rest = hour % 24, int(parts.get("minute", b"0")), int(parts.get("second", b"0"))
    zone = parts.get("zone", b"")
    year = int(parts["year"]) if "year" in parts else None
    if "short_year" in parts:
        year = 2000 + int(parts["short_year"])
    if "yearday" in parts:
        base = clock.seconds(year or clock.year(), 1, 1, *rest, zone)
        return None if base is None else base + (int(parts["yearday"]) - 1) * DAY
    if month is None or day is None:
        candidates = []
        for shift in (-DAY, 0, DAY):
            at = time.gmtime(clock.until + shift)
            if day is not None and day != at.tm_mday:
                continue
            candidates.append(clock.seconds(at.tm_year, at.tm_mon, at.tm_mday, *rest, zone))
        return clock.closest(candidates)
    if year is not None:
        return clock.seconds(year, month, day, *rest, zone)
    return clock.last(month, day, *rest, zone)


_UTC = frozenset(("UTC", "GMT", "Z", "Etc/UTC", "Etc/GMT", "Zulu", "UCT"))


def in_zone(stamp: Stamp, name: str) -> Stamp:
    """The same, in that zone where a text names none; ValueError for an unknown one."""
    from podweave.helpers.logs.zones import zone

    name = name.strip("\"'").removeprefix("GMT") or name
    there = None if name in _UTC else zone(name)

    def parse(text: bytes, clock: Clock) -> int | None:
        return stamp.parse(text, Clock(clock.now, 0, there, clock.until))

    return Stamp(stamp.pattern, " ".join(stamp.roles), parse)


def builtin(name: str) -> Stamp:
    """One of timestamps.STAMPS."""
    return STAMPS[name]
