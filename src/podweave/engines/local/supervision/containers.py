"""One run of a container as the supervisor holds it: process one, its outcome, its output."""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any, Final

from podweave.engines.local.setup.pod_sandbox import StartedContainer
from podweave.engines.local.supervision.loop import Loop
from podweave.engines.local.supervision.output import ContainerOutput, last_lines
from podweave.model.pods import Container

MAX_MESSAGE: Final = 4096
MAX_LOG_MESSAGE: Final = 2048
MAX_LOG_LINES: Final = 80


class Outcome:
    """What the status descriptor told, or how process one itself ended."""

    __slots__ = ("error", "exit_code", "reason", "running", "signal")

    def __init__(self) -> None:
        self.running = False
        self.exit_code: int | None = None
        self.signal: int | None = None
        self.error: str | None = None
        self.reason = "StartError"

    def take(self, line: dict[str, Any]) -> None:
        if line.get("running"):
            self.running = True
        if "exit" in line:
            self.exit_code = int(line["exit"])
        if "signal" in line:
            self.signal = int(line["signal"])
        if "start_error" in line:
            self.error = str(line["start_error"])
            self.reason = str(line.get("reason", self.reason))


class Run:
    """A started container and its descriptors."""

    def __init__(
        self, loop: Loop, container: Container, started: StartedContainer, output: ContainerOutput
    ) -> None:
        self.container: Final = container
        self.started: Final = started
        self.outcome: Final = Outcome()
        self._loop = loop
        self._output = output
        self._status = b""
        self._status_open = True
        for reader in list(output.readers):
            loop.watch(reader, lambda reader=reader: self._read_output(reader))  # type: ignore[misc]

    def read_status(self) -> None:
        """Take over what process one has told so far."""
        while self._status_open:
            try:
                data = os.read(self.started.status_fd, 65536)
            except BlockingIOError:
                break
            self._status += data
            if not data:
                self._close_status()
        *lines, self._status = self._status.split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError):
                self.outcome.take(json.loads(line))

    def end(self) -> None:
        """Process one was reaped: take what is left and close everything."""
        self.read_status()
        self._close_status()
        for reader in list(self._output.readers):
            self._loop.unwatch(reader)
            self._output.drain(reader)

    def _close_status(self) -> None:
        if self._status_open:
            self._status_open = False
            self._loop.unwatch(self.started.status_fd)
            os.close(self.started.status_fd)

    def _read_output(self, reader: int) -> None:
        if not self._output.read(reader):
            self._loop.unwatch(reader)
            self._output.finish(reader)


def termination_message(run: Run, log: str, *, failed: bool) -> str:
    """What the container left at terminationMessagePath, or the last it printed if it asks so."""
    message = _beginning(run.started.termination_log)
    policy = run.container.termination_message_policy
    if message or not failed or policy != "FallbackToLogsOnError":
        return message
    tail = last_lines(log, MAX_LOG_LINES)
    return "\n".join(tail)[-MAX_LOG_MESSAGE:]


def _beginning(path: str) -> str:
    """The container owns the file: it may be a link, a pipe, or anything else by now."""
    if not path:
        return ""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(fd, MAX_MESSAGE).decode(errors="replace")
    except OSError:
        return ""
    finally:
        os.close(fd)
