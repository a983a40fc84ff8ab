"""A connection to an upstream: a request goes out on it, its response comes in.

    idle     in its peer's list; whatever happens to it there is its end
    at work  has a client; requests and responses strictly one after the other

What comes is passed on to the client at once. What the client doesn't take waits there, and this
connection isn't read until it has gone; the other way round likewise.
"""

from __future__ import annotations

import socket

from podweave.helpers.ambassador.http.content import Chunks, Counted, UntilClose
from podweave.helpers.ambassador.http.failures import Failure
from podweave.helpers.ambassador.http.incoming import AWAITING, CLOSED
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.wire.http1_grammar import CHUNKED, UNTIL_CLOSE, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podweave.helpers.ambassador.http.content import Content
    from podweave.helpers.ambassador.http.group import Group
    from podweave.helpers.ambassador.http.incoming import Incoming
    from podweave.helpers.ambassador.http.peers import Peer
    from podweave.helpers.ambassador.http.response_head import Answer
    from podweave.helpers.ambassador.turns import Turn
    from podweave.helpers.dialing.tls_socket import TlsSocket

HEAD_LIMIT = 65536

# One for all: it is empty again before the loop turns.
_buffer = bytearray(65536)
_view = memoryview(_buffer)


class Outgoing:
    __slots__ = (
        "_answer",
        "_broken",
        "_content",
        "_fd",
        "_loop",
        "_mask",
        "_partial",
        "_pending",
        "_probe",
        "_recv_into",
        "_send",
        "_sock",
        "_tls",
        "_waits",
        "_watched",
        "client",
        "group",
        "idle_until",
        "peer",
        "turn",
        "uses",
    )

    def __init__(
        self,
        group: Group,
        peer: Peer,
        sock: socket.socket | TlsSocket,
        turn: Turn,
        *,
        tls: bool,
    ) -> None:
        self.group = group
        self.turn = turn
        turn.holder = self
        self._loop = group.front.loop
        self.peer = peer
        self._sock = sock
        self._fd = sock.fileno()
        self._recv_into = sock.recv_into
        self._send = sock.send
        self._tls = tls
        self.client: Incoming | None = None
        self.uses = 0
        self.idle_until = 0.0
        """On the loop's clock."""
        self._answer: Answer | None = None
        self._content: Content | None = None
        self._partial = b""
        self._pending = b""
        self._waits = False
        self._broken = False
        self._probe = False
        """The request is the one that decides about a half-open breaker."""
        self._mask = READ
        self._watched = True
        self._loop.add(self._fd, READ, self.ready)

    @property
    def responding(self) -> bool:
        """The head of the response has been passed on."""
        return self._content is not None

    @property
    def blocked(self) -> bool:
        """Takes no more of the request for now."""
        return bool(self._pending) or self._broken

    # What faults on purpose are put into: as a relay's leg.

    @property
    def profile(self) -> str:
        return self.group.profile.name

    @property
    def upstream(self) -> Outgoing:
        return self

    @property
    def sock(self) -> socket.socket | TlsSocket:
        return self._sock

    @property
    def both_ways_open(self) -> bool:
        return self._fd >= 0 and not self._broken

    def watch(self) -> None:
        if not self._watched:
            self._watched = True
            self._loop.add(self._fd, self._mask, self.ready)

    def unwatch(self) -> None:
        if self._watched:
            self._watched = False
            self._loop.remove(self._fd)

    def judge(self, status: int) -> None:
        """How the request went; 0 for no response."""
        self._probe = False
        self.group.judge(self.peer, status)

    def alive(self) -> bool:
        """Whether the upstream hasn't hung up, as far as can be known by now."""
        raw = self._sock if isinstance(self._sock, socket.socket) else self._sock.raw
        try:
            raw.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def begin(self, client: Incoming, message: bytes) -> None:
        """Send the client's request, as far as it is there."""
        self.client = client
        client.outgoing = self
        self.uses += 1
        self.peer.busy += 1
        self.group.sent += len(message)
        if self.peer.breaker is not None:
            self._probe = not self.peer.breaker.closed
            self.peer.breaker.begin(self.group.front.now())
        try:
            sent = self._send(message)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            # Nothing of the request has left: it may be sent again, whatever it is.
            client.lost(self, f"sending the request failed: {error.strerror}", unsent=True)
            return
        if sent != len(message):
            self._pending = message[sent:]
            self._update()

    def forward(self, data: bytes) -> None:
        """More of the request's content."""
        if self._broken:
            return
        self.group.sent += len(data)
        if self._pending:
            self._pending += data
            return
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._output_failed()
            return
        if sent != len(data):
            self._pending = data[sent:]
            self._update()

    def resume(self) -> None:
        """The client takes more of the response again."""
        if not self._waits:
            return
        self._waits = False
        self._update()
        if self._tls and self.client is not None:
            self._read_on()

    def close(self) -> None:
        """Whoever uses it has let go of it, or doesn't want it any more."""
        if self._fd < 0:
            return
        if self.client is not None:
            self._let_go()
        self.unwatch()
        self._fd = -1
        self._sock.close()
        self.group.closed(self)
        self.turn.end()

    def reset(self) -> None:
        """A switch takes the connection away, with what is under way on it."""
        client = self.client
        if client is not None:
            client.cut()
        self.close()

    def detach(self) -> socket.socket | TlsSocket:
        """Give up the socket and the turn: it is no connection of HTTP any more."""
        self._let_go()
        self.unwatch()
        self._fd = -1
        return self._sock

    def ready(self, events: int) -> None:
        client = self.client
        if client is None:
            self._spoken_to_while_idle()
            return
        if events & WRITE:
            self._send_pending()
            if self.client is not client:
                return
        if self._waits:
            if not events & WRITE:
                # Its end, while the client can't take more: without end it would be reported,
                # and it is seen again when this connection is watched again.
                self.unwatch()
            return
        if not events & READ:
            return
        try:
            count = self._recv_into(_buffer)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(f"the connection failed: {error.strerror}")
            return
        if not count:
            self._input_ended()
            return
        self.group.received += count
        data = bytes(_view[:count])
        if client.phase is AWAITING and self._content is None and not self._partial:
            # The usual response: a head that is known, and all of its content with it.
            end = data.find(b"\r\n\r\n") + 4
            answer = client.plan.answers.get(data[:end])
            if (
                answer is not None
                and count - end == answer.length
                and client.plan.usual
                and not client.pending
            ):
                message = answer.head + data[end:] if answer.length else answer.head
                self._answer = answer
                if client.deliver(message):
                    self._finish(client, answer)
                return
        self._respond(client, data)
        if self._tls and self.client is client:
            self._read_on()

    def _spoken_to_while_idle(self) -> None:
        """Nothing is asked: the end of it, or a response that nobody asked for; or TLS's own."""
        if self._tls:
            try:
                self._recv_into(_buffer)
            except BlockingIOError:
                return
            except OSError:
                pass
        self.close()

    def _finish(self, client: Incoming, answer: Answer) -> None:
        """The response is complete."""
        peer = self.peer
        peer.busy -= 1
        self.client = None
        client.outgoing = None
        group = self.group
        now = group.front.now()
        group.service.seconds.observe(now - client.since)
        answer.count.value += 1
        if peer.breaker is not None:
            self.judge(answer.status)
        if (
            answer.reusable
            and client.content is None
            and not self._broken
            and not self._pending
            and group.service.active
        ):
            self._content = None
            if group.waiting:
                client.responded()
                group.hand_over(self)
                return
            self.idle_until = now + (answer.idle or group.service.policy.pool_idle)
            peer.idle.append(self)
            if len(peer.idle) > group.most_idle:
                peer.idle[0].close()
        else:
            self.close()
        client.responded()

    def _respond(self, client: Incoming, data: bytes) -> None:
        """More of the response."""
        try:
            if self._content is None:
                self._take_head(client, self._partial + data if self._partial else data)
            else:
                self._take_content(client, data, b"")
        except ProtocolError as error:
            self._failed(Failure(502, "http_protocol_error", f"{self._label}: {error.message}"))

    def _take_head(self, client: Incoming, data: bytes) -> None:
        while True:
            end = data.find(b"\r\n\r\n") + 4
            if end > HEAD_LIMIT or (end < 4 and len(data) >= HEAD_LIMIT):
                raise ProtocolError(502, f"the response's head is longer than {HEAD_LIMIT} bytes")
            if end < 4:
                self._partial = data
                return
            plan = client.plan
            complete = client.phase is AWAITING
            answer = plan.service.answer(
                plan,
                data[:end],
                self.peer,
                keep_alive=plan.keep_alive and complete and not client.closing,
            )
            data = data[end:]
            self._partial = b""
            if answer.status >= 200:
                break
            if answer.status == 101:
                if not plan.upgrade or not complete:
                    raise ProtocolError(502, "an upgrade (101) that wasn't asked for")
                self.judge(answer.status)
                client.upgraded(self, answer.head, data)
                return
            # HTTP/1.0 has no interim responses (RFC 9110, section 15.2).
            if plan.minor and not client.deliver(answer.head):
                return
            if not data:
                return
        if answer.status in plan.route.retries.statuses and client.may_retry(plan.route.retries):
            client.lost(self, f"{self._label} answered {answer.status}")
            return
        self._answer = answer
        if answer.length == CHUNKED:
            self._content = Chunks(answer.bare)
        elif answer.length == UNTIL_CLOSE:
            self._content = UntilClose(answer.chunk)
        else:
            self._content = Counted(answer.length)
        self._take_content(client, data, answer.head)

    def _take_content(self, client: Incoming, data: bytes, head: bytes) -> None:
        content, answer = self._content, self._answer
        assert content is not None
        assert answer is not None
        passed, used = content.take(data)
        if not answer.keep_alive:
            client.closing = True
        if head:
            passed = head + passed if passed else head
        if used < len(data):
            # A response that nobody asked for follows: the connection can't be trusted.
            self._broken = True
        if passed and not client.deliver(passed):
            return
        if content.done:
            self._finish(client, answer)
        elif client.pending:
            self._waits = True
            self._update()

    def _input_ended(self) -> None:
        client, content, answer = self.client, self._content, self._answer
        assert client is not None
        if isinstance(content, UntilClose) and answer is not None:
            end = content.end()
            if not end or client.deliver(end):
                self._finish(client, answer)
        else:
            self._lost("the upstream ended the connection")

    def _lost(self, why: str) -> None:
        """The connection has ended, and the response hasn't."""
        client = self.client
        assert client is not None
        if self._partial:
            kind = "http_response_incomplete"
            self._failed(Failure(502, kind, f"{self._label}: {why} within the response's head"))
        elif self._content is not None:
            self._failed(Failure(502, "http_response_incomplete", f"{self._label}: {why}"))
        else:
            client.lost(self, f"{self._label}: {why} before it answered")

    def _failed(self, failure: Failure) -> None:
        client = self.client
        assert client is not None
        self.judge(0)
        responding = self.responding
        self.close()
        if client.phase is CLOSED:
            return
        if responding:
            client.truncate(failure)
        else:
            client.answer(failure)

    def _let_go(self) -> None:
        client = self.client
        assert client is not None
        self.client = None
        client.outgoing = None
        self.peer.busy -= 1
        if self._probe and self.peer.breaker is not None:
            self.peer.breaker.given_up()

    def _read_on(self) -> None:
        """Read what TLS holds already: epoll doesn't know of it."""
        while self.client is not None and not self._waits and self._sock.buffered:  # type: ignore[union-attr]
            self.ready(READ)

    def _send_pending(self) -> None:
        try:
            sent = self._send(self._pending)
        except BlockingIOError:
            return
        except OSError:
            self._output_failed()
            return
        self._pending = self._pending[sent:]
        if not self._pending:
            self._update()
            assert self.client is not None
            self.client.watch()

    def _output_failed(self) -> None:
        """The upstream takes no more; a response may have come all the same (413, as a rule)."""
        self._broken = True
        self._pending = b""
        self._update()
        if self.client is not None:
            self.client.watch()

    def _update(self) -> None:
        mask = 0 if self._waits else READ
        if self._pending:
            mask |= WRITE
        if self._fd < 0:
            return
        if not self._watched:
            self._watched = True
            self._loop.add(self._fd, mask, self.ready)
        elif mask != self._mask:
            self._loop.modify(self._fd, mask)
        self._mask = mask

    @property
    def _label(self) -> str:
        return self.peer.upstream.label
