"""The event loop of every helper: descriptors, timers and signals on one epoll.

On `select.epoll` itself rather than `selectors`: one look into a list between the kernel's answer
and the callback. Rules that callers may rely on:

- Level-triggered. A callback that reads only a part is called again.
- `EPOLLERR` and `EPOLLHUP` are always reported, whatever was asked for.
- A callback may add, modify and remove any descriptor, its own too. Within one batch of events
  a removed descriptor is not called, and a number that was closed and used again is not called
  with the event of its predecessor.
- Deadlines come after what is there already: as long as more is ready than one batch takes, timers
  wait, though for a few batches only. After a hold-up of the machine a deadline that is over says
  nothing, and the answer that has come in the meantime does.
- An exception out of a callback leaves `run()`: a helper that doesn't know its own state any
  more ends loudly, and is started anew.
"""

from __future__ import annotations

import errno
import os
import select
import signal
import time
from heapq import heapify, heappop, heappush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

READ = select.EPOLLIN
WRITE = select.EPOLLOUT
ERROR = select.EPOLLERR
HANGUP = select.EPOLLHUP

# A batch large enough to be rare, small enough that the C library has the memory for the kernel's
# answer at hand (12 bytes an event).
_BATCH = 64
# Batches that timers wait for, at most: some ten milliseconds of work.
_MOST_BATCHES_AHEAD = 32
# Dials set a deadline and drop it in milliseconds: without a sweep the heap keeps them for long.
_SWEEP = 512


class Timer:
    """A call in the future; `cancel()` may be called at any time, also after it ran."""

    __slots__ = ("_callback", "_loop", "when")

    def __init__(self, loop: Loop, when: float, callback: Callable[[], object]) -> None:
        self._loop = loop
        self._callback: Callable[[], object] | None = callback
        self.when = when

    @property
    def pending(self) -> bool:
        return self._callback is not None

    def cancel(self) -> None:
        if self._callback is not None:
            self._callback = None
            self._loop._cancelled()

    def _take(self) -> Callable[[], object] | None:
        callback, self._callback = self._callback, None
        return callback


class Loop:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.now = clock
        self._epoll = select.epoll()
        self._callbacks: list[Callable[[int], object] | None] = []
        """By descriptor: the kernel gives out the lowest number that is free."""
        self._added: dict[int, Callable[[int], object]] = {}
        """Not called within the batch that is under way: its events are older."""
        self._timers: list[tuple[float, int, Timer]] = []
        self._sequence = 0
        self._dead_timers = 0
        self._batches_ahead = 0
        """Full ones in a row, since timers have been due."""
        self._running = False
        self._signals: dict[int, Callable[[], object]] = {}
        self._wakeup: tuple[int, int] | None = None

    def add(self, fd: int, events: int, callback: Callable[[int], object]) -> None:
        """Call `callback(events)` whenever one of `events` is there; ERROR and HANGUP always are.

        OSError with EPERM for what epoll can't wait for, such as a regular file.
        """
        self._epoll.register(fd, events)
        self._added[fd] = callback

    def modify(self, fd: int, events: int) -> None:
        self._epoll.modify(fd, events)

    def remove(self, fd: int) -> None:
        """Forget the descriptor. Call it before closing the descriptor, never after."""
        self.forget(fd)
        self._epoll.unregister(fd)

    def forget(self, fd: int) -> None:
        """As `remove`, for a descriptor that is closed at once and has no duplicate: the kernel
        takes it out of the epoll set then, which saves a system call."""
        if self._added.pop(fd, None) is None:
            self._callbacks[fd] = None

    def call_later(self, delay: float, callback: Callable[[], object]) -> Timer:
        return self.call_at(self.now() + delay, callback)

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call once, not before `when` on this loop's clock; equal times in order of asking."""
        timer = Timer(self, when, callback)
        self._sequence += 1
        heappush(self._timers, (when, self._sequence, timer))
        return timer

    def on_signal(self, signum: int, callback: Callable[[], object]) -> None:
        """Call `callback` from the loop after the signal came; several may be seen as one."""
        if self._wakeup is None:
            reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
            self._wakeup = (reader, writer)
            signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
            self.add(reader, READ, self._signalled)
        self._signals[signum] = callback
        signal.signal(signum, _noted)

    def run(self) -> None:
        """Run until `stop()`. The callbacks of a batch that has begun are still called."""
        self._running = True
        while self._running:
            self.step()

    def stop(self) -> None:
        self._running = False

    def step(self, timeout: float | None = None) -> None:
        """Wait once, at most `timeout` seconds, and call what has been due before or is after an
        idle wait."""
        if self._added:
            self._take_added()
        timers = self._timers
        due = False
        if timers:
            # A cancelled one that is still the first wakes the loop for nothing, once. (The
            # clock has a name here because CPython calls an instance's attribute slowly.)
            now = self.now
            left = timers[0][0] - now()
            if left <= 0.0:
                due = True
                timeout = 0.0
            elif timeout is None or left < timeout:
                timeout = left
        callbacks = self._callbacks
        events = self._epoll.poll(timeout, _BATCH)
        for fd, mask in events:
            callback = callbacks[fd]
            if callback is not None:
                callback(mask)
        # What has become due while callbacks ran is seen by the next step: one look at the clock
        # each time is enough.
        if due or not events:
            if len(events) == _BATCH and self._batches_ahead < _MOST_BATCHES_AHEAD:
                self._batches_ahead += 1
                return
            self._batches_ahead = 0
            self._call_due_timers()

    def close(self) -> None:
        if self._wakeup is not None:
            signal.set_wakeup_fd(-1)
            for signum in self._signals:
                signal.signal(signum, signal.SIG_DFL)
            for fd in self._wakeup:
                os.close(fd)
            self._wakeup = None
        self._epoll.close()
        self._callbacks.clear()
        self._timers.clear()

    def _take_added(self) -> None:
        callbacks = self._callbacks
        missing = max(self._added) + 1 - len(callbacks)
        if missing > 0:
            callbacks.extend([None] * missing)
        for fd, callback in self._added.items():
            callbacks[fd] = callback
        self._added.clear()

    def _call_due_timers(self) -> None:
        # A timer that sets another for "now" must not keep the descriptors waiting for ever.
        now = self.now()
        last = self._sequence
        timers = self._timers
        while timers and timers[0][0] <= now and timers[0][1] <= last:
            timer = heappop(timers)[2]
            callback = timer._take()
            if callback is None:
                self._dead_timers -= 1
            else:
                callback()

    def _cancelled(self) -> None:
        self._dead_timers += 1
        if self._dead_timers > _SWEEP and self._dead_timers * 2 > len(self._timers):
            self._timers[:] = [entry for entry in self._timers if entry[2]._callback is not None]
            heapify(self._timers)
            self._dead_timers = 0

    def _signalled(self, events: int) -> None:
        assert self._wakeup is not None
        try:
            numbers = os.read(self._wakeup[0], 512)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EINTR):
                return
            raise
        for signum in dict.fromkeys(numbers):
            callback = self._signals.get(signum)
            if callback is not None:
                callback()


def _noted(signum: int, frame: FrameType | None) -> None:
    """A Python-level handler, so that the number goes to the wake-up descriptor."""
