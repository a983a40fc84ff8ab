r"""Lines of names and values: logfmt, LTSV, key=value.

level=info msg="order placed" order=42        PairsLayout()
time:23/Nov/2026:02:16:56 +0000<TAB>status:200  PairsLayout(between=b"\t", assign=b":")
"""

from __future__ import annotations

import re

from podweave.helpers.logs.structured.interface import StructuredLayout
from podweave.helpers.logs.structured.names import KeyTable
from podweave.helpers.logs.structured.sink import Sink, derive_into, json_float

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.column_layout import Derive
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.structured.leaves import Parts

_KEY = rb"[A-Za-z_@][\w.\-/@]*+"
_QUOTED = rb'"(?>(?:[^"\\\n]|\\.)*)"'
NUMBER = re.compile(r"(?:0|-?[1-9]\d{0,17})(\.\d{1,9})?")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


class PairsLayout(StructuredLayout):
    """Reads a line of at least `least` pairs.

    `between` stands between two pairs (spaces may stand more than once), `assign` between a name
    and its value. With `quoted`, a value in double quotes may have anything in it, and backslashes
    escape; a name alone is true, and numbers are numbers. Without, values are texts up to
    `between`. `keys`, `derive`, `requires` (names that must be there), `general`: as JsonLayout.
    """

    literals: tuple[bytes, ...] = ()

    def __init__(
        self,
        keys: Mapping[str, str] | None = None,
        *,
        between: bytes = b" ",
        assign: bytes = b"=",
        quoted: bool = True,
        least: int = 2,
        requires: tuple[str, ...] = (),
        derive: tuple[Derive, ...] = (),
        general: bool = False,
    ) -> None:
        self.keys = KeyTable(keys or {})
        self.between = between
        self.assign = assign
        self.quoted = quoted
        self.requires = requires
        self.derive = derive
        self.general = general
        first, equals = re.escape(between[:1]), re.escape(assign)
        if quoted:
            value = rb'(?:%b|[^\s"%b]*+)' % (_QUOTED, first)
            pair = rb"%b(?>(?:%b%b)?)" % (_KEY, equals, value)
            start = rb"%b%b%b" % (_KEY, equals, value)
            self.pair = re.compile(
                rb'(%b)(?>(?:%b(?:"((?>(?:[^"\\\n]|\\.)*))"|([^\s"%b]*+)))?)'
                % (_KEY, equals, first)
            )
        else:
            key = rb"[^%b%b\n]++" % (first, re.escape(assign[:1]))
            start = pair = rb"%b%b[^%b\n]*+" % (key, equals, first)
            self.pair = re.compile(rb"(%b)%b([^%b\n]*+)" % (key, equals, first))
        # Nothing that a name is looked for behind may be in a name.
        name, space = (_KEY, b" ") if quoted else (key, b"")
        self.named = re.compile(rb"((?:\A|(?<=[\n%b%b]))%b%b|\n)" % (space, first, name, equals))
        if least < 2:
            more = rb"(?>(?:%b%b)*)" % (self._gap(), pair)
        else:
            # At least two, or any sentence with a `=` in its only word would be one.
            more = rb"(?>(?:%b%b){%d,})" % (self._gap(), pair, least - 1)
        self.line = re.compile(start + more + rb" *+")
        self.literals = (assign, *(name.encode() + assign for name in requires))

    def _gap(self) -> bytes:
        return rb" ++" if self.between == b" " else re.escape(self.between) + rb" *+"

    def reads(self, line: bytes, clock: Clock) -> bool:
        return self.decode(line) is not None

    def record(self, line: bytes, clock: Clock) -> Record | None:
        pairs = self.decode(line)
        if pairs is None:
            return None
        sink = Sink(clock, self.keys, self.levels)
        self.put(pairs, sink)
        derive_into(sink.record, self.derive, {})
        return sink.record

    def apart(
        self, line: bytes, singles: frozenset[str]
    ) -> tuple[Parts, list[tuple[str, Any]]] | None:
        from podweave.helpers.logs.structured.pair_parts import take_apart

        pairs = self.decode(line)
        if pairs is None or len({name for name, _ in pairs}) < len(pairs):
            return None
        return take_apart(line, self.pair, self.quoted)

    def decode(self, line: bytes) -> list[tuple[str, Any]] | None:
        """The line's names and values."""
        for literal in self.literals:
            if literal not in line:
                return None
        if self.line.fullmatch(line) is None:
            return None
        pairs: list[tuple[str, Any]] = []
        for match in self.pair.finditer(line):
            key = match[1].decode("utf-8", "replace")
            if self.quoted:
                pairs.append((key, value_of(match[2], match[3])))
            else:
                pairs.append((key, match[2].decode("utf-8", "replace")))
        if self.requires and not {key for key, _ in pairs}.issuperset(self.requires):
            return None
        return pairs

    def put(self, pairs: list[tuple[str, Any]], sink: Sink) -> None:
        for key, value in pairs:
            sink.fill(key, value)


def value_of(quoted: bytes | None, bare: bytes | None) -> Any:
    """A value as it is written: in quotes, bare, or not at all."""
    if quoted is not None:
        text = quoted.decode("utf-8", "replace")
        return _ESCAPE.sub(_unescape, text) if "\\" in text else text
    if bare is None:
        return True
    text = bare.decode("utf-8", "replace")
    number = NUMBER.fullmatch(text)
    if number is None:
        return text
    return json_float(text) if number[1] else int(text)


def _unescape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[1], match[1])
