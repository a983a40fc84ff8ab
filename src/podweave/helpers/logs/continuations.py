"""Which lines of a chunk go on with an event that began before them."""

from __future__ import annotations

from podweave.helpers.logs.join import JOINED_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.logs.begun_event import BegunEvent
    from podweave.helpers.logs.join import Joiner
    from podweave.helpers.logs.made_rows import MadeRows


def continuations(
    made: MadeRows, joiner: Joiner, pending: BegunEvent | None, *, known: bool
) -> tuple[list[int], dict[int, list[bytes]]]:
    """Of the lines that have no row: which begin events, which join which.

    `known`: those that have one are of a format. An index of -1 is the event that is pending from
    an earlier chunk.
    """
    starts: list[int] = []
    joined: dict[int, list[bytes]] = {}
    owner = -1 if pending is not None else None
    size = pending.size if pending is not None else 0
    before = -1
    for index in made.missing:
        line = made.line(index)
        if index != before + 1:
            owner = index - 1
            above = made.line(owner)
            size = len(above)
            joiner.begin(above, known=known)
        before = index
        if owner is not None and size + len(line) < JOINED_LIMIT and joiner.continues(line):
            joined.setdefault(owner, []).append(line)
            size += len(line) + 1
        elif line and not line.isspace():
            starts.append(index)
            owner = index
            size = len(line)
            joiner.begin(line)
    if made.missing[-1] < made.count - 1:
        joiner.begin(made.line(made.count - 1), known=known)
    return starts, joined
