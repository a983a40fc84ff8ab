"""A container's output through `podman logs`."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from podweave.engines.engine import LogLine, LogSource

AGAIN: Final = 1.0
"""Seconds between two attempts to follow a container that doesn't run at the moment."""


class PodmanLogSource(LogSource):
    """The first `read` asks for all that there is; from the second on it follows."""

    def __init__(self, name: str, container: str) -> None:
        self._name = name
        self._container = container
        self._latest = b""
        self._at_latest = 0
        """How many lines had the time of the latest."""
        self._again = 0
        self._followed: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._next_attempt = 0.0
        self._first = True

    def read(self) -> Iterator[LogLine]:
        if self._first:
            self._first = False
            yield from self._read_all()
        else:
            yield from self._follow()

    def finish(self) -> Iterator[LogLine]:
        self.close()
        yield from self._read_all()

    def close(self) -> None:
        if self._followed is not None:
            self._followed.kill()
            self._followed.wait()
            assert self._followed.stdout is not None
            self._followed.stdout.close()
            self._followed = None

    def _read_all(self) -> Iterator[LogLine]:
        result = subprocess.run(
            ["podman", "logs", "--timestamps", *self._since(), self._name],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if result.returncode == 0:
            # Of each stream in its order, but the two are not in step.
            lines = sorted(self._lines(result.stdout), key=lambda line: line.time)
            yield from self._new(lines)

    def _follow(self) -> Iterator[LogLine]:
        if self._followed is None:
            if time.monotonic() < self._next_attempt:
                return
            self._next_attempt = time.monotonic() + AGAIN
            self._begin()
        assert self._followed is not None
        assert self._followed.stdout is not None
        while True:
            try:
                data = os.read(self._followed.stdout.fileno(), 1 << 16)
            except BlockingIOError:
                return
            if not data:
                self.close()
                return
            data = self._rest + data
            end = data.rfind(b"\n") + 1
            self._rest = data[end:]
            yield from self._new(list(self._lines(data[:end])))

    def _begin(self) -> None:
        self._rest = b""
        self._followed = subprocess.Popen(
            ["podman", "logs", "--timestamps", "--follow", *self._since(), self._name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._followed.stdout is not None
        os.set_blocking(self._followed.stdout.fileno(), False)

    def _since(self) -> list[str]:
        """Podman begins with the lines of that very time: they come again."""
        self._again = self._at_latest
        return ["--since", self._latest.decode()] if self._latest else []

    def _new(self, lines: list[LogLine]) -> list[LogLine]:
        """Those that weren't read before."""
        new = []
        for line in lines:
            if self._again and line.time == self._latest:
                self._again -= 1
                continue
            if line.time > self._latest:
                self._latest, self._at_latest, self._again = line.time, 0, 0
            self._at_latest += line.time == self._latest
            new.append(line)
        return new

    def _lines(self, data: bytes) -> Iterator[LogLine]:
        for line in data.split(b"\n"):
            stamp, _, text = line.partition(b" ")
            moment = in_utc(stamp)
            if moment:
                yield LogLine(moment, self._container, text)


def in_utc(stamp: bytes) -> bytes:
    """RFC 3339 with nine digits, so that stamps can be compared as they are; empty for anything
    that is no time stamp."""
    try:
        text = stamp.decode()
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return b""
    fraction = ""
    if "." in text:
        digits = text.partition(".")[2]
        fraction = digits[: len(digits) - len(digits.lstrip("0123456789"))]
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{fraction:0<9}Z".encode()
