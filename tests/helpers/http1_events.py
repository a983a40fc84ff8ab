"""The events of an HTTP/1.1 parser as plain tuples, to compare."""

from __future__ import annotations

from podweave.helpers.wire.http1_message import Data, End

Seen = list[tuple[object, ...]]


def note(seen: Seen, event: Data | End) -> None:
    """Add the event; neighbouring Data become one, since how they are cut means nothing."""
    if isinstance(event, End):
        seen.append(("end", *event.trailers))
        return
    match seen[-1:]:
        case [("data", bytes(before))]:
            seen[-1] = ("data", before + event.content)
        case _:
            seen.append(("data", event.content))
