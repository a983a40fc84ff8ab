r"""`{grok: ...}`: expressions of named patterns, as Logstash, Vector and others have them.

    %{TIMESTAMP_ISO8601:time} %{LOGLEVEL:level} \[%{DATA:thread}\] %{GREEDYDATA:message}

Also `{grok: {match: TEXT or list of TEXTS, patterns: {NAME: EXPRESSION}}}`. Names of fields are
neutral ones, or what they usually mean (`clientip`, `verb`, `response`, `[log][level]`), or the
application's own; `:int` and `:float` make numbers. As elsewhere, an expression may match a part
of the line; a line has its whole text for a message where the expression names none.

An expression of texts and named patterns becomes a layout like the catalogue's. Each named
pattern takes what it would take at first, and doesn't give it back. Where giving back would have
helped, and in expressions with more of the syntax of regular expressions, the expression itself
reads the line, bounded in time (patience.py).
"""

from __future__ import annotations

import re

from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, TEXT
from podweave.helpers.logs.formats.own import dates, grok_patterns
from podweave.helpers.logs.formats.own.assembly import (
    Gap,
    Moment,
    Part,
    Ready,
    Text,
    Value,
    field_of,
    layout_of,
)
from podweave.helpers.logs.formats.own.expressions import OwnLayout, filed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record

_REFERENCE = re.compile(r"%\{(\w+)(?::([^{}:]*))?(?::(\w+))?\}")
_NAMED_GROUP = re.compile(r"\(\?<([A-Za-z_\[][\w.\-\[\]@]*)>")
_SPECIAL = frozenset("()[]{}|?*+.^$")
_KINDS = {"int": INTEGER, "integer": INTEGER, "long": INTEGER, "float": DECIMAL, "double": DECIMAL}
_KINDS |= {"number": DECIMAL, "string": TEXT, "keyword": TEXT}
_DEEPEST = 12
_LONGEST = 64 * 1024


class _NotPlainError(Exception):
    """More than texts and named patterns."""


def make(value: Any) -> list[Any]:
    patterns: dict[str, str] = {}
    given = value
    if isinstance(value, dict):
        unknown = set(value) - {"match", "patterns"}
        if unknown or "match" not in value:
            raise ValueError("must be a text, or an object of match and patterns")
        patterns = value.get("patterns", {})
        if not isinstance(patterns, dict) or not all(
            isinstance(text, str) for text in patterns.values()
        ):
            raise ValueError("patterns must be an object of texts")
        given = value["match"]
    texts = given if isinstance(given, list) else [given]
    if not texts or not all(isinstance(text, str) and text for text in texts):
        raise ValueError("must be a text, or a list of texts")
    return [layout for text in texts for layout in _layouts(text, patterns)]


def _layouts(text: str, patterns: dict[str, str]) -> list[Any]:
    library = {**grok_patterns.PATTERNS, **patterns}
    exact = GrokLayout(*_expression(text, library))
    try:
        inner = text.removeprefix("^").removeprefix(r"\A")
        ended = inner.endswith("$") and not inner.endswith("\\$")
        parts = _parts(inner[:-1] if ended else inner, library, set(patterns), 0)
        named = any(isinstance(part, Value) and part.name == "message" for part in parts)
        if not named and not any(isinstance(part, Ready) for part in parts):
            parts = [Ready("", b"%{BEGIN:message}"), *parts]
            if not ended:
                parts.append(Ready("", b"%{REST}"))
            parts.append(Ready("", b"%{END}"))
            ended = True
        layout = layout_of(parts, whole=ended or _takes_the_rest(parts[-1]))
    except (_NotPlainError, ValueError):
        return [exact]
    exact.general = True
    return [layout, exact]


def _takes_the_rest(part: Part) -> bool:
    return isinstance(part, Value) and part.pattern is None


def _target(name: str) -> str:
    """The field of a grok's name: [log][level] is log.level."""
    if name.startswith("["):
        name = name.strip("[]").replace("][", ".")
    known = grok_patterns.FIELDS.get(name)
    return known if known is not None else field_of(name)


def _parts(text: str, library: dict[str, str], own: set[str], depth: int) -> list[Part]:
    if depth > _DEEPEST:
        raise _NotPlainError
    parts: list[Part] = []
    place = 0
    while place < len(text):
        reference = _REFERENCE.match(text, place)
        if reference is not None:
            place = reference.end()
            parts += _reference(reference, text[place:], library, own, depth)
            continue
        character = text[place]
        if character == "\\":
            escaped = text[place + 1 : place + 2]
            repeat = text[place + 2 : place + 3]
            place += 2
            if escaped == "s":
                if repeat not in ("+", "*"):
                    raise _NotPlainError
                parts.append(Gap(repeat == "+"))
                place += 1
                continue
            if escaped == "t":
                escaped = "\t"
            elif not escaped or escaped.isalnum():
                raise _NotPlainError
            character = escaped
        elif character == " " and text[place + 1 : place + 2] in ("+", "*"):
            parts.append(Gap(text[place + 1] == "+"))
            place += 2
            continue
        elif character in _SPECIAL:
            raise _NotPlainError
        else:
            place += 1
        if text[place : place + 1] in ("?", "*", "+", "{"):
            raise _NotPlainError
        parts.append(Text(character))
    return parts


def _reference(
    match: re.Match[str], rest: str, library: dict[str, str], own: set[str], depth: int
) -> list[Part]:
    name, target, kind = match[1], match[2], match[3]
    field = _target(target) if target else ""
    if name in grok_patterns.READY and name not in own and not field:
        return [Ready(match[0], grok_patterns.READY[name])]
    if field == "time":
        stamp = grok_patterns.STAMPS.get(name)
        if stamp is None or name in own:
            raise _NotPlainError
        return [Moment(match[0], dates.builtin(stamp))]
    pattern = library[name]
    if name == "GREEDYDATA":
        if rest not in ("", "$"):
            raise _NotPlainError
        return [Value(match[0], field or "_rest")]
    if name == "DATA":
        if not rest or rest[0] in "%$":
            raise _NotPlainError
        return [Value(match[0], field or "_data")]
    if name == "SPACE":
        return [Gap(0)]
    if not field and "%{" in pattern:
        return _parts(pattern, library, own, depth + 1)
    expanded, names = _expand(pattern, library, 0)
    if names:
        raise _NotPlainError
    shape = b"(?>" + _without_newlines(expanded).encode() + b")"
    wanted = _kind(field, kind)
    if wanted == INTEGER:
        shape = rb"(?:0|-?[1-9]\d{0,17})(?!\d)"
    elif wanted == DECIMAL:
        shape = rb"-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?(?![\d.])"
    if not field:
        return [Ready(match[0], shape)]
    return [Value(match[0], field, shape, kind=wanted)]


_OUTSIDE = {".": r"[^\n]", r"\S": r"[^\s]", r"\s": r"[ \t]"}


def _without_newlines(expression: str) -> str:
    """The same expression, but for newlines, which no part of a layout can match."""
    spelled: list[str] = []
    inside = False
    place = 0
    while place < len(expression):
        part = expression[place]
        if part == "\\":
            part = expression[place : place + 2]
        if part in (r"\W", r"\D") or (inside and part == r"\S"):
            raise _NotPlainError
        place += len(part)
        if inside:
            inside = part != "]"
            spelled.append(r" \t" if part == r"\s" else part)
            continue
        if part == "[":
            inside = True
            if expression.startswith("^", place):
                part = r"[^\n"
                place += 1
            if expression.startswith("]", place):
                part += r"\]"
                place += 1
        spelled.append(_OUTSIDE.get(part, part))
    return "".join(spelled)


def _kind(field: str, kind: str | None) -> str:
    if field in FIELDS:
        return FIELDS[field]
    if kind is not None:
        return _KINDS[kind]
    return TEXT


def _expression(text: str, library: dict[str, str]) -> tuple[str, dict[str, tuple[str, str]]]:
    """The regular expression of a whole line, and what its groups are called."""
    expanded, names = _expand(text, library, 0)
    before = "" if text.startswith(("^", r"\A")) else r"[^\n]*?"
    after = "" if text.endswith("$") and not text.endswith("\\$") else r"[^\n]*"
    body = expanded.removeprefix("^")
    if after == "":
        body = body[:-1]
    return f"{before}(?:{body}){after}", dict(names)


def _expand(
    text: str, library: dict[str, str], depth: int, names: dict[str, tuple[str, str]] | None = None
) -> tuple[str, dict[str, tuple[str, str]]]:
    names = {} if names is None else names
    if depth > _DEEPEST:
        raise ValueError("has patterns that lead back to themselves")

    def group(target: str, kind: str | None) -> str:
        name = f"g{len(names)}"
        field = _target(target)
        names[name] = field, _kind(field, kind)
        return f"(?P<{name}>"

    def named(match: re.Match[str]) -> str:
        return group(match[1], None)

    def reference(match: re.Match[str]) -> str:
        pattern = library.get(match[1])
        if pattern is None:
            hint = _did_you_mean(match[1], library)
            raise ValueError(f"has {match[0]}: no pattern is called {match[1]}{hint}")
        if match[3] is not None and match[3] not in _KINDS:
            raise ValueError(f"has {match[0]}: a field is a string, an int or a float")
        if not match[2]:
            return "(?:" + _expand(pattern, library, depth + 1, names)[0] + ")"
        opening = group(match[2], match[3])
        return opening + _expand(pattern, library, depth + 1, names)[0] + ")"

    expanded = _REFERENCE.sub(reference, _NAMED_GROUP.sub(named, text))
    if len(expanded) > _LONGEST:
        raise ValueError("becomes a regular expression that is too long")
    return expanded, names


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    # Only errors need it, and every start would pay for it.
    from difflib import get_close_matches

    near = get_close_matches(word[:100], list(known), 1)
    return f": did you mean {near[0]!r}?" if near else ""


class GrokLayout(OwnLayout):
    """The expression itself, line by line."""

    def __init__(self, expression: str, fields: dict[str, tuple[str, str]]) -> None:
        if not fields:
            raise ValueError("names no field: %{GREEDYDATA:message}")
        super().__init__(expression)
        self._fields = [(index, *fields[name]) for index, name in self._indexes if name in fields]
        self.names = frozenset(field for _, field, _ in self._fields) | {"message"}

    def record(self, line: bytes, clock: Clock) -> Record | None:
        match = self._expression.fullmatch(line)
        if match is None:
            return None
        record = filed(((name, kind, match[index]) for index, name, kind in self._fields), clock)
        record.setdefault("message", line.decode("utf-8", "replace"))
        return record
