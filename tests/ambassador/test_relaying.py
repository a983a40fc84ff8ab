"""Between a client and its upstream, the ambassador is not noticed."""

from __future__ import annotations

import contextlib
import hashlib
import random
import select
import socket
import struct
import threading

import pytest

from tests.ambassador.conftest import Start
from tests.ambassador.upstreams import echo, named, read_all, silent, upstream
from tests.waiting import wait_until

RESET = struct.pack("ii", 1, 0)


def test_bytes_go_both_ways_on_both_loopback_addresses(start: Start) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        for index in (0, 1):
            with ambassador.dial(index) as client:
                client.sendall(b"hello")
                client.shutdown(socket.SHUT_WR)
                assert read_all(client) == b"hello"


def test_a_server_may_speak_first(start: Start) -> None:
    with upstream(named(b"220 mail")) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            assert client.recv(100) == b"220 mail\n"


def test_an_upstream_on_ipv6(start: Start) -> None:
    with upstream(echo, host="::1") as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            client.sendall(b"hello")
            assert client.recv(100) == b"hello"


def test_half_close_by_the_client(start: Start) -> None:
    """The request ends, and only then the answer begins: as in `nc < request`."""

    def answer_at_the_end(connection: socket.socket) -> None:
        request = read_all(connection)
        connection.sendall(b"%d bytes" % len(request))
        connection.shutdown(socket.SHUT_WR)

    with upstream(answer_at_the_end) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            client.sendall(b"x" * 1_000_000)
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b"1000000 bytes"


def test_half_close_by_the_upstream(start: Start) -> None:
    received: list[bytes] = []

    def end_first(connection: socket.socket) -> None:
        connection.sendall(b"last word")
        connection.shutdown(socket.SHUT_WR)
        received.append(read_all(connection))

    with upstream(end_first) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            assert read_all(client) == b"last word"
            client.sendall(b"still here")
            client.shutdown(socket.SHUT_WR)
            wait_until(lambda: received == [b"still here"], 20, "the upstream reads on")
        wait_until(
            lambda: ambassador.metric("podweave_ambassador_connections_open", profile="dev") == 0,
            20,
            "the connection is closed when both sides have ended",
        )


def test_a_reset_by_the_upstream_is_no_orderly_end(start: Start) -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(100)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.close()

    with upstream(reset) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            client.sendall(b"SELECT 1")
            with pytest.raises(ConnectionResetError):
                client.recv(100)


def test_a_reset_by_the_client_reaches_the_upstream(start: Start) -> None:
    outcome: list[str] = []

    def read(connection: socket.socket) -> None:
        try:
            read_all(connection)
            outcome.append("end")
        except ConnectionResetError:
            outcome.append("reset")

    with upstream(read) as server:
        ambassador = start(dev=[server.config])
        client = ambassador.dial()
        client.sendall(b"BEGIN")
        name = "podweave_ambassador_connections_open"
        wait_until(lambda: ambassador.metric(name, profile="dev") == 1, 20, "it is relayed")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
        wait_until(lambda: outcome == ["reset"], 20, "the upstream sees the reset")


def test_a_last_answer_is_delivered_before_the_reset(start: Start) -> None:
    """An early refusal: the upstream answers and closes while the client is still sending."""
    refusal = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\n\r\n"

    def refuse(connection: socket.socket) -> None:
        connection.recv(10)
        connection.sendall(refusal)
        connection.close()

    with upstream(refuse) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            client.sendall(b"x" * 10)
            # First the answer: what comes after it may be the reset.
            assert client.recv(1000) == refusal
            with contextlib.suppress(OSError):
                for _ in range(100):
                    client.sendall(b"x" * 65536)
        wait_until(
            lambda: ambassador.metric("podweave_ambassador_connections_open", profile="dev") == 0,
            20,
            "the connection is gone",
        )


def test_large_transfers_both_ways_at_once_are_exact(start: Start) -> None:
    size = 32 << 20
    data = random.Random(3).randbytes(size)
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            received = hashlib.sha256()
            reader = threading.Thread(target=lambda: received.update(read_all(client)))
            reader.start()
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            reader.join(60)
            assert not reader.is_alive()
        assert received.digest() == hashlib.sha256(data).digest()
        assert ambassador.metric("podweave_ambassador_relayed_bytes_total", to="client") == size
        assert ambassador.metric("podweave_ambassador_relayed_bytes_total", to="upstream") == size


def test_a_reader_that_stalls_stops_its_sender_and_costs_no_memory(start: Start) -> None:
    with upstream(silent) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as probe:
            probe.sendall(b"x")
            before = ambassador.rss_kib()
        clients = [ambassador.dial() for _ in range(20)]
        sent = 0
        for client in clients:
            client.setblocking(False)
            # Full when nothing more goes for a while: sockets and one buffer on the way.
            while select.select([], [client], [], 0.1)[1]:
                sent += client.send(b"x" * 65536)
        assert sent > 20 * 65536
        grown = ambassador.rss_kib() - before
        assert grown < 20 * 64 + 1024, f"{grown} KiB more for {sent >> 20} MiB that are stuck"
        for client in clients:
            client.close()


def test_a_stalled_reader_holds_up_nobody_else(start: Start) -> None:
    def serve(connection: socket.socket) -> None:
        if connection.recv(5) == b"stall":
            return
        echo(connection)

    with upstream(serve) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as stalled, ambassador.dial() as lively:
            stalled.sendall(b"stall")
            stalled.setblocking(False)
            while select.select([], [stalled], [], 0.1)[1]:
                stalled.send(b"x" * 65536)
            lively.sendall(b"hello again")
            assert lively.recv(100) == b" again"


def test_a_client_that_resets_while_its_upstream_stalls_frees_both(start: Start) -> None:
    with upstream(silent) as server:
        ambassador = start(dev=[server.config])
        client = ambassador.dial()
        client.setblocking(False)
        while select.select([], [client], [], 0.1)[1]:
            client.send(b"x" * 65536)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
        wait_until(
            lambda: ambassador.metric("podweave_ambassador_connections_open", profile="dev") == 0,
            20,
            "the connection is gone",
        )


def test_a_hangup_during_back_pressure_does_not_spin(start: Start) -> None:
    """The upstream ends and resets while the client reads nothing: no busy loop on its event."""
    payload = b"x" * (16 << 20)

    def send_and_reset(connection: socket.socket) -> None:
        connection.settimeout(1.0)
        with contextlib.suppress(TimeoutError):
            connection.sendall(payload)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.close()

    with upstream(send_and_reset) as server:
        ambassador = start(dev=[server.config])
        with ambassador.dial() as client:
            wait_until(
                lambda: server.connections and server.connections[0].fileno() < 0,
                20,
                "the upstream has reset the connection",
            )
            used = cpu_seconds(ambassador.process.pid)
            with pytest.raises(AssertionError, match="not within"):
                wait_until(lambda: False, 0.5, "time passes")
            assert cpu_seconds(ambassador.process.pid) - used < 0.2
            with pytest.raises(ConnectionResetError):
                read_all(client)


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as stream:
        fields = stream.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_a_thousand_connections(start: Start) -> None:
    with upstream(echo) as server:
        ambassador = start(dev=[server.config])
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(ambassador.dial(n % 2)) for n in range(1000)]
            for number, client in enumerate(clients):
                client.sendall(b"%04d" % number)
            for number, client in enumerate(clients):
                assert client.recv(100) == b"%04d" % number
            assert ambassador.rss_kib() <= 28 * 1024
            open_connections = ambassador.metric(
                "podweave_ambassador_connections_open", profile="dev"
            )
            assert open_connections == 1000
        wait_until(lambda: ambassador.open_descriptors() < 20, 20, "all descriptors are closed")
