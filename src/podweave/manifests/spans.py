"""Places in a text: lines, and the replacing of spans."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_BREAK: Final = re.compile(r"\r\n|\n|\r")


class Span(NamedTuple):
    """text[start:end] becomes `text`; an insertion where both are the same."""

    start: int
    end: int
    text: str


def replaced(text: str, spans: Sequence[Span]) -> str:
    """The text with spans replaced, which don't overlap."""
    for span in sorted(spans, reverse=True):
        text = text[: span.start] + span.text + text[span.end :]
    return text


def line_start(text: str, place: int) -> int:
    """Where the line of the character at `place` begins; a byte order mark is before the first."""
    start = max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1
    return 1 if start == 0 and text.startswith("\ufeff") else start


def line_end(text: str, place: int) -> int:
    """Where the line of the character at `place` ends, before its line break."""
    found = _BREAK.search(text, place)
    return found.start() if found else len(text)


def after_break(text: str, place: int) -> int:
    """The place after the line break at `place`, or `place` at the end of the text."""
    found = _BREAK.match(text, place)
    return found.end() if found else place


def before_break(text: str, place: int) -> int:
    """The place before the line break that ends at `place`, or `place` where there is none."""
    if text[:place].endswith("\r\n") if place < 2 else text[place - 2 : place] == "\r\n":
        return place - 2
    return place - 1 if place and text[place - 1] in "\r\n" else place


def newline_of(text: str) -> str:
    """The line break that the text uses: that of its first line."""
    found = _BREAK.search(text)
    return found.group() if found else "\n"
