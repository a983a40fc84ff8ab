"""Formats of the user's own: `format: {KEY: VALUE}`, and what can be wrong in the value.

What a value means is the adapter's business, which this program doesn't share: it compiles each
to a layout. Here stands what can be said of it before a Pod runs: above all, names that nobody
knows. A test holds the names equal to the adapter's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from podweave.model.grok_names import GROK_NAMES
from podweave.model.regular_expressions import expression_problem
from podweave.model.suggestions import did_you_mean

CONVERSION_WORDS_TEXT = (
    "C F K L M MAP MDC N NDC P T X applicationName black blue boldBlue boldCyan boldGreen "
    "boldMagenta boldRed boldWhite boldYellow c class clr cn contextName cyan d date enc "
    "encode endOfBatch esb ex exception faint file fqcn gray green highlight kvp l le level "
    "line lo location logger lsn m magenta map marker markerSimpleName maxLen maxLength mdc "
    "message method msg n nano nanotime nopex nopexception notEmpty p pid prefix processId "
    "property r rEx rException rThrowable red relative replace sequenceNumber sn style t "
    "thread threadId threadName threadPriority throwable tid tn tp u uuid varsNotEmpty "
    "variablesNotEmpty wEx wex white x xEx xException xThrowable xwEx yellow"
)
CONVERSION_WORDS: Final = frozenset(CONVERSION_WORDS_TEXT.split())
"""Of PatternLayout, in log4j and logback."""
_WORD = re.compile(r"%(?:%|-?0?\d*(?:\.-?\d+)?(?:\(|([A-Za-z]*)))")
_PROPERTY = re.compile(r"\$\{(?!(?:sys:)?(?:PID|pid)\b)[^{}:]*(?!:?-)[^{}]?\}")
_REFERENCE = re.compile(r"%\{(\w+)(?::[^{}:]*)?(?::(\w+))?\}")
_GROK_KINDS = frozenset(
    ["int", "integer", "long", "float", "double", "number", "string", "keyword"]
)
_APACHE = re.compile(
    r"%(?:[<>]|!?\d{3}(?:,\d{3})*)*(?:(?:\{[^{}]+\})(?:\^t[io]|[aehinoCpPtTx])"
    r"|[aABbDfhHIkLlmOpPqrRsStTuUvVX%])"
)


def regex_problem(pattern: Any) -> str | None:
    """What keeps `pattern` from being the format of a log line; or None."""
    if not isinstance(pattern, str):
        return "a regular expression is a text"
    return expression_problem(pattern, named_groups=True)


def _text_problem(value: Any) -> str | None:
    if isinstance(value, str) and value.strip():
        return None
    return "a layout is a text, as it stands in the application's configuration"


def grok_problem(value: Any) -> str | None:
    """Of an expression, a list of them, or {match, patterns}."""
    patterns: dict[str, Any] = {}
    match = value
    if isinstance(value, dict):
        if "match" not in value or set(value) - {"match", "patterns"}:
            return "an expression, or {match: ..., patterns: {NAME: ...}}"
        patterns, match = value.get("patterns") or {}, value["match"]
        if not isinstance(patterns, dict) or not all(
            isinstance(text, str) for text in patterns.values()
        ):
            return "patterns are names and texts"
    texts = match if isinstance(match, list) else [match]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        return "an expression is a text: '%{TIMESTAMP_ISO8601:time} %{GREEDYDATA:message}'"
    for text in (*texts, *patterns.values()):
        for reference in _REFERENCE.finditer(text):
            if reference[1] not in GROK_NAMES and reference[1] not in patterns:
                hint = did_you_mean(reference[1], (*GROK_NAMES, *patterns))
                return f"no pattern is called {reference[1]}{hint}"
            if reference[2] and reference[2] not in _GROK_KINDS:
                return f"{reference[0]}: a field is a string, an int or a float"
    for text in texts:
        if not re.search(r"%\{\w+:|\(\?<[A-Za-z_]", text) and not any(
            reference[1] in patterns or "LOG" in reference[1] or "BASE" in reference[1]
            for reference in _REFERENCE.finditer(text)
        ):
            return "names no field: %{GREEDYDATA:message}"
    return None


def csv_problem(value: Any) -> str | None:
    """Of {columns, delimiter, quote, header}."""
    if not isinstance(value, dict) or set(value) - {"columns", "delimiter", "quote", "header"}:
        return "an object of columns, delimiter, quote and header"
    for key in ("delimiter", "quote"):
        text = value.get(key, ";")
        if text not in ("\\t", "tab") and not (
            isinstance(text, str) and len(text) == 1 and text.isascii() and text not in "\r\n"
        ):
            return f"{key}: one ASCII character, or \\t"
    if value.get("delimiter", ",") == value.get("quote", '"'):
        return "the delimiter can't be the quote"
    if not isinstance(value.get("header", True), bool):
        return "header: true or false"
    if "columns" not in value:
        return None if value.get("header", True) else "columns, or a header that names them"
    columns = value["columns"]
    if not isinstance(columns, list) or not columns or len(columns) > 90:
        return "columns: a list of 1 to 90 names"
    for column in columns:
        if not isinstance(column, str) or not re.fullmatch(
            r"[^:]*(?::(?:int|float|string))?", column
        ):
            return f"columns: {column!r} is no NAME, NAME:int or NAME:float"
    named = [column.partition(":")[0].strip() for column in columns]
    named = [name for name in named if name not in ("", "-", "_")]
    if not named:
        return "columns: none has a name"
    twice = sorted(name for name in set(named) if named.count(name) > 1)
    return f"columns: {twice[0]!r} is there twice" if twice else None


def log4j_problem(value: Any) -> str | None:
    """Of the pattern of a PatternLayout."""
    if problem := _text_problem(value):
        return problem
    without = re.sub(r"\$\{[^{}]*\}", "", value)
    if (match := _PROPERTY.search(value)) and "-" not in match[0]:
        return f"{match[0]}: put the property's value in its place"
    for word in _WORD.finditer(without):
        name = word[1]
        if name is not None and not any(
            name[:length] in CONVERSION_WORDS for length in range(1, len(name) + 1)
        ):
            return f"{word[0]} is no conversion word of log4j or logback"
    return None if "%" in value else "has no conversion word in it: %d %p %c - %m%n"


def python_problem(value: Any) -> str | None:
    """Of the format of a logging.Formatter, or {format, datefmt}."""
    if isinstance(value, dict):
        if set(value) - {"format", "datefmt"} or not isinstance(value.get("datefmt", ""), str):
            return "a text, or {format: ..., datefmt: ...}"
        value = value.get("format")
    if problem := _text_problem(value):
        return problem
    if not re.search(r"%\(\w+\)|\{\w+|\$\w", value):
        return "names no attribute: %(asctime)s %(levelname)s %(name)s %(message)s"
    return None


def nginx_problem(value: Any) -> str | None:
    """Of a log_format."""
    if problem := _text_problem(value):
        return problem
    if re.search(r"^\s*'?\{", re.sub(r"^\s*log_format\s+\S+\s+(escape=\S+\s+)?", "", value)):
        return "is JSON: format nginx-json or json reads it"
    return None if re.search(r"\$\{?[a-z_]", value) else "names no variable: $remote_addr ..."


def apache_problem(value: Any) -> str | None:
    """Of a LogFormat."""
    if problem := _text_problem(value):
        return problem
    place = value.find("%")
    if place < 0:
        return "has no directive in it: %h %l %u %t"
    while place >= 0:
        match = _APACHE.match(value, place)
        if match is None:
            return f"{value[place : place + 12]!r} is no directive of a LogFormat"
        place = value.find("%", match.end())
    return None


OWN_FORMATS: Final[dict[str, Callable[[Any], str | None]]] = {
    "regex": regex_problem,
    "grok": grok_problem,
    "csv": csv_problem,
    "log4j": log4j_problem,
    "logback": log4j_problem,
    "python": python_problem,
    "nginx": nginx_problem,
    "apache": apache_problem,
}
"""Key of an own format -> what is wrong with its value, or None."""
