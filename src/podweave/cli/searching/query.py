"""The query language: words and fields.

    orders                  the word, anywhere in the record, in any case
    "out of stock"          the phrase
    time*out, *             `*` in a word: anything but white space; a lone `*`: every record
    level:error             the field has this value (in any case)
    url.path:/orders/*      `*` stands for anything; a lone `*`: the field is there
    http.response.status_code:>=500       also >, <, <=, and = for a message as a whole
    -level:debug, -timeout  not
    since:5m, until:2026-01-02T03:04      ms, s, m, h, d, w ago, or a time (UTC unless it says)
    a b, a OR b, (a OR b) c               and; or, which binds less; grouping

Grammar:

    either = both {"OR" both}
    both   = term {["AND"] term}
    term   = ["-"] ( "(" either ")" | phrase | field ":" [comparison] value | word )

A field begins with a letter, `@` or `_`; what only looks like one (`12:30`, `http://x`) is a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from podweave.model.errors import InputError


@dataclass(frozen=True)
class Word:
    """Anywhere in the record. `wildcard`: `*` in it stands for anything but white space."""

    text: str
    wildcard: bool = False


@dataclass(frozen=True)
class Field:
    """A field against a value. `comparison`: ":" for the usual meaning, or = > >= < <=."""

    name: str
    comparison: str
    value: str
    quoted: bool = False


@dataclass(frozen=True)
class Time:
    """Records from `moment` on (since) or before it (until); a timedelta counts back from now."""

    since: bool
    moment: datetime | timedelta


@dataclass(frozen=True)
class Not:
    term: Query


@dataclass(frozen=True)
class All:
    """All of them; of none: every record."""

    terms: tuple[Query, ...]


@dataclass(frozen=True)
class Either:
    """At least one of them."""

    terms: tuple[Query, ...]


Query = Word | Field | Time | Not | All | Either

UNITS = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
DEPTH = 50

_FIELD = re.compile(r"([A-Za-z@_][\w@.\-/]*):(>=|<=|=|>|<)?")
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(ms|[smhdw])")


def parse(text: str) -> Query:
    """Parse a query; InputError says where it is wrong."""
    parser = _Parser(text)
    query = parser.either(0)
    if not parser.at_end():
        raise parser.error("')' closes nothing")
    return query


def moment(text: str) -> datetime | timedelta:
    """`5m`, `1.5h`, `2026-01-02`, `2026-01-02T03:04:05+09:00`; ValueError says what is right."""
    duration = _DURATION.fullmatch(text)
    try:
        if duration:
            return UNITS[duration[2]] * float(duration[1])
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is None:
            return parsed.replace(tzinfo=UTC)
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no time: write 30s, 5m, 2h, 1d, or 2026-01-02T03:04"
        ) from None


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def error(self, message: str, at: int | None = None) -> InputError:
        at = self._at if at is None else at
        line = " ".join(self._text.split("\n"))
        return InputError(f"query, column {at + 1}: {message}\n  {line}\n  {' ' * at}^")

    def at_end(self) -> bool:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at == len(self._text)

    def either(self, depth: int) -> Query:
        if depth > DEPTH:
            raise self.error(f"more than {DEPTH} parentheses within each other")
        terms = [self._both(depth)]
        while self._keyword("OR"):
            terms.append(self._both(depth))
        return terms[0] if len(terms) == 1 else Either(tuple(terms))

    def _both(self, depth: int) -> Query:
        terms: list[Query] = []
        begin = self._at
        while not self.at_end() and self._text[self._at] != ")" and not self._peek("OR"):
            if terms and self._keyword("AND"):
                if self.at_end():
                    raise self.error("nothing follows AND")
                continue
            terms.append(self._term(depth))
        if not terms and (depth or begin or self._peek("OR")):
            raise self.error("a word or a field is missing here")
        return terms[0] if len(terms) == 1 else All(tuple(terms))

    def _term(self, depth: int) -> Query:
        begin = self._at
        if self._text[begin] == "-" and begin + 1 < len(self._text):
            following = self._text[begin + 1]
            if following == "-":
                raise self.error("no such option; for not, one '-' is enough")
            if not following.isspace():
                self._at += 1
                return Not(self._term(depth))
        if self._text[begin] == "(":
            self._at += 1
            inner = self.either(depth + 1)
            if self.at_end():
                raise self.error("'(' is not closed", begin)
            self._at += 1
            return inner
        if self._text[begin] == '"':
            return Word(self._quoted())
        field = _FIELD.match(self._text, begin)
        if field and not self._text.startswith("//", field.end()):
            self._at = field.end()
            return self._field(field[1], field[2] or ":", begin)
        word = self._bare(depth)
        if "*" not in word:
            return Word(word)
        # A word is looked for anywhere, so nothing is said by one at its ends.
        looked_for = word.strip("*")
        return Word(looked_for, "*" in looked_for) if looked_for else All(())

    def _field(self, name: str, comparison: str, begin: int) -> Query:
        at = self._at
        quoted = self._text.startswith('"', at)
        value = self._quoted() if quoted else self._bare(1)
        if not value and not quoted:
            raise self.error(f'{name!r} has no value; for the word itself write "{name}:"', begin)
        if name in ("since", "until"):
            if comparison != ":":
                raise self.error(f"{name} takes no {comparison}", begin)
            try:
                return Time(name == "since", moment(value))
            except ValueError as error:
                raise self.error(str(error), at) from None
        return Field(name, comparison, value, quoted)

    def _bare(self, depth: int) -> str:
        """Up to white space, or to the ")" of a group that this word isn't part of."""
        begin = self._at
        opened = 0
        while self._at < len(self._text) and not self._text[self._at].isspace():
            char = self._text[self._at]
            if char == "(":
                opened += 1
            elif char == ")":
                if not opened:
                    break
                opened -= 1
            self._at += 1
        return self._text[begin : self._at]

    def _quoted(self) -> str:
        begin = self._at
        found = ""
        self._at += 1
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return found
            if char == "\\" and self._text[self._at + 1 : self._at + 2] in ('"', "\\"):
                self._at += 1
                char = self._text[self._at]
            found += char
            self._at += 1
        raise self.error("the quotation mark is not closed", begin)

    def _peek(self, keyword: str) -> bool:
        self.at_end()
        end = self._at + len(keyword)
        return self._text.startswith(keyword, self._at) and (
            end == len(self._text) or self._text[end].isspace() or self._text[end] == "("
        )

    def _keyword(self, keyword: str) -> bool:
        if not self._peek(keyword):
            return False
        self._at += len(keyword)
        return True
