"""The network between a sidecar and its stores: a TCP proxy that breaks connections as drawn.

In a storm every connection has a fate, which meets it after some bytes:

reset     reset, in the middle of a request or before the answer
lost      the request arrives whole, the answer doesn't, and the connection is reset
half      the answer ends in its middle
stall     nothing goes on, in either direction, until the storm is over
slow      it all arrives, a few KiB at a time
pass      nothing at all

A server that is down refuses connections: its port is bound and nobody listens.
"""

from __future__ import annotations

import contextlib
import random
import select
import socket
import struct
import threading
from collections.abc import Iterator

from tests.waiting import wait_until

FATES = ("reset", "lost", "half", "stall", "slow", "pass")
RESET = struct.pack("ii", 1, 0)


class Weather:
    """A proxy to a port. Calm until told otherwise."""

    def __init__(self, upstream: int, seed: str, fates: tuple[str, ...] = FATES) -> None:
        self._upstream = upstream
        self._chance = random.Random(seed)
        self._fates = fates
        self._storm = False
        self._down = False
        self._changed = threading.Event()
        """Set, and replaced, when the weather changes: what stalls lets go."""
        self._listening = threading.Event()
        self._listening.set()
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.met: dict[str, int] = {}
        """How many connections met which fate."""
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def storm(self) -> None:
        self._change(storm=True, down=False)

    def down(self) -> None:
        self._change(storm=False, down=True)

    def calm(self) -> None:
        self._change(storm=False, down=False)
        assert self._listening.wait(40)

    def close(self) -> None:
        self._closed = True
        self._change(storm=False, down=True)
        self._thread.join(10)
        self._listener.close()

    def _change(self, *, storm: bool, down: bool) -> None:
        with self._lock:
            self._storm = storm
            self._down = down
            old, self._changed = self._changed, threading.Event()
        old.set()

    def _accept(self) -> None:
        while not self._closed:
            if self._down:
                # Whoever connects is refused, and nobody else can get the port.
                self._listening.clear()
                self._listener.close()
                self._listener = _bound(self.port)
                while self._down and not self._closed:
                    self._changed.wait(0.02)
                if self._closed:
                    return
                self._listener.listen(16)
                self._listening.set()
            if not select.select([self._listener], [], [], 0.02)[0]:
                continue
            client, _ = self._listener.accept()
            with self._lock:
                fate, after = "pass", 0
                if self._storm:
                    fate = self._chance.choice(self._fates)
                    after = int(2 ** self._chance.uniform(0, 17))
                    self.met[fate] = self.met.get(fate, 0) + 1
                changed = self._changed
            threading.Thread(
                target=self._serve, args=(client, fate, after, changed), daemon=True
            ).start()

    def _serve(
        self, client: socket.socket, fate: str, after: int, changed: threading.Event
    ) -> None:
        with client, contextlib.suppress(OSError):
            server = socket.create_connection(("127.0.0.1", self._upstream), 10)
            with server:
                self._relay(client, server, fate, after, changed)

    def _relay(
        self,
        client: socket.socket,
        server: socket.socket,
        fate: str,
        after: int,
        changed: threading.Event,
    ) -> None:
        asked = answered = 0
        while not changed.is_set():
            ready, _, _ = select.select([client, server], [], [], 0.02)
            if client in ready:
                data = client.recv(4096 if fate == "slow" else 65536)
                if not data:
                    return
                if fate in ("reset", "stall") and asked + len(data) > after:
                    server.sendall(data[: after - asked])
                    if fate == "stall":
                        changed.wait(30)
                    _reset(client)
                    return
                if fate == "slow":
                    changed.wait(0.002)
                server.sendall(data)
                asked += len(data)
            if server in ready:
                data = server.recv(65536)
                if not data:
                    return
                # Not only the first request's answer: what was asked for must be large enough.
                if fate in ("lost", "half") and asked > after:
                    if fate == "half":
                        client.sendall(data[: max(1, len(data) // 2)])
                        return
                    _reset(client)
                    return
                client.sendall(data)
                answered += len(data)
        # What the weather was told of before its change holds no longer.
        _reset(client)


def _bound(port: int) -> socket.socket:
    """Not listening yet. Somebody's connection may have got the port meanwhile, for a moment."""

    def bound() -> socket.socket | None:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            sock.close()
            return None
        return sock

    found = wait_until(bound, 30, f"port {port} is free")
    assert found is not None
    return found


def _reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


@contextlib.contextmanager
def weather(upstream: int, seed: str, fates: tuple[str, ...] = FATES) -> Iterator[Weather]:
    made = Weather(upstream, seed, fates)
    try:
        yield made
    finally:
        made.close()
