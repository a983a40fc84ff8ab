"""Waiting for a condition with a deadline: what tests use in place of sleeping."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def wait_until(condition: Callable[[], Result], seconds: float, what: str) -> Result:
    """Call `condition` until it gives a true value, and return that.

    Raises AssertionError naming `what` when `seconds` have passed without one.
    """
    deadline = time.monotonic() + seconds
    pause = 0.001
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what} (last: {result!r})")
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
