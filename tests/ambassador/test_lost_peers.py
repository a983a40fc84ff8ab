"""Ends of connections that are gone without a word: killed clients, machines that vanish."""

from __future__ import annotations

import contextlib
import functools
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from podweave.helpers.ambassador import client_ends
from podweave.helpers.ambassador.client_ends import ClientEnds
from podweave.helpers.ambassador.lost_peers import LostPeers
from podweave.helpers.ambassador.metrics import Metrics
from podweave.helpers.ambassador.relay import Relay
from podweave.helpers.dialing.tcp_info import is_unreachable
from podweave.helpers.loop import Loop
from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.pod_network import pod_network
from tests.ambassador.upstreams import Serve, read_all, silent, upstream
from tests.helpers.driving import drive
from tests.waiting import wait_until

CLIENT = """
import socket, sys
sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(sys.argv[2].encode())
print("sent", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def application(ambassador: Ambassador, says: str) -> Iterator[subprocess.Popen[bytes]]:
    """Says something to the ambassador, and then waits for an answer until it is killed."""
    command = [sys.executable, "-c", CLIENT, str(ambassador.address()[1]), says]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"sent\n"
        yield process
        process.kill()


def lost(ambassador: Ambassador, end: str = "client") -> float:
    return ambassador.metric("podweave_ambassador_connections_lost_total", end=end)


def busy_with(received: list[bytes]) -> Serve:
    """A server that works on for nobody: it has seen the end of input, and says nothing."""

    def serve(connection: socket.socket) -> None:
        received.append(read_all(connection))

    return serve


@pytest.mark.parametrize("settings", [{}, {"protocol": "http"}])
def test_a_killed_client_is_let_go(start: Start, settings: dict[str, str]) -> None:
    """All that it has said has arrived, and the upstream's connection ends for good."""
    received: list[bytes] = []
    request = "GET /long HTTP/1.1\r\nHost: a\r\n\r\n"
    with upstream(busy_with(received)) as server:
        ambassador = start(dev=[server.config], settings=settings)
        before = ambassador.open_descriptors()
        with application(ambassador, request) as process:
            wait_until(lambda: server.connections, 20, "the request has come")
            process.kill()
            process.wait()
            wait_until(lambda: lost(ambassador) == 1, 20, "it is noticed")
        wait_until(lambda: received, 20, "the upstream sees the end")
        assert received[0].startswith(b"GET /long HTTP/1.1\r\n")
        wait_until(lambda: ambassador.open_descriptors() <= before, 20, "all is closed")


def test_a_killed_client_does_not_delay_the_end(start: Start) -> None:
    with upstream(busy_with([])) as server:
        ambassador = start(dev=[server.config], settings={"drain": 3600.0})
        with application(ambassador, "query") as process:
            wait_until(lambda: server.connections, 20, "it has come")
            process.kill()
            process.wait()
        ambassador.terminate()
        assert ambassador.wait() == 0
        assert ambassador.event("stopped")["connections_reset"] == 0


def pair(host: str = "127.0.0.1") -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as listener:
        ours = socket.create_connection(listener.getsockname()[:2])
        theirs, _ = listener.accept()
    for sock in (ours, theirs):
        sock.settimeout(20)
    return ours, theirs


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


class Play:
    """A relay in this process, and its two ends."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.client, accepted = pair()
        dialled, self.server = pair()
        for sock in (accepted, dialled):
            sock.setblocking(False)
        self.relay = Relay(loop, accepted, dialled, "dev", lambda relay: None)
        self.metrics = Metrics()
        self.peers = LostPeers(loop, self.connections, self.metrics)

    def connections(self) -> list[Relay]:
        return [self.relay] if self.relay.open else []

    def turn(self) -> None:
        drive(self.loop, lambda: self.relay.half_closed, 20, "it is half-closed")


def test_a_client_that_waits_for_its_answer_is_kept(loop: Loop) -> None:
    play = Play(loop)
    play.client.sendall(b"request")
    play.client.shutdown(socket.SHUT_WR)
    play.turn()
    play.peers.look()
    assert play.relay.open
    assert read_all(play.server) == b"request"
    play.server.sendall(b"answer")
    play.server.close()
    drive(loop, lambda: not play.relay.open, 20, "it ends by itself")
    assert read_all(play.client) == b"answer"
    play.client.close()


def test_what_a_closed_client_has_said_is_delivered_first(loop: Loop) -> None:
    """More than fits: the upstream reads slowly, and who has spoken is gone."""
    play = Play(loop)
    said = b"x" * 20_000_000

    def speak() -> None:
        play.client.sendall(said)
        play.client.close()

    speaker = threading.Thread(target=speak)
    speaker.start()
    received = bytearray()

    def read() -> bool:
        play.peers.look()
        with contextlib.suppress(BlockingIOError):
            received.extend(play.server.recv(1 << 20))
        return len(received) == len(said)

    play.server.setblocking(False)
    drive(loop, read, 60, "all has arrived")
    speaker.join()

    def ended() -> bool:
        play.peers.look()
        return not play.relay.open

    drive(loop, ended, 20, "and then it ends")
    assert not play.server.recv(1)
    play.server.close()


def test_who_is_still_heard_is_asked_of_the_kernel_by_both_families() -> None:
    ends = ClientEnds()
    for host in ("127.0.0.1", "::1"):
        client, accepted = pair(host)
        assert not ends.is_orphaned(accepted)
        client.shutdown(socket.SHUT_WR)
        assert not ends.is_orphaned(accepted)
        client.close()
        wait_until(functools.partial(ends.is_orphaned, accepted), 20, "nobody holds it")
        accepted.close()
    ends.close()


def test_a_system_that_does_not_tell_leaves_everything_as_it_is(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: ClientEnds) -> None:
        raise PermissionError("no netlink here")

    monkeypatch.setattr(client_ends.ClientEnds, "__init__", refused)
    play = Play(loop)
    play.client.close()
    play.turn()
    for _ in range(2):
        play.peers.look()
        assert play.relay.open
    play.relay.reset()
    play.server.close()


def test_a_machine_that_vanishes_in_the_middle_is_noticed(loop: Loop) -> None:
    """Keepalive doesn't run while something is under way, and TCP itself tries for 15 minutes."""
    with pod_network() as pod:
        listener = pod.inside(lambda: socket.create_server((pod.address, 0)))
        dialled = socket.create_connection(listener.getsockname(), timeout=20)
        server, _ = listener.accept()
        client, accepted = pair()
        for sock in (accepted, dialled):
            sock.setblocking(False)
        relay = Relay(loop, accepted, dialled, "dev", lambda relay: None)
        metrics = Metrics()
        peers = LostPeers(loop, lambda: [relay], metrics, unreachable_seconds=0.2)
        client.sendall(b"before")
        drive(loop, lambda: relay.client.received == 6, 20, "it is passed on")
        assert server.recv(100) == b"before"
        peers.find_unreachable([relay])
        assert relay.open

        pod.run("ip", "link", "set", "lo", "down")
        pod.run("ip", "link", "set", pod.link, "down")
        client.sendall(b"query")

        def found() -> bool:
            peers.find_unreachable([relay])
            return not relay.open

        drive(loop, found, 30, "it is found")
        assert b'connections_lost_total{end="upstream"} 1' in metrics.registry.render()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        for sock in (client, server, listener):
            sock.close()


def test_who_is_there_and_does_not_read_is_not_unreachable() -> None:
    """TCP_USER_TIMEOUT would cut it off; it answers every probe."""
    ours, theirs = pair()
    ours.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            ours.send(b"x" * 65536)

    def probed() -> bool:
        assert not is_unreachable(ours, 0.0)
        # An acknowledged probe makes that time short again; the first one comes after 200 ms.
        return last_acknowledged(ours) > 250

    wait_until(probed, 30, "it was asked for more than once")
    assert not is_unreachable(ours, 0.0)
    ours.close()
    theirs.close()


def last_acknowledged(sock: socket.socket) -> int:
    """Milliseconds."""
    return int.from_bytes(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 60)[56:], "little")


def test_an_idle_ambassador_looks_for_nothing(loop: Loop) -> None:
    peers = LostPeers(loop, list, Metrics())
    peers.begin()
    assert peers.looking
    peers.look()
    assert not peers.looking


def test_half_closed_by_a_client_on_an_ambassador_with_clients(start: Start) -> None:
    """A client that is there stays, however many look."""
    with upstream(silent) as server:
        ambassador = start(dev=[server.config])
        with application(ambassador, "one") as killed, ambassador.dial() as waiting:
            waiting.sendall(b"two")
            waiting.shutdown(socket.SHUT_WR)
            wait_until(lambda: len(server.connections) == 2, 20, "both are there")
            killed.kill()
            killed.wait()
            wait_until(lambda: lost(ambassador) == 1, 20, "one is gone")
            (kept,) = [
                sock for sock in server.connections if b"two" in sock.recv(100, socket.MSG_PEEK)
            ]
            kept.sendall(b"answer")
            assert waiting.recv(100) == b"answer"
