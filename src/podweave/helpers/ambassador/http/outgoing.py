"""An upstream's responses: each belongs to the request that was sent last on its connection.

What comes is passed on to the client at once. What the client doesn't take waits there, and this
connection isn't read until it has gone; the other way round likewise.
"""

from __future__ import annotations

from podweave.helpers.ambassador.http.client_connection import AWAITING, CLOSED
from podweave.helpers.ambassador.http.content import Chunks, Counted, UntilClose
from podweave.helpers.ambassador.http.failures import Failure
from podweave.helpers.ambassador.http.upstream_connection import UpstreamConnection
from podweave.helpers.ambassador.read_buffer import BUFFER_SIZE
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.wire.http1_grammar import CHUNKED, UNTIL_CLOSE, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from podweave.helpers.ambassador.http.content import Content
    from podweave.helpers.ambassador.http.group import Group
    from podweave.helpers.ambassador.http.incoming import Incoming
    from podweave.helpers.ambassador.http.peers import Peer
    from podweave.helpers.ambassador.http.response_head import Answer
    from podweave.helpers.ambassador.turns import Turn
    from podweave.helpers.dialing.tls_socket import TlsSocket

HEAD_LIMIT = 65536
"""Bytes of a response's head."""


class Outgoing(UpstreamConnection):
    __slots__ = ("_answer", "_content", "_partial")

    def __init__(
        self,
        group: Group,
        peer: Peer,
        sock: socket.socket | TlsSocket,
        turn: Turn,
    ) -> None:
        self._answer: Answer | None = None
        self._content: Content | None = None
        """The response's, once its head has been passed on."""
        self._partial = b""
        """Of a head that isn't complete."""
        super().__init__(group, peer, sock, turn)

    @property
    def responding(self) -> bool:
        return self._content is not None

    def ready(self, events: int) -> None:
        client = self.client
        if client is None:
            self._spoken_to_while_idle()
            return
        if events & WRITE:
            self.flush()
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
            data = self._read(self._fd, BUFFER_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(f"the connection failed: {error.strerror}")
            return
        if not data:
            self._input_ended()
            return
        count = len(data)
        self.group.received += count
        if client.phase is AWAITING and self._content is None and not self._partial:
            # The usual response: a head that is known, and all of its content with it.
            end = data.find(b"\r\n\r\n") + 4
            answer = client.plan.answers.get(data[:end])
            if (
                answer is not None
                and count - end == answer.length
                and client.plan.usual
                and not client.unsent
            ):
                message = answer.head + data[end:] if answer.length else answer.head
                self._answer = answer
                client.started = True
                if client.put(message):
                    self._finish(client, answer)
                return
        self._respond(client, data)
        if self._tls is not None and self.client is client:
            self._read_on(self._tls)

    def _spoken_to_while_idle(self) -> None:
        """Nothing is asked: the end of it, or a response that nobody asked for; or TLS's own."""
        if self._tls is not None:
            try:
                self._read(self._fd, BUFFER_SIZE)
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
            and not self.unsent
            and not (self._tls is not None and self._tls.buffered)
            and group.service.active
            and not (group.profile.limits.connections and group.service.waits_elsewhere(group))
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
        elif client.unsent:
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
