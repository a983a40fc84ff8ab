"""Whatever two ends do in whatever order: every byte arrives once, in order, and every end too."""

from __future__ import annotations

import socket
import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.ambassador.plain_leg import SMALL_READS, SMALL_SIZE, PlainLeg
from podweave.helpers.ambassador.read_buffer import BUFFER_SIZE
from podweave.helpers.ambassador.relay import Relay
from podweave.helpers.loop import HANGUP, Loop
from tests.helpers.driving import drive
from tests.waiting import wait_until

RESET = struct.pack("ii", 1, 0)
SIZES = st.sampled_from(
    [1, SMALL_SIZE - 1, SMALL_SIZE, SMALL_SIZE + 1, BUFFER_SIZE - 1, BUFFER_SIZE, 400_000]
)


def pattern(start: int, size: int) -> bytes:
    """Bytes by which a lost, doubled or misplaced part is seen: 7 and 65536 have no factor."""
    whole = bytes(range(251)) * ((start + size) // 251 + 1)
    return whole[start : start + size]


class End:
    """One end of the relayed connection, with what it has sent and received."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            self.sock = socket.create_connection(server.getsockname())
            self.relayed, _ = server.accept()
        for sock in (self.sock, self.relayed):
            sock.setblocking(False)
            # Small buffers: back-pressure sets in at once.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        self.sent = 0
        self.received = 0
        self.input_ended = False
        self.output_ended = False
        self.broken = False

    def send(self, size: int) -> None:
        if self.output_ended or self.broken:
            return
        try:
            self.sent += self.sock.send(pattern(self.sent, size))
        except BlockingIOError:
            pass
        except OSError:
            self.broken = True

    def receive(self, size: int = 1 << 20) -> None:
        if self.input_ended or self.broken:
            return
        try:
            data = self.sock.recv(size)
        except BlockingIOError:
            return
        except OSError:
            self.broken = True
            return
        assert data == pattern(self.received, len(data)), "bytes were lost, doubled or mixed"
        self.received += len(data)
        self.input_ended = not data

    def shut(self) -> None:
        if not self.output_ended and not self.broken:
            self.output_ended = True
            self.sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        self.broken = True
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.sock.close()


class Onlooker:
    """Sees all bytes and changes none: its relay has legs of the general kind."""

    def from_client(self, data: bytes) -> tuple[bytes, bytes]:
        return data, b""

    def from_upstream(self, data: bytes) -> tuple[bytes, bytes]:
        return data, b""


class Conversation:
    def __init__(self, inspector: Onlooker | None = None) -> None:
        self.loop = Loop()
        self.client, self.upstream = End(), End()
        self.closed: list[Relay] = []
        self.relay = Relay(
            self.loop,
            self.client.relayed,
            self.upstream.relayed,
            "dev",
            self.closed.append,
            inspector=inspector,
        )

    def end(self) -> None:
        self.relay.reset()
        self.client.sock.close()
        self.upstream.sock.close()
        self.loop.close()


actions = st.lists(
    st.tuples(
        st.sampled_from(["client", "upstream"]),
        st.one_of(
            st.tuples(st.just("send"), SIZES),
            st.tuples(st.just("receive"), SIZES),
            st.tuples(st.just("shut"), st.just(0)),
        ),
        st.integers(0, 3),
    ),
    max_size=25,
)


def perform(conversation: Conversation, steps: list[tuple[str, tuple[str, int], int]]) -> None:
    for who, (action, size), turns in steps:
        end: End = getattr(conversation, who)
        if action == "send":
            end.send(size)
        elif action == "receive":
            end.receive(size)
        else:
            end.shut()
        for _ in range(turns):
            conversation.loop.step(0)


@settings(max_examples=150, deadline=None)
@given(actions, st.sampled_from([None, Onlooker()]))
def test_orderly_conversations_are_exact(
    steps: list[tuple[str, tuple[str, int], int]], inspector: Onlooker | None
) -> None:
    conversation = Conversation(inspector)
    client, upstream = conversation.client, conversation.upstream
    try:
        perform(conversation, steps)
        client.shut()
        upstream.shut()

        def finished() -> bool:
            client.receive()
            upstream.receive()
            return bool(conversation.closed)

        drive(conversation.loop, finished, 20, "both ends have ended")

        def all_received() -> bool:
            client.receive()
            upstream.receive()
            return client.input_ended and upstream.input_ended

        wait_until(all_received, 10, "both ends have received everything")
        assert not client.broken
        assert not upstream.broken
        assert upstream.received == client.sent
        assert client.received == upstream.sent
        assert conversation.relay.client.received == client.sent
        assert conversation.relay.upstream.received == upstream.sent
    finally:
        conversation.end()


@settings(max_examples=100, deadline=None)
@given(
    actions,
    st.sampled_from(["client", "upstream"]),
    st.booleans(),
    st.sampled_from([None, Onlooker()]),
)
def test_a_reset_at_any_moment_reaches_the_other_end(
    steps: list[tuple[str, tuple[str, int], int]],
    who: str,
    other_reads: bool,
    inspector: Onlooker | None,
) -> None:
    """And never as an orderly end, unless that end came first."""
    conversation = Conversation(inspector)
    one: End = getattr(conversation, who)
    other: End = getattr(conversation, "upstream" if who == "client" else "client")
    try:
        perform(conversation, steps)
        ended_in_order = one.output_ended
        one.reset()

        def finished() -> bool:
            if other_reads or who == "upstream":
                # Only what the upstream said last waits for a client that doesn't read.
                other.receive()
            return bool(conversation.closed)

        drive(conversation.loop, finished, 20, "the relay has closed")

        def over() -> bool:
            other.receive()
            return other.broken or other.input_ended

        wait_until(over, 10, "the other end sees that it is over")
        assert other.received <= one.sent
        if not ended_in_order:
            assert other.broken, "a reset was turned into an orderly end"
    finally:
        conversation.end()


def test_a_hangup_older_than_the_wish_to_read_is_passed_over() -> None:
    """Within one batch the other leg may have made room after this event was reported."""
    conversation = Conversation()
    try:
        conversation.relay.upstream.ready(HANGUP)
        conversation.upstream.send(100)

        def arrived() -> int:
            conversation.client.receive()
            return conversation.client.received

        assert drive(conversation.loop, arrived, 20, "the bytes arrive") == 100
    finally:
        conversation.end()


def test_a_leg_reads_as_much_as_is_usual_on_it() -> None:
    conversation = Conversation()
    leg = conversation.relay.client
    assert isinstance(leg, PlainLeg)
    sizes = []
    try:
        for message in (10, SMALL_SIZE + 1, *[10] * SMALL_READS, 10):
            conversation.client.send(message)

            def arrived() -> bool:
                conversation.upstream.receive()
                return conversation.upstream.received == conversation.client.sent

            drive(conversation.loop, arrived, 20, "the message arrives")
            sizes.append(leg._size)
        assert sizes == [
            SMALL_SIZE,
            # Its last byte comes by a read of its own, and is the first small one.
            *[BUFFER_SIZE] * (SMALL_READS - 1),
            *[SMALL_SIZE] * 3,
        ]
    finally:
        conversation.end()
