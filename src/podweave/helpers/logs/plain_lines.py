"""Lines that no format reads, kept whole as their message.

Of an untouched file a timestamp and a level are looked for in the line. In a container's stream
the runtime has told the time, and what such a line says of another is no reason to doubt it.
"""

from __future__ import annotations

from podweave.helpers.logs.events import CONTINUING
from podweave.helpers.logs.findings import findings, level_in
from podweave.helpers.logs.layouts import Layout
from podweave.helpers.logs.line_layout import LineLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.logs.clock import Clock
    from podweave.helpers.logs.fields import Record

UNREAD = "unread"
"""Counted under this name: lines that no format reads, kept whole as their message."""


class Plain(LineLayout):
    """Reads every line. `many`: a layout for those of them that can't join another line."""

    format = UNREAD
    general = True
    many: Layout | None = None

    def record(self, line: bytes, clock: Clock) -> Record | None:
        return findings(line, clock)


class Nothing(Plain):
    """Reads no line: the main layout of a file that no particular one reads."""

    def record(self, line: bytes, clock: Clock) -> Record | None:
        return None


class Kept(Plain):
    """Lines in a wrapping of that name, which told their time."""

    def __init__(self, name: str) -> None:
        self.format = name
        self.many = Layout(
            rb"%{BEGIN:message}(?!" + CONTINUING + rb")[^\n]+%{END}",
            derive=(("level", "message", level_in),),
            general=True,
        )
        self.many.format = name

    def record(self, line: bytes, clock: Clock) -> Record | None:
        text = line.decode("utf-8", "replace")
        level = level_in(text)
        return {"message": text} if level is None else {"message": text, "level": level}


PLAIN = Plain()
NOTHING = Nothing()
