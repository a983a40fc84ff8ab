"""A protocol's exchange over a connected socket in the loop, in clear text or TLS."""

from __future__ import annotations

import socket
from typing import Any, Protocol

from podweave.engines.local.supervision.executions import Done
from podweave.engines.local.supervision.loop import READ, WRITE, Loop


class Exchange(Protocol):
    """What http_get.py and grpc_health.py have in common."""

    verdict: tuple[bool, str] | None

    def opening(self) -> bytes: ...

    def feed(self, data: bytes) -> bytes: ...

    def ended(self) -> None: ...


class Conversation:
    """Runs the exchange to its verdict, then closes the socket and calls `done` once.

    `done` also comes, with success and no message, when the exchange has nothing more to say
    but no verdict (a redirect).
    """

    def __init__(
        self, loop: Loop, connected: socket.socket, exchange: Exchange, done: Done, *, tls: bool
    ) -> None:
        self._loop = loop
        self._exchange = exchange
        self._done = done
        self._sending = exchange.opening()
        self._over = False
        self._events = READ | WRITE
        self._socket: Any = connected
        if tls:
            import ssl

            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            # As kubelet: a probe asks whether it is alive, not who it is.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self._socket = context.wrap_socket(connected, do_handshake_on_connect=False)
            self._want = (ssl.SSLWantReadError, ssl.SSLWantWriteError)
        else:
            self._want = ()  # type: ignore[assignment]
        self._handshaken = not tls
        loop.watch(self._socket.fileno(), self._step, self._events)

    def cancel(self) -> None:
        """Give up; `done` is not called."""
        self._done = lambda *_: None
        self._end(False, "")

    def _step(self) -> None:
        try:
            if not self._handshaken:
                self._socket.do_handshake()
                self._handshaken = True
            self._send()
            self._receive()
        except (BlockingIOError, *self._want) as error:
            wants_to_write = type(error).__name__ == "SSLWantWriteError" or self._sending
            self._wait_for(READ | WRITE if wants_to_write and self._handshaken else READ)
            if type(error).__name__ == "SSLWantWriteError":
                self._wait_for(READ | WRITE)
        except OSError as error:
            self._end(False, error.strerror or str(error))

    def _send(self) -> None:
        while self._sending:
            sent = self._socket.send(self._sending)
            self._sending = self._sending[sent:]
        self._wait_for(READ)

    def _receive(self) -> None:
        while True:
            data = self._socket.recv(65536)
            if data:
                self._sending += self._exchange.feed(data)
            else:
                self._exchange.ended()
            verdict = self._exchange.verdict
            if verdict is not None:
                self._end(*verdict)
                return
            if getattr(self._exchange, "redirect", None) is not None or not data:
                self._end(True, "")
                return
            self._send()

    def _wait_for(self, events: int) -> None:
        if events != self._events and not self._over:
            self._events = events
            self._loop.change(self._socket.fileno(), self._step, events)

    def _end(self, ok: bool, message: str) -> None:
        if self._over:
            return
        self._over = True
        self._loop.unwatch(self._socket.fileno())
        self._socket.close()
        self._done(ok, message)
