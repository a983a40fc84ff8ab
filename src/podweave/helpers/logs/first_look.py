r"""What a line must have for a layout to read it, found from the pattern's text: cheap to ask.

`first` are the bytes that a line can begin with (None: any), `literals` are texts that stand in
every line. Both are read off the pattern as it is written, not off the regular expression, which
needn't be compiled for formats that never come.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.timestamps import STAMPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.line_layout import LineLayout

    First = frozenset[int] | None

_DIGITS = frozenset(b"0123456789")
_UPPER = frozenset(range(65, 91))
_LETTERS = _UPPER | frozenset(range(97, 123))
_STARTS = {
    "INT": _DIGITS | frozenset(b"-"),
    "NUMBER": _DIGITS | frozenset(b"-"),
    "INTORDASH": _DIGITS | frozenset(b"-"),
    "METHOD": _UPPER,
    "LOGLEVEL": _LETTERS,
    "PYTHONLEVEL": _UPPER,
    "PGLEVEL": _UPPER,
    "KLOGLEVEL": frozenset(b"IWEF"),
    "PRIORITY": _DIGITS,
}
_PART = re.compile(rb"%\{([A-Z0-9]+)(?::[a-z_][a-z0-9_]*(\?)?)?\}")
_EDGE = re.compile(rb"%\{(BEGIN|END)(?::[a-z_][a-z0-9_]*\??)?\}")
_QUANTIFIER = re.compile(rb"(?:[*+?]|\{\d*,?\d*\})[+?]?")
_CLASS = re.compile(rb"\[\^?\]?(?:[^\]\\]|\\.)*\]")
_MOST = 3


def look(pattern: bytes) -> tuple[First, tuple[bytes, ...]]:
    """`first` and `literals` of a layout's pattern."""
    scan = _Scan(pattern)
    try:
        scan.run()
    except ValueError:
        return None, ()
    literals = sorted(set(scan.literals), key=len, reverse=True)
    return scan.first, tuple(text for text in literals if len(text) > 1 or not text.isalnum())[
        :_MOST
    ]


def _stamp_begins(pattern: bytes) -> First:
    """Timestamps begin with a digit, a month's name or a weekday's; no class says so shortly."""
    seconds = pattern.lstrip(b"(").partition(b")")[0]
    if b"|" in seconds or b"(" in seconds:
        return None
    if seconds.startswith((rb"\d", b"[0", b"[1")):
        return _DIGITS
    if seconds.startswith(b"[JFMASOND]"):
        return frozenset(b"JFMASOND")
    return _UPPER if seconds.startswith(b"[A-Z]") else None


class _Scan:
    def __init__(self, pattern: bytes) -> None:
        self.pattern = pattern
        self.literals: list[bytes] = []
        self.current = b""
        self.first: First = frozenset()
        self.open = True
        """What comes next can stand at the line's beginning."""

    def run(self) -> None:
        pattern = self.pattern
        place = 0
        while place < len(pattern):
            part = _PART.match(pattern, place)
            if part is not None:
                place = part.end()
                if part[1] == b"BEGIN":
                    end = self.ending(place)
                    if self.alternates(place, end) or _QUANTIFIER.match(pattern, end):
                        place = self.unknown(end)
                    continue
                self.part(part[1].decode("ascii"), part[2] is not None)
                continue
            byte = pattern[place : place + 1]
            if byte == b"|":
                raise ValueError("alternatives all over the line")
            if byte == b"(":
                if pattern.startswith(b"(?=", place) or pattern.startswith(b"(?!", place):
                    place = self.closing(place)
                    continue
                place = self.unknown(self.closing(place))
            elif byte == b"[":
                match = _CLASS.match(pattern, place)
                if match is None:
                    raise ValueError("a class that doesn't end")
                place = self.unknown(match.end())
            elif byte == b".":
                place = self.unknown(place + 1)
            elif byte == b"\\":
                letter = pattern[place + 1 : place + 2]
                if letter.isalnum():
                    place = self.escape(letter, place)
                else:
                    place = self.literal(letter, place + 2)
            else:
                place = self.literal(byte, place + 1)
        self.flush()
        if self.open:
            self.first = None

    def part(self, shape: str, optional: bool) -> None:
        if shape == "END":
            return
        self.flush()
        stamp = STAMPS.get(shape)
        if stamp is not None:
            self.begins(_stamp_begins(stamp.pattern))
        else:
            self.begins(None if optional else _STARTS.get(shape))

    def unknown(self, place: int) -> int:
        """Something of which no literal is known."""
        self.flush()
        self.begins(None)
        match = _QUANTIFIER.match(self.pattern, place)
        return match.end() if match else place

    def escape(self, letter: bytes, place: int) -> int:
        if letter == b"x":
            byte = bytes((int(self.pattern[place + 2 : place + 4], 16),))
            return self.literal(byte, place + 4)
        if letter in b"tn":
            return self.literal(b"\t" if letter == b"t" else b"\n", place + 2)
        end = place + 2
        match = _QUANTIFIER.match(self.pattern, end)
        self.flush()
        self.begins(_DIGITS if letter == b"d" and match is None else None)
        return match.end() if match else end

    def literal(self, byte: bytes, place: int) -> int:
        match = _QUANTIFIER.match(self.pattern, place)
        if match is None:
            self.begins(frozenset(byte))
            self.current += byte
            return place
        if match[0][:1] == b"+":
            self.begins(frozenset(byte))
            self.current += byte
            self.flush()
            return match.end()
        self.flush()
        if self.open and self.first is not None:
            self.first |= frozenset(byte)
        return match.end()

    def begins(self, first: First) -> None:
        if self.open:
            self.first = None if first is None or self.first is None else self.first | first
            self.open = False

    def flush(self) -> None:
        if self.current:
            self.literals.append(self.current)
            self.current = b""

    def ending(self, place: int) -> int:
        """Behind the END of what began here."""
        depth = 1
        while depth:
            part = _EDGE.search(self.pattern, place)
            if part is None:
                raise ValueError("a BEGIN without an END")
            depth += 1 if part[1] == b"BEGIN" else -1
            place = part.end()
        return place

    def alternates(self, place: int, end: int) -> bool:
        """There is a choice between here and there, and not only inside a group."""
        while place < end:
            byte = self.pattern[place : place + 1]
            if byte == b"|":
                return True
            if byte == b"\\":
                place += 2
            elif byte == b"(":
                place = self.closing(place)
            else:
                match = _CLASS.match(self.pattern, place) if byte == b"[" else None
                place = match.end() if match else place + 1
        return False

    def closing(self, place: int) -> int:
        """Behind the parenthesis that ends the group here."""
        depth = 0
        pattern = self.pattern
        while place < len(pattern):
            byte = pattern[place : place + 1]
            if byte == b"\\":
                place += 2
                continue
            if byte == b"[":
                match = _CLASS.match(pattern, place)
                if match is None:
                    raise ValueError("a class that doesn't end")
                place = match.end()
                continue
            depth += (byte == b"(") - (byte == b")")
            place += 1
            if depth == 0:
                return place
        raise ValueError("a group that doesn't end")


def candidates(layouts: Sequence[LineLayout], line: bytes) -> list[LineLayout]:
    """Of these layouts those that may read the line, in their order."""
    first = line[0] if line else -1
    return [
        layout
        for layout in layouts
        if (layout.first is None or first in layout.first)
        and all(map(line.__contains__, layout.literals))
    ]
