"""Times of reading, one for each line: what a container's runtime wrote in front of it.

A line's own time goes first. Where it has none, or one without a year, this is what it has.
"""

from __future__ import annotations

import re
from itertools import groupby

from podweave.helpers.logs.clock import Clock
from podweave.helpers.logs.memo import Memo
from podweave.helpers.logs.schemas.schema import padded
from podweave.helpers.logs.timestamps import STAMPS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.logs.schemas.schema import Time

_STAMP = STAMPS["RFC3339"]
_PARTS = re.compile(rb"^(?:" + _STAMP.pattern + rb"$|[^\n]*)", re.MULTILINE)


_HOUR = len("2026-11-23T02")


class Moment(Clock):
    """The clock of one line."""

    __slots__ = ("_moment",)

    def __init__(self, moment: tuple[int, str], clock: Clock) -> None:
        super().__init__(clock.now, clock.offset, clock.zone)
        self._moment = moment

    def reading(self) -> tuple[int, str]:
        return self._moment


class LineClock(Clock):
    """`times`: an RFC 3339 timestamp for each line; for what is none `clock` is asked.

    What a date without its year or a time of day means is asked of `now`, which is the first
    line's time: `spans` are lines for which that makes no difference.
    """

    __slots__ = ("_clock", "times")

    def __init__(self, times: Sequence[bytes], clock: Clock, now: float | None = None) -> None:
        first = _STAMP.read(times[0], clock) if now is None and times else None
        if now is None:
            now = clock.now if first is None else first[0]
        super().__init__(now, clock.offset, clock.zone)
        self.times = times
        self._clock = clock

    def at(self, index: int) -> Clock:
        moment = _STAMP.read(self.times[index], self)
        return Moment(self._clock.reading() if moment is None else moment, self)

    def of(self, indexes: Sequence[int]) -> Clock:
        times = self.times
        return LineClock([times[index] for index in indexes], self._clock, self.now)

    def following(self, before: Clock | None) -> Clock:
        if not isinstance(before, LineClock):
            return self
        return LineClock([*before.times, *self.times], self._clock)

    def spans(self) -> list[tuple[int, int, Clock]]:
        times = self.times
        if not times or times[0][:_HOUR] == times[-1][:_HOUR]:
            return []
        spans: list[tuple[int, int, Clock]] = []
        begin = 0
        for _, group in groupby(times, lambda text: text[:_HOUR]):
            end = begin + len(list(group))
            spans.append((begin, end, LineClock(times[begin:end], self._clock)))
            begin = end
        return spans

    def written(self, node: Time) -> list[bytes]:
        """Each line's time as a schema writes it."""
        memo = _SECONDS.get(node)
        if memo is None:
            memo = _SECONDS[node] = Memo(lambda text: _second(text, node))
        digits = node.digits
        after = node.after.encode()
        otherwise = node.text(self._clock.reading()).encode()
        written = []
        for base, fraction, zone in _PARTS.findall(b"\n".join(self.times)):
            second = memo[base + zone]
            if second is None:
                written.append(otherwise)
                continue
            if len(fraction) < digits:
                fraction = padded(fraction.decode("ascii"), digits).encode("ascii")
            written.append(second + fraction + after)
        return written


_SECONDS: dict[Time, Memo] = {}
"""What each schema makes of a second that names its zone, which nothing else decides."""


def _second(text: bytes, node: Time) -> bytes | None:
    seconds = _STAMP.parse(text, Clock(0, 0)) if text else None
    return None if seconds is None else f"{node.seconds(seconds)}{node.before}".encode()
