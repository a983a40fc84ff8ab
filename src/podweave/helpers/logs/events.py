"""Which lines of a file are one event: a stack trace is one record, not forty.

Rules, of which an entry has one:

- `auto`: the traces that join.py knows, and indented lines, belong to the line before them.
- `indented`: indented and empty lines do.
- `start`: a line that a regular expression matches begins an event; all others continue.
- `continue`: a line that it matches continues; all others begin an event.

An event is at most JOINED_LIMIT bytes; the line that would make it longer begins the next. What
is an event depends on nothing but the lines from its beginning on, so that a reader may stop
after any event and go on there.
"""

from __future__ import annotations

import re

from podweave.helpers.logs.join import Joiner, looks_logged
from podweave.helpers.logs.reading import JOINED_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = ("auto", "indented", "start", "continue")
SEARCHED = 4096
"""Bytes of a line in which an expression of the user's own is looked for: the search may not be
linear."""
FLUSH = 0.5
"""Seconds without a further line after which an event is complete."""

# What no continuation is without, so that one search over many lines says that there is none.
CONTINUING = (
    # Most lines begin with a digit or a brace, and are passed over by this alone.
    rb"(?=[\sA-Za-z_$.#{}\])@*=\[-])(?:\s|Traceback|During |The above|goroutine |\[s"
    rb"|created |exit |Caused|Suppr|Wrapped|\.\.\.|Stack t|#\d|---|[}\])]|[{\[]\r?(?:\n|\Z)"
    rb"|PHP |\[prev|from |PC: |@|\*\*\*|==|SUMM|Node\.js"
    rb'|(?:Exception in thread "[^"\n]*" |Unhandled exception\. )?'
    rb"[A-Za-z_$][\w$]*[.\\][\w$.\\]*(?::|\r?(?:\n|\Z))"
    rb"|(?:Uncaught )?(?:[A-Z]\w*)?(?:Error|Exception)\b)"
)
_AUTO = re.compile(rb"\n" + CONTINUING)
AUTO_STATES = (b"Traceback (most", b"panic: ", b"fatal error: ", b"goroutine ")
_INDENTED = re.compile(rb"\n[ \t\r\n]")
# Between two lines of one event of a container's stream, this many of the other may stand.
BETWEEN = 64


class Events:
    """One rule. ValueError: the regular expression isn't one."""

    def __init__(self, rule: str, expression: str = "", flush: float = FLUSH) -> None:
        self.rule = rule
        self.flush = flush
        try:
            self._expression = re.compile(expression.encode())
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"is not a regular expression: {error}") from None

    def every_line(self, data: bytes) -> bool:
        """Each of the lines, which all end with a newline, is an event: quickly said."""
        if self.rule == "auto":
            known = data.startswith(b"==") or any(text in data for text in AUTO_STATES)
            return not known and _AUTO.search(data) is None
        if self.rule == "indented":
            return _INDENTED.search(data) is None
        lines = data.split(b"\n")
        lines.pop()
        if max(map(len, lines)) > SEARCHED:
            return False
        found = map(self._expression.search, lines[1:])
        return all(found) if self.rule == "start" else not any(found)

    def firsts(self, lines: Sequence[bytes]) -> list[int]:
        """The indexes of the lines that begin an event; the first line always does."""
        joiner = Joiner(looks_logged) if self.rule == "auto" else None
        continues = self._continues if joiner is None else joiner.continues
        firsts: list[int] = []
        size = 0
        for index, line in enumerate(lines):
            if index and continues(line) and size + len(line) < JOINED_LIMIT:
                size += len(line) + 1
                continue
            firsts.append(index)
            size = len(line)
            if joiner is not None:
                joiner.begin(line, None)
        return firsts

    def _continues(self, line: bytes) -> bool:
        if self.rule == "indented":
            return not line or line.isspace() or line[0] in b" \t"
        return (self._expression.search(line, 0, SEARCHED) is None) == (self.rule == "start")

    def of_streams(
        self, lines: Sequence[bytes], streams: Sequence[bytes]
    ) -> list[tuple[list[int], bool]]:
        """Events where lines of several streams alternate, in the order of their first lines.

        Each as the indexes of its lines, and whether another line may still join it.
        """
        runs: dict[bytes, list[list[int]]] = {}
        for index, stream in enumerate(streams):
            known = runs.setdefault(stream, [])
            if known and index - known[-1][-1] <= BETWEEN:
                known[-1].append(index)
            else:
                known.append([index])
        events: list[tuple[list[int], bool]] = []
        for known in runs.values():
            for run in known:
                firsts = self.firsts([lines[index] for index in run])
                ends = [*firsts[1:], len(run)]
                still = len(lines) - run[-1] <= BETWEEN
                events += [
                    (run[begin:end], still and end == len(run))
                    for begin, end in zip(firsts, ends, strict=True)
                ]
        events.sort(key=_first)
        return events


def _first(event: tuple[list[int], bool]) -> int:
    return event[0][0]
