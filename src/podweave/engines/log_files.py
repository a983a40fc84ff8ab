"""Files of containers' output in the kubelet's format: a line's time, stream, part mark and text.

The local engine writes them so (`local/supervision/output`), Podman with its driver k8s-file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from podweave.engines.engine import LogLine, LogSource

_RECORD: Final = re.compile(rb"(\S+) (stdout|stderr) ([FP]) ([^\n]*)\n")
_CHUNK: Final = 1024 * 1024


class LogFile(LogSource):
    """Follows a file of output from its beginning. `older` are files that were it before."""

    def __init__(self, path: str, container: str, older: Iterable[str] = ()) -> None:
        self._path = path
        self._container = container
        self._fd = -1
        self._rest = b""
        self._parts: dict[bytes, bytes] = {}
        self._older = list(older)

    def read(self) -> Iterator[LogLine]:
        """What there is that wasn't read yet."""
        while self._older:
            path = self._older.pop(0)
            try:
                fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                yield from self._read_to_end(fd)
            finally:
                os.close(fd)
        while True:
            if self._fd < 0 and not self._open():
                return
            # Asked before reading: what is written before the file is replaced is read first.
            replaced = self._is_replaced()
            yield from self._read_to_end(self._fd)
            if not replaced:
                return
            os.close(self._fd)
            self._fd = -1
            self._rest = b""

    def finish(self) -> Iterator[LogLine]:
        return self.read()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _open(self) -> bool:
        try:
            self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        return True

    def _is_replaced(self) -> bool:
        try:
            return os.stat(self._path).st_ino != os.fstat(self._fd).st_ino
        except FileNotFoundError:
            return False

    def _read_to_end(self, fd: int) -> Iterator[LogLine]:
        while data := os.read(fd, _CHUNK):
            data = self._rest + data
            end = data.rfind(b"\n") + 1
            self._rest = data[end:]
            for stamp, stream, mark, text in _RECORD.findall(data[:end]):
                if mark == b"P":
                    self._parts[stream] = self._parts.get(stream, b"") + text
                else:
                    whole = self._parts.pop(stream, b"") + text
                    yield LogLine(stamp, self._container, whole)


def in_order(readers: Sequence[LogSource]) -> Iterator[LogLine]:
    """What is there of several containers, by time."""
    import heapq

    if len(readers) == 1:
        return readers[0].read()
    return heapq.merge(*(reader.read() for reader in readers), key=lambda line: line.time)
