"""A leg between two of the kernel's own sockets, whose bytes nobody looks at: the cheap one.

    exchange   what has come is read and written at once, by descriptor and in one function: beside
               the two system calls that is nearly all an exchange costs
    bulk       whole buffers one after the other go by splice(2) until the input pauses

Whatever is not as usual (something waits, an end, an error) is done as in every leg.
"""

from __future__ import annotations

import errno
import os
import sys
from os import read, write

from podweave.helpers.ambassador.leg import Leg
from podweave.helpers.ambassador.pipes import PIPE_SIZE, Pipes
from podweave.helpers.ambassador.read_buffer import BUFFER_SIZE
from podweave.helpers.loop import READ, WRITE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from podweave.helpers.ambassador.pipes import Pipe
    from podweave.helpers.ambassador.relay import Relay
    from podweave.helpers.loop import Loop

SMALL_SIZE = 479
"""The largest `bytes` that CPython takes from memory of its own. A larger one is taken from the C
library and given back in part, and such a read takes two thirds more instructions."""
SMALL_READS = 16
"""In a row, after which a leg that had to read large ones reads small ones again."""

_pipes = Pipes()
_FULL_READS = 4
"""Whole buffers, after which a transfer counts as bulk."""
_SPLICES = 4
"""Of one leg in one turn of the loop: others wait meanwhile."""


class PlainLeg(Leg):
    __slots__ = ("_full_reads", "_pipe", "_size", "_small_reads", "_usual")

    peer: PlainLeg

    def __init__(self, loop: Loop, sock: socket.socket, relay: Relay) -> None:
        super().__init__(loop, sock, relay)
        self._size = SMALL_SIZE
        """Bytes that are read at most."""
        self._usual = SMALL_SIZE
        """Reads of fewer bytes change nothing; 0 as long as reads are large, and counted."""
        self._small_reads = 0
        self._full_reads = 0
        self._pipe: Pipe | None = None
        """What this leg's input goes through, while it is bulk."""

    def ready(self, events: int) -> None:
        if events != READ or self._pipe is not None:
            super().ready(events)
            return
        try:
            data = read(self._fd, self._size)
        except BlockingIOError:
            return
        except OSError:
            self._relay.reset()
            return
        if not data:
            self._input_ended()
            return
        count = len(data)
        self.received += count
        try:
            sent = write(self.peer._fd, data)
        except OSError:
            # Tried again, and told apart, where it is kept.
            sent = 0
        if sent != count or count >= self._usual:
            self._unusual(data, sent)

    def forget(self) -> None:
        super().forget()
        self._release_pipe()

    def _unusual(self, data: bytes, sent: int) -> None:
        """`data` was not sent as a whole, or its size matters."""
        count = len(data)
        if sent != count:
            self.peer.put(data[sent:])
        elif count == BUFFER_SIZE:
            self._full_reads += 1
            if self._full_reads >= _FULL_READS:
                self._pipe = _pipes.take()
        elif count >= SMALL_SIZE:
            self._size, self._usual = BUFFER_SIZE, 0
            self._small_reads = 0
        else:
            self._small_reads += 1
            if self._small_reads == SMALL_READS:
                self._size = self._usual = SMALL_SIZE

    def _forward(self) -> None:
        if self._pipe is not None:
            self._splice(self._pipe)
        else:
            super()._forward()

    def _splice(self, pipe: Pipe) -> None:
        for _ in range(_SPLICES):
            try:
                count = os.splice(self._fd, pipe.writer, PIPE_SIZE)
            except BlockingIOError:
                self._release_pipe()
                return
            except OSError as error:
                if error.errno == errno.EINVAL:
                    self._copy_from_now_on()
                else:
                    self._relay.reset()
                return
            if not count:
                self._release_pipe()
                self._input_ended()
                return
            self.received += count
            pipe.held = count
            self.peer._empty(pipe)
            if pipe.held or not self._relay.open or self._pipe is not pipe:
                return

    def _empty(self, pipe: Pipe) -> None:
        """Send what is in the pipe of the other leg."""
        peer = self.peer
        try:
            while pipe.held:
                pipe.held -= os.splice(pipe.reader, self._fd, pipe.held)
        except BlockingIOError:
            self._update()
            peer._update()
            return
        except OSError as error:
            if error.errno == errno.EINVAL:
                data = os.read(pipe.reader, pipe.held)
                pipe.held = 0
                peer._copy_from_now_on()
                self.put(data)
                return
            peer._release_pipe()
            self._send_failed(error)

    def _copy_from_now_on(self) -> None:
        """This system's sockets can't be spliced, as in some sandboxes."""
        self._release_pipe()
        self._full_reads = -sys.maxsize

    def _release_pipe(self) -> None:
        if self._pipe is not None:
            _pipes.give_back(self._pipe)
            self._pipe = None
            self._full_reads = 0

    def flush(self) -> None:
        pipe = self.peer._pipe
        if pipe is None or not pipe.held:
            super().flush()
            return
        self._empty(pipe)
        if not pipe.held and self._relay.open:
            self.peer._update()
            self._update()

    def _wanted(self) -> int:
        mask = super()._wanted()
        own, others = self._pipe, self.peer._pipe
        if own is not None and own.held:
            mask &= ~READ
        if others is not None and others.held:
            mask |= WRITE
        return mask
