r"""Lines of security events: a head between bars, and an extension of names and values.

    CEF:0|vendor|product|version|code|name|severity|src=10.0.0.1 msg=worm \= stopped
    LEEF:2.0|vendor|product|version|code|^|src=10.0.0.1^cat=worm

In CEF a value goes on up to the next name, and backslashes escape; in LEEF up to a delimiter,
which is a tab unless the head says otherwise. Either may stand behind a head of syslog's.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.fields import FIELDS
from podweave.helpers.logs.structured.interface import StructuredLayout
from podweave.helpers.logs.structured.leaves import PLAIN, Leaf, LeafText
from podweave.helpers.logs.structured.names import KeyTable
from podweave.helpers.logs.structured.sink import Sink, derive_into
from podweave.helpers.logs.timestamps import STAMPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.column_layout import Derive
    from podweave.helpers.logs.fields import Record
    from podweave.helpers.logs.structured.leaves import Parts

    # A name, its value, and whether it is of the head.
    Members = list[tuple[str, Any, bool]]

_GROUP = re.compile(rb"(?<!\\)\((?!\?)")
_TIME = STAMPS["SYSLOGTIME"]
_HOST = rb"[^ \n]++(?<!:)"
SYSLOG = rb"(?:<(?P<priority>0|[1-9]\d{0,17})>)?(?P<time>%b) (?P<host>%b) " % (
    _GROUP.sub(b"(?:", _TIME.pattern),
    _HOST,
)
"""What syslog writes in front of an event."""
_REST = "extension"
"""The name of what stands in front of the first one."""
_MOST = 80
"""Names and values that a shape has."""
_KEY = rb"[A-Za-z_][\w.\-\[\]]*+="
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "r": "\r"}


class EventLayout(StructuredLayout):
    """Reads a line as an event. `head`: its pattern up to the extension, with named groups.

    Groups are called as neutral fields, or as fields of the application's own; `name` is the
    message, unless a value is. `keys`: names of values, see KeyTable; no others are known.
    `derive`: as JsonLayout; also from fields of the application's own.
    """

    first: frozenset[int] | None = None
    literals: tuple[bytes, ...] = ()

    def __init__(
        self,
        head: bytes,
        keys: Mapping[str, str],
        *,
        literal: bytes,
        derive: tuple[Derive, ...] = (),
    ) -> None:
        self.keys = KeyTable(keys, usual=False)
        self.derive = derive
        self.head = re.compile(head)
        self.first = frozenset(literal[:1]) if head.startswith(literal) else None
        self.literals = (literal,)
        self.named = re.compile(rb"((?<=[ |\t^])[^\s=|^]++=|\n)")
        self._messages = frozenset(key for key, field in keys.items() if field == "message")

    def reads(self, line: bytes, clock: Clock) -> bool:
        return self.head.match(line) is not None

    def record(self, line: bytes, clock: Clock) -> Record | None:
        head = self.head.match(line)
        if head is None:
            return None
        sink = Sink(clock, self.keys, self.levels)
        self.put(
            [
                (name, self.text(line[start:end], within), within)
                for name, start, end, within in self._spans(head)
            ],
            sink,
        )
        record = sink.record
        derive_into(record, self.derive, record.get("attributes", {}))
        return record

    def apart(self, line: bytes, singles: frozenset[str]) -> tuple[Parts, Members] | None:
        head = self.head.match(line)
        if head is None:
            return None
        parts: Parts = []
        members: Members = []
        place = 0
        for name, start, end, within in self._spans(head):
            if name == _REST:
                return None
            value = LeafText(self.text(line[start:end], within))
            leaf = Leaf(PLAIN, name, value)
            if within and name == "time":
                leaf.stamp = _TIME
            elif within and name == "host":
                leaf.patterns = b"(" + _HOST + b")", b"(" + _HOST + b")"
            else:
                self.lay_out(leaf, within, head)
            parts += [line[place:start], leaf]
            place = end
            members.append((name, value, within))
        parts.append(line[place:])
        return (parts, members) if len(members) <= _MOST else None

    def put(self, members: Members, sink: Sink) -> None:
        own = not any(name in self._messages for name, _, within in members if not within)
        for name, value, within in members:
            field = "message" if name == "name" and own else name
            if not within or field not in FIELDS or not sink.keep(field, "", value, True):
                sink.fill(name, value)

    def text(self, text: bytes, within: bool) -> str:
        """What stands in the head, or as a value."""
        return text.decode("utf-8", "replace")

    def values(self, head: re.Match[bytes]) -> Iterator[tuple[str, int, int]]:
        """The names of the extension, and where their values stand."""
        raise NotImplementedError

    def lay_out(self, leaf: Leaf, within: bool, head: re.Match[bytes]) -> None:
        """Say what a leaf may be in other lines, and how it is read."""
        raise NotImplementedError

    def _spans(self, head: re.Match[bytes]) -> Iterator[tuple[str, int, int, bool]]:
        for name, number in self.head.groupindex.items():
            if name == "name" or (name[0] != "_" and head[number] not in (None, b"", b"-")):
                yield name, *head.span(number), True
        for name, start, end in self.values(head):
            yield name, start, end, False


_BAR = rb"[^|\\\n]*+(?>(?:\\[^\n][^|\\\n]*+)*)"
_BAR_LOOSE = rb"[^|\n]*+"
_CEF = rb"CEF: ?(?P<cef_version>\d)\|" + b"".join(
    b"(?P<%b>%b)" % (name, _BAR) + rb"\|"
    for name in b"vendor product product_version event_code name severity_name".split()
)
_WORD = rb"(?>(?:[^\\\n ]++|\\[^\n ])+)"
_VALUE = rb"((?>(?:%b(?>(?: ++(?!%b)%b)*))?))" % (_WORD, _KEY, _WORD)
_VALUE_LOOSE = rb"(?! )([^=\n]*)(?<! )"
_CEF_KEY = re.compile(rb"(?:\A|(?<= ))" + _KEY)


class CefLayout(EventLayout):
    """ArcSight's Common Event Format."""

    def __init__(
        self, keys: Mapping[str, str], before: bytes = b"", derive: tuple[Derive, ...] = ()
    ) -> None:
        super().__init__(before + _CEF, keys, literal=b"CEF:", derive=derive)

    def text(self, text: bytes, within: bool) -> str:
        return _unescaped(text)

    def values(self, head: re.Match[bytes]) -> Iterator[tuple[str, int, int]]:
        begin = head.end()
        extension = head.string[begin:]
        name, start = _REST, 0
        for match in _CEF_KEY.finditer(extension):
            if start or match.start():
                yield name, *_stripped(extension, begin, start, match.start())
            name, start = match[0][:-1].decode("ascii"), match.end()
        if start or extension.strip(b" "):
            yield name, *_stripped(extension, begin, start, len(extension))

    def lay_out(self, leaf: Leaf, within: bool, head: re.Match[bytes]) -> None:
        leaf.unescape = _unescaped
        if leaf.path == "cef_version":
            leaf.patterns = rb"(\d)", rb"(\d)"
        elif within:
            there = b"" if leaf.path == "name" else rb"(?!-?\|)"
            leaf.patterns = there + b"(" + _BAR + b")", there + b"(" + _BAR_LOOSE + b")"
        else:
            leaf.patterns = _VALUE, _VALUE_LOOSE


def _stripped(text: bytes, begin: int, start: int, end: int) -> tuple[int, int]:
    value = text[start:end]
    start += begin + len(value) - len(value.lstrip(b" "))
    return start, start + len(value.strip(b" "))


def _unescaped(text: bytes) -> str:
    said = text.decode("utf-8", "replace")
    return _ESCAPE.sub(lambda m: _ESCAPES.get(m[1], m[1]), said) if "\\" in said else said


_LEEF = (
    rb"LEEF: ?(?P<leef_version>[12]\.0)\|(?P<vendor>[^|\n]*)\|(?P<product>[^|\n]*)\|"
    rb"(?P<product_version>[^|\n]*)\|(?P<event_code>[^|\n]*)\|"
    rb"(?:(?P<_delimiter>[^\n]|0?x[0-9A-Fa-f]{2,4})\|)?"
)
_HEXADECIMAL = re.compile(rb"0?x[0-9A-Fa-f]{2,4}")


class LeefLayout(EventLayout):
    """IBM's Log Event Extended Format."""

    def __init__(
        self, keys: Mapping[str, str], before: bytes = b"", derive: tuple[Derive, ...] = ()
    ) -> None:
        super().__init__(before + _LEEF, keys, literal=b"LEEF:", derive=derive)

    def values(self, head: re.Match[bytes]) -> Iterator[tuple[str, int, int]]:
        between = _delimiter(head)
        place = head.end()
        last = None
        for part in head.string[place:].split(between):
            name, equals, _ = part.partition(b"=")
            key = name.strip().decode("utf-8", "replace")
            end = place + len(part)
            if equals and key:
                if last is not None:
                    yield last
                last = key, place + len(name) + 1, end
            elif last is not None:
                # The delimiter is in the value.
                last = *last[:2], end
            elif part:
                last = _REST, place, end
            place = end + len(between)
        if last is not None:
            yield last

    def lay_out(self, leaf: Leaf, within: bool, head: re.Match[bytes]) -> None:
        if leaf.path == "leef_version" and within:
            pattern = rb"([12]\.0)"
        elif within:
            pattern = rb"(?!-?\|)([^|\n]*+)"
        else:
            pattern = rb"((?>(?:(?!%b)[^\n])*))" % re.escape(_delimiter(head))
            if len(_delimiter(head)) == 1:
                pattern = rb"([^%b\n]*+)" % re.escape(_delimiter(head))
        leaf.patterns = pattern, pattern


def _delimiter(head: re.Match[bytes]) -> bytes:
    said = head["_delimiter"] or b"\t"
    if _HEXADECIMAL.fullmatch(said):
        return chr(int(said.partition(b"x")[2], 16)).encode("utf-8", "replace")
    return said
