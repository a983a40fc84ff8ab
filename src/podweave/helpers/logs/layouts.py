r"""Layouts: how a line of a format is laid out, as data.

A layout's pattern is a regular expression in which `%{SHAPE:field}` stands for a part of the
line: SHAPE is one of the names of line_shapes.py (or of timestamps.STAMPS for `time`), `field`
the neutral field it fills, or a name of the application's own. `%{SHAPE:field?}` may be absent:
the part didn't take part in the match, or is empty, or `-`. `%{SHAPE}` is matched and left out.
`%{BEGIN:field}...%{END}` is a field around other parts.

A field of the application's own is a number where its shape is one (INT, INTORDASH, NUMBER).
A part whose name begins with `_` is there for `derive` alone and is left out itself: a level's
letter, milliseconds that become a duration in seconds.

Rules for patterns, which a test holds up:
- no part matches a newline, so that one pattern runs over many lines at once;
- neighbouring parts can't both take the same characters, so that a line which doesn't fit is
  known not to fit after one pass (no catastrophic backtracking); `++` and `*+` where it helps;
- what `++`, `*+` and `?+` repeat is one character or class, and groups are in `(?>...)` instead:
  before 3.11.5 Python's `re` doesn't step back when the last round of a group fails halfway;
- no capturing groups but the shapes'.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.column_layout import ColumnLayout, Group, WholeUrl
from podweave.helpers.logs.fields import (
    ABSENT,
    DECIMAL,
    FIELDS,
    INTEGER,
    LEVEL,
    NO_LEVELS,
    TEXT,
    TIME,
    level_of,
)
from podweave.helpers.logs.first_look import look
from podweave.helpers.logs.line_shapes import (
    HARMLESS,
    LOOSE_SHAPES,
    SAFE,
    SAFE_SHAPES,
    SHAPES,
    spelled_out,
)
from podweave.helpers.logs.timestamps import STAMPS, Stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from podweave.helpers.logs.column_layout import Derive
    from podweave.helpers.logs.fields import Record

    Sample = tuple[bytes, dict[str, Any]]

# A URL with its path and its query in it (see WholeUrl).
_URL = re.compile(
    rb"%\{BEGIN:(\w+)\}%\{URLPATH:([a-z]\w*)\}\(\?:\\\?%\{URLQUERY:([a-z]\w*)\?\}\)\?%\{END\}"
)

# Kinds of fields of the application's own.
_OWN_KINDS = {"INT": INTEGER, "INTORDASH": INTEGER, "NUMBER": DECIMAL, "SECONDS": DECIMAL}

_PART = re.compile(rb"%\{([A-Z0-9]+)(?::([a-z_][a-z0-9_]*)(\?)?)?\}")


class Layout(ColumnLayout):
    """One way in which a format writes a line.

    `derive` makes further fields from the text of a part: (field, from, function).
    `general`: it also reads, less well, lines that another layout is made for; so the others are
    asked first. `stamp` is what `%{STAMP:time}` stands for: a timestamp of the user's own.
    """

    def __init__(
        self,
        pattern: bytes,
        *,
        derive: tuple[Derive, ...] = (),
        general: bool = False,
        stamp: Stamp | None = None,
    ) -> None:
        self.format = ""
        self.general = general
        self.stamp: Stamp | None = None
        self._given = stamp
        self.groups: list[Group] = []
        self.derive = derive
        self.source = pattern
        self._look: tuple[frozenset[int] | None, tuple[bytes, ...]] | None = None
        self.pattern = spelled_out(_PART.sub(self._expand, pattern))
        self.loose = spelled_out(_PART.sub(self._expand_loosely, pattern))
        self._line: re.Pattern[bytes] | None = None
        self._names()
        self._mark_safe()

    @property
    def line(self) -> re.Pattern[bytes]:
        """For one line without its newline: `fullmatch`."""
        if self._line is None:
            self._line = re.compile(self.pattern)
        return self._line

    @property
    def first(self) -> frozenset[int] | None:
        """The bytes that a line of it can begin with; None: any."""
        return self._looked()[0]

    @property
    def literals(self) -> tuple[bytes, ...]:
        """Texts that stand in every line of it."""
        return self._looked()[1]

    def _looked(self) -> tuple[frozenset[int] | None, tuple[bytes, ...]]:
        if self._look is None:
            self._look = look(self.source)
        return self._look

    def reads(self, line: bytes, clock: Clock) -> bool:
        """It fits; cheaper than `record`."""
        return self.line.fullmatch(line) is not None

    def record(self, line: bytes, clock: Clock) -> Record | None:
        """Read a line the exact way; None where it doesn't fit."""
        match = self.line.fullmatch(line)
        return None if match is None else self.read(match.groups(b""), clock)

    def read(self, values: tuple[bytes, ...], clock: Clock) -> Record:
        """The record of a line's groups."""
        record: Record = {}
        attributes: dict[str, Any] = {}
        texts: dict[str, str] = {}
        base = b""
        fraction = ""
        for group, value in zip(self.groups, values, strict=True):
            if group.kind == TIME:
                if group.role == "fraction":
                    fraction = value.decode("ascii")
                else:
                    base += value
                continue
            if group.optional and value in ABSENT:
                continue
            text = value.decode("utf-8", "replace")
            texts[group.name] = text
            if group.name[0] == "_":
                continue
            kept: Any = text
            if group.kind == INTEGER:
                kept = int(text)
            elif group.kind == DECIMAL:
                kept = float(text)
            elif group.kind == LEVEL:
                kept = level_of(text, self.levels)
            if group.name in FIELDS:
                record[group.name] = kept
            else:
                attributes[group.name] = kept
        if self.stamp is not None:
            seconds = self.stamp.parse(base, clock)
            if seconds is not None:
                record["time"] = (seconds, fraction)
        for name, source, function in self.derive:
            derived = function(texts[source]) if texts.get(source) else None
            if derived is not None:
                record[name] = derived
        if attributes:
            record["attributes"] = attributes
        return record

    def _expand(self, match: re.Match[bytes]) -> bytes:
        shape = match[1].decode("ascii")
        name = match[2].decode("ascii") if match[2] else None
        stamp = self._given if shape == "STAMP" else STAMPS.get(shape)
        if stamp is not None:
            if name != "time" or self.stamp is not None:
                raise ValueError(f"%{{{shape}}}: a layout has one timestamp, named time")
            self.stamp = stamp
            self.groups += [Group("time", TIME, False, role) for role in stamp.roles]
            return stamp.pattern
        if shape == "END":
            return b")"
        if name is None:
            return b"(?:" + SHAPES[shape] + b")"
        kind = FIELDS.get(name) or _OWN_KINDS.get(shape, TEXT)
        self.groups.append(Group(name, kind, bool(match[3]), "value"))
        return b"(" if shape == "BEGIN" else b"(" + SHAPES[shape] + b")"

    def _expand_loosely(self, match: re.Match[bytes]) -> bytes:
        shape = match[1].decode("ascii")
        stamp = self._given if shape == "STAMP" else STAMPS.get(shape)
        if stamp is not None:
            return stamp.loose
        if shape in ("BEGIN", "END"):
            return b"(" if shape == "BEGIN" else b")"
        pattern = SAFE_SHAPES.get(shape) or SHAPES[shape]
        loose, follows = LOOSE_SHAPES.get(shape, (b"", b""))
        if loose and match.string.startswith(follows, match.end()):
            pattern = loose
        return (b"(" if match[2] else b"(?:") + pattern + b")"

    @property
    def whole_url(self) -> WholeUrl | None:
        """Not where something is derived from a part of it."""
        url = _URL.search(self.source)
        if url is None:
            return None
        whole = WholeUrl(*(name.decode("ascii") for name in url.groups()))
        if any(source in (whole.path, whole.query) for _, source, _ in self.derive):
            return None
        parts = self.source[: url.start()], b"%{URL:", url[1], b"}", self.source[url.end() :]
        whole.pattern = spelled_out(_PART.sub(self._expand_loosely, b"".join(parts)))
        names = whole.path, whole.query
        whole.groups = [group for group in self.groups if group.name not in names]
        return whole

    def _mark_safe(self) -> None:
        """See Group.safe."""
        groups = {group.name: group for group in self.groups}
        begun: list[tuple[str, int]] = []
        for part in _PART.finditer(self.source):
            name = part[2].decode("ascii") if part[2] else ""
            if part[1] == b"BEGIN":
                begun.append((name, part.end()))
            elif part[1] == b"END":
                name, start = begun.pop()
                inner = self.source[start : part.start()]
                shapes = {text.decode("ascii") for text, _, _ in _PART.findall(inner)}
                if shapes <= {*SAFE, "BEGIN", "END"} and HARMLESS.fullmatch(_PART.sub(b"", inner)):
                    groups[name].safe = True
            elif name and part[1].decode("ascii") in SAFE:
                groups[name].safe = True

    def _names(self) -> None:
        names = [group.name for group in self.groups if group.kind != TIME]
        if len(set(names)) != len(names):
            raise ValueError(f"a field is named twice: {names}")
        self.names = frozenset(name for name in names if name[0] != "_") | {
            name for name, _, _ in self.derive
        }
        if self.stamp is not None:
            self.names |= {"time"}


class Format:
    """A format: a name and its layouts, the most particular first.

    `samples`: lines with the record each must give, for the tests and the documentation.
    `levels`: the format's own words for levels, as it writes them: {"I": "info"}.
    """

    __slots__ = ("layouts", "name", "samples")

    def __init__(
        self,
        name: str,
        layouts: tuple[Any, ...],
        samples: tuple[Sample, ...] = (),
        *,
        levels: Mapping[str, str] = NO_LEVELS,
    ) -> None:
        self.name = name
        self.layouts = layouts
        self.samples = samples
        for layout in layouts:
            layout.format = name
            if levels:
                layout.levels = levels
