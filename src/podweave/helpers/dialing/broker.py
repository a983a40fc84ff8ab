"""Connects through the broker: a process outside of the Pod's network namespace dials for us.

One connection to the broker's SOCK_SEQPACKET socket for each dial:

    > {"connect": ["db.example", 5432], "timeout": 9.5}
    < {"ok": true, "address": "10.0.0.3:5432"}      with the connected socket as SCM_RIGHTS
    < {"ok": false, "error": "ECONNREFUSED", "message": "..."}

What is on loopback is in the Pod, and dialled directly.
"""

from __future__ import annotations

import array
import errno
import json
import os
import socket

from podweave.helpers.dialing.connector import DialError, from_errno, is_loopback
from podweave.helpers.dialing.socket_options import set_options
from podweave.helpers.loop import READ

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.dialing.connector import Cancellable, Connector, Done
    from podweave.helpers.loop import Loop

_PACKET_LIMIT = 65536
# The broker's own answer "ETIMEDOUT" says more than ours: give it time to arrive.
_ANSWER_SECONDS = 0.25


class BrokerConnector:
    def __init__(self, loop: Loop, path: str, direct: Connector) -> None:
        self._loop = loop
        self._path = path
        self._direct = direct

    def connect(self, host: str, port: int, timeout: float, done: Done) -> Cancellable:
        if is_loopback(host):
            return self._direct.connect(host, port, timeout, done)
        return BrokerDial(self._loop, self._path, (host, port), timeout, done)


class BrokerDial:
    def __init__(
        self, loop: Loop, path: str, upstream: tuple[str, int], timeout: float, done: Done
    ) -> None:
        self._loop = loop
        self._done = done
        host, port = upstream
        self._operation = f"connect to {f'[{host}]' if ':' in host else host}:{port}"
        self._failure = DialError("ETIMEDOUT", f"the broker has not answered in {timeout:.1f} s")
        self._sock: socket.socket | None = None
        try:
            kind = socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK
            self._sock = socket.socket(socket.AF_UNIX, kind)
            # A full backlog (EAGAIN) is a failure like any other: the caller tries again.
            self._sock.connect(path)
            # No time at all is no request to the broker.
            request = {"connect": list(upstream), "timeout": max(round(timeout, 3), 0.001)}
            self._sock.send(json.dumps(request).encode())
        except OSError as error:
            if self._sock is not None:
                self._sock.close()
                self._sock = None
            self._failure = from_errno(error.errno or 0, f"broker {path}")
            self._deadline = loop.call_later(0, self._fail)
            return
        self._deadline = loop.call_later(timeout + _ANSWER_SECONDS, self._fail)
        loop.add(self._sock.fileno(), READ, self._answered)

    def cancel(self) -> None:
        self._deadline.cancel()
        if self._sock is not None:
            self._loop.remove(self._sock.fileno())
            self._sock.close()
            self._sock = None

    def _answered(self, events: int) -> None:
        assert self._sock is not None
        try:
            packet, descriptors = _receive(self._sock)
        except BlockingIOError:
            return
        except OSError as error:
            self._failure = from_errno(error.errno or 0, "broker")
            self._fail()
            return
        connected = None
        for descriptor in descriptors:
            if connected is None:
                connected = socket.socket(fileno=descriptor)
            else:
                os.close(descriptor)
        failure = read_answer(packet, self._operation)
        if failure is None and connected is None:
            failure = DialError("EPROTO", "the broker's answer has no socket")
        if failure is not None or connected is None:
            if connected is not None:
                connected.close()
            assert failure is not None
            self._failure = failure
            self._fail()
            return
        connected.setblocking(False)
        set_options(connected)
        self.cancel()
        self._done(connected)

    def _fail(self) -> None:
        self.cancel()
        self._done(self._failure)


def read_answer(packet: bytes, operation: str) -> DialError | None:
    """None when the broker says that it has connected. `operation` is what it was asked for."""
    if not packet:
        return DialError("ECONNRESET", "the broker has closed without an answer")
    try:
        answer = json.loads(packet)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return DialError("EPROTO", "the broker's answer is not a JSON object")
    if answer.get("ok") is True:
        return None
    reason = answer.get("error")
    # It becomes a metric's label: names only, so that their number stays small.
    if not isinstance(reason, str) or not (reason in _REASONS or reason.startswith("EAI_")):
        reason = "EPROTO"
    message = str(answer.get("message", ""))
    # Of names the message speaks itself.
    told = message if reason.startswith("EAI_") else f"{operation}: {message}"
    return DialError(reason[:32], told)


_REASONS = frozenset(errno.errorcode.values())


def _receive(sock: socket.socket) -> tuple[bytes, list[int]]:
    room = socket.CMSG_LEN(4 * array.array("i").itemsize)
    packet, ancillary, _, _ = sock.recvmsg(_PACKET_LIMIT, room, socket.MSG_CMSG_CLOEXEC)
    descriptors = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            whole = len(data) - len(data) % descriptors.itemsize
            descriptors.frombytes(data[:whole])
    return packet, descriptors.tolist()
