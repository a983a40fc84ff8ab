"""What a container prints, kept as kubelet keeps it: the CRI log format, rotated.

A line of the file is `2026-01-02T03:04:05.123456789Z stdout F the line`; `P` in place of `F`
marks a piece of a line that goes on in the next one. Files are rotated at 10 MiB, five are
kept: app.log, app.log.1 … app.log.4. A new run begins new files, and those of the run before
become app.previous.log, …: of two runs the output is there, of earlier ones not.

Back-pressure: the pipe is read no faster than the disk takes the lines. A disk that takes none
(it is full) must end neither the Pod nor the container's writing: lines are lost then, and their
number is written down as soon as there is room.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from typing import Final

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_FILES: Final = 5
PIECE: Final = 16 * 1024
"""Longest piece of a line, as containerd and CRI-O have it."""


def previous(path: str) -> str:
    """Where the output of the run before is."""
    return f"{path.removesuffix('.log')}.previous.log"


def set_aside(path: str, max_files: int = MAX_FILES) -> None:
    """Make the files of the run that ended those of the previous run."""
    former = previous(path)
    for number in range(max_files):
        suffix = f".{number}" if number else ""
        try:
            os.replace(path + suffix, former + suffix)
        except FileNotFoundError:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(former + suffix)


class LogFile:
    """The log file of one container, for as long as the supervisor lives."""

    def __init__(
        self, path: str, *, max_bytes: int = MAX_BYTES, max_files: int = MAX_FILES
    ) -> None:
        self.path: Final = path
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._fd = self._open()
        self._size = os.fstat(self._fd).st_size
        self._lost = 0

    def write(self, records: bytes) -> None:
        if self._size and self._size + len(records) > self._max_bytes:
            self._rotate()
        if self._lost:
            line = b"podweave: %d lines were lost here, the disk was full" % self._lost
            if not self._append(b"%s stderr F %s\n" % (_stamp(), line)):
                self._lost += records.count(b"\n")
                return
            self._lost = 0
        if not self._append(records):
            self._lost += records.count(b"\n")

    def _append(self, records: bytes) -> bool:
        """All of it or, where that fails, nothing: no half record stays in the file."""
        view = memoryview(records)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, self._size)
            return False
        self._size += len(records)
        return True

    def close(self) -> None:
        os.close(self._fd)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        return os.open(self.path, flags, 0o640)

    def _rotate(self) -> None:
        for number in range(self._max_files - 2, -1, -1):
            source = f"{self.path}.{number}" if number else self.path
            with contextlib.suppress(FileNotFoundError):
                os.replace(source, f"{self.path}.{number + 1}")
        former = self._fd
        try:
            self._fd = self._open()
        except OSError:
            return  # no room for a new file: the old one is written on under its new name
        os.close(former)
        self._size = 0


class Stream:
    """One of a container's two outputs, cut into CRI records."""

    def __init__(self, name: str, log: LogFile) -> None:
        self._name = name.encode()
        self._log = log
        self._rest = b""

    def feed(self, data: bytes) -> None:
        stamp = _stamp()
        *lines, self._rest = (self._rest + data).split(b"\n")
        records = []
        for line in lines:
            while len(line) > PIECE:
                records.append(b"%s %s P %s\n" % (stamp, self._name, line[:PIECE]))
                line = line[PIECE:]
            records.append(b"%s %s F %s\n" % (stamp, self._name, line))
        while len(self._rest) >= PIECE:
            records.append(b"%s %s P %s\n" % (stamp, self._name, self._rest[:PIECE]))
            self._rest = self._rest[PIECE:]
        if records:
            self._log.write(b"".join(records))

    def end(self) -> None:
        """The last line may lack its newline; it is a line all the same."""
        if self._rest:
            self._log.write(b"%s %s F %s\n" % (_stamp(), self._name, self._rest))
            self._rest = b""


class ContainerOutput:
    """The two pipes of one run. `stdout` and `stderr` are the container's ends."""

    def __init__(self, log: LogFile) -> None:
        self.readers: dict[int, Stream] = {}
        self._writers: list[int] = []
        for name in ("stdout", "stderr"):
            reader, writer = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(reader, False)
            self.readers[reader] = Stream(name, log)
            self._writers.append(writer)

    @property
    def stdout(self) -> int:
        return self._writers[0]

    @property
    def stderr(self) -> int:
        return self._writers[1]

    def close_writers(self) -> None:
        """The container has its copies; without ours the end of the output is seen."""
        for fd in self._writers:
            os.close(fd)
        self._writers.clear()

    def read(self, fd: int) -> bool:
        """Take over what is there; False when the output has ended: `finish` is due."""
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return True
        if data:
            self.readers[fd].feed(data)
        return bool(data)

    def finish(self, fd: int) -> None:
        self.readers.pop(fd).end()
        os.close(fd)

    def drain(self, fd: int) -> None:
        """Take what is left once every process of the container has ended, and close."""
        try:
            while data := os.read(fd, 65536):
                self.readers[fd].feed(data)
        except BlockingIOError:
            pass  # a descriptor that was sent elsewhere keeps the pipe open; nobody reads it now
        self.finish(fd)


def last_lines(log: str, count: int) -> list[str]:
    """The last lines of a CRI log file, without their marks."""
    try:
        with open(log, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 256 * 1024))
            records = stream.read().splitlines()
    except OSError:
        return []
    lines = []
    for record in records[-count:]:
        found = re.match(rb"\S+ (?:stdout|stderr) [FP] (.*)", record, re.S)
        if found:
            lines.append(found[1].decode(errors="replace"))
    return lines


def _stamp() -> bytes:
    nanoseconds = time.time_ns()
    seconds, fraction = divmod(nanoseconds, 1_000_000_000)
    return b"%s.%09dZ" % (
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode(),
        fraction,
    )
