"""`{python: ...}`: the `fmt` of a logging.Formatter, in any of its three styles.

Also `{python: {format: ..., datefmt: ...}}`. Every name may be one of the application's own: a
Formatter takes whatever stands in a record's `extra`.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.fields import DECIMAL, INTEGER, LEVEL, TEXT
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

_PERCENT = re.compile(r"%(?:\((\w+)\)([#0+ -]*\d*)(?:\.\d+)?[sdifrxXeEgG]|(%))")
_BRACE = re.compile(r"(\{\{|\}\})|\{(\w+)(?:[.\[][^{}:!]*)?(?:![rsa])?(?::([^{}]*))?\}")
_DOLLAR = re.compile(r"\$(?:(\$)|\{(\w+)\}|([A-Za-z_]\w*))")

_INT = rb"(?:0|-?[1-9]\d{0,17})"
_FLOAT = rb"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?"
_FIELDS: dict[str, tuple[str, bytes | None, str]] = {
    "levelname": ("level", rb"[A-Za-z][A-Za-z0-9]*+", LEVEL),
    "levelno": ("level", rb"\d{1,3}", LEVEL),
    "name": ("logger", None, TEXT),
    "message": ("message", None, TEXT),
    "module": ("module", None, TEXT),
    "filename": ("file", None, TEXT),
    "pathname": ("file", None, TEXT),
    "lineno": ("line", _INT, INTEGER),
    "funcName": ("function", None, TEXT),
    "process": ("pid", _INT, INTEGER),
    "processName": ("process", None, TEXT),
    "thread": ("thread_id", _INT, INTEGER),
    "threadName": ("thread", None, TEXT),
    "taskName": ("task", None, TEXT),
    "relativeCreated": ("relative", _FLOAT, DECIMAL),
    "msecs": ("milliseconds", _FLOAT, DECIMAL),
}
_LEVELS = {"10": "debug", "20": "info", "30": "warn", "40": "error", "50": "fatal"}


def make(value: Any) -> list[Layout]:
    datefmt = None
    if isinstance(value, dict):
        unknown = set(value) - {"format", "datefmt"}
        if unknown or not isinstance(value.get("format"), str):
            raise ValueError("must be a text, or an object with format and datefmt")
        datefmt, value = value.get("datefmt"), value["format"]
        if datefmt is not None and not isinstance(datefmt, str):
            raise ValueError("datefmt must be a text")
    if not isinstance(value, str):
        raise ValueError("must be a text: the format of a logging.Formatter")
    parts = _parts(value.rstrip("\n"), datefmt)
    layout = layout_of(parts, like="%(asctime)s %(levelname)s %(name)s %(message)s")
    layout.levels = _LEVELS
    return [layout]


def _parts(text: str, datefmt: str | None) -> list[Part]:
    parts: list[Part] = []
    if re.search(r"%\(\w+\)", text):
        expression = _PERCENT
    elif re.search(r"\{\w+[^{}]*\}", text) and "${" not in text:
        expression = _BRACE
    else:
        expression = _DOLLAR
    place = 0
    for match in expression.finditer(text):
        parts.append(_text(text[place : match.start()], expression))
        place = match.end()
        name, padding = _named(match, expression)
        if not name:
            parts.append(Text(match[0][0]))
        else:
            parts.append(_part(match[0], name, padding, datefmt))
    parts.append(_text(text[place:], expression))
    return _with_fractions([part for part in parts if not isinstance(part, Text) or part.text])


def _text(text: str, expression: re.Pattern[str]) -> Text:
    stray = {_PERCENT: "%", _BRACE: "{", _DOLLAR: "$"}[expression]
    if stray in text:
        place = text.index(stray)
        raise ValueError(f"has {text[place : place + 12]!r}, which names no attribute")
    return Text(text)


def _named(match: re.Match[str], expression: re.Pattern[str]) -> tuple[str, str]:
    if expression is _PERCENT:
        return match[1] or "", match[2] or ""
    if expression is _BRACE:
        padding = match[3] or ""
        return match[2] or "", padding if re.search(r"[<>^]|^\d", padding) else ""
    return match[2] or match[3] or "", ""


def _part(shown: str, name: str, padding: str, datefmt: str | None) -> Part:
    if name == "asctime":
        stamp = dates.builtin("ISO8601") if datefmt is None else dates.strftime(datefmt)
        return Moment(shown, stamp)
    if name == "created":
        return Moment(shown, dates.builtin("EPOCH"))
    padded = bool(re.search(r"[1-9]", padding)) and not re.match(r"0\d", padding)
    field, pattern, kind = _FIELDS.get(name) or (field_of(name), None, TEXT)
    return Value(shown, field, pattern, kind=kind, padded=padded)


def _with_fractions(parts: list[Part]) -> list[Part]:
    """`%(asctime)s.%(msecs)03d` is one timestamp."""
    kept: list[Part] = []
    for part in parts:
        if isinstance(part, Value) and part.name == "milliseconds" and len(kept) >= 2:
            between, moment = kept[-1], kept[-2]
            if (
                isinstance(moment, Moment)
                and isinstance(between, Text)
                and between.text in (b".", b",", b":")
            ):
                kept.pop()
                moment.stamp = _with_milliseconds(moment.stamp, between.text)
                continue
        kept.append(part)
    return kept


def _with_milliseconds(stamp: Stamp, between: bytes) -> Stamp:
    from podweave.helpers.logs.timestamps import Stamp

    if "fraction" in stamp.roles:
        if stamp is dates.builtin("ISO8601"):
            return stamp
        raise ValueError("has a fraction in datefmt, and msecs behind it")
    return Stamp(stamp.pattern + re.escape(between) + rb"(\d{3})", "seconds fraction", stamp.parse)
