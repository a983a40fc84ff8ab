r"""Regular expressions of the user's own, on lines that nobody foresees: bounded in time.

`re` can't be told to give up, but it looks for signals while it matches. A timer of the process'
CPU time ticks while such an expression works; when two ticks find it at the same text, the
handler raises, and the text counts as one that doesn't fit. Ticks cost nothing on the usual
text. Outside the main thread, where signals can't be had, the texts' length is all that bounds.
"""

from __future__ import annotations

import atexit
import re
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

TICK = 0.02
"""Seconds of CPU time; a text has between one and two of them."""
LENGTH_LIMIT = 64 * 1024
"""Longer texts are never matched."""
_STRIKES = 10
"""Texts that took too long, after which only short ones are tried."""
_SHORT = 512


class _SpentError(Exception):
    pass


class _Ticks:
    """The process' timer, once it is needed; it runs on, and an idle process has no ticks.

    `texts` counts what was begun, `seen` what the last tick found.
    """

    __slots__ = ("armed", "running", "seen", "texts")

    def __init__(self) -> None:
        self.armed = False
        self.running = False
        self.texts = 0
        self.seen = -1

    def start(self) -> None:
        self.running = True
        try:
            signal.signal(signal.SIGVTALRM, self.tick)
            # At the end Python gives the signal back to the system, which would kill.
            atexit.register(signal.setitimer, signal.ITIMER_VIRTUAL, 0)
            signal.setitimer(signal.ITIMER_VIRTUAL, TICK, TICK)
        except (ValueError, OSError):
            pass  # not in the main thread

    def tick(self, signum: int, frame: Any) -> None:
        if self.armed and self.seen == self.texts:
            self.armed = False
            raise _SpentError
        self.seen = self.texts


_TICKS = _Ticks()


class Expression:
    """One of the user's own, for texts or for bytes. ValueError for what is none."""

    __slots__ = ("_limit", "_strikes", "pattern")

    def __init__(self, expression: str | bytes) -> None:
        try:
            self.pattern: re.Pattern[Any] = re.compile(expression)
        except (re.error, RecursionError, OverflowError) as error:
            shown = expression if isinstance(expression, str) else expression.decode()
            raise ValueError(f"{shown!r} is no regular expression: {error}") from None
        self._strikes = 0
        self._limit = LENGTH_LIMIT

    def fullmatch(self, text: Any) -> Any:
        """The match of the whole text; None where there is none, or none was found in time."""
        return self._bounded(self.pattern.fullmatch, text)

    def found(self, text: str) -> bool:
        return self._bounded(self.pattern.search, text) is not None

    def replaced(self, text: str, instead: str) -> str:
        """The text with each match replaced; `instead` alone where that took too long."""
        if len(text) > LENGTH_LIMIT:
            return instead
        found = self._bounded(lambda whole: self.pattern.sub(lambda match: instead, whole), text)
        return instead if found is None else str(found)

    def _bounded(self, match: Callable[[Any], Any], text: Any) -> Any:
        if len(text) > self._limit:
            return None
        ticks = _TICKS
        if not ticks.running:
            ticks.start()
        ticks.texts += 1
        try:
            ticks.armed = True
            found = match(text)
            ticks.armed = False
            return found
        except _SpentError:
            self._strikes += 1
            if self._strikes >= _STRIKES:
                self._limit = _SHORT
            return None
        finally:
            ticks.armed = False
