"""A client's requests: they come in, and each gets one response, in order.

Requests that come ahead of their turn stay in `input`, and no more is read until then. A request is
sent once more where that is safe: a connection that was kept has ended, and all of the request is
still at hand.
"""

from __future__ import annotations

from podweave.helpers.ambassador.http import failures
from podweave.helpers.ambassador.http.client_connection import (
    AWAITING,
    CLOSED,
    FLUSHING,
    HELD,
    IDLE,
    LINGERING,
    SENDING,
    ClientConnection,
)
from podweave.helpers.ambassador.http.content import Chunks, Counted
from podweave.helpers.ambassador.http.deadlines import overdue
from podweave.helpers.ambassador.http.failures import Failure
from podweave.helpers.loop import READ, WRITE
from podweave.helpers.wire.http1_grammar import CHUNKED, TOKEN, ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from podweave.helpers.ambassador.http.front import Front
    from podweave.helpers.ambassador.http.outgoing import Outgoing
    from podweave.helpers.ambassador.http.policy import Retries
    from podweave.helpers.ambassador.http.service import Plan
    from podweave.helpers.ambassador.http.upstream_connection import UpstreamConnection
    from podweave.helpers.ambassador.profiles import Profile

HEAD_LIMIT = 65536
"""Bytes of a request's head."""

_MOST_UNSENT = 3
"""Connections that may fail under a request before its first byte is sent."""


class Incoming(ClientConnection):
    __slots__ = (
        "_advancing",
        "_attempts",
        "_early",
        "_replayable",
        "awaiting_since",
        "closing",
        "content",
        "plan",
        "profile",
    )

    plan: Plan
    profile: Profile
    """Of the request that is held, or the connection that is relayed."""

    def __init__(self, front: Front, sock: socket.socket) -> None:
        self.content: Counted | Chunks | None = None
        """The request's, as long as it isn't complete."""
        self.closing = False
        """The response under way is the last one."""
        self.awaiting_since = 0.0
        """When the request was complete."""
        self._early = b""
        """Content that came with the head, or while the request was held."""
        self._replayable = True
        """No content has been sent but what is at hand."""
        self._attempts = 0
        self._advancing = False
        super().__init__(front, sock)

    def ready(self, events: int) -> None:
        if events == READ and self.phase is IDLE:
            data = self._read()
            if data is None:
                return
            if not self.input:
                # The usual request: a head that is known, and nothing with it.
                plans = self._front.service.plans
                plan = plans.get(data)
                if plan is not None and not plan.length:
                    self.plan = plan
                    self._begin(plan)
                    return
                # Or a head that is known, and all of its content with it.
                end = data.find(b"\r\n\r\n") + 4
                plan = plans.get(data[:end])
                if plan is not None and plan.length == len(data) - end:
                    self.plan = plan
                    self._early = data[end:]
                    self._begin(plan)
                    return
            self._received(data)
            return
        if events & WRITE:
            self.active_at = self._front.now()
            self.flush()
            if self.phase is CLOSED:
                return
        if events & READ:
            data = self._read() if self._mask & READ else None
            if data is not None:
                self._received(data)
        elif not events & WRITE:
            self.abort()

    def gone(self) -> None:
        self._front.forget(self)

    # What the connection to the upstream calls.

    def responded(self) -> None:
        """The response is complete, and its connection has been let go."""
        if self.unsent:
            self.phase = FLUSHING
            if self.content is not None:
                self.closing = True
            self.watch()
        elif self.closing or self.content is not None:
            self._linger()
        else:
            self.phase = IDLE
            self._early = b""
            if self.input or self._ended or self._mask != READ:
                self._advance()

    def lost(self, outgoing: UpstreamConnection, why: str, *, unsent: bool = False) -> None:
        """There is no response on this connection. `unsent`: nor has the request left on it."""
        stale = outgoing.uses > 1
        self._front.judge(outgoing)
        outgoing.close()
        if self.phase is CLOSED:
            return
        if (unsent and self._attempts < _MOST_UNSENT) or (
            stale and not self._attempts and self._repeatable
        ):
            self._again("stale")
        elif self.may_retry(self.plan.route.retries):
            self._again("failed")
        else:
            self.answer(Failure(502, "connection_terminated", why))

    def may_retry(self, retries: Retries) -> bool:
        """Whether the request may go to an upstream once more."""
        return self._repeatable and self._attempts < retries.attempts and self._front.may_retry()

    def truncate(self, failure: Failure) -> None:
        """The response has begun and can't be completed: the client must not take it for whole."""
        self._front.failed(self.plan.service, failure)
        if self.plan.minor:
            # What came is delivered: the framing says that it isn't all.
            self.closing = True
            self._early = b""
            if self.unsent:
                self.phase = FLUSHING
                self.watch()
            else:
                self.abort()
        else:
            self.cut()

    def answer(self, failure: Failure) -> None:
        """There is no response to pass on: say why."""
        front, plan = self._front, self.plan
        if self.started:
            self.truncate(failure)
            return
        front.failed(plan.service, failure)
        if self.content is not None:
            self.closing = True
        keep_alive = plan.keep_alive and not self.closing
        self.closing = not keep_alive
        message = failures.render(
            front.name, failure, head_only=plan.to_head, keep_alive=keep_alive
        )
        if self.deliver(message):
            self.responded()

    def upgraded(self, outgoing: Outgoing, head: bytes, rest: bytes) -> None:
        """The upstream speaks the other protocol from now on; so may the client."""
        front = self._front
        upstream = outgoing.detach()
        front.loop.remove(self._fd)
        self.leave()
        self.phase = CLOSED
        self.profile = self.plan.service.profile
        front.forget(self)
        front.metrics.upgrades.value += 1
        front.board.connected(
            self, upstream, self.unsent + head + rest, self.input, turn=outgoing.turn
        )

    # What the group calls.

    def connected(self, outgoing: UpstreamConnection) -> None:
        """A connection for the request that is held."""
        self.dialling = None
        self._start(outgoing)

    def unreachable(self, failure: Failure) -> None:
        self.dialling = None
        self.answer(failure)

    # What the switchboard and the front call.

    def dial(self) -> None:
        """The profile was switched: a request that is held goes to the new one."""
        self._stop_waiting()
        try:
            plan = self._front.service.plan(self.plan.raw)
        except ProtocolError as error:
            self._refuse(error)
            return
        self.plan = plan
        self._find_connection(plan)

    def look(self, now: float) -> None:
        """See whether something has taken too long."""
        phase = self.phase
        if phase is IDLE:
            if self.input and now - self.since > self._front.head_seconds:
                self._refuse(ProtocolError(408, "the request's head didn't come in time"))
        elif phase is LINGERING:
            if now - self.since > self._front.linger_seconds:
                self.abort()
        elif (outgoing := self.outgoing) is not None and (what := overdue(self, outgoing, now)):
            label = outgoing.peer.upstream.label
            self._front.judge(outgoing)
            outgoing.close()
            self.answer(Failure(504, "http_response_timeout", f"{label}: {what}"))

    # Requests.

    def _received(self, data: bytes) -> None:
        phase = self.phase
        if not data:
            self._input_ended()
        elif phase is SENDING:
            self._more_content(data)
        elif phase is IDLE:
            if not self.input:
                self.since = self._front.now()
            self.input += data
            self._advance()
            if self.phase is IDLE and self.input:
                self._front.began()
        elif phase is not LINGERING:
            self.input += data
            self.watch()

    def _input_ended(self) -> None:
        self._ended = True
        if self.phase in (IDLE, SENDING, LINGERING):
            # Between requests; or within one, which can't be answered any more.
            self.abort()
        else:
            self.watch()

    def _advance(self) -> None:
        """Begin what requests there are, one after the other."""
        if self._advancing:
            return
        self._advancing = True
        while self.phase is IDLE and self.input:
            if not self._begin_next():
                break
        self._advancing = False
        if self.phase is IDLE and self._ended:
            self.abort()
        elif self.phase is not CLOSED:
            self.watch()

    def _begin_next(self) -> bool:
        """False when more bytes are needed for a request."""
        data = self.input
        end = data.find(b"\r\n\r\n") + 4
        try:
            if end < 4 or end > HEAD_LIMIT:
                if len(data) >= HEAD_LIMIT:
                    raise ProtocolError(431, f"the head is longer than {HEAD_LIMIT} bytes")
                if data[0] not in TOKEN:
                    what = "TLS: say http:// to it" if data[0] == 0x16 else "no request of HTTP/1.1"
                    raise ProtocolError(400, f"this is {what}")
                return False
            self.plan = plan = self._front.service.plan(data[:end])
            self.input = data[end:]
            self._early = b""
            if plan.length:
                self._take_early(plan)
        except ProtocolError as error:
            self._refuse(error)
            return False
        self._begin(plan)
        return True

    def _take_early(self, plan: Plan) -> None:
        """What has come of the content together with the head."""
        content = Chunks() if plan.length == CHUNKED else Counted(plan.length)
        self._early, used = content.take(self.input)
        self.input = self.input[used:]
        if not content.done:
            self.content = content

    def _begin(self, plan: Plan) -> None:
        self.since = self.awaiting_since = self._front.now()
        self.started = False
        self._attempts = 0
        self._replayable = True
        self._front.began()
        self._find_connection(plan)

    def _find_connection(self, plan: Plan) -> None:
        outgoing = plan.group.take(plan)
        if outgoing is None:
            self._hold(plan)
        else:
            self._start(outgoing)

    def _hold(self, plan: Plan) -> None:
        self.phase = HELD
        self.profile = plan.service.profile
        failure = plan.group.connect(self)
        if failure is not None:
            self.answer(failure)
        else:
            self.watch()

    def _start(self, outgoing: UpstreamConnection) -> None:
        message = self.plan.write(outgoing.peer)
        if self._early:
            message += self._early
        if self.content is None:
            self.phase = AWAITING
            outgoing.begin(self, message)
        else:
            self.phase = SENDING
            self.active_at = self._front.now()
            outgoing.begin(self, message)
            if self.input and self.outgoing is outgoing:
                # What came while the request was held.
                data, self.input = self.input, b""
                self._more_content(data)
            else:
                self.watch()

    def _more_content(self, data: bytes) -> None:
        content, outgoing = self.content, self.outgoing
        assert content is not None
        assert outgoing is not None
        try:
            passed, used = content.take(data)
        except ProtocolError as error:
            outgoing.close()
            self._refuse(error)
            return
        self._replayable = False
        self._early = b""
        now = self.active_at = self._front.now()
        if content.done:
            self.content = None
            self.input = data[used:]
            self.phase = AWAITING
            self.awaiting_since = now
        if passed:
            outgoing.forward(passed)
        if self.outgoing is outgoing:
            self.watch()

    @property
    def _repeatable(self) -> bool:
        return (
            self._replayable
            and self.content is None
            and self.plan.idempotent
            and not self.started
            and not self.plan.upgrade
        )

    def _again(self, reason: str) -> None:
        """Send the request once more, on a new connection."""
        self._attempts += 1
        self._front.retried(reason)
        self._hold(self.plan)

    def _refuse(self, error: ProtocolError) -> None:
        """The client's fault: where its next request begins is not known any more."""
        if self.started and self.phase not in (IDLE, HELD):
            self.abort()
            return
        self._front.refused(error)
        self.closing = True
        self.input = b""
        self.content = None
        failure = Failure(error.status, "http_request_error", error.message)
        message = failures.render(self._front.name, failure, head_only=False, keep_alive=False)
        if self.deliver(message):
            self.responded()
