"""control.sock: how commands talk to a Pod's supervisor.

A client connects, sends one line of JSON with an `op` (descriptors ride with its first byte),
and gets lines of JSON until the connection ends. Operations and their answers:

    status                  one Pod object, as `kubectl get pod -o json` would show it
    watch                   a Pod object now and after each change, until the Pod is finished
    stop (grace)            a Pod object after each change; the last one is finished
    exec (container, argv,  {"terminal": true} with the terminal's descriptor when tty is asked
          tty, environment) for; at the end {"exit": 0}. Descriptors sent: stdin, stdout, stderr
                            (none with tty). When the client goes, the command is killed.
An operation that can't be done is answered with {"error": "..."}.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import socket
from collections.abc import Callable
from typing import Any, Final

from podweave.engines.local import sockets
from podweave.engines.local.supervision.loop import READ, WRITE, Loop

MAX_REQUEST: Final = 1024 * 1024
MAX_DESCRIPTORS: Final = 3

Request = dict[str, Any]


class Client:
    """A connection, seen from the supervisor."""

    def __init__(
        self,
        loop: Loop,
        connection: socket.socket,
        requested: Callable[[Client, Request], None] | None,
    ) -> None:
        self.descriptors: list[int] = []
        self.gone: Callable[[], None] | None = None
        """Called when the client closes its end before the answer is complete."""
        self._loop = loop
        self._connection = connection
        self._requested = requested
        self._received = b""
        self._pending: list[tuple[bytes, int | None]] = []
        self._ending = False
        self.closed = False
        connection.setblocking(False)
        loop.watch(connection.fileno(), self._readable)

    def send(self, answer: Any, descriptor: int | None = None) -> None:
        """Queue a line. A descriptor stays the caller's; it is duplicated until sent."""
        if self.closed:
            return
        line = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        kept = None if descriptor is None else os.dup(descriptor)
        self._pending.append((line + b"\n", kept))
        self._flush()

    def end(self) -> None:
        """Close once all is sent."""
        self._ending = True
        self._flush()

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._loop.unwatch(self._connection.fileno())
        self._connection.close()
        for fd in [*self.descriptors, *(fd for _, fd in self._pending if fd is not None)]:
            os.close(fd)
        self.descriptors = []
        self._pending = []

    def close_descriptors(self) -> None:
        for fd in self.descriptors:
            os.close(fd)
        self.descriptors = []

    def _event(self) -> None:
        self._flush()
        if not self.closed:
            self._readable()

    def _readable(self) -> None:
        try:
            data, ancillary, _, _ = self._connection.recvmsg(
                65536, socket.CMSG_SPACE(4 * MAX_DESCRIPTORS), socket.MSG_CMSG_CLOEXEC
            )
        except BlockingIOError:
            return
        except OSError:
            data, ancillary = b"", []
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(content[: len(content) - len(content) % received.itemsize])
                self.descriptors += received
        if not data:
            gone, self.gone = self.gone, None
            self.close()
            if gone is not None:
                gone()
            return
        self._received += data
        if self._requested is None:
            return
        line, newline, _ = self._received.partition(b"\n")
        if not newline and len(line) <= MAX_REQUEST:
            return
        requested, self._requested = self._requested, None
        try:
            request = json.loads(line)
        except ValueError:
            request = None
        if isinstance(request, dict):
            requested(self, request)
        else:
            self.send({"error": "a request is one line of JSON, an object"})
            self.end()

    def _flush(self) -> None:
        while self._pending:
            line, descriptor = self._pending[0]
            ancillary = []
            if descriptor is not None:
                ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
            try:
                sent = self._connection.sendmsg([line], ancillary)
            except BlockingIOError:
                self._loop.change(self._connection.fileno(), self._event, READ | WRITE)
                return
            except OSError:
                gone, self.gone = self.gone, None
                self.close()
                if gone is not None:
                    gone()
                return
            if descriptor is not None:
                os.close(descriptor)
            if sent < len(line):
                self._pending[0] = (line[sent:], None)
            else:
                self._pending.pop(0)
        if self._ending:
            self.close()
        elif not self.closed:
            self._loop.change(self._connection.fileno(), self._readable, READ)


class ControlServer:
    def __init__(
        self, loop: Loop, directory: str, requested: Callable[[Client, Request], None]
    ) -> None:
        self._loop = loop
        self._requested = requested
        self._server = sockets.listen(directory, sockets.CONTROL)
        self._server.setblocking(False)
        loop.watch(self._server.fileno(), self._accept)

    def close(self) -> None:
        self._loop.unwatch(self._server.fileno())
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionAbortedError):
            connection, _ = self._server.accept()
            Client(self._loop, connection, self._requested)
