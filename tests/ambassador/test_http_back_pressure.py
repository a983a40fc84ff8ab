"""Content that comes faster than it is taken, and content that comes slowly."""

from __future__ import annotations

import socket
import threading
from typing import Any

from tests.ambassador.http_peers import GET, Client, ok, requests


def test_large_content_both_ways_with_slow_readers(http: Any) -> None:
    size = 20_000_000

    def serve(connection: socket.socket) -> None:
        for asked in requests(connection):
            connection.sendall(ok(asked.body))

    client, _, ambassador = http(serve)
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size
    body = bytes(range(251)) * (size // 251 + 1)
    sender = threading.Thread(target=client.sock.sendall, args=(head + body[:size],))
    sender.start()
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.sock.recv(1)
    content = bytearray()
    while len(content) < size:
        content += client.sock.recv(30_000)
    sender.join(30)
    assert content == body[:size]
    assert ambassador.rss_kib() < 24 * 1024, "what isn't read yet waits at its sender"


def test_a_slow_client_holds_its_upstream_up_and_nobody_else(http: Any) -> None:
    sent = []

    def serve(connection: socket.socket) -> None:
        for asked in requests(connection):
            if asked.target == b"/small":
                connection.sendall(ok())
                continue
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 400000000\r\n\r\n")
            for _ in range(4000):
                connection.sendall(b"x" * 100_000)
                sent.append(1)

    slow, _, ambassador = http(serve)
    slow.send(GET)
    slow.sock.recv(100)
    with ambassador.dial() as sock:
        quick = Client(sock)
        for _ in range(100):
            assert quick.get("/small").body == b"ok"
    assert len(sent) < 4000
    assert ambassador.rss_kib() < 24 * 1024


def test_events_come_as_they_are_sent(http: Any) -> None:
    """Nothing is held back: each part is there before the next one is sent."""
    turns = threading.Semaphore(0)

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(5):
            assert turns.acquire(timeout=20)
            connection.sendall(b"8\r\ndata: %d\n\r\n" % number)
        assert turns.acquire(timeout=20)
        connection.sendall(b"0\r\n\r\n")

    client, _, _ = http(serve)
    client.send(GET)
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        received += client.sock.recv(1000)
    for number in range(5):
        turns.release()
        part = b""
        while not part.endswith(b"data: %d\n\r\n" % number):
            part += client.sock.recv(1000)
    turns.release()
    assert client.sock.recv(100) == b"0\r\n\r\n"
