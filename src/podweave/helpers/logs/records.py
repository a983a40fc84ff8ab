"""Lines to records: container wrappings off, events joined. No I/O.

A block of lines begins at the beginning of a record. What may still go on at its end is left for
the next block, which begins there; so it doesn't matter where blocks end.
"""

from __future__ import annotations

from podweave.helpers.logs.newlines import count_newlines
from podweave.helpers.logs.reading import DATAGRAMS, LINES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.events import Events
    from podweave.helpers.logs.reading import Reading


class Taken:
    """Records, as in a Chunk. `end`: where in the file what was left begins; None: nothing was."""

    __slots__ = (
        "bounds",
        "cut_bytes",
        "data",
        "details",
        "end",
        "foreign",
        "long_lines",
        "starts",
    )

    def __init__(
        self,
        data: bytes,
        starts: list[int] | None,
        bounds: list[int] | None,
        details: list[tuple[bytes, bytes]] | None,
        end: int | None,
    ) -> None:
        self.data = data
        self.starts = starts
        self.bounds = bounds
        self.details = details
        self.end = end
        self.foreign = 0
        self.long_lines = 0
        self.cut_bytes = 0


def take_records(
    lines: Sequence[bytes],
    starts: Sequence[int],
    reading: Reading,
    limit: int,
    *,
    complete: bool,
) -> Taken | None:
    """Records of lines in UTF-8 that begin at `starts` in their file.

    None when all of it may go on. `complete`: nothing goes on.
    """
    lasts = starts
    counts = [0, 0, 0]
    details: list[tuple[bytes, bytes]] | None = None
    end: int | None = None
    if reading.wrapping != LINES:
        from podweave.helpers.logs.container_lines import PARTS, unwrap

        unwrapped = unwrap(lines, starts, PARTS[reading.wrapping], limit, complete=complete)
        if unwrapped.held:
            end = starts[len(lines) - unwrapped.held]
        lines = unwrapped.lines
        details = None if reading.wrapping == DATAGRAMS else unwrapped.details
        starts, lasts = unwrapped.starts, unwrapped.lasts
        counts = [unwrapped.foreign, unwrapped.long_lines, unwrapped.cut_bytes]
    elif any(len(line) > limit for line in lines):
        counts[1] = sum(len(line) > limit for line in lines)
        counts[2] = sum(len(line) - limit for line in lines if len(line) > limit)
        lines = [line[:limit] for line in lines]
    if not lines:
        return None
    texts: Sequence[bytes] = lines
    if reading.events is not None:
        groups = _events(lines, details, reading.events)
        kept = len(groups) if complete else _complete(groups, starts, lasts)
        if kept < len(groups):
            end = starts[groups[kept][0][0]]
            if not kept:
                return None
        events = [group for group, _ in groups[:kept]]
        texts = [
            lines[event[0]] if len(event) == 1 else b"\n".join([lines[index] for index in event])
            for event in events
        ]
        starts = [starts[event[0]] for event in events]
        if details is not None:
            details = [details[event[0]] for event in events]
    taken = _laid_out(texts, starts, details, end)
    taken.foreign, taken.long_lines, taken.cut_bytes = counts
    return taken


def _events(
    lines: Sequence[bytes], details: list[tuple[bytes, bytes]] | None, events: Events
) -> list[tuple[Sequence[int], bool]]:
    """The indexes of each event's lines, and whether another line may still join it."""
    if details is not None:
        return list(events.of_streams(lines, [stream for _, stream in details]))
    firsts = events.firsts(lines)
    ends = [*firsts[1:], len(lines)]
    return [(range(begin, end), end == len(lines)) for begin, end in zip(firsts, ends, strict=True)]


def _complete(
    groups: Sequence[tuple[Sequence[int], bool]], starts: Sequence[int], lasts: Sequence[int]
) -> int:
    """How many events can be taken: reading goes on where the first that is left begins.

    An event before it that has a line or a part behind that place is left as well: it would be
    torn apart.
    """
    kept = next((place for place, (_, still) in enumerate(groups) if still), len(groups))
    while 0 < kept < len(groups):
        begin = starts[groups[kept][0][0]]
        torn = next(
            (place for place in range(kept) if max(lasts[i] for i in groups[place][0]) >= begin),
            None,
        )
        if torn is None:
            break
        kept = torn
    return kept


def _laid_out(
    texts: Sequence[bytes],
    starts: Sequence[int],
    details: list[tuple[bytes, bytes]] | None,
    end: int | None,
) -> Taken:
    data = b"\n".join(texts) + b"\n"
    bounds: list[int] | None = None
    if count_newlines(data) != len(texts):
        bounds = []
        place = 0
        for text in texts:
            place += len(text) + 1
            bounds.append(place)
    return Taken(data, list(starts), bounds, details, end)


def whole_cri(data: bytes, starts: list[int], limit: int) -> Taken | None:
    """Lines of the CRI format of which none is a part; None for all others."""
    from podweave.helpers.logs.container_lines import whole_cri_lines

    found = whole_cri_lines(data, len(starts))
    if found is None:
        return None
    texts = [text for _, _, text in found]
    if max(map(len, texts)) > limit:
        return None
    details = [(time, stream) for time, stream, _ in found]
    return Taken(b"\n".join(texts) + b"\n", starts, None, details, None)


def all_but_last(
    data: bytes, starts: list[int] | None, offset: int, length: int, *, complete: bool
) -> Taken | None:
    """Lines that are each an event, as they are. `length`: of what was read at `offset`."""
    if complete:
        return Taken(data, starts, None, None, None)
    stop = data.rfind(b"\n", 0, len(data) - 1) + 1
    if not stop:
        return None
    end = starts[-1] if starts is not None else offset + length - (len(data) - stop)
    return Taken(data[:stop], starts[:-1] if starts is not None else None, None, None, end)
