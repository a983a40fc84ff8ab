"""A query as an SQL condition. What the user wrote is only ever a parameter of it.

The condition is over the columns of the base table (see database.py): `json`, the record's text;
`message`; `time`. Each leaf is true or false, never NULL, so that "not" means not.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from podweave.cli.searching.query import All, Either, Field, Not, Query, Time, Word

SHORT_NAMES = {
    "level": "log.level",
    "logger": "log.logger",
    "file": "log.file.path",
    "pod": "kubernetes.pod.name",
    "namespace": "kubernetes.namespace",
    "node": "kubernetes.node.name",
    "service": "service.name",
    "status": "http.response.status_code",
    "method": "http.request.method",
    "path": "url.path",
    "ip": "source.ip",
    "user": "user.name",
    "host": "host.name",
    "thread": "process.thread.name",
}
"""What is short to type, and the ECS field that is meant. A field of the short name itself is
found as well."""

LEVELS = (
    ("warn", "warning"),
    ("err", "error"),
    ("crit", "critical"),
    ("info", "information", "informational"),
)
"""Spellings of one level."""

_COMPARISONS = {">": ">", ">=": ">=", "<": "<", "<=": "<="}

Condition = tuple[str, list[Any]]


def condition(query: Query, now: datetime) -> Condition:
    """SQL and its parameters."""
    match query:
        case Word(text, wildcard):
            return _wildcard(text) if wildcard else _word(text)
        case Field():
            return _field(query)
        case Time(since, moment):
            when = moment if isinstance(moment, datetime) else now - moment
            operator = ">=" if since else "<"
            return f"coalesce(time {operator} ?, false)", [_utc(when)]
        case Not(term):
            sql, parameters = condition(term, now)
            return f"(NOT {sql})", parameters
        case All(terms):
            return _join(" AND ", [condition(term, now) for term in terms], "true")
        case Either(terms):
            return _join(" OR ", [condition(term, now) for term in terms], "false")


def pointers(name: str) -> list[str]:
    """JSON pointers to a field: nested objects, one dotted key; of its ECS name and its own."""
    names = [name] if name not in SHORT_NAMES else [SHORT_NAMES[name], name]
    found: dict[str, None] = {}
    for each in names:
        escaped = each.replace("~", "~0").replace("/", "~1")
        found["/" + escaped.replace(".", "/")] = None
        found["/" + escaped] = None
    return list(found)


def _join(operator: str, parts: list[Condition], empty: str) -> Condition:
    parameters = [parameter for _, some in parts for parameter in some]
    return "(" + (operator.join(sql for sql, _ in parts) or empty) + ")", parameters


def _word(text: str) -> Condition:
    """In the record's text as it stands there, or in the message, whatever escapes it has."""
    within = json.dumps(text, ensure_ascii=False)[1:-1]
    return (
        "(contains(lower(json), lower(?)) OR coalesce(contains(lower(message), lower(?)), false))",
        [within, text],
    )


def _wildcard(text: str) -> Condition:
    written = json.dumps(text, ensure_ascii=False)[1:-1]
    within, said = ((r'[^\s"]*').join(map(re.escape, each.split("*"))) for each in (written, text))
    return (
        "(regexp_matches(json, ?, 'i') OR coalesce(regexp_matches(message, ?, 'i'), false))",
        [within, said],
    )


def _field(field: Field) -> Condition:
    if field.name == "message" and field.comparison == ":":
        if "*" in field.value and not field.quoted:
            return _like("message", [], field.value)
        return "coalesce(contains(lower(message), lower(?)), false)", [field.value]
    where = pointers(field.name)
    value = "coalesce(" + ", ".join(["json_extract_string(json, ?)"] * len(where)) + ", NULL)"
    if field.comparison in _COMPARISONS:
        return _compare(value, where, _COMPARISONS[field.comparison], field.value)
    if field.comparison == ":" and not field.quoted:
        if field.value == "*":
            return f"({value} IS NOT NULL)", where
        if "*" in field.value:
            return _like(value, where, field.value)
    return _equal(value, where, _spellings(field))


def _compare(value: str, where: list[str], operator: str, operand: str) -> Condition:
    number = _number(operand)
    if number is not None:
        return f"coalesce(try_cast({value} AS DOUBLE) {operator} ?, false)", [*where, number]
    return f"coalesce(lower({value}) {operator} lower(?), false)", [*where, operand]


def _like(value: str, where: list[str], pattern: str) -> Condition:
    for char in "\\%_":
        pattern = pattern.replace(char, "\\" + char)
    sql = f"coalesce(lower({value}) LIKE lower(?) ESCAPE '\\', false)"
    return sql, [*where, pattern.replace("*", "%")]


def _equal(value: str, where: list[str], values: list[str]) -> Condition:
    """Equal as text, as numbers, or to an element of an array."""
    parts: list[Condition] = []
    for each in values:
        element = json.dumps(each, ensure_ascii=False)
        parts.append((f"coalesce(lower({value}) = lower(?), false)", [*where, each]))
        parts.append(
            (
                f"coalesce(starts_with({value}, '[') AND"
                f" contains(lower({value}), lower(?)), false)",
                [*where, *where, element],
            )
        )
    number = _number(values[0])
    if number is not None:
        parts.append((f"coalesce(try_cast({value} AS DOUBLE) = ?, false)", [*where, number]))
    return _join(" OR ", parts, "false")


def _spellings(field: Field) -> list[str]:
    if field.name in ("level", "log.level") and field.comparison == ":":
        for group in LEVELS:
            if field.value.lower() in group:
                return list(group)
    return [field.value]


def _number(text: str) -> float | None:
    try:
        return float(text) if text.strip() == text and "_" not in text else None
    except ValueError:
        return None


def _utc(when: datetime) -> datetime:
    """As the column has it: UTC without saying so."""
    return when.astimezone(UTC).replace(tzinfo=None)
