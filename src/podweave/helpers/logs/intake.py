"""Named pipes and Unix sockets as sources: what an application writes there, taken to disk at once.

What is read from a pipe is in nobody's hands but the reader's, so it isn't kept in memory until a
store has it: it is appended to a spool in the state directory, one for each store, and shipped
from there like any file. So what was taken survives the death of this program. What a pipe allows,
and no more:

- when this program dies by force, a pipe has no reader: its writer is told so (SIGPIPE, EPIPE)
  until this program is back, and what was written and not taken yet, up to 1 MiB, is lost as soon
  as no writer has the pipe open either. A file has neither fault: prefer one where there is a
  choice;
- while the spool is full nothing is taken, and a writer of a pipe or stream waits; one of
  datagrams waits too, or is told EAGAIN, as it has asked for;
- a line without its newline is taken as one when its writer closes, or the Pod ends.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat

from podweave.helpers.logs.datagram_lines import spooled
from podweave.helpers.logs.outputs.spool import SpoolOutput
from podweave.helpers.loop import HANGUP, READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.source import Source
    from podweave.helpers.loop import Loop

PIPE = "pipe"
DATAGRAM = "datagram"
STREAM = "stream"

_TAKE = 64 << 10
_LARGEST_DATAGRAM = 256 << 10
"""Above what the kernel lets a Unix datagram be by default (net.core.wmem_max)."""
_PIPE_BYTES = 1 << 20
_F_SETPIPE_SZ = 1031
_CONNECTIONS = 1024
_RETRY = 0.05
_RETRY_OPEN = 1.0
_QUIET = 0.25
# Whoever the application runs as writes here, as to /dev/log.
_MODE = 0o666


class Intake:
    """One pipe or socket. `spools`: the directories of what was taken, one for each store."""

    def __init__(
        self,
        kind: str,
        path: str,
        spools: Sequence[str],
        loop: Loop,
        journal: Journal,
        *,
        line_limit: int,
    ) -> None:
        self.path = path
        self.counters = {"long_lines": 0, "cut_bytes": 0}
        self.spools = list(spools)
        self._sources: list[Source] = []
        self._kind = kind
        self._loop = loop
        self._journal = journal
        self._line_limit = line_limit
        self._outputs = [SpoolOutput(directory, journal) for directory in spools]
        self._descriptors: dict[int, _Lines] = {}
        """What is read from, with what has no newline yet."""
        self._socket: socket.socket | None = None
        self._connections: dict[int, socket.socket] = {}
        self._paused = False
        self._failure: int | None = None
        self._finishing = False
        self._closed = False
        self._open()

    def feed(self, source: Source) -> None:
        """Wake this one when there is something in its spool, and count there what is cut."""
        self._sources.append(source)

    def finish(self) -> None:
        """The Pod ends: what has no newline is taken as it is, once nothing more comes."""
        self._finishing = True
        self._loop.call_later(_QUIET, self._take_rests)

    def close(self) -> None:
        self._closed = True
        self._take_rests()
        for descriptor in list(self._descriptors):
            self._drop(descriptor)
        if self._socket is not None:
            if self._kind == STREAM and not self._paused:
                self._loop.remove(self._socket.fileno())
            self._socket.close()
            self._socket = None
            try:
                os.unlink(self.path)
            except OSError:
                pass  # gone already
        for output in self._outputs:
            output.pump()
            output.sync()
            output.close()

    # Opening

    def _open(self) -> None:
        if self._closed:
            return
        try:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            if self._kind == PIPE:
                self._open_pipe()
            else:
                self._open_socket()
        except OSError as error:
            if self._failure != error.errno:
                self._failure = error.errno
                self._journal.error(
                    "intake.failed",
                    path=self.path,
                    error=errno.errorcode.get(error.errno or 0, "?"),
                    message=f"{error.strerror}: tried again every {_RETRY_OPEN:g} s",
                )
            self._loop.call_later(_RETRY_OPEN, self._open)
            return
        self._failure = None

    def _open_pipe(self) -> None:
        try:
            os.mkfifo(self.path)
            os.chmod(self.path, _MODE)
        except FileExistsError:
            if not stat.S_ISFIFO(os.stat(self.path).st_mode):
                raise OSError(errno.EEXIST, "there is something else than a pipe") from None
        # Open for writing as well: so it never comes to its end while writers come and go.
        descriptor = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            fcntl.fcntl(descriptor, _F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:
            pass  # an ordinary user's share of pipe memory is used up
        self._descriptors[descriptor] = _Lines()
        self._loop.add(descriptor, READ, lambda events: self._readable(descriptor))

    def _open_socket(self) -> None:
        kind = socket.SOCK_DGRAM if self._kind == DATAGRAM else socket.SOCK_STREAM
        made = socket.socket(socket.AF_UNIX, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self._remove_stale(kind)
            made.bind(self.path)
            os.chmod(self.path, _MODE)
            if self._kind == STREAM:
                made.listen(128)
        except OSError:
            made.close()
            raise
        self._socket = made
        descriptor = made.fileno()
        if self._kind == STREAM:
            self._loop.add(descriptor, READ, lambda events: self._accept())
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _PIPE_BYTES)
            self._descriptors[descriptor] = _Lines()
            self._loop.add(descriptor, READ, lambda events: self._datagrams())

    def _remove_stale(self, kind: int) -> None:
        """Take away the socket that a killed program left; not one that somebody serves."""
        try:
            if not stat.S_ISSOCK(os.stat(self.path).st_mode):
                raise OSError(errno.EEXIST, "there is something else than a socket")
        except FileNotFoundError:
            return
        with socket.socket(socket.AF_UNIX, kind) as probe:
            try:
                probe.connect(self.path)
            except ConnectionRefusedError:
                os.unlink(self.path)
            else:
                raise OSError(errno.EADDRINUSE, "another program listens there")

    # Taking

    def _readable(self, descriptor: int) -> None:
        try:
            data = os.read(descriptor, _TAKE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        lines = self._descriptors[descriptor]
        if not data and self._kind != PIPE:
            self._write(lines.rest())
            self._drop(descriptor)
            return
        self._write(lines.feed(data, self._line_limit, self.counters))

    def _datagrams(self) -> None:
        assert self._socket is not None
        parts: list[bytes] = []
        size = 0
        while size < _TAKE:
            try:
                data = self._socket.recv(_LARGEST_DATAGRAM)
            except OSError:
                break
            if len(data) > self._line_limit:
                self.counters["long_lines"] += 1
                self.counters["cut_bytes"] += len(data) - self._line_limit
                data = data[: self._line_limit]
            parts.append(spooled(data))
            size += len(parts[-1])
        self._write(b"".join(parts))

    def _accept(self) -> None:
        assert self._socket is not None
        try:
            connection, _ = self._socket.accept()
        except OSError:
            return
        if len(self._connections) >= _CONNECTIONS:
            connection.close()
            return
        connection.setblocking(False)
        descriptor = connection.fileno()
        self._connections[descriptor] = connection
        self._descriptors[descriptor] = _Lines()
        self._loop.add(descriptor, READ | HANGUP, lambda events: self._readable(descriptor))

    def _drop(self, descriptor: int) -> None:
        del self._descriptors[descriptor]
        if not self._paused:
            self._loop.remove(descriptor)
        connection = self._connections.pop(descriptor, None)
        if connection is not None:
            connection.close()
        elif self._kind == PIPE:
            os.close(descriptor)

    def _take_rests(self) -> None:
        for lines in self._descriptors.values():
            self._write(lines.rest())

    def _write(self, data: bytes) -> None:
        for name, count in self.counters.items():
            if count:
                self.counters[name] = 0
                for source in self._sources:
                    source.counters[name] += count
        if data:
            for output in self._outputs:
                output.write(data)
            for source in self._sources:
                if source.wake is not None:
                    source.wake()
        if not self._closed and self._full() and not self._paused:
            self._pause()

    # A full spool, a full disk

    def _full(self) -> bool:
        return any(output.pending or output.full() for output in self._outputs)

    def _pause(self) -> None:
        self._paused = True
        for descriptor in self._watched():
            self._loop.remove(descriptor)
        self._loop.call_later(_RETRY, self._resume)

    def _resume(self) -> None:
        if self._closed:
            return
        for output in self._outputs:
            if output.pending:
                output.pump()
        if self._full():
            self._loop.call_later(_RETRY, self._resume)
            return
        self._paused = False
        for descriptor in self._watched():
            self._loop.add(descriptor, READ, self._callback(descriptor))

    def _watched(self) -> list[int]:
        listening = [self._socket.fileno()] if self._socket and self._kind == STREAM else []
        return [*self._descriptors, *listening]

    def _callback(self, descriptor: int) -> Callable[[int], object]:
        if self._kind == DATAGRAM:
            return lambda events: self._datagrams()
        if self._socket is not None and descriptor == self._socket.fileno():
            return lambda events: self._accept()
        return lambda events: self._readable(descriptor)


class _Lines:
    """Whole lines of a stream of bytes, cut at the limit."""

    __slots__ = ("_cutting", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._cutting = False
        """The line's beginning was taken, its end is passed over."""

    def feed(self, data: bytes, limit: int, counters: dict[str, int]) -> bytes:
        """The lines that end in this data."""
        head = b""
        if self._cutting:
            end = data.find(b"\n") + 1
            counters["cut_bytes"] += (end or len(data) + 1) - 1
            if not end:
                return b""
            self._cutting = False
            data = data[end:]
        stop = data.rfind(b"\n") + 1
        lines = self._rest + data[:stop] if stop else b""
        self._rest = data[stop:] if stop else self._rest + data
        if len(self._rest) > limit:
            head = self._rest[:limit] + b"\n"
            counters["long_lines"] += 1
            counters["cut_bytes"] += len(self._rest) - limit
            self._rest = b""
            self._cutting = True
        if lines and len(lines) > limit:
            lines = _cut(lines, limit, counters)
        return lines + head

    def rest(self) -> bytes:
        """What has no newline, with one."""
        rest, self._rest, self._cutting = self._rest, b"", False
        return rest + b"\n" if rest else b""


def _cut(data: bytes, limit: int, counters: dict[str, int]) -> bytes:
    lines = data.split(b"\n")
    for index, line in enumerate(lines):
        if len(line) > limit:
            counters["long_lines"] += 1
            counters["cut_bytes"] += len(line) - limit
            lines[index] = line[:limit]
    return b"\n".join(lines)
