"""Requests to one server, over a few connections that are kept."""

from __future__ import annotations

from podweave import __version__
from podweave.helpers.http_client.connection import Answer, Connection
from podweave.helpers.http_client.errors import HttpError
from podweave.helpers.http_client.opening import Opening, Route
from podweave.helpers.wire import http1_writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.dialing.connector import Connector
    from podweave.helpers.dialing.tls import TlsOptions
    from podweave.helpers.http_client.opening import Sock
    from podweave.helpers.loop import Loop
    from podweave.helpers.wire.urls import Url

    Answered = Callable[[Answer | HttpError], object]

ANSWER_LIMIT = 16 << 20
"""Bytes of an answer's content: a bulk answer of many thousand items takes some."""
IDLE_SECONDS = 55.0
"""Below the minute after which load balancers forget connections without saying so."""
_KEPT = 4
"""Idle connections."""


class HttpClient:
    """Of one server: scheme, host and port are those of `url`.

    `tls` is for https, and None otherwise. `proxy` as `proxies.proxy_for` gives it.
    """

    def __init__(
        self,
        loop: Loop,
        connector: Connector,
        url: Url,
        *,
        tls: TlsOptions | None = None,
        proxy: Url | None = None,
        answer_limit: int = ANSWER_LIMIT,
    ) -> None:
        self._loop = loop
        self._route = Route(loop, connector, url, tls, proxy)
        self._answer_limit = answer_limit
        self._idle: list[tuple[float, Connection]] = []
        self._exchanges: dict[Exchange, None] = {}
        self.sent_bytes = 0
        """Given to the network, heads included; up to date when an exchange has ended."""
        self.opened = 0
        """Connections, ever."""

    def request(
        self,
        method: str,
        target: str,
        fields: Sequence[tuple[str, str]],
        content: Sequence[bytes | memoryview],
        timeout: float,
        done: Answered,
    ) -> Exchange:
        """Send a request; `target` is path and query. `done` is called once, from the loop.

        `timeout` in seconds is for all of it, the dial included. The pieces of `content` are sent
        one after the other, and must stay as they are until then. ValueError for a target or a
        field that can't be sent.
        """
        route = self._route
        length = sum(map(len, content))
        all_fields = [
            ("Host", route.url.authority),
            ("User-Agent", f"podweave/{__version__}"),
            ("Accept", "*/*"),
            *fields,
        ]
        if length or method in ("POST", "PUT", "PATCH"):
            all_fields.append(("Content-Length", str(length)))
        if route.proxy is not None and not route.tunnelled:
            target = f"http://{route.url.authority}{target}"
            all_fields += route.proxy_fields()
        head = http1_writing.request(method, target, all_fields)
        exchange = Exchange(self, method, [head, *content], timeout, done)
        self._exchanges[exchange] = None
        exchange.start(self._take_idle())
        return exchange

    def close(self) -> None:
        """Close every connection. Nothing is called any more."""
        for exchange in list(self._exchanges):
            exchange.cancel()
        for _, connection in self._idle:
            connection.close()
        self._idle = []

    def _take_idle(self) -> Connection | None:
        now = self._loop.now()
        while self._idle:
            since, connection = self._idle.pop()
            if now - since < IDLE_SECONDS:
                return connection
            connection.close()
        return None

    def _open(self, timeout: float, done: Callable[[Connection | HttpError], object]) -> Opening:
        def opened(result: Sock | HttpError) -> None:
            if isinstance(result, HttpError):
                done(result)
                return
            self.opened += 1
            done(Connection(self._loop, result, self._answer_limit, self._left))

        return Opening(self._route, timeout, opened)

    def _left(self, connection: Connection) -> None:
        self._idle = [entry for entry in self._idle if entry[1] is not connection]

    def _ended(self, exchange: Exchange) -> None:
        self._exchanges.pop(exchange, None)

    def _keep(self, connection: Connection) -> None:
        if connection.usable and len(self._idle) < _KEPT:
            self._idle.append((self._loop.now(), connection))
        else:
            connection.close()


class Exchange:
    """A request under way. `cancel` ends it without a word to the caller."""

    __slots__ = (
        "_before",
        "_client",
        "_connection",
        "_deadline",
        "_done",
        "_method",
        "_opening",
        "_pieces",
        "_reused",
        "_timer",
    )

    def __init__(
        self,
        client: HttpClient,
        method: str,
        pieces: Sequence[bytes | memoryview],
        timeout: float,
        done: Answered,
    ) -> None:
        self._client = client
        self._method = method
        self._pieces = pieces
        self._done = done
        self._deadline = client._loop.now() + timeout
        self._timer = client._loop.call_later(timeout, self._late)
        self._opening: Opening | None = None
        self._connection: Connection | None = None
        self._reused = False
        self._before = 0

    def start(self, idle: Connection | None) -> None:
        """On this connection, or on a new one."""
        if idle is not None:
            self._reused = True
            self._begin(idle)
        else:
            left = max(0.0, self._deadline - self._client._loop.now())
            self._opening = self._client._open(left, self._opened)

    def cancel(self) -> None:
        self._timer.cancel()
        self._client._ended(self)
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._connection is not None:
            self._count()
            self._connection.close()
            self._connection = None

    def _opened(self, result: Connection | HttpError) -> None:
        self._opening = None
        if isinstance(result, HttpError):
            self._finish(result)
        else:
            self._begin(result)

    def _begin(self, connection: Connection) -> None:
        self._connection = connection
        self._before = connection.sent_bytes
        connection.begin(self._method, self._pieces, self._answered)

    def _answered(self, result: Answer | HttpError) -> None:
        connection = self._connection
        assert connection is not None
        self._count()
        self._connection = None
        if isinstance(result, Answer):
            self._client._keep(connection)
        elif self._reused and not connection.answered and result.reason in _CLOSED:
            # The server has closed the idle connection just now; a new one tells.
            self._reused = False
            self.start(None)
            return
        self._finish(result)

    def _count(self) -> None:
        assert self._connection is not None
        self._client.sent_bytes += self._connection.sent_bytes - self._before

    def _late(self) -> None:
        connection = self._connection
        if connection is None:
            error = HttpError("ETIMEDOUT", "no connection within the time", unsent=True)
        elif connection.sending:
            error = HttpError("ETIMEDOUT", "the request was not taken within the time")
        else:
            error = HttpError("ETIMEDOUT", "no answer within the time")
        self.cancel()
        self._done(error)

    def _finish(self, result: Answer | HttpError) -> None:
        self._timer.cancel()
        self._client._ended(self)
        self._done(result)


_CLOSED = ("ECONNRESET", "EPIPE", "ENOTCONN")
