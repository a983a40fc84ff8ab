r"""`{apache: ...}`: a LogFormat of Apache's mod_log_config, as its text or as the directive.

Source: mod_log_config's documentation. Quotes may be escaped, as in the configuration: `\"%r\"`.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.fields import FIELDS, INTEGER, TEXT
from podweave.helpers.logs.formats.own import dates
from podweave.helpers.logs.formats.own.assembly import Moment, Part, Ready, Text, Value
from podweave.helpers.logs.formats.own.nginx import REQUEST, variants
from podweave.helpers.logs.formats.units import microseconds, milliseconds, seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podweave.helpers.logs.layouts import Layout

_LETTERS = {
    "a": "source_address",
    "A": "destination_address",
    "B": "response_body_bytes",
    "b": "response_body_bytes",
    "f": "file",
    "h": "source_address",
    "H": "network_protocol",
    "k": "keepalives",
    "l": "ident",
    "L": "request_id",
    "m": "method",
    "p": "destination_port",
    "P": "pid",
    "q": "url_query",
    "R": "handler",
    "s": "status",
    "u": "user",
    "U": "url_path",
    "v": "server_name",
    "V": "server_name",
    "X": "connection_status",
    "I": "request_bytes",
    "O": "response_bytes",
    "S": "network_bytes",
}
_HEADERS = {
    "referer": "referrer",
    "user-agent": "user_agent",
    "x-forwarded-for": "forwarded_for",
    "x-request-id": "request_id",
    "host": "server_name",
    "content-type": "request_content_type",
    "cookie": "cookie",
    "unique_id": "request_id",
    "ssl_protocol": "tls_version",
    "ssl_cipher": "tls_cipher",
}
_DIRECTIVE = re.compile(
    r"%(?P<modifier>[<>]|!?\d{3}(?:,\d{3})*)*(?:\{(?P<key>[^{}]+)\})?"
    r"(?P<letter>\^t[io]|[A-Za-z%])"
)
_CONFIGURED = re.compile(r'\s*(?:LogFormat|GlobalLog|CustomLog\s+\S+)\s+"((?:[^"\\]|\\.)*)".*')
_ESCAPES = {"t": "\t", "n": "\n"}
_COUNTED = frozenset("kBbpPsIOS")
_UNITS: dict[str, Callable[[str], float | None]] = {
    "s": seconds,
    "ms": milliseconds,
    "us": microseconds,
}


def make(value: Any) -> list[Layout]:
    if not isinstance(value, str):
        raise ValueError("must be a text: a LogFormat")
    match = _CONFIGURED.fullmatch(value)
    text = match[1] if match else value
    text = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), text)
    return variants(lambda request: _parts(text.rstrip("\n"), request), "%h %t %>s")


def _parts(text: str, request: bool) -> tuple[list[Part], tuple[Any, ...], bool]:
    parts: list[Part] = []
    derive: list[Any] = []
    requested = False
    place = 0
    while True:
        at = text.find("%", place)
        parts.append(Text(text[place : at if at >= 0 else len(text)]))
        if at < 0:
            return parts, tuple(derive), requested
        match = _DIRECTIVE.match(text, at)
        if match is None:
            raise ValueError(f"has {text[at : at + 12]!r}, which is no directive of a LogFormat")
        place = match.end()
        if match["letter"] == "%":
            parts.append(Text("%"))
        elif match["letter"] == "r" and text[place : place + 1] == '"':
            requested = True
            parts.append(Ready("%r", REQUEST) if request else Value("%r", "message"))
        else:
            previous = text[at - 1 : at]
            following = text[place : place + 1]
            parts += _directive(match, derive, previous == "[" and following == "]")


def _directive(match: re.Match[str], derive: list[Any], bracketed: bool) -> list[Part]:
    shown, key, letter = match[0], match["key"], match["letter"]
    if letter == "t":
        return _time(shown, key or "", bracketed)
    if letter in ("i", "o", "e", "n", "C", "^ti", "^to"):
        if key is None:
            raise ValueError(f"has {shown} without a name: %{{NAME}}{letter}")
        known = _HEADERS.get(key.lower()) if letter in ("i", "e", "n") else None
        if letter == "o" and key.lower() == "content-type":
            known = "response_content_type"
        return [Value(shown, known or key.lower().replace("-", "_"))]
    if letter == "x" and key:
        return [Value(shown, _HEADERS.get(key.lower(), key.lower()))]
    if letter in "DT":
        unit = "us" if letter == "D" else key or "s"
        if unit not in _UNITS:
            raise ValueError(f"has {shown}: the unit is one of ms, us, s")
        name = f"_taken_{len(derive)}"
        if not any(field == "duration" for field, _, _ in derive):
            derive.append(("duration", name, _UNITS[unit]))
        return [Value(shown, name, solid=True)]
    if letter == "r":
        return [Value(shown, "message")]
    field = _LETTERS.get(letter)
    if field is None:
        raise ValueError(f"has {shown}, which is no directive of a LogFormat")
    if letter == "P" and key in ("tid", "hextid"):
        return [Value(shown, "thread_id" if key == "tid" else "hextid", solid=True)]
    if letter == "p" and key == "remote":
        field = "source_port"
    if letter == "q":
        # With its question mark, or nothing.
        return [Ready(shown, rb"(?:\?%{URLQUERY:url_query?})?")]
    if letter == "U":
        return [Value(shown, field, rb'[^?"\s]*+')]
    kind = FIELDS.get(field) or (INTEGER if letter in _COUNTED else TEXT)
    pattern = rb"(?:-|0|[1-9]\d{0,17})" if kind == INTEGER else None
    return [Value(shown, field, pattern, kind=kind, solid=letter not in "ufR")]


def _time(shown: str, key: str, bracketed: bool) -> list[Part]:
    key = key.removeprefix("begin:").removeprefix("end:")
    if not key:
        return [Text("["), Moment(shown, dates.builtin("HTTPDATE")), Text("]")]
    if key == "sec":
        return [Moment(shown, dates.builtin("EPOCH"))]
    if key == "msec":
        return [Moment(shown, dates.EPOCH_MILLISECONDS)]
    if key == "usec":
        return [Moment(shown, dates.EPOCH_MICROSECONDS)]
    if key in ("msec_frac", "usec_frac"):
        return [Value(shown, key, rb"\d{3,6}", kind=INTEGER)]
    return [Moment(shown, dates.strftime(key))]
