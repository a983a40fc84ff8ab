"""An open connection, and the one exchange of a request and its response on it at a time."""

from __future__ import annotations

from podweave.helpers.http_client.errors import HttpError, errno_name
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.pieces import send_some
from podweave.helpers.wire.http1_grammar import ProtocolError
from podweave.helpers.wire.http1_message import Data
from podweave.helpers.wire.http1_response import Response, ResponseParser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podweave.helpers.http_client.opening import Sock
    from podweave.helpers.loop import Loop
    from podweave.helpers.wire.http1_grammar import Fields

_AT_ONCE = 65536


class Answer:
    """A whole response. Field names are in lower case."""

    __slots__ = ("content", "fields", "reason", "status")

    def __init__(self, status: int, reason: str, fields: Fields, content: bytes) -> None:
        self.status = status
        self.reason = reason
        self.fields = fields
        self.content = content

    def value(self, name: str) -> str | None:
        return next((value for field, value in self.fields if field == name), None)


class Connection:
    """Give it an exchange with `begin`; `ended` is called with the answer or the error, once.

    After an answer with which the connection stays open (`usable`), it may be given the next.
    While idle it watches for the server's closing: `left` is called then.
    """

    __slots__ = (
        "_answer",
        "_content",
        "_ended",
        "_events",
        "_limit",
        "_loop",
        "_parser",
        "_received",
        "_size",
        "_sock",
        "_unsent",
        "answered",
        "left",
        "sent_bytes",
        "usable",
    )

    def __init__(
        self, loop: Loop, sock: Sock, limit: int, left: Callable[[Connection], object]
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._limit = limit
        self.left = left
        self._parser = ResponseParser()
        self._events = READ
        self._unsent: list[memoryview] = []
        self._answer: Response | None = None
        self._content: list[bytes] = []
        self._size = 0
        self._received = False
        self._ended: Callable[[Answer | HttpError], object] | None = None
        self.sent_bytes = 0
        """Of all exchanges, heads included."""
        self.answered = False
        """Something came back for the exchange of now."""
        self.usable = True
        loop.add(sock.fileno(), READ, self._ready)

    def begin(
        self,
        method: str,
        pieces: Sequence[bytes | memoryview],
        ended: Callable[[Answer | HttpError], object],
    ) -> None:
        """Send the pieces, which are a request with this method. Never calls `ended` itself."""
        self._ended = ended
        self._unsent = [memoryview(piece) for piece in pieces if piece]
        self._answer = None
        self._content = []
        self._size = 0
        self.answered = False
        self._parser.expect(method)
        self._want(READ | WRITE)

    def close(self) -> None:
        self.usable = False
        if self._sock.fileno() >= 0:
            self._loop.remove(self._sock.fileno())
            self._sock.close()
        self._ended = None
        self._unsent = []

    @property
    def sending(self) -> bool:
        """The request is not sent to its end yet."""
        return bool(self._unsent)

    def _want(self, events: int) -> None:
        if events != self._events:
            self._events = events
            self._loop.modify(self._sock.fileno(), events)

    def _ready(self, events: int) -> None:
        if self._ended is None:
            # Nothing is awaited: the server closes, or says what nobody asked for.
            self.close()
            self.left(self)
            return
        # Reading goes first: a server that refuses a request half-way may have said why.
        if events & ~WRITE and self._receive():
            return
        if events & WRITE and self._unsent:
            self._send()

    def _send(self) -> None:
        try:
            self.sent_bytes += send_some(self._sock, self._unsent)
        except OSError as error:
            self._unsent = []
            # What it said before it closed may still be there to be read.
            if not self._receive(closed=True):
                self._fail(HttpError(errno_name(error), f"while sending: {error.strerror}"))
            return
        if not self._unsent:
            self._want(READ)

    def _receive(self, closed: bool = False) -> bool:
        """Read what is there; True when the exchange has ended with it."""
        while True:
            try:
                data = self._sock.recv(_AT_ONCE)
            except BlockingIOError:
                return False
            except OSError as error:
                if closed:
                    return False
                self._fail(HttpError(errno_name(error), f"while waiting: {error.strerror}"))
                return True
            if data:
                self.answered = True
            elif closed and not self.answered:
                return False
            self._parser.receive(data)
            try:
                if self._take_events():
                    return True
            except ProtocolError as error:
                # The end of the connection is the peer's or the network's; nonsense is the peer's.
                reason = "EPROTO" if data else "ECONNRESET"
                self._fail(HttpError(reason, error.message))
                return True
            if not data:
                return False

    def _take_events(self) -> bool:
        while True:
            event = self._parser.next_event()
            if event is None:
                return False
            if isinstance(event, Response):
                if not event.interim:
                    self._answer = event
            elif isinstance(event, Data):
                self._size += len(event.content)
                if self._size > self._limit:
                    message = f"the answer is longer than {self._limit} bytes"
                    self._fail(HttpError("E2BIG", message))
                    return True
                self._content.append(event.content)
            else:
                self._succeed()
                return True

    def _succeed(self) -> None:
        head = self._answer
        assert head is not None
        answer = Answer(head.status, head.reason, head.fields, b"".join(self._content))
        # A request that was answered before its end can't be ended in order any more.
        keep = head.keep_alive and not self._unsent and head.status != 101
        ended, self._ended = self._ended, None
        self._content = []
        if keep:
            self._want(READ)
        else:
            self.close()
        assert ended is not None
        ended(answer)

    def _fail(self, error: HttpError) -> None:
        ended = self._ended
        self.close()
        assert ended is not None
        ended(error)
