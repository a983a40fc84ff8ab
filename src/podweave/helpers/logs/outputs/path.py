"""A file that rows are appended to, opened anew when somebody rotates it away."""

from __future__ import annotations

import os

from podweave.helpers.logs.outputs.interface import FileOutput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.journal import Journal


class PathOutput(FileOutput):
    """Appends to `path`; makes its directory where there is none."""

    def __init__(self, path: str, journal: Journal | None = None) -> None:
        super().__init__(f"path:{path}", journal)
        self._path = path

    def pump(self) -> None:
        try:
            while self._queue:
                if not self._torn:
                    self._open()
                count = os.write(self._descriptor, self._queue[0])
                self._torn = count < len(self._queue[0])
                self._wrote(count)
        except OSError as error:
            self._failed(error)

    def _open(self) -> None:
        """Have the file open that is at the path now."""
        if self._descriptor >= 0:
            mine = os.fstat(self._descriptor)
            try:
                there = os.stat(self._path)
            except FileNotFoundError:
                there = None
            if there is not None and (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino):
                return
            self.sync()
            self.close()
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o644)
        _end_line(self._descriptor)


def _end_line(descriptor: int) -> None:
    """Take away the beginning of a row that a killed adapter left; it comes again, whole.

    Another program's unfinished line is ended instead.
    """
    size = os.fstat(descriptor).st_size
    start = size
    tail = b""
    while start > 0 and b"\n" not in tail and len(tail) < 4 << 20:
        step = min(65536, start)
        start -= step
        tail = os.pread(descriptor, step, start) + tail
    torn = tail[tail.rfind(b"\n") + 1 :]
    if torn.startswith(b'{"@timestamp"'):
        os.ftruncate(descriptor, size - len(torn))
    elif torn:
        os.write(descriptor, b"\n")
