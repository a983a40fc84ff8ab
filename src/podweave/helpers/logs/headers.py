"""Header lines: those that say how the following ones are laid out (LineLayout.announces)."""

from __future__ import annotations

from podweave.helpers.logs.rare_bytes import contains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.line_layout import LineLayout


class Headers:
    """The headers among a file's lines, of those of `layouts` that announce others.

    `seen`: there may be some among the lines that were looked at since it was said to be not so.
    """

    __slots__ = ("_beginning", "_layouts", "seen")

    def __init__(self, layouts: Sequence[LineLayout]) -> None:
        self._layouts = [layout for layout in layouts if layout.marker]
        self._beginning = True
        self.seen = False

    def look(self, data: bytes) -> None:
        """Lines that come next."""
        for layout in self._layouts:
            self.seen = self.seen or contains(data, layout.marker)

    def among(self, data: bytes) -> tuple[list[bytes], list[tuple[int, LineLayout]]]:
        """The lines, and which of them are headers, each with the layout that it announces.

        Nothing of either where none was seen. The first call is for a file's beginning.
        """
        layouts = self._layouts
        if self._beginning:
            self._beginning = False
            self._layouts = [layout for layout in layouts if not layout.once]
        if not self.seen:
            return [], []
        self.seen = False
        lines = data.split(b"\n")
        lines.pop()
        found: dict[int, LineLayout] = {}
        for layout in layouts:
            for index, line in enumerate(lines):
                if layout.marker in line:
                    announced = layout.announces(line)
                    if announced is not None:
                        found[index] = announced
        return lines, sorted(found.items(), key=_place)


def _place(header: tuple[int, LineLayout]) -> int:
    return header[0]
