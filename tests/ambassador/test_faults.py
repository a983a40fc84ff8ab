"""Faults on purpose: what the application sees, for how long, and that nothing is lost by it."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.ambassador.faults import Faults
from podweave.helpers.ambassador.faulty_link import FaultyLink
from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.loop import Loop
from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.upstreams import echo, named, read_all, upstream
from tests.helpers.driving import drive
from tests.waiting import wait_until

ABORT = b"\1\0\0\0\0\0\0\0"
"""SO_LINGER for a close with a reset."""


class Noting:
    """An echo that notes how its connections end, and resets one that says `die`."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    def __call__(self, connection: socket.socket) -> None:
        try:
            while data := connection.recv(65536):
                if data == b"die":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
                    connection.close()
                    return
                connection.sendall(data)
            self.ends.append("end")
            connection.shutdown(socket.SHUT_WR)
        except ConnectionResetError:
            self.ends.append("reset")

    def wait(self, *ends: str) -> None:
        wait_until(lambda: self.ends == list(ends), 20, f"the upstream sees {ends}")


def post(ambassador: Ambassador, **wanted: object) -> tuple[int, str]:
    return ambassador.admin("POST", "/faults", json.dumps(wanted).encode())


def round_trip(client: socket.socket) -> float:
    begun = time.monotonic()
    client.sendall(b"ping")
    assert client.recv(100) == b"ping"
    return time.monotonic() - begun


def test_latency_concerns_open_and_new_connections_and_ends(start: Start) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as old:
            round_trip(old)
            status, text = post(ambassador, latency=0.2)
            assert status == 200
            assert json.loads(text) == {"profile": "dev", "faults": {"latency": 0.2}, "open": 1}
            assert round_trip(old) >= 0.2
            with ambassador.dial() as new:
                assert round_trip(new) >= 0.2
                assert post(ambassador)[0] == 200
                wait_until(lambda: round_trip(old) < 0.2, 20, "it is quick again")
                wait_until(lambda: round_trip(new) < 0.2, 20, "it is quick again")
        assert json.loads(ambassador.admin("GET", "/faults")[1]) == {}
        ambassador.event("faults-cleared")


def test_bandwidth_is_that_of_each_way(start: Start) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            round_trip(client)
            post(ambassador, bandwidth=100_000)
            begun = time.monotonic()
            client.sendall(b"x" * 30_000)
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b"x" * 30_000
            assert time.monotonic() - begun >= 0.2
            # The way back begins when the first bytes are there, so that both take one time.


def test_reset_cuts_a_conversation_when_it_is_answered(start: Start) -> None:
    noting = Noting()
    with upstream(noting) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            round_trip(client)
            assert post(ambassador, reset=1.0)[0] == 200
            client.sendall(b"query")
            with pytest.raises(ConnectionResetError):
                client.recv(100)
        injected = "podweave_ambassador_faults_injected_total"
        assert ambassador.metric(injected, profile="dev", fault="reset") == 1
        assert ambassador.metric("podweave_ambassador_faults", profile="dev", fault="reset") == 1
        noting.wait("reset")


def test_refuse_sends_new_clients_away(start: Start) -> None:
    with upstream(named(b"up")) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as old:
            assert old.recv(100) == b"up\n"
            post(ambassador, refuse=1)
            with pytest.raises(ConnectionResetError), ambassador.dial() as new:
                new.recv(100)
            old.sendall(b"x\n")
            assert old.recv(100) == b"up x\n"
            post(ambassador)
            with ambassador.dial() as new:
                assert new.recv(100) == b"up\n"


def test_faults_are_of_one_profile(start: Start) -> None:
    with upstream(echo) as dev, upstream(echo) as qa:
        ambassador = start(dev=[dev.config], qa=[qa.config])
        assert post(ambassador, profile="qa", latency=30)[0] == 200
        with ambassador.dial() as client:
            assert round_trip(client) < 30
        assert json.loads(ambassador.admin("GET", "/state")[1])["faults"] == {
            "qa": {"latency": 30.0}
        }


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"{", 400, "is not JSON"),
        (b"[]", 400, "must be an object"),
        (b'{"latency": -1}', 400, "latency: is -1; must be between 0 and 60 seconds"),
        (b'{"latency": 0.1, "jitter": 0.2}', 400, "jitter: is more than the latency"),
        (b'{"bandwidth": 0.5}', 400, "bandwidth: must be an integer"),
        (b'{"reset": 2}', 400, "reset: must be a share from 0 to 1"),
        (b'{"refuse": true}', 400, "refuse: must be a share from 0 to 1"),
        (b'{"loss": 1}', 400, "loss: is not a known key"),
        (b'{"profile": "prod"}', 404, "there is no profile 'prod'; there is dev"),
        (b'{"profile": 1}', 404, "there is no profile 1"),
    ],
)
def test_bad_wishes_change_nothing(start: Start, content: bytes, status: int, message: str) -> None:
    ambassador = start(dev=[["127.0.0.1", 1]])
    post(ambassador, latency=0.5)
    found, text = ambassador.admin("POST", "/faults", content)
    assert (found, message in text) == (status, True), text
    assert json.loads(ambassador.admin("GET", "/faults")[1]) == {"dev": {"latency": 0.5}}


def test_a_half_closed_client_still_gets_its_late_answer(start: Start) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            round_trip(client)
            post(ambassador, latency=0.1, jitter=0.1)
            client.sendall(b"question" * 10_000)
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b"question" * 10_000


def test_what_is_reset_stays_a_reset(start: Start) -> None:
    """A link in between must not make an orderly end of a broken connection."""
    noting = Noting()
    with upstream(noting) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            round_trip(client)
            post(ambassador, latency=0.05)
            round_trip(client)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        noting.wait("reset")
        with ambassador.dial() as client:
            round_trip(client)
            client.sendall(b"die")
            with pytest.raises(ConnectionResetError):
                read_all(client)
        with ambassador.dial() as client:
            round_trip(client)
        noting.wait("reset", "end")
        before = ambassador.open_descriptors()
        for _ in range(5):
            with ambassador.dial() as client:
                round_trip(client)
        wait_until(lambda: ambassador.open_descriptors() <= before, 20, "nothing is left open")


def test_values_are_checked_before_any_is_taken() -> None:
    faults = Faults()
    faults.set({"latency": 1})
    with pytest.raises(ConfigurationError):
        faults.set({"latency": 2, "reset": -1})
    assert faults.show() == {"latency": 1.0}


@contextlib.contextmanager
def linked(faults: Faults) -> Iterator[tuple[Loop, socket.socket, socket.socket, list[bool]]]:
    """A link between two sockets, and a loop to turn."""
    loop = Loop()
    ends: list[bool] = []
    ours, inner = socket.socketpair()
    upstream_end, theirs = socket.socketpair()
    with ours, theirs:
        for sock in (ours, inner, upstream_end, theirs):
            sock.setblocking(False)
        FaultyLink(loop, inner, upstream_end, faults, lambda link, broken: ends.append(broken))
        yield loop, ours, theirs, ends
    loop.close()


pieces = st.lists(st.binary(min_size=1, max_size=3000), max_size=12)


@settings(max_examples=40)
@given(
    pieces,
    pieces,
    st.sampled_from([0.0, 0.002]),
    st.sampled_from([0, 2_000_000]),
    st.lists(st.integers(0, 3), max_size=8),
)
def test_no_byte_is_lost_or_mixed_up(
    there: list[bytes], back: list[bytes], latency: float, bandwidth: int, changes: list[int]
) -> None:
    """Whatever the faults are and however they change meanwhile, both ways, to an orderly end."""
    faults = Faults()
    faults.set({"latency": latency, "jitter": latency, "bandwidth": bandwidth})
    with linked(faults) as (loop, ours, theirs, ends):
        got = {ours: b"", theirs: b""}
        over: set[socket.socket] = set()
        waiting = {ours: list(there), theirs: list(back)}

        def turn() -> bool:
            for sock, rest in waiting.items():
                if rest:
                    sent = sock.send(rest[0])
                    rest[0] = rest[0][sent:]
                    if not rest[0]:
                        rest.pop(0)
                    if not rest:
                        sock.shutdown(socket.SHUT_WR)
                elif rest == [] and sock not in ended:
                    ended.add(sock)
                    with contextlib.suppress(OSError):
                        sock.shutdown(socket.SHUT_WR)
            for sock in got:
                with contextlib.suppress(BlockingIOError):
                    data = sock.recv(65536)
                    got[sock] += data
                    if not data:
                        over.add(sock)
            if changes:
                change = changes.pop()
                faults.set({"latency": change / 1000, "bandwidth": change * 1_000_000})
            return len(over) == 2

        ended: set[socket.socket] = set()
        drive(loop, turn, 20, "both ways have ended")
        assert got[theirs] == b"".join(there)
        assert got[ours] == b"".join(back)
        drive(loop, lambda: ends, 20, "the link has ended")
        assert ends == [False]


def test_a_way_that_nobody_reads_is_bounded() -> None:
    faults = Faults()
    faults.set({"latency": 60})
    with linked(faults) as (loop, ours, theirs, ends):
        sent = 0
        for _ in range(3000):
            with contextlib.suppress(BlockingIOError):
                sent += theirs.send(b"x" * 65536)
            loop.step(0)
        assert sent < 4 << 20
        ours.close()
        drive(loop, lambda: ends, 20, "the link has ended")
