"""The supervisor's event loop: descriptors, timers and signals in one epoll, one thread.

Not asyncio: the supervisor forks containers at any time, which wants a loop without hidden
threads or descriptors, and its start is a part of the time that `podweave up` takes.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import select
import signal
import time
from collections.abc import Callable, Iterable

READ = select.EPOLLIN
WRITE = select.EPOLLOUT

Callback = Callable[[], None]


class Timer:
    """A call that is due at a time; `cancel` makes it not happen."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callback) -> None:
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None


class Loop:
    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._watched: dict[int, Callback] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._count = 0
        self._running = False
        self._signals: dict[int, Callback] = {}
        self._wakeup = (-1, -1)
        self._epoch = time.time() - time.monotonic()
        self.after_round: Callback | None = None
        """Called when all that had happened at one moment was dealt with."""

    def now(self) -> float:
        """Seconds since the epoch, never going back: the wall clock as it was at the start."""
        return self._epoch + time.monotonic()

    def watch(self, fd: int, callback: Callback, events: int = READ) -> None:
        self._epoll.register(fd, events)
        self._watched[fd] = callback

    def change(self, fd: int, callback: Callback, events: int) -> None:
        self._epoll.modify(fd, events)
        self._watched[fd] = callback

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor; to be called before it is closed. Unknown ones are passed over."""
        if self._watched.pop(fd, None) is not None:
            with contextlib.suppress(OSError):
                self._epoll.unregister(fd)

    def at(self, when: float, callback: Callback) -> Timer:
        timer = Timer(callback)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, timer))
        return timer

    def after(self, seconds: float, callback: Callback) -> Timer:
        return self.at(self.now() + seconds, callback)

    def handle_signals(self, callbacks: dict[int, Callback]) -> None:
        """Route signals through the loop. Restores nothing: the process is the loop's own."""
        self._signals = callbacks
        self._wakeup = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self._wakeup[1], warn_on_full_buffer=False)
        for signum in callbacks:
            signal.signal(signum, lambda *_: None)
        self.watch(self._wakeup[0], self._signalled)

    def stop(self) -> None:
        self._running = False

    def run(self) -> None:
        self._running = True
        while self._running:
            for fd, _ in self._poll():
                callback = self._watched.get(fd)
                if callback is not None:
                    callback()
            self._run_timers()
            if self.after_round is not None:
                self.after_round()

    def close(self) -> None:
        self._epoll.close()

    def _poll(self) -> Iterable[tuple[int, int]]:
        timeout = -1.0
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        if self._timers:
            # Rounded up to the millisecond by epoll: a timer is never woken for too early twice.
            timeout = max(0.0, self._timers[0][0] - self.now())
        return self._epoll.poll(timeout)

    def _run_timers(self) -> None:
        now = self.now()
        while self._timers and self._timers[0][0] <= now:
            callback = heapq.heappop(self._timers)[2].callback
            if callback is not None:
                callback()

    def _signalled(self) -> None:
        try:
            numbers = set(os.read(self._wakeup[0], 4096))
        except BlockingIOError:
            return
        for number in sorted(numbers):
            callback = self._signals.get(number)
            if callback is not None:
                callback()
