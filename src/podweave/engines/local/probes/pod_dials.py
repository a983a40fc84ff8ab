"""Connections to the Pod's own ports, from outside its network namespace.

The Pod's agent dials and sends the connected socket back: one packet of JSON there, one packet
of JSON with the socket back (the broker protocol).
"""

from __future__ import annotations

import array
import json
import os
import socket
from collections.abc import Callable

from podweave.engines.local import sockets
from podweave.engines.local.supervision.loop import Loop

Dialled = Callable[[socket.socket | None, str], None]


class Dial:
    """One connection being made. Ends by `done(socket, "")` or `done(None, why not)`, once."""

    def __init__(
        self, loop: Loop, directory: str, host: str, port: int, timeout: float, done: Dialled
    ) -> None:
        self._loop = loop
        self._done = done
        self._over = False
        self._timer = loop.after(timeout + 0.5, lambda: self._end(None, "timed out"))
        try:
            kind = socket.SOCK_SEQPACKET
            self._agent = sockets.connect(directory, "agent.sock", kind, blocking=False)
            request = {"connect": [host, port], "timeout": timeout}
            self._agent.send(json.dumps(request).encode())
        except OSError as error:
            why = f"the Pod's agent: {os.strerror(error.errno or 0)}"
            loop.after(0, lambda: self._end(None, why))
            return
        loop.watch(self._agent.fileno(), self._answered)

    def cancel(self) -> None:
        """Give up; `done` is not called."""
        self._done = lambda *_: None
        self._end(None, "")

    def _answered(self) -> None:
        descriptors = array.array("i")
        try:
            packet, ancillary, _, _ = self._agent.recvmsg(65536, socket.CMSG_SPACE(4))
        except BlockingIOError:
            return
        except OSError as error:
            self._end(None, f"the Pod's agent: {error}")
            return
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
        connected = socket.socket(fileno=descriptors[0]) if descriptors else None
        if connected is None:
            try:
                answer = json.loads(packet)
                why = f"{answer.get('error', '')}: {answer.get('message', '')}".strip(": ")
            except ValueError:
                why = "the Pod's agent went away"
            self._end(None, why or "refused")
            return
        connected.setblocking(False)
        self._end(connected, "")

    def _end(self, connected: socket.socket | None, why: str) -> None:
        if self._over:
            return
        self._over = True
        self._timer.cancel()
        if hasattr(self, "_agent"):
            self._loop.unwatch(self._agent.fileno())
            self._agent.close()
        self._done(connected, why)
