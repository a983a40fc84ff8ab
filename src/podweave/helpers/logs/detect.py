"""Recognition of formats: which layouts read a file's lines, the best first.

A layout's score is the number of sample lines it reads. Between layouts that read nearly the
same lines, the catalogue's order decides: the more particular ones stand first there. General
layouts read what others are made for, so a higher count is no merit of theirs.
"""

from __future__ import annotations

from podweave.helpers.logs.formats import catalogue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podweave.helpers.logs.timestamps import Clock

SAMPLE_LINES = 50
SAMPLE_BYTES = 32 * 1024

_NEARLY = 0.9


def every_layout(path: str = "") -> list[Any]:
    """The layouts of all formats, in order of preference for a file of that name.

    nginx and Apache write the same access log; the file's path may say whose it is.
    """
    formats = catalogue.load_all()
    if "apache" in path or "httpd" in path:
        formats.sort(key=lambda format_: not format_.name.startswith("apache"))
    return [layout for format_ in formats for layout in format_.layouts]


def rank(lines: Sequence[bytes], layouts: Sequence[Any], clock: Clock) -> list[Any]:
    """The layouts that read any of the lines, the best first, general ones after the others."""
    scores: list[tuple[int, int, Any]] = []
    for order, layout in enumerate(layouts):
        count = sum(1 for line in lines if layout.record(line, clock) is not None)
        if count:
            scores.append((count, order, layout))
    best = max((count for count, _, layout in scores if not layout.general), default=0)

    def key(score: tuple[int, int, Any]) -> tuple[int, int]:
        count, order, layout = score
        if layout.general:
            return 2, order
        return (0, order) if count >= best * _NEARLY else (1, -count)

    return [layout for _, _, layout in sorted(scores, key=key)]
