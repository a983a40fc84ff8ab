"""Recognition of formats: which layouts read a file's lines, the best first.

A format's score is the number of sample lines that its layouts read, and so is a layout's within
its format. Between those that read nearly the same lines, the catalogue's order decides: the more
particular ones stand first there. General layouts read what others are made for, so a higher
count is no merit of theirs.
"""

from __future__ import annotations

from podweave.helpers.logs.formats import catalogue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.line_layout import LineLayout

SAMPLE_LINES = 50
SAMPLE_BYTES = 32 * 1024

_NEARLY = 0.9
_ANYBODYS = frozenset(("json", "logfmt", "ltsv", "csv", "key-value", "timestamped"))
"""Formats that read what many others write as well: to read more lines than they is no merit."""
_LOOKED_AT = 24
"""Lines of the sample that are tried, evenly spread over it."""


def every_layout(path: str = "") -> list[LineLayout]:
    """The layouts of all formats, in order of preference for a file of that name.

    nginx and Apache write the same access log; the file's path may say whose it is.
    """
    formats = catalogue.load_all()
    if "apache" in path or "httpd" in path:
        formats.sort(key=lambda format_: not format_.name.startswith("apache"))
    return [layout for format_ in formats for layout in format_.layouts]


def rank(lines: Sequence[bytes], layouts: Sequence[LineLayout], clock: Clock) -> list[LineLayout]:
    """The layouts that read any of the lines, the best first, general ones after the others.

    Formats compete first, by the lines that any of their layouts reads; then each one's layouts.
    """
    readers: list[tuple[int, LineLayout, set[int]]] = []
    read: dict[str, set[int]] = {}
    particular: set[str] = set()
    for order, (layout, found) in enumerate(_readers(lines, layouts, clock)):
        if found:
            readers.append((order, layout, set(found)))
            read.setdefault(layout.format, set()).update(found)
            if not layout.general:
                particular.add(layout.format)
    counts = [(_counted(reader, readers), *reader[:2]) for reader in readers]
    scores = {name: len(found) for name, found in read.items()}
    best = max((scores[name] for name in particular), default=0)
    named = max((scores[name] for name in particular - _ANYBODYS), default=0)
    if named * 2 >= best:
        best = named  # The rest is for those that read anybody's lines.
    bests = dict.fromkeys(scores, 0)
    first: dict[str, int] = {}
    for count, order, layout in counts:
        first.setdefault(layout.format, order)
        if not layout.general:
            bests[layout.format] = max(bests[layout.format], count)

    def key(entry: tuple[int, int, LineLayout]) -> tuple[int, ...]:
        count, order, layout = entry
        name = layout.format
        if layout.general:
            return 2, order
        if layout.blocks:
            return -1, order  # It reads no more than the first line of each.
        place = (0, first[name]) if scores[name] >= best * _NEARLY else (1, -scores[name])
        within = (0, order) if count >= bests[name] * _NEARLY else (1, -count)
        return *place, first[name], *within

    return [layout for _, _, layout in sorted(counts, key=key)]


def _counted(
    reader: tuple[int, LineLayout, set[int]],
    readers: Sequence[tuple[int, LineLayout, set[int]]],
) -> int:
    """How many lines a layout reads; or one behind it in its format, if it reads all of them too.

    So a layout for particular lines isn't asked after the format's one for all others.
    """
    order, layout, lines = reader
    return max(
        len(theirs)
        for place, other, theirs in readers
        if place >= order
        and other.format == layout.format
        and other.general == layout.general
        and lines <= theirs
    )


def _readers(
    lines: Sequence[bytes], layouts: Sequence[LineLayout], clock: Clock
) -> list[tuple[LineLayout, list[int]]]:
    """Each layout, and the lines that it reads."""
    found: dict[int, list[int]] = {id(layout): [] for layout in layouts}
    # Lines that begin alike have the same candidates, but for their literals.
    by_first: dict[int, list[LineLayout]] = {}
    step = max(1, len(lines) // _LOOKED_AT)
    for index in range(0, len(lines), step):
        line = lines[index]
        first = line[0] if line else -1
        some = by_first.get(first)
        if some is None:
            some = by_first[first] = [
                layout for layout in layouts if layout.first is None or first in layout.first
            ]
        for layout in some:
            for literal in layout.literals:
                if literal not in line:
                    break
            else:
                if layout.reads(line, clock):
                    found[id(layout)].append(index)
    return [(layout, found[id(layout)]) for layout in layouts]
