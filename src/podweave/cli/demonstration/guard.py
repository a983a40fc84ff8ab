"""Tidying up after work that starts processes, however it ends, `kill -9` included.

The work is done by a child. Whichever of the two processes is killed, the other one tidies up.
Both are child subreapers, so whatever was started stays below them, daemons too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Final, NoReturn

from podweave.sandbox import processes
from podweave.sandbox.system_calls import PR_SET_PDEATHSIG, prctl

INTERRUPTS: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
ENDING_SECONDS: Final = 5.0
"""What is left over gets so long to end in good order."""
_TIDY: Final = 64
"""Added to the child's exit code: it has tidied up itself."""


class Interrupted(BaseException):
    """The user wants no more of it."""


def guarded(work: Callable[[], int], tidy: Callable[[], None]) -> int:
    """Run `work` in a child and return its result; ends by the signal that interrupted it.

    `tidy` runs once at the end in any case, mostly in the child, where it knows what `work` has
    left in its variables. It may run at any point of `work`. What it leaves running is killed.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {*INTERRUPTS, signal.SIGCHLD})
    processes.become_subreaper()
    guard = os.getpid()
    child = processes.fork(lambda: _work(guard, work, tidy))
    received = None
    while True:
        number = signal.sigwait({*INTERRUPTS, signal.SIGCHLD})
        if number in INTERRUPTS:
            received = received or number
            os.kill(child, signal.SIGTERM)
        else:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid == child:
                break
    code = os.waitstatus_to_exitcode(status)
    if code < _TIDY:
        tidy()
        end_descendants()
    if received is not None:
        _end_by(received)
    return code - _TIDY if code >= _TIDY else 1


def _work(guard: int, work: Callable[[], int], tidy: Callable[[], None]) -> int:
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    processes.become_subreaper()
    # Ctrl-C reaches every process of the terminal's group, but means the guard, who tells.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _interrupt)
    code = 1
    try:
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {*INTERRUPTS, signal.SIGCHLD})
            if os.getppid() == guard:
                code = work()
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except Interrupted:
        with contextlib.suppress(OSError):
            print("\ninterrupted: stopping what was started", file=sys.stderr, flush=True)
    except BrokenPipeError:
        pass  # nobody reads any longer
    except BaseException:
        with contextlib.suppress(OSError):
            traceback.print_exc()
    tidy()
    end_descendants()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    return _TIDY + code


def _interrupt(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise Interrupted


def end_descendants() -> None:
    """End all that was started and still runs: at first by asking for it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + ENDING_SECONDS
        told: set[int] = set()
        while left := _reaped(processes.descendants(os.getpid())):
            for pid in left - told:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            told |= left
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)


def _reaped(pids: list[int]) -> set[int]:
    """Those that haven't ended; children that have are reaped."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return set(pids)


def _end_by(number: int) -> NoReturn:
    """End as the shell expects of an interrupted command."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [number])
    os.kill(os.getpid(), number)
    os._exit(128 + number)
