"""One connection to a server, opened: the dial, the proxy's CONNECT, the TLS handshake."""

from __future__ import annotations

from podweave.helpers.dialing.connector import DialError
from podweave.helpers.http_client.authorization import basic
from podweave.helpers.http_client.errors import HttpError, errno_name
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.wire import http1_writing
from podweave.helpers.wire.http1_grammar import ProtocolError
from podweave.helpers.wire.http1_response import Response, ResponseParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from podweave.helpers.dialing.connector import Cancellable, Connector
    from podweave.helpers.dialing.tls import TlsOptions
    from podweave.helpers.dialing.tls_socket import TlsSocket
    from podweave.helpers.loop import Loop
    from podweave.helpers.wire.urls import Url

    Sock = socket.socket | TlsSocket
    Opened = Callable[[Sock | HttpError], object]


class Route:
    """Where to, and which way. `tls` is None for http."""

    __slots__ = ("connector", "loop", "proxy", "tls", "url")

    def __init__(
        self,
        loop: Loop,
        connector: Connector,
        url: Url,
        tls: TlsOptions | None,
        proxy: Url | None,
    ) -> None:
        self.loop = loop
        self.connector = connector
        self.url = url
        self.tls = tls
        self.proxy = proxy

    @property
    def tunnelled(self) -> bool:
        """Through the proxy to the server itself, rather than requests to the proxy."""
        return self.proxy is not None and self.tls is not None

    def proxy_fields(self) -> list[tuple[str, str]]:
        """What the proxy wants to know of us."""
        if self.proxy is None or not self.proxy.userinfo:
            return []
        user, _, password = self.proxy.userinfo.partition(":")
        return [("Proxy-Authorization", basic(user.encode(), password.encode()))]


class Opening:
    """Calls `done` once, from the loop; never from the constructor."""

    __slots__ = ("_deadline", "_done", "_route", "_step")

    def __init__(self, route: Route, timeout: float, done: Opened) -> None:
        self._route = route
        self._done = done
        self._deadline = route.loop.now() + timeout
        place = route.proxy or route.url
        self._step: Cancellable = route.connector.connect(
            place.host, place.port, timeout, self._dialled
        )

    def cancel(self) -> None:
        self._step.cancel()

    def _left(self) -> float:
        return max(0.0, self._deadline - self._route.loop.now())

    def _dialled(self, result: socket.socket | DialError) -> None:
        if isinstance(result, DialError):
            through = " (the proxy)" if self._route.proxy is not None else ""
            self._done(HttpError(result.reason, result.message + through, unsent=True))
        elif self._route.tunnelled:
            self._step = Tunnel(self._route, result, self._left(), self._tunnelled)
        else:
            self._tunnelled(result)

    def _tunnelled(self, result: socket.socket | HttpError) -> None:
        tls = self._route.tls
        if isinstance(result, HttpError) or tls is None:
            self._done(result)
            return
        # Here and not above: it leads to `ssl` and its memory.
        from podweave.helpers.dialing.tls import Handshake

        name = tls.name_for(self._route.url.host)
        self._step = Handshake(self._route.loop, result, tls, name, self._left(), self._shaken)

    def _shaken(self, result: TlsSocket | DialError) -> None:
        if isinstance(result, DialError):
            self._done(HttpError(result.reason, result.message, unsent=True))
        else:
            self._done(result)


class Tunnel:
    """CONNECT (RFC 9110, section 9.3.6) on a connected socket, which is closed if it fails."""

    __slots__ = ("_done", "_loop", "_parser", "_sock", "_timer", "_unsent")

    def __init__(
        self,
        route: Route,
        sock: socket.socket,
        timeout: float,
        done: Callable[[socket.socket | HttpError], object],
    ) -> None:
        self._loop = route.loop
        self._sock = sock
        self._done = done
        self._parser = ResponseParser()
        self._parser.expect("CONNECT")
        address = route.url.address
        fields = [("Host", address), *route.proxy_fields()]
        self._unsent = http1_writing.request("CONNECT", address, fields)
        late = HttpError("ETIMEDOUT", "the proxy has not answered to CONNECT", unsent=True)
        self._timer = self._loop.call_later(timeout, lambda: self._fail(late))
        self._loop.add(sock.fileno(), READ | WRITE, self._ready)

    def cancel(self) -> None:
        self._release()
        self._sock.close()

    def _release(self) -> None:
        self._timer.cancel()
        self._loop.remove(self._sock.fileno())

    def _fail(self, error: HttpError) -> None:
        self.cancel()
        self._done(error)

    def _ready(self, events: int) -> None:
        try:
            if self._unsent and events & WRITE:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
                if not self._unsent:
                    self._loop.modify(self._sock.fileno(), READ)
            if not events & ~WRITE:
                return
            self._parser.receive(self._sock.recv(65536))
            event = self._parser.next_event()
            while isinstance(event, Response) and event.interim:
                event = self._parser.next_event()
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(HttpError(errno_name(error), f"the proxy: {error.strerror}", unsent=True))
            return
        except ProtocolError as error:
            self._fail(HttpError("EPROTO", f"the proxy: {error.message}", unsent=True))
            return
        if event is None:
            return
        assert isinstance(event, Response)
        if event.status >= 300:
            message = f"the proxy refuses CONNECT: {event.status} {event.reason}".rstrip()
            self._fail(HttpError("EPROTO", message, unsent=True))
        elif self._parser.rest():
            self._fail(HttpError("EPROTO", "the proxy: bytes before TLS has begun", unsent=True))
        else:
            self._release()
            self._done(self._sock)
