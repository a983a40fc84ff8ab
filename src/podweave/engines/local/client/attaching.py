"""A command in a container, attached to us: by pipes, or its terminal joined to ours."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from podweave.engines.errors import EngineError

if TYPE_CHECKING:
    from podweave.engines.engine import PodObject
    from podweave.engines.local.client.control_calls import Call
    from podweave.engines.local.local_engine import LocalEngine

LINGER: Final = 100
"""Milliseconds for what a command that has ended still had in its terminal."""

END_OF_INPUT: Final = b"\x04"


def piped_session(
    engine: LocalEngine, pod: PodObject, container: str, argv: list[str], *, interactive: bool
) -> int:
    """The command has our own descriptors, except terminals: with one of those it could type
    into our session (TIOCSTI), so that goes through a pipe."""
    null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    given = [0 if interactive else null, 1, 2]
    pumps: dict[int, int] = {}
    opened = [null]
    for number, fd in enumerate(given):
        if os.isatty(fd):
            reader, writer = os.pipe2(os.O_CLOEXEC)
            inner, outer = (reader, writer) if number == 0 else (writer, reader)
            given[number] = inner
            opened.append(inner)
            source, target = (fd, outer) if number == 0 else (outer, fd)
            pumps[source] = target
    try:
        call = engine.session(pod, container, argv, given)
    finally:
        for fd in opened:
            os.close(fd)
    try:
        return _join(call, pumps)
    except KeyboardInterrupt:
        return 130
    finally:
        call.close()


def terminal_session(
    engine: LocalEngine, pod: PodObject, container: str, argv: list[str], *, interactive: bool
) -> int:
    """A new terminal inside; ours is raw meanwhile, and its size is passed on."""
    environment = {"TERM": os.environ.get("TERM", "xterm")}
    call = engine.session(pod, container, argv, [], environment)
    try:
        answer = call.receive()
        if answer is None or not call.descriptors:
            raise EngineError("the Pod's supervisor went away")
        master = call.descriptors[0]
        pumps = {master: 1}
        if interactive:
            pumps[0] = master
        with _raw(0 if interactive else -1), _same_size(master):
            return _join(call, pumps)
    finally:
        call.close()


def _join(call: Call, pumps: dict[int, int]) -> int:
    """Move bytes until the command has ended and all it wrote is out; return its exit code."""
    poll = select.poll()
    for source in (call.fileno(), *pumps):
        poll.register(source, select.POLLIN)
    # Ours to close, so that a command that reads to the end of its input sees that end.
    open_sources = set(pumps)
    code: int | None = None
    while code is None or open_sources - {0}:
        # A command may leave a process behind that keeps its terminal; nobody waits for that.
        events = poll.poll(None if code is None else LINGER)
        if not events:
            break
        for fd, _ in events:
            if fd == call.fileno():
                answer = call.receive()
                poll.unregister(fd)
                code = 255 if answer is None else int(answer["exit"])
                # No more to read for the command.
                if 0 in open_sources:
                    poll.unregister(0)
            elif not _move(fd, pumps[fd]):
                poll.unregister(fd)
                open_sources.discard(fd)
                if fd == 0 and pumps[fd] not in pumps:
                    os.close(pumps[fd])
                elif fd == 0:
                    os.write(pumps[fd], END_OF_INPUT)
    return 255 if code is None else code


def _move(source: int, target: int) -> bool:
    """Pass on what is there; False at the end."""
    try:
        data = os.read(source, 65536)
    except OSError:
        return False  # EIO: the last one that had the terminal open is gone
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(target, view) :]
    except OSError:
        return False
    return bool(data)


@contextmanager
def _raw(fd: int) -> Iterator[None]:
    if fd < 0 or not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    try:
        # Without TCSAFLUSH, which would throw away what was typed already.
        tty.setraw(fd, termios.TCSADRAIN)
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


@contextmanager
def _same_size(master: int) -> Iterator[None]:
    """The terminal inside has the size of ours, also after ours has changed."""
    outer = next((fd for fd in (0, 1, 2) if os.isatty(fd)), None)
    if outer is None:
        yield
        return

    def copy(*_: object) -> None:
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(outer, termios.TIOCGWINSZ, b"\0" * 8)
            fcntl.ioctl(master, termios.TIOCSWINSZ, size)

    copy()
    before = signal.signal(signal.SIGWINCH, copy)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
        sys.stdout.flush()
