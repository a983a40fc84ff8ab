"""`{log4j: ...}`, `{logback: ...}`: the pattern of a PatternLayout (log4j 1 and 2, logback).

Sources: the manuals' chapters on conversion words. A stack trace (`%ex`) comes in the lines after
the first, which are joined anyway. Properties (`${...}`) must be put in, but for Spring's PID.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.fields import INTEGER, LEVEL
from podweave.helpers.logs.formats.own import dates
from podweave.helpers.logs.formats.own.assembly import (
    Moment,
    Part,
    Text,
    Value,
    field_of,
    layout_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.logs.layouts import Layout
    from podweave.helpers.logs.timestamps import Stamp

_INT = rb"(?:0|-?[1-9]\d{0,17})?"
_WORD = rb"[A-Za-z][A-Za-z0-9]*+"
# The word's field, what it looks like (None: anything), its kind.
_WORDS: dict[str, tuple[str, bytes | None, str]] = {}
for _names, _field, _pattern, _kind in (
    ("p le level", "level", _WORD, LEVEL),
    ("m msg message", "message", None, ""),
    ("c lo logger", "logger", None, ""),
    ("C class", "class_name", None, ""),
    ("M method", "function", None, ""),
    ("F file", "file", None, ""),
    ("L line", "line", rb"(?:\?|" + _INT + rb")", INTEGER),
    ("l location", "location", None, ""),
    ("t tn thread threadName", "thread", None, ""),
    ("T tid threadId", "thread_id", _INT, INTEGER),
    ("tp threadPriority", "thread_priority", _INT, INTEGER),
    ("pid processId", "pid", rb"(?:\?\?\?|" + _INT + rb")", INTEGER),
    ("r relative", "relative", _INT, INTEGER),
    ("sn sequenceNumber lsn", "event_sequence", _INT, INTEGER),
    ("N nano nanotime", "nanotime", _INT, INTEGER),
    ("x NDC", "ndc", None, ""),
    ("marker markerSimpleName", "marker", None, ""),
    ("u uuid", "uuid", rb"[0-9a-fA-F\-]{36}", ""),
    ("cn contextName", "context", None, ""),
    ("kvp", "key_values", None, ""),
    ("K map MAP", "map", None, ""),
    ("fqcn", "fqcn", None, ""),
    ("endOfBatch", "end_of_batch", _WORD, ""),
):
    for _name in _names.split():
        _WORDS[_name] = _field, _pattern, _kind
_DATES = frozenset(["d", "date"])
_CONTEXT = frozenset(["X", "mdc", "MDC", "property", "P"])
_NEWLINE = "n"
# Exceptions: in the lines after the first one.
_AFTER_TEXT = (
    "ex exception throwable xEx xThrowable xException rEx rException rThrowable nopex "
    "nopexception wEx wex xwEx"
)
_AFTER = frozenset(_AFTER_TEXT.split())
# Words around a part of the layout that change its look.
_AROUND_TEXT = (
    "highlight style clr replace enc encode notEmpty varsNotEmpty variablesNotEmpty maxLen "
    "maxLength prefix black red green yellow blue magenta cyan white gray boldRed boldGreen "
    "boldYellow boldBlue boldMagenta boldCyan boldWhite faint applicationName esb"
)
_AROUND = frozenset(_AROUND_TEXT.split())
KNOWN = {*_WORDS, *_DATES, *_CONTEXT, _NEWLINE, *_AFTER, *_AROUND}
_NAMED_DATES = {
    "ABSOLUTE": "HH:mm:ss,SSS",
    "ABSOLUTE_MICROS": "HH:mm:ss,SSSSSS",
    "ABSOLUTE_NANOS": "HH:mm:ss,SSSSSSSSS",
    "ABSOLUTE_PERIOD": "HH:mm:ss.SSS",
    "COMPACT": "yyyyMMddHHmmssSSS",
    "DATE": "dd MMM yyyy HH:mm:ss,SSS",
    "DATE_PERIOD": "dd MMM yyyy HH:mm:ss.SSS",
    "ISO8601_BASIC": "yyyyMMdd'T'HHmmss,SSS",
    "ISO8601_BASIC_PERIOD": "yyyyMMdd'T'HHmmss.SSS",
    "US_MONTH_DAY_YEAR2_TIME": "dd/MM/yy HH:mm:ss.SSS",
    "US_MONTH_DAY_YEAR4_TIME": "dd/MM/yyyy HH:mm:ss.SSS",
}
_MODIFIER = re.compile(r"%(-?0?\d*(?:\.-?\d+)?)")
_NAME = re.compile(r"[A-Za-z]+")
_PROPERTY = re.compile(r"\$\{([^{}:]*)(?::?-([^{}]*)|:([^{}]*))?\}")


def make(value: Any) -> list[Layout]:
    if not isinstance(value, str):
        raise ValueError("must be a text: the pattern of a PatternLayout")
    parts = _Pattern(_PROPERTY.sub(_property, value)).parts()
    return [layout_of(parts, like="%d %p %c - %m%n")]


def _property(match: re.Match[str]) -> str:
    if match[1] in ("PID", "sys:PID", "pid"):
        return "%pid"
    if match[1] in ("sys", "env", "ctx", "bundle", "spring", "main", "map"):
        if match[3] is not None and match[3].startswith("PID"):
            return "%pid"
        default = (match[3] or "").partition(":-")
        if default[1]:
            return default[2]
    elif match[2] is not None:
        return match[2]
    elif match[3] is not None:
        return match[3].removeprefix("-")
    raise ValueError(f"has {match[0]}: put the property's value in its place")


class _Pattern:
    def __init__(self, text: str) -> None:
        self.text = text
        self.place = 0

    def parts(self) -> list[Part]:
        parts, ended = self.sequence("")
        if ended:
            # What follows the newline: nothing but a stack trace, or a second line.
            rest, _ = self.sequence("")
            if any(not isinstance(part, Text) or part.text.strip() for part in rest):
                raise ValueError("has %n before its end: only layouts of one line can be read")
        while parts and isinstance(parts[-1], Text) and not parts[-1].text.strip(b" "):
            parts.pop()
        return parts

    def sequence(self, closing: str) -> tuple[list[Part], bool]:
        """The parts up to that closing character, the end, or a newline (True)."""
        parts: list[Part] = []
        text = self.text
        while self.place < len(text):
            character = text[self.place]
            if character == "%":
                ended = self.word(parts)
                if ended:
                    return parts, True
                continue
            if character == closing:
                self.place += 1
                return parts, False
            if character == "\\" and self.place + 1 < len(text):
                self.place += 2
                following = text[self.place - 1]
                if following == "n":
                    return parts, True
                character = {"t": "\t", "r": "", "_": ""}.get(following, following)
            else:
                self.place += 1
                if character == "\n":
                    return parts, True
            parts.append(Text(character))
        if closing:
            raise ValueError(f"has no {closing!r} where one was to come")
        return parts, False

    def word(self, parts: list[Part]) -> bool:
        text = self.text
        if text.startswith("%%", self.place):
            self.place += 2
            parts.append(Text("%"))
            return False
        begin = self.place
        modifier = _MODIFIER.match(text, self.place)
        assert modifier is not None
        self.place = modifier.end()
        padded = bool(modifier[1]) and not modifier[1].startswith((".", "0"))
        if text.startswith("(", self.place):
            self.place += 1
            self.around(parts, ")", padded)
            return False
        name = self.name(begin)
        shown = text[begin : self.place]
        if name in _AROUND:
            self.wrapped(parts, padded, name)
            return False
        options = self.options()
        if name == _NEWLINE:
            return True
        if name in _AFTER:
            return False
        if name in _DATES:
            parts.append(Moment(shown, _date(options)))
        elif name in _CONTEXT:
            key = options[0].partition(":-")[0] if options else ""
            field = field_of(key) if key and "," not in key else "mdc"
            parts.append(Value(shown, field, padded=padded))
        else:
            field, pattern, kind = _WORDS[name]
            parts.append(Value(shown, field, pattern, kind=kind or "text", padded=padded))
        return False

    def name(self, begin: int) -> str:
        """The longest conversion word that stands here."""
        match = _NAME.match(self.text, self.place)
        name = match[0] if match else ""
        for length in range(len(name), 0, -1):
            if name[:length] in KNOWN:
                self.place += length
                return name[:length]
        shown = self.text[begin : self.place + len(name)] or "%"
        raise ValueError(f"has {shown}, which is no conversion word of log4j or logback")

    def wrapped(self, parts: list[Part], padded: bool, name: str) -> None:
        for opening, closing in (("(", ")"), ("{", "}")):
            if self.text.startswith(opening, self.place):
                self.place += 1
                self.around(parts, closing, padded)
                self.options()
                return
        raise ValueError(f"has %{name} with nothing in parentheses behind it")

    def around(self, parts: list[Part], closing: str, padded: bool) -> None:
        inner, ended = self.sequence(closing)
        if ended:
            raise ValueError("has %n inside parentheses")
        if padded and inner and isinstance(inner[-1], Value | Moment):
            inner[-1].padded = True
        parts += inner

    def options(self) -> list[str]:
        options = []
        while self.text.startswith("{", self.place):
            depth = 0
            for end in range(self.place, len(self.text)):
                depth += (self.text[end] == "{") - (self.text[end] == "}")
                if not depth:
                    break
            if depth:
                raise ValueError("has a { without its }")
            options.append(self.text[self.place + 1 : end].strip())
            self.place = end + 1
        return options


def _date(options: list[str]) -> Stamp:
    pattern = options[0].strip('" ') if options else ""
    zone = options[1] if len(options) > 1 else ""
    # logback: %d{yyyy-MM-dd HH:mm:ss.SSS, UTC}
    head, comma, tail = pattern.rpartition(",")
    if comma and not re.match(r"\s*S", tail):
        pattern, zone = head, tail
    stamp = _stamp(pattern.strip('" '))
    return dates.in_zone(stamp, zone.strip()) if zone.strip() else stamp


def _stamp(pattern: str) -> Stamp:
    name = pattern.removesuffix("_OFFSET_DATE_TIME_HH").removesuffix("_PERIOD")
    if not pattern or name in ("ISO8601", "DEFAULT", "DEFAULT_MICROS", "DEFAULT_NANOS", "STRICT"):
        return dates.builtin("ISO8601")
    if name.startswith("ISO8601_OFFSET"):
        return dates.builtin("ISO8601")
    if pattern == "UNIX":
        return dates.builtin("EPOCH")
    if pattern == "UNIX_MILLIS":
        return dates.EPOCH_MILLISECONDS
    return dates.java(_NAMED_DATES.get(pattern, pattern))
