"""Turning a loop from a test: until something has happened, or in a thread of its own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from podweave.helpers.loop import READ, Loop

Result = TypeVar("Result")


def drive(loop: Loop, condition: Callable[[], Result], seconds: float, what: str) -> Result:
    """Turn `loop` until `condition` gives a true value."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        loop.step(0.05)


@contextlib.contextmanager
def running(loop: Loop) -> Iterator[None]:
    """Run `loop` in a thread; an exception out of it is raised at the end."""
    mine, its = socket.socketpair()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            loop.run()
        except BaseException as error:
            failures.append(error)

    loop.add(its.fileno(), READ, lambda events: loop.stop())
    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        mine.close()
        thread.join(20)
        its.close()
    assert not thread.is_alive()
    if failures:
        raise failures[0]
