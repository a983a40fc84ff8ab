"""Commands that run in a container for the Pod's own ends: exec probes and hooks."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from typing import Final

from podweave.engines.local.supervision.loop import Loop, Timer

MAX_OUTPUT: Final = 10 * 1024
"""Bytes of a probe's answer that are kept, as kubelet does."""

Done = Callable[[bool, str], None]
Reaped = Callable[[int], None]


class Children:
    """Who waits for which child of the supervisor."""

    def __init__(self) -> None:
        self._waiting: dict[int, Reaped] = {}

    def expect(self, pid: int, reaped: Reaped) -> None:
        self._waiting[pid] = reaped

    def reaped(self, pid: int, status: int) -> bool:
        callback = self._waiting.pop(pid, None)
        if callback is not None:
            callback(status)
        return callback is not None


class Execution:
    """Waits for a command with a time limit, keeps the beginning of what it prints."""

    def __init__(
        self,
        loop: Loop,
        children: Children,
        pid: int,
        reader: int,
        timeout: float | None,
        done: Done,
    ) -> None:
        self._loop = loop
        self._pid = pid
        self._reader = reader
        self._done = done
        self._output = b""
        self._timed_out = False
        self._timer: Timer | None = None
        os.set_blocking(reader, False)
        loop.watch(reader, self._read)
        children.expect(pid, self._reaped)
        if timeout is not None:
            self._timeout = timeout
            self._timer = loop.after(timeout, self._expired)

    def _read(self) -> None:
        try:
            data = os.read(self._reader, 65536)
        except BlockingIOError:
            return
        self._output = (self._output + data)[:MAX_OUTPUT]
        if not data:
            self._close()

    def _close(self) -> None:
        if self._reader >= 0:
            self._loop.unwatch(self._reader)
            os.close(self._reader)
            self._reader = -1

    def _expired(self) -> None:
        self._timed_out = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)

    def _reaped(self, status: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._reader >= 0:
            self._read()
            self._close()
        text = self._output.decode(errors="replace").strip()
        code = os.waitstatus_to_exitcode(status)
        if self._timed_out:
            self._done(False, f"command timed out after {self._timeout:g}s")
        elif code == 0:
            self._done(True, text)
        else:
            end = f"exit code {code}" if code > 0 else f"signal {-code}"
            self._done(False, f"{text} ({end})" if text else end)
