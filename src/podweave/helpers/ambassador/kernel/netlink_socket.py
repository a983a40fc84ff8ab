"""A socket to a netlink family of the kernel: requests that are acknowledged, and dumps."""

from __future__ import annotations

import os
import socket

from podweave.helpers.wire.netlink import DONE, ERROR, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from podweave.helpers.wire.netlink import Message

_RECEIVE = 1 << 16
_SECONDS = 2.0
"""The kernel answers at once; this is for a kernel that is not as expected."""


class NetlinkSocket:
    """Every method raises OSError: the kernel's own, or TimeoutError."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol
        )
        self._socket.settimeout(_SECONDS)

    def request(self, data: bytes, sequences: Iterable[int]) -> None:
        """Send messages with these numbers, and wait until each is acknowledged."""
        self._socket.send(data)
        waiting = set(sequences)
        failure = 0
        while waiting:
            for message in self._receive():
                if message.type != ERROR:
                    continue
                if message.sequence in waiting:
                    waiting.discard(message.sequence)
                    failure = failure or message.error_number
                elif message.sequence == 0:
                    # A batch as a whole was refused, for want of a capability.
                    failure = message.error_number
            if failure:
                raise OSError(failure, os.strerror(failure))

    def ask(self, data: bytes, sequence: int) -> Message:
        """Send the request of this number, and give its answer."""
        self._socket.send(data)
        while True:
            for message in self._receive():
                if message.sequence == sequence:
                    if message.type == ERROR:
                        raise OSError(message.error_number, os.strerror(message.error_number))
                    return message

    def dump(self, data: bytes, sequence: int) -> Iterator[Message]:
        """Send the request of this number, and give the messages of its answer."""
        self._socket.send(data)
        while True:
            for message in self._receive():
                if message.sequence != sequence:
                    continue
                if message.type == DONE:
                    return
                if message.type == ERROR:
                    raise OSError(message.error_number, os.strerror(message.error_number))
                yield message

    def close(self) -> None:
        self._socket.close()

    def _receive(self) -> Iterator[Message]:
        return parse(self._socket.recv(_RECEIVE))
