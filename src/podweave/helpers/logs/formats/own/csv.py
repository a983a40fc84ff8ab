r"""`{csv: {columns: [...], delimiter: ",", quote: "\"", header: true}}`: lines of columns.

A column is a neutral field or one of the application's own, `NAME:int` or `NAME:float` a number;
an empty name leaves it out. Without `columns` the file's header names them, the time's among them
(time, timestamp, date, ...). A quote inside quotes is doubled; a record is one line.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.fields import DECIMAL, FIELDS, INTEGER, TEXT
from podweave.helpers.logs.formats.own.assembly import field_of
from podweave.helpers.logs.formats.own.expressions import filed
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.line_layout import LineLayout
from podweave.helpers.logs.timestamp_texts import epoch
from podweave.helpers.logs.timestamps import Stamp, date_of_any_order

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.columns import Column as Texts
    from podweave.helpers.logs.fields import Record

_KEYS = ("columns", "delimiter", "quote", "header")
_KINDS = {"int": INTEGER, "float": DECIMAL, "string": TEXT}
_INTEGER = rb"(?:-|0|-?[1-9]\d{0,17})?"
_DECIMAL = rb"(?:-|-?(?:0|[1-9]\d{0,14})(?:\.\d{1,9})?)?"
_MOST_COLUMNS = 90

Column = tuple[str, str]
"""Name ("" leaves it out) and kind."""


def make(value: Any) -> list[Any]:
    if not isinstance(value, dict) or set(value) - set(_KEYS):
        raise ValueError(f"must be an object of {', '.join(_KEYS)}")
    delimiter = _character(value, "delimiter", ",")
    quote = _character(value, "quote", '"')
    if delimiter == quote:
        raise ValueError("the delimiter can't be the quote")
    header = value.get("header", "columns" not in value)
    if not isinstance(header, bool):
        raise ValueError("header must be true or false")
    if "columns" not in value:
        if not header:
            raise ValueError("needs columns, or a header that names them")
        return list(header_layouts(delimiter, quote))
    columns = columns_of(value["columns"])
    layouts = csv_layouts(columns, delimiter, quote)
    if header:
        layouts.append(TitleLayout(columns, delimiter, quote))
    return layouts


def _character(value: dict[str, Any], key: str, default: str) -> bytes:
    text = value.get(key, default)
    text = {"\\t": "\t", "tab": "\t"}.get(text, text) if isinstance(text, str) else ""
    if len(text) != 1 or not text.isascii() or text in "\r\n":
        raise ValueError(f"{key} must be one ASCII character")
    return str(text).encode()


def columns_of(names: Any) -> list[Column]:
    """ValueError for what can't be columns."""
    if not isinstance(names, list) or not names or len(names) > _MOST_COLUMNS:
        raise ValueError(f"columns must be a list of 1 to {_MOST_COLUMNS} names")
    columns: list[Column] = []
    for given in names:
        if not isinstance(given, str):
            raise ValueError(f"columns: {given!r} is no name")
        name, colon, kind = given.strip().partition(":")
        if colon and kind not in _KINDS:
            raise ValueError(f"columns: {given!r}: a column is NAME, NAME:int or NAME:float")
        field = field_of(name) if name not in ("", "-", "_") else ""
        if field and field in {known for known, _ in columns}:
            field = name
        if field and field in {known for known, _ in columns}:
            raise ValueError(f"columns: {name!r} is there twice")
        columns.append((field, FIELDS.get(field) or _KINDS.get(kind, TEXT)))
    if not any(name for name, _ in columns):
        raise ValueError("columns: none has a name")
    return columns


def csv_layouts(columns: list[Column], delimiter: bytes, quote: bytes) -> list[Any]:
    """The compiled ones, and the one for values that aren't of their column's kind."""
    timed = any(name == "time" for name, _ in columns)
    stamps = (_DATE, _SECONDS, _FRACTIONS) if timed else (None,)
    compiled = [ValuesLayout(columns, delimiter, quote, stamp) for stamp in stamps]
    return [*compiled, OddLayout(columns, delimiter, quote)]


_DATE = date_of_any_order()
_SECONDS = Stamp(rb"([1-9]\d{9})(?:\.(\d{1,9}))?", "seconds fraction", epoch)
_FRACTIONS = Stamp(rb"([1-9]\d{9})(\d{3}|\d{6}|\d{9})", "seconds fraction", epoch)


class ValuesLayout(Layout):
    """Values of their columns' kinds, each perhaps in quotes. `given`: how the time is written."""

    def __init__(
        self, columns: list[Column], delimiter: bytes, quote: bytes, given: Stamp | None
    ) -> None:
        cut, mark = re.escape(delimiter), re.escape(quote)
        bare = rb"[^\n%b%b]*+" % (cut, mark)
        text = rb"(?>%b(?>(?:[^\n%b]++|%b%b)*)%b|%b)" % (*(mark,) * 5, bare)
        opening = rb"(?>(?:%b(?=[^\n%b]*+%b))?)" % (mark, mark, mark)
        parts = []
        for number, (name, kind) in enumerate(columns):
            if name == "time":
                parts.append(opening + b"%{STAMP:time}" + rb"(?>%b?)" % mark)
                continue
            inner = text
            if name and kind in (INTEGER, DECIMAL):
                inner = _INTEGER if kind == INTEGER else _DECIMAL
                inner = rb"(?:%b%b%b|%b)" % (mark, inner, mark, inner)
            if name:
                inner = b"%{BEGIN:" + b"zzz_%d" % number + b"?}" + inner + b"%{END}"
            parts.append(inner)
        super().__init__(cut.join(parts), stamp=given)
        self._quote = quote
        self._quoted: list[int] = []
        for index, group in enumerate(self.groups):
            if group.name.startswith("zzz_"):
                group.name, group.kind = columns[int(group.name[4:])]
                self._quoted.append(index)
        self._names()

    def read(self, values: tuple[bytes, ...], clock: Clock) -> Record:
        columns = self.prepared([(value,) for value in values], b"".join(values))
        return super().read(tuple(value for (value,) in columns), clock)

    def prepared(self, columns: list[Texts], data: bytes) -> list[Texts]:
        # Without the quotes around values, and with single ones in them.
        quote = self._quote
        if quote not in data:
            return columns
        columns = columns.copy()
        for index in self._quoted:
            text = b"\n%b\n" % b"\n".join(columns[index])
            if quote in text:
                # A quote is doubled, or at the beginning, or at the end.
                text = text.replace(b"\n" + quote, b"\n").replace(quote + b"\n", b"\n")
                columns[index] = text[1:-1].replace(quote * 2, quote).split(b"\n")
        return columns


class _Columns(LineLayout):
    """Reads line by line what a pattern can't."""

    general = True

    def __init__(self, columns: list[Column], delimiter: bytes, quote: bytes) -> None:
        self.columns = columns
        self.names = frozenset(name for name, _ in columns if name)
        self._delimiter = delimiter
        self._quote = quote
        self._value = re.compile(
            rb"(?:%b((?>(?:[^%b]|%b%b)*))%b|([^%b%b]*))(%b|\Z)"
            % (*(re.escape(quote),) * 5, re.escape(delimiter), re.escape(quote),
               re.escape(delimiter)),
            re.DOTALL,
        )  # fmt: skip

    def values(self, line: bytes) -> list[bytes] | None:
        """The columns' texts; None for a line that isn't well formed."""
        values: list[bytes] = []
        place = 0
        while True:
            match = self._value.match(line, place)
            if match is None or len(values) > _MOST_COLUMNS:
                return None
            if match[1] is not None:
                values.append(match[1].replace(self._quote * 2, self._quote))
            else:
                values.append(match[2])
            if not match[3]:
                return values
            place = match.end()


class OddLayout(_Columns):
    """Values of any kind: what isn't of its column's is a text of the application's own."""

    def record(self, line: bytes, clock: Clock) -> Record | None:
        values = self.values(line)
        if values is None or len(values) != len(self.columns):
            return None
        known = zip(self.columns, values, strict=True)
        return filed(((name, kind, value) for (name, kind), value in known if name), clock)


class TitleLayout(_Columns):
    """The line with the columns' names: what it says is known."""

    def record(self, line: bytes, clock: Clock) -> Record | None:
        values = self.values(line)
        if values is None or len(values) != len(self.columns):
            return None
        for value, (column, _) in zip(values, self.columns, strict=True):
            name = value.decode("utf-8", "replace").strip()
            if column and column not in (name, field_of(name)):
                return None
        return {"message": line.decode("utf-8", "replace")}


_NAMED = re.compile(r"[A-Za-z_@][\w .@/()%\-]{0,60}")
_TIMES = (b"ime", b"imestamp", b"ate")
"""How the names of columns with times end, so that other lines are passed over quickly."""
_MOST_HEADERS = 64


class HeaderLayout(_Columns):
    """Reads header lines: names of columns, among them the time's, but not as the last.

    They stand at a file's beginning.
    """

    once = True

    def __init__(self, ending: bytes, delimiter: bytes, quote: bytes) -> None:
        super().__init__([], delimiter, quote)
        self.marker = ending + delimiter
        self._announced: dict[bytes, ValuesLayout] = {}

    def record(self, line: bytes, clock: Clock) -> Record | None:
        if self.marker not in line or self._columns(line) is None:
            return None
        return {"message": line.decode("utf-8", "replace")}

    def announces(self, line: bytes) -> ValuesLayout | None:
        layout = self._announced.get(line)
        if layout is None and len(self._announced) < _MOST_HEADERS:
            columns = self._columns(line)
            if columns is None:
                return None
            layout, *others = csv_layouts(columns, self._delimiter, self._quote)
            for each in (layout, *others):
                each.format = self.format
            layout.beside = tuple(others)
            self._announced[line] = layout
        return layout

    def _columns(self, line: bytes) -> list[Column] | None:
        if len(line) > 4096:
            return None
        values = self.values(line.removeprefix(b"\xef\xbb\xbf"))
        if values is None or len(values) < 3:
            return None
        names = [value.decode("utf-8", "replace").strip() for value in values]
        if not all(_NAMED.fullmatch(name) for name in names):
            return None
        # A word, as far as anybody can say who sees but the header; a severity is a number.
        names = ["level" if name.lower() == "severity" else name for name in names]
        fields = {field_of(name) for name in names}
        if "time" not in fields or len(fields & FIELDS.keys()) < 2:
            return None
        try:
            return columns_of(names)
        except ValueError:
            return None


def header_layouts(delimiter: bytes, quote: bytes) -> list[HeaderLayout]:
    return [
        HeaderLayout(ending + closing, delimiter, quote)
        for ending in _TIMES
        for closing in (b"", quote)
    ]
