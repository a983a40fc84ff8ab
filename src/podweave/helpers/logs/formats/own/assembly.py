r"""A line's parts, one after the other, put together to a layout.

Every dialect of layout strings (log4j's, Python's, nginx', ...) becomes a list of Text, Value,
Moment, Gap and Ready; here they become one regular expression that keeps the catalogue's rules:

- a value without a shape of its own goes up to the text that follows it, and never further: the
  search for that text isn't taken up again;
- the message is greedy, at the line's end. Where more follows it, its end is the last place where
  that fits; what follows then can't have the character with which it begins, so that no part of
  the line is looked at more than once for each place.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.fields import ABSENT, FIELDS, INTEGER, TEXT
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.structured.names import USUAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.timestamps import Stamp

_SHAPES = {b'"': b"QUOTED", b"]": b"BRACKETED", b")": b"PARENTHESISED"}
_SHAPES |= {b",": b"LISTED", b"\t": b"TABBED"}


class Text:
    """What stands in every line as it is."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text.encode()


class Gap:
    """Spaces and tabs, at least `least` (0 or 1)."""

    __slots__ = ("least",)

    def __init__(self, least: int) -> None:
        self.least = least


class Value:
    """A field. `pattern`: what it looks like, in itself; otherwise it ends before what follows.

    `padded`: there may be spaces around it. `solid`: it has no spaces. `kind`: see fields.
    """

    __slots__ = ("kind", "name", "padded", "pattern", "shown", "solid")

    def __init__(
        self,
        shown: str,
        name: str,
        pattern: bytes | None = None,
        *,
        kind: str = TEXT,
        padded: bool = False,
        solid: bool = False,
    ) -> None:
        self.shown = shown
        self.name = name
        self.pattern = pattern
        self.kind = kind
        self.padded = padded
        self.solid = solid


class Moment:
    """The timestamp."""

    __slots__ = ("padded", "shown", "stamp")

    def __init__(self, shown: str, stamp: Stamp) -> None:
        self.shown = shown
        self.stamp = stamp
        self.padded = False


class Ready:
    """A pattern of a layout, as it is, which ends by itself."""

    __slots__ = ("pattern", "shown")

    def __init__(self, shown: str, pattern: bytes) -> None:
        self.shown = shown
        self.pattern = pattern


Part = Text | Gap | Value | Moment | Ready


def field_of(name: str) -> str:
    """The neutral field that a name usually means, or the name."""
    if name in FIELDS and name != "format":
        return name
    found = USUAL.get(name) or USUAL.get(name.lower())
    return found[0] if found is not None else name


def literal(text: bytes) -> bytes:
    """As re.escape, but spaces stay as they are, which layouts.LOOSE_SHAPES looks for."""
    return re.escape(text).replace(rb"\ ", b" ").replace(rb"\-", b"-")


def _is_sure(pattern: bytes) -> bool:
    """What it finds is never absent."""
    expression = re.compile(pattern)
    return not any(expression.fullmatch(text) for text in ABSENT)


def layout_of(
    parts: Sequence[Part],
    *,
    derive: tuple[Any, ...] = (),
    general: bool = False,
    whole: bool = True,
    like: str = "",
) -> Layout:
    """The layout. `whole`: nothing may follow the last part. ValueError: two parts with nothing
    between to tell them apart, or none that is a field; `like` is an example with some."""
    if not any(isinstance(part, Value | Moment | Ready) for part in parts):
        raise ValueError("has no field in it" + (f", as {like} has" if like else ""))
    return _Assembly(_merged(parts)).layout(derive, general, whole)


def _merged(parts: Sequence[Part]) -> list[Part]:
    merged: list[Part] = []
    for part in parts:
        if isinstance(part, Text):
            if not part.text:
                continue
            if merged and isinstance(merged[-1], Text):
                before = merged.pop()
                assert isinstance(before, Text)
                text = Text("")
                text.text = before.text + part.text
                merged.append(text)
                continue
        merged.append(part)
    return merged


class _Assembly:
    def __init__(self, parts: list[Part]) -> None:
        self.parts = parts
        self.pattern = b""
        self.names: list[tuple[str, str]] = []
        self.stamp: Stamp | None = None
        self.opener = b""
        """The first character of what follows a message that isn't the last part."""
        self.skip = 0
        """How many bytes of the next text are matched already."""

    def layout(self, derive: tuple[Any, ...], general: bool, whole: bool) -> Layout:
        for place, part in enumerate(self.parts):
            if isinstance(part, Text):
                self.text(part)
            elif isinstance(part, Gap):
                self.pattern += rb"[ \t]++" if part.least else rb"[ \t]*+"
            elif isinstance(part, Moment):
                self.moment(part)
            elif isinstance(part, Ready):
                self.pattern += part.pattern
            else:
                self.value(part, place)
        if not whole:
            self.pattern += b"%{REST}"
        layout = Layout(self.pattern, derive=derive, general=general, stamp=self.stamp)
        own = iter(self.names)
        for group in layout.groups:
            if group.name.startswith("zzz_"):
                group.name, group.kind = next(own)
        layout._names()
        return layout

    def text(self, part: Text) -> None:
        text = part.text[self.skip :]
        self.skip = 0
        if b"\n" in text or b"\r" in text:
            raise ValueError("has a newline in it: a layout is of one line")
        self.pattern += literal(text)

    def moment(self, part: Moment) -> None:
        if self.stamp is None:
            self.stamp = part.stamp
            self.pattern += b"%{STAMP:time}"
        else:
            self.pattern += re.sub(rb"(?<!\\)\((?!\?)", b"(?:", part.stamp.pattern)

    def value(self, part: Value, place: int) -> None:
        following = self.parts[place + 1] if place + 1 < len(self.parts) else None
        name = self.name(part)
        if part.pattern is not None:
            sure = b"" if _is_sure(part.pattern) else b"?"
            field = b"%{BEGIN:" + name + sure + b"}" + part.pattern + b"%{END}"
            self.spaces(part, field, following)
        elif following is None:
            sure = b"" if part.name == "message" else b"?"
            ending = b"%{REST:" + name + sure + b"}" if not self.opener else self.free(b"")
            if self.opener:
                ending = b"%{BEGIN:" + name + b"?}" + ending + b"%{END}"
            self.pattern += (b" *+" if part.padded else b"") + ending
        elif isinstance(following, Gap):
            self.pattern += b"%{BEGIN:" + name + rb"?}[^ \t\n]*+%{END}"
        elif not isinstance(following, Text):
            raise ValueError(
                f"nothing stands between {part.shown} and {following.shown} to tell them apart: "
                "a {regex: ...} can say what each looks like"
            )
        elif part.name == "message":
            text = following.text.lstrip(b" ") or b" "
            self.opener = text[:1]
            self.pattern += b"%{REST:" + name + b"}"
        elif part.padded:
            end = following.text.lstrip(b" ")[:1] if following.text[:1] != b" " else b" "
            word = rb"[^ \n" + self.excluded(end) + b"]++"
            words = word if end == b" " else word + rb"(?>(?: ++" + word + rb")*)"
            field = b"%{BEGIN:" + name + b"?}(?>(?:" + words + b")?)%{END}"
            self.spaces(part, field, following)
        else:
            self.pattern += self.up_to(name, following.text, part.solid)

    def name(self, part: Value) -> bytes:
        """A name for the pattern; the field's own comes later."""
        taken = {name for name, _ in self.names}
        if part.name in taken or (part.name == "time"):
            part = Value(part.shown, f"{part.name}_{len(taken)}", kind=part.kind)
        if part.name == "message":
            self.names.append(("message", TEXT))
            return b"zzz_message"
        kind = FIELDS.get(part.name) or part.kind
        if kind == INTEGER and part.pattern is None:
            part.pattern = rb"(?:-|0|[1-9]\d{0,17})?"
        self.names.append((part.name, kind))
        return b"zzz_%d" % len(self.names)

    def spaces(self, part: Value, field: bytes, following: Part | None) -> None:
        if part.padded:
            self.pattern += b" *+"
        self.pattern += field
        if part.padded and isinstance(following, Text):
            stripped = following.text.lstrip(b" ")
            self.skip = len(following.text) - len(stripped)
            self.pattern += b" ++" if self.skip else b" *+"
        elif part.padded:
            self.pattern += b" *+"

    def excluded(self, *characters: bytes) -> bytes:
        """Inside a class: what the field can't have."""
        some = {*characters, self.opener} - {b"", b" "}
        return b"".join(re.escape(character) for character in sorted(some))

    def free(self, end: bytes) -> bytes:
        return (
            rb"[^\n" + self.excluded(end) + (b" " if b" " in (end, self.opener) else b"") + b"]*+"
        )

    def up_to(self, name: bytes, text: bytes, solid: bool) -> bytes:
        """A field that ends where that text begins for the first time."""
        first, rest = text[:1], text[1:]
        exact = first == b'"' or ((not rest or solid) and first in _SHAPES)
        if exact and not self.opener:
            return b"%{" + _SHAPES[first] + b":" + name + b"?}"
        field = self.free(first)
        if rest and not self.opener:
            again = literal(first) + b"(?!" + literal(rest) + b")" + field
            field += b"(?>(?:" + again + b")*)"
        return b"%{BEGIN:" + name + b"?}" + field + b"%{END}"
