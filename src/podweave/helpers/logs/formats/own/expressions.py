"""Lines that an expression of the user's own reads one by one, and what its texts become.

A text becomes what its field's kind says, and that the same way in every format of one's own. One
that isn't of its kind stays a text, among the application's own fields.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.fields import (
    ABSENT,
    DECIMAL,
    FIELDS,
    INTEGER,
    LEVEL,
    TEXT,
    TIME,
    level_of,
)
from podweave.helpers.logs.line_layout import LineLayout
from podweave.helpers.logs.patience import Expression
from podweave.helpers.logs.timestamps import date_of_any_order, read_any, read_epoch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record

_DATE = date_of_any_order()
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{1,15})?|\.[0-9]{1,15})")


class OwnLayout(LineLayout):
    """A regular expression of the user's, with named groups, for whole lines.

    Group names are neutral fields (`time`, `level`, `message`, `status`, ...); others become
    fields of the application's own. `time` is read in any of the usual ways. Every group may be
    absent. A line on which such an expression takes too long doesn't fit (patience.py).
    """

    def __init__(self, expression: str) -> None:
        self._expression = Expression(expression.encode())
        groups = self._expression.pattern.groupindex
        if not groups:
            raise ValueError(f"{expression!r} has no named groups: (?P<message>.*)")
        self._indexes = sorted((index, name) for name, index in groups.items())
        self.names = frozenset(name for _, name in self._indexes)
        self._fields = [(index, name, FIELDS.get(name, TEXT)) for index, name in self._indexes]

    def reads(self, line: bytes, clock: Clock) -> bool:
        return self._expression.fullmatch(line) is not None

    def record(self, line: bytes, clock: Clock) -> Record | None:
        match = self._expression.fullmatch(line)
        if match is None:
            return None
        return filed(((name, kind, match[index]) for index, name, kind in self._fields), clock)


def filed(texts: Iterable[tuple[str, str, bytes | None]], clock: Clock) -> Record:
    """The record of fields' names, kinds and texts. Of a field that is there twice the first."""
    record: Record = {}
    attributes: dict[str, Any] = {}
    for name, kind, value in texts:
        if value is None or value in ABSENT or name in record or name in attributes:
            continue
        text = value.decode("utf-8", "replace")
        kept = typed(kind, text, clock)
        if kept is None:
            attributes[name] = text
        elif name in FIELDS:
            record[name] = kept
        else:
            attributes[name] = kept
    if attributes:
        record["attributes"] = attributes
    return record


def typed(kind: str, text: str, clock: Clock) -> Any:
    """What the text is as a field of that kind (see fields); None where it is none."""
    if kind == TIME:
        encoded = text.encode()
        return _DATE.read(encoded, clock) or read_any(encoded, clock) or read_epoch(text)
    if kind == LEVEL:
        return level_of(text)
    if kind == INTEGER:
        return int(text) if _INTEGER.fullmatch(text) else None
    if kind == DECIMAL:
        return float(text) if _DECIMAL.fullmatch(text) else None
    return text
