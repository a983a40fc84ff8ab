"""What container runtimes write around a container's lines is taken off. No I/O.

CRI (containerd, CRI-O: kubernetes/cri-api, "ContainerLogPath"):

    2026-11-23T02:16:56.789012345Z stdout F a whole line, or the last part of one
    2026-11-23T02:16:56.789012345Z stderr P a part: the runtime cuts lines at 16 KiB

Docker's json-file driver, where a part is a `log` that doesn't end with a newline:

    {"log":"a line\\n","stream":"stdout","time":"2026-11-23T02:16:56.789012345Z"}

Parts of the two streams may alternate; a line's place is that of its first part, its time too.
A line that is neither is kept whole, with no time and no stream, and counted: nothing is dropped.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise

from podweave.helpers.logs.datagram_lines import datagram_parts
from podweave.helpers.logs.reading import DATAGRAMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

CRI = "cri"
DOCKER = "docker"

_CRI = re.compile(
    rb"(\d{4}-\d\d-\d\dT[^ ]{8,30}) (stdout|stderr) ([FP])(?::[^ ]*)?(?: (.*))?", re.DOTALL
)

Part = tuple[bytes, bytes, bytes, bool]
"""Time, stream, text, whether the line goes on in the next part."""


def cri_part(line: bytes) -> Part | None:
    """One line of the CRI format; None for any other line."""
    match = _CRI.fullmatch(line)
    if match is None:
        return None
    return match[1], match[2], match[4] or b"", match[3] == b"P"


def docker_part(line: bytes) -> Part | None:
    """One line of Docker's json-file format; None for any other line."""
    try:
        return _part_of(json.loads(line))
    except (ValueError, RecursionError):
        return None


def _part_of(value: Any) -> Part | None:
    try:
        text, stream, time = value["log"], value.get("stream", ""), value.get("time", "")
        ended = text.endswith("\n")
        said = text[:-1] if ended else text
        return time.encode(), stream.encode(), said.encode("utf-8", "replace"), not ended
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def cri_parts(lines: Sequence[bytes]) -> list[Part | None]:
    return list(map(cri_part, lines))


def docker_parts(lines: Sequence[bytes]) -> list[Part | None]:
    """Of many lines, as one array: a call for each costs as much again as the parsing."""
    try:
        values = json.loads(b"[" + b",".join(lines) + b"]")
    except (ValueError, RecursionError):
        values = []
    if len(values) != len(lines):
        return list(map(docker_part, lines))
    return list(map(_part_of, values))


PARTS: dict[str, Callable[[Sequence[bytes]], list[Part | None]]] = {
    CRI: cri_parts,
    DOCKER: docker_parts,
    DATAGRAMS: datagram_parts,
}


# As above, but within one search over many lines.
_CRI_WHOLE = re.compile(
    rb"^(\d{4}-\d\d-\d\dT[^ \n]{8,30}) (stdout|stderr) F(?::[^ \n]*)? ([^\n]*)\n", re.MULTILINE
)


def whole_cri_lines(data: bytes, count: int) -> list[tuple[bytes, bytes, bytes]] | None:
    """Time, stream and text of each of `count` lines if all are whole: of nearly every block.

    None when some line is a part or of another form.
    """
    found: list[tuple[bytes, bytes, bytes]] = _CRI_WHOLE.findall(data)
    # A search passes over what doesn't match, so each line has matched.
    return found if len(found) == count else None


class Unwrapped:
    """Lines that were put together; parallel lists. `held`: how many wrapped lines at the end
    must be read again, because a part among them isn't complete. `lasts`: where the last part
    begins."""

    __slots__ = (
        "cut_bytes",
        "details",
        "foreign",
        "held",
        "lasts",
        "lines",
        "long_lines",
        "starts",
    )

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.starts: list[int] = []
        self.lasts: list[int] = []
        self.details: list[tuple[bytes, bytes]] = []
        self.held = 0
        self.foreign = 0
        self.long_lines = 0
        self.cut_bytes = 0

    def _add(
        self, text: bytes, place: tuple[int, int], details: tuple[bytes, bytes], limit: int
    ) -> None:
        if len(text) > limit:
            self.long_lines += 1
            self.cut_bytes += len(text) - limit
            text = text[:limit]
        self.lines.append(text[:-1] if text.endswith(b"\r") else text)
        self.starts.append(place[0])
        self.lasts.append(place[1])
        self.details.append(details)


def unwrap(
    lines: Sequence[bytes],
    starts: Sequence[int],
    parts_of: Callable[[Sequence[bytes]], list[Part | None]],
    limit: int,
    *,
    complete: bool,
) -> Unwrapped:
    """Take the wrapping off. `complete`: what is not complete is taken as it is."""
    unwrapped = Unwrapped()
    open_parts: dict[bytes, list[int]] = {}
    """By stream: the indexes of its parts so far."""
    parts = parts_of(lines)
    end = len(lines)
    if not complete:
        end = _complete_until(parts)
        unwrapped.held = len(lines) - end
    for index in range(end):
        part = parts[index]
        if part is None:
            unwrapped.foreign += 1
            unwrapped._add(lines[index], (starts[index],) * 2, (b"", b""), limit)
            continue
        time, stream, text, goes_on = part
        if goes_on:
            open_parts.setdefault(stream, []).append(index)
            continue
        before = open_parts.pop(stream, None)
        if before is None:
            unwrapped._add(text, (starts[index],) * 2, (time, stream), limit)
        else:
            _put_together(unwrapped, parts, [*before, index], starts, limit)
    for indexes in open_parts.values():
        _put_together(unwrapped, parts, indexes, starts, limit)
    _in_order(unwrapped)
    return unwrapped


def _complete_until(parts: Sequence[Part | None]) -> int:
    """How many lines there are before the first whose last part isn't here yet."""
    begun: dict[bytes, int] = {}
    for index, part in enumerate(parts):
        if part is None:
            continue
        if part[3]:
            begun.setdefault(part[1], index)
        else:
            begun.pop(part[1], None)
    if not begun:
        return len(parts)
    # A line of the other stream may have begun before this place and end behind it.
    first = min(begun.values())
    while True:
        open_at: dict[bytes, int] = {}
        for index in range(first):
            part = parts[index]
            if part is None:
                continue
            if part[3]:
                open_at.setdefault(part[1], index)
            else:
                open_at.pop(part[1], None)
        if not open_at:
            return first
        first = min(open_at.values())


def _put_together(
    unwrapped: Unwrapped,
    parts: Sequence[Part | None],
    indexes: Sequence[int],
    starts: Sequence[int],
    limit: int,
) -> None:
    texts: list[bytes] = []
    details = (b"", b"")
    for index in indexes:
        part = parts[index]
        assert part is not None
        texts.append(part[2])
        if index == indexes[0]:
            details = part[:2]
    place = starts[indexes[0]], starts[indexes[-1]]
    unwrapped._add(b"".join(texts), place, details, limit)


def _in_order(unwrapped: Unwrapped) -> None:
    """By the places of their first parts, which is what a record is named after."""
    starts = unwrapped.starts
    if all(a < b for a, b in pairwise(starts)):
        return
    order = sorted(range(len(starts)), key=starts.__getitem__)
    unwrapped.lines = [unwrapped.lines[index] for index in order]
    unwrapped.details = [unwrapped.details[index] for index in order]
    unwrapped.lasts = [unwrapped.lasts[index] for index in order]
    unwrapped.starts = [starts[index] for index in order]
