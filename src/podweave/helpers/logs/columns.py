"""Columns: the texts that one part of a layout has in each line of a chunk."""

from __future__ import annotations

import re

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.fields import ABSENT
from podweave.helpers.logs.memo import MOST, Memo
from podweave.helpers.logs.timestamps import Stamp
from podweave.helpers.logs.utf8 import is_utf8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Column = Sequence[bytes]
    # Makes what a template puts into one place of each row.
    Slot = Callable[["Chunk"], Iterable[bytes]]

# A column whose texts are new more often than every so many-th, and so many that the memory is
# full, is converted without it, and looked at again after so many chunks.
_SELDOM = 3
_LOOK_AGAIN = 256

_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_UNSAFE = bytes(range(10)) + bytes(range(11, 32)) + b'"\\'
# Every control character but the newline becomes NUL.
_CONTROLS = bytes(10) + b"\n" + bytes(21) + bytes(range(32, 256))


PRESENT, MISSING, MIXED = 1, 0, 2


def presence(column: Column) -> int:
    """Whether all lines of a chunk have an optional part, or none, or some."""
    first = column[0]
    if first in ABSENT:
        return MISSING if column[-1] == first and column.count(first) == len(column) else MIXED
    return MIXED if b"-" in column or b"" in column else PRESENT


class Frequent:
    """What a function makes of each text of a column, remembered; None where few of them repeat.

    Of such a column's next ones nothing is remembered; now and then it is tried again.
    """

    __slots__ = ("_memo", "_wait")

    def __init__(self, function: Callable[[bytes], bytes]) -> None:
        self._memo = Memo(function)
        self._wait = 0

    def of(self, column: Column) -> list[bytes] | None:
        if self._wait:
            self._wait -= 1
            return None
        memo = self._memo
        before = len(memo)
        values = list(map(memo.__getitem__, column))
        # Full, and most of what filled it was new.
        if len(memo) < before and (MOST - before + len(memo)) * _SELDOM > len(column):
            memo.clear()
            self._wait = _LOOK_AGAIN
        return values


class Chunk:
    """The columns of a chunk while its rows are made."""

    __slots__ = ("_clean", "_data", "clock", "columns", "exact", "loose", "path", "valid")

    def __init__(
        self,
        columns: list[Column],
        data: bytes,
        loose: bool,
        clock: Clock,
        path: bytes,
    ) -> None:
        self.columns = columns
        self._data = data
        self._clean: bool | None = None
        self.loose = loose
        """A layout's loose pattern read it."""
        self.valid = is_utf8(data)
        """All of it is UTF-8."""
        self.clock = clock
        self.path = path
        """The file's path, as JSON."""
        self.exact: list[int] = []
        """Rows that must be made the exact way."""

    @property
    def clean(self) -> bool:
        """It has no control character but newlines."""
        if self._clean is None:
            self._clean = is_clean(self._data)
        return self._clean


class Seconds:
    """Timestamps down to the second, as a schema writes them; each distinct one read once."""

    def __init__(self, stamp: Stamp, write: Callable[[int], bytes]) -> None:
        self._stamp = stamp
        self._write = write
        self._memo = Memo(self._convert)
        self._minutes = Memo(self._minute)
        self._clock = Clock(0)
        self._hour = 0

    def of(self, texts: Iterable[bytes], clock: Clock) -> list[Any]:
        """Texts; None for what is no date, nothing for nothing."""
        hour = int(clock.until) // 3600
        if hour != self._hour:
            # A time of day or a date without its year means another day sooner or later.
            self._memo.clear()
            self._minutes.clear()
            self._hour = hour
        self._clock = clock
        return list(map(self._memo.__getitem__, texts))

    def _convert(self, text: bytes) -> bytes | None:
        if not text:
            return b""
        at = self._stamp.second
        second = text[at : at + 2]
        if at and second.isdigit() and second < b"60":
            seconds = self._minutes[text[:at] + b"00" + text[at + 2 :]]
            if seconds is not None:
                seconds += int(second)
        else:
            seconds = self._minute(text)
        return None if seconds is None else self._write(seconds)

    def _minute(self, text: bytes) -> int | None:
        return self._stamp.convert(text, self._clock)

    def within(self, before: bytes, after: bytes) -> Seconds:
        """The same between two texts."""
        write = self._write
        return Seconds(self._stamp, lambda seconds: before + write(seconds) + after)


def is_clean(data: bytes) -> bool:
    """No control character but newlines."""
    return b"\0" not in data.translate(_CONTROLS)


def escape(column: Column, valid: bool, clean: bool = False) -> Column:
    """Each text of a column as the inside of a JSON string.

    No text has a newline, so the column is escaped as one text, joined by newlines.
    `valid`: the texts are UTF-8; `clean`: see is_clean.
    """
    text = b"\n".join(column)
    if valid and clean:
        if b"\\" in text:
            text = text.replace(b"\\", b"\\\\")
        elif b'"' not in text:
            return column
        return text.replace(b'"', b'\\"').split(b"\n")
    if valid and len(text.translate(None, _UNSAFE)) == len(text):
        return column
    if not valid and not text.isascii():
        text = text.decode("utf-8", "replace").encode()
    text = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    if b"\t" in text:
        text = text.replace(b"\t", rb"\t")
    if _CONTROL.search(text):
        text = _CONTROL.sub(_escape_control, text)
    return text.split(b"\n")


_SHORT = {b"\b": rb"\b", b"\t": rb"\t", b"\f": rb"\f", b"\r": rb"\r"}


def _escape_control(match: re.Match[bytes]) -> bytes:
    return _SHORT.get(match[0]) or b"\\u%04x" % ord(match[0])
