"""The client's side of control.sock: what commands use, with ordinary blocking calls."""

from __future__ import annotations

import array
import os
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from podweave.engines.errors import EngineError
from podweave.engines.local import sockets


class NoSupervisorError(Exception):
    """Nobody listens on the Pod's control socket."""


class Call:
    """An operation under way."""

    def __init__(
        self, directory: str, request: dict[str, Any], descriptors: Sequence[int] = ()
    ) -> None:
        try:
            self._socket = sockets.connect(directory, sockets.CONTROL)
        except OSError as error:
            raise NoSupervisorError(str(error)) from error
        self._rest = b""
        self._deadline: float | None = None
        self.descriptors: list[int] = []
        ancillary = []
        if descriptors:
            fds = array.array("i", descriptors)
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)]
        line = msgspec.json.encode(request) + b"\n"
        sent = self._socket.sendmsg([line], ancillary)
        if sent < len(line):  # nothing more may mean that the answer is there, the peer gone
            self._socket.sendall(line[sent:])

    def fileno(self) -> int:
        return self._socket.fileno()

    def set_deadline(self, deadline: float) -> None:
        """From then on (by time.monotonic) `receive` raises TimeoutError."""
        self._deadline = deadline

    def receive(self) -> dict[str, Any] | None:
        """The next answer, None at the end. Raises EngineError for an `error`."""
        while b"\n" not in self._rest:
            if self._deadline is not None:
                self._socket.settimeout(max(0.001, self._deadline - time.monotonic()))
            try:
                data, ancillary, _, _ = self._socket.recvmsg(
                    65536, socket.CMSG_SPACE(4), socket.MSG_CMSG_CLOEXEC
                )
            except ConnectionResetError:
                return None
            for level, kind, content in ancillary:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    received = array.array("i")
                    received.frombytes(content)
                    self.descriptors += received
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Any] = msgspec.json.decode(line)
        if "error" in answer:
            raise EngineError(answer["error"])
        return answer

    def __iter__(self) -> Iterator[dict[str, Any]]:
        while (answer := self.receive()) is not None:
            yield answer

    def close(self) -> None:
        self._socket.close()
        for fd in self.descriptors:
            os.close(fd)
        self.descriptors = []


def ask(directory: str, request: dict[str, Any]) -> dict[str, Any] | None:
    """One answer."""
    call = Call(directory, request)
    try:
        return call.receive()
    finally:
        call.close()
