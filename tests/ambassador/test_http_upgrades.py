"""Another protocol on a connection of HTTP: a tunnel, where both sides agreed on it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.ambassador.http_peers import Asked, ok, serving

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Key: x\r\n\r\n"
)


SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Accept: y\r\n\r\n"
)


def websocket(connection: socket.socket) -> None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += connection.recv(1)
    assert b"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" in head
    connection.sendall(SWITCHED + b"first")
    while data := connection.recv(65536):
        connection.sendall(data.upper())
    connection.shutdown(socket.SHUT_WR)


def test_a_websocket_is_relayed_after_the_101(http: Any) -> None:
    client, _, ambassador = http(websocket)
    client.send(UPGRADE)
    received = b""
    while not received.endswith(b"first"):
        received += client.sock.recv(65536)
    head, _, rest = received.partition(b"\r\n\r\n")
    assert b"Sec-WebSocket-Accept: y" in head
    assert b"Connection: Upgrade" in head
    assert rest == b"first"
    client.send(b"\x81\x00GET / HTTP/1.1\r\n\r\n")
    assert client.sock.recv(100) == b"\x81\x00GET / HTTP/1.1\r\n\r\n"
    client.sock.shutdown(socket.SHUT_WR)
    assert client.sock.recv(100) == b""
    assert ambassador.metric("podweave_ambassador_http_upgrades_total") == 1


def test_an_upgrade_that_is_refused_is_a_response_like_any(http: Any) -> None:
    client, server, _ = http(serving(lambda asked: ok(asked.target)))
    assert client.ask(UPGRADE).body == b"/ws"
    assert client.get("/next").body == b"/next"
    assert len(server.connections) == 1


@pytest.mark.parametrize(
    "request_",
    [
        UPGRADE.replace(b"websocket", b"h2c"),
        UPGRADE.replace(b"websocket", b"websocket, h2c"),
        UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0"),
        UPGRADE.replace(b"keep-alive, Upgrade", b"keep-alive"),
        UPGRADE.replace(b"\r\n\r\n", b"\r\nContent-Length: 1\r\n\r\nx"),
    ],
)
def test_upgrades_that_are_not_offered_to_the_upstream(http: Any, request_: bytes) -> None:
    seen: list[Asked] = []
    client, _, _ = http(serving(lambda asked: ok(), seen))
    assert client.ask(request_).status == 200
    assert seen[0].values(b"upgrade") == []


def test_a_101_that_nobody_asked_for_is_no_tunnel(http: Any) -> None:
    client, _, _ = http(serving(lambda asked: SWITCHED))
    got = client.get()
    assert got.status == 502
    assert b"wasn't asked for" in got.body
