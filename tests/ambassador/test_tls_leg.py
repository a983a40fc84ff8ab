"""A relay whose upstream leg speaks TLS: every byte arrives once, in order, and every end too."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings

from podweave.helpers.ambassador.relay import Relay
from podweave.helpers.dialing.tls import Handshake, TlsError, TlsOptions
from podweave.helpers.dialing.tls_socket import TlsSocket
from podweave.helpers.loop import Loop
from tests.ambassador.certificates import Authority
from tests.ambassador.test_relay_properties import RESET, End, actions, pattern, perform
from tests.helpers.driving import drive


class ServerContext:
    """Makes a TlsSocket the server's side."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    def wrap_bio(
        self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, server_hostname: str | None
    ) -> ssl.SSLObject:
        return self._context.wrap_bio(incoming, outgoing, server_side=True)


class TlsEnd(End):
    """The upstream's end: `sock` is the server's socket with TLS, `secured` the relay's."""

    def __init__(self, loop: Loop, context: ssl.SSLContext) -> None:
        super().__init__()
        self.raw = self.sock
        self._retry = b""
        self._ending = False
        """close_notify is said, and not wholly sent."""
        server = TlsSocket(self.raw, cast(ssl.SSLContext, ServerContext(context)), "")
        results: list[TlsSocket | TlsError] = []
        Handshake(loop, self.relayed, TlsOptions("require"), "localhost", 10, results.append)
        greeted = False

        def shaken() -> bool:
            nonlocal greeted
            greeted = greeted or not server.handshake()
            return bool(greeted and results)

        drive(loop, shaken, 10, "the handshake is through")
        assert isinstance(results[0], TlsSocket)
        self.secured = results[0]
        self.tls = server
        self.sock = cast(socket.socket, server)

    def send(self, size: int) -> None:
        if self._ending:
            return
        # What was offered once must be offered again.
        offered = max(size, len(self._retry))
        before = self.sent
        super().send(offered)
        if self.sent == before and not (self.output_ended or self.broken):
            self._retry = b"x" * offered
        else:
            self._retry = b""

    def shut(self) -> None:
        """In order: what has come in is read before, and what is being sent goes out."""
        if not (self.output_ended or self.broken or self._retry):
            self._ending = True
            self.receive()

    def receive(self, size: int = 1 << 20) -> None:
        super().receive(size)
        if not self._ending or self.broken:
            return
        while self.tls.buffered and not (self.input_ended or self.broken):
            super().receive()
        try:
            self.tls.shutdown()
        except BlockingIOError:
            return
        self._ending = False
        self.output_ended = True

    def reset(self) -> None:
        self.broken = True
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.raw.close()


class Conversation:
    def __init__(self, context: ssl.SSLContext) -> None:
        self.loop = Loop()
        self.client, self.upstream = End(), TlsEnd(self.loop, context)
        self.closed: list[Relay] = []
        self.relay = Relay(
            self.loop, self.client.relayed, self.upstream.secured, "dev", self.closed.append
        )

    def end(self) -> None:
        self.relay.reset()
        self.client.sock.close()
        self.upstream.raw.close()
        self.loop.close()


@pytest.fixture(scope="module", params=["TLSv1_2", "TLSv1_3"])
def context(request: Any, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    directory: Path = tmp_path_factory.mktemp("leg")
    made = Authority(directory).server_context("localhost")
    made.minimum_version = made.maximum_version = ssl.TLSVersion[request.param]
    return made


ordinary = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@ordinary
@given(steps=actions)
def test_orderly_conversations_are_exact_over_tls(
    context: ssl.SSLContext, steps: list[tuple[str, tuple[str, int], int]]
) -> None:
    conversation = Conversation(context)
    client, upstream = conversation.client, conversation.upstream
    if context.maximum_version == ssl.TLSVersion.TLSv1_2:
        # There the answer to a close_notify is one: no half-close.
        steps = [step for step in steps if step[1][0] != "shut"]
    try:
        perform(conversation, steps)  # type: ignore[arg-type]

        def all_received() -> bool:
            client.receive()
            upstream.receive()
            if upstream._retry:
                upstream.send(1)
            return (
                not upstream._retry
                and upstream.received == client.sent
                and client.received == upstream.sent
            )

        drive(conversation.loop, all_received, 20, "everything has arrived")
        client.shut()

        def finished() -> bool:
            client.receive()
            upstream.receive()
            if upstream.input_ended:
                upstream.shut()
            return client.input_ended and upstream.input_ended

        drive(conversation.loop, finished, 20, "both ends have ended")
        drive(conversation.loop, lambda: conversation.closed, 20, "the relay has closed")
        assert not client.broken
        assert not upstream.broken
        assert conversation.relay.client.received == client.sent
        assert conversation.relay.upstream.received == upstream.sent
    finally:
        conversation.end()


@ordinary
@given(steps=actions)
def test_an_end_without_close_notify_is_never_orderly(
    context: ssl.SSLContext, steps: list[tuple[str, tuple[str, int], int]]
) -> None:
    conversation = Conversation(context)
    client, upstream = conversation.client, conversation.upstream
    steps = [step for step in steps if step[1][0] != "shut"]
    try:
        perform(conversation, steps)  # type: ignore[arg-type]
        upstream.raw.shutdown(socket.SHUT_WR)

        def over() -> bool:
            client.receive()
            upstream.receive()
            return client.broken or client.input_ended

        drive(conversation.loop, over, 20, "the client sees that it is over")
        assert client.broken
        # What was encrypted and could not be sent at once counts as sent later.
        assert client.received <= upstream.sent + len(upstream._retry)
    finally:
        conversation.end()


def test_what_the_relay_is_given_goes_first(context: ssl.SSLContext) -> None:
    loop = Loop()
    client, upstream = End(), TlsEnd(loop, context)
    closed: list[Relay] = []
    upstream.tls.send(b"rest")
    relay = Relay(
        loop, client.relayed, upstream.secured, "dev", closed.append, b"to client ", b"to upstream "
    )
    client.sock.send(b"rest")
    got = {"client": b"", "upstream": b""}

    def arrived() -> bool:
        for name, end in (("client", client), ("upstream", upstream)):
            try:
                got[name] += end.sock.recv(100)
            except BlockingIOError:
                pass
        return got == {"client": b"to client rest", "upstream": b"to upstream rest"}

    drive(loop, arrived, 20, "both ends have everything")
    relay.reset()
    client.sock.close()
    upstream.raw.close()
    loop.close()


def test_an_end_that_waits_for_the_client_keeps_nobody_awake(context: ssl.SSLContext) -> None:
    conversation = Conversation(context)
    loop, client, upstream = conversation.loop, conversation.client, conversation.upstream
    leg = conversation.relay.upstream
    try:
        # The session tickets of TLS 1.3 are read.
        drive(loop, lambda: not loop._epoll.poll(0), 20, "nothing is under way")
        # As if the client took no more, and more had come for it.
        conversation.relay.client.unsent = pattern(0, 1)
        upstream.secured.buffered = True
        client.shut()
        drive(loop, lambda: leg.ending, 20, "the client's end has come")
        assert leg._fd not in dict(loop._epoll.poll(0))

        def told() -> bool:
            client.receive()
            upstream.receive()
            return upstream.input_ended

        drive(loop, told, 20, "the end is passed on when the client has taken all")
        assert client.received == 1
    finally:
        conversation.end()
