"""The broker protocol: requests of any kind, dials side by side, nobody waits for DNS."""

from __future__ import annotations

import errno
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.engines.local.setup import broker
from podweave.engines.local.setup.dialling import Addresses, DialError, DialServer, parse_request
from tests.sandbox.machine import drain


class Served:
    """A dial server on a thread of the test, ended with its lifeline."""

    def __init__(self, names: Any) -> None:
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind("")  # the kernel chooses an abstract name
        self.listener.listen(128)
        self.address = self.listener.getsockname()
        self.lifeline, theirs = socket.socketpair()
        self.theirs = theirs
        server = DialServer(self.listener, names=names, refuse=broker.refuse, lifeline=theirs)
        self.thread = threading.Thread(target=server.run)
        self.thread.start()

    def send(self, data: bytes) -> socket.socket:
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        client.connect(self.address)
        client.settimeout(60)
        client.send(data)
        return client

    def ask(self, host: str, port: int, timeout: float = 5.0) -> socket.socket:
        return self.send(json.dumps({"connect": [host, port], "timeout": timeout}).encode())

    def close(self) -> None:
        self.lifeline.close()
        self.thread.join(60)
        assert not self.thread.is_alive()
        self.listener.close()
        self.theirs.close()


def reply(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    answer, descriptors, _, _ = socket.recv_fds(client, 65536, 1)
    client.close()
    return json.loads(answer), list(descriptors)


released = threading.Event()


def names(host: str, port: int) -> Addresses:
    if host == "slow.example":
        released.wait(20)
        return [(socket.AF_INET, ("127.0.0.1", port))]
    two: Addresses = [(socket.AF_INET6, ("::1", port)), (socket.AF_INET, ("127.0.0.1", port))]
    if host == "two.example":
        return two
    if host == "owt.example":
        return two[::-1]
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.fixture
def served() -> Iterator[Served]:
    released.clear()
    server = Served(names)
    try:
        yield server
    finally:
        released.set()
        server.close()


@pytest.fixture
def upstream() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield server


def says(server: socket.socket, text: bytes) -> None:
    connection, _ = server.accept()
    connection.sendall(text)
    connection.close()


def test_the_second_address_is_tried(served: Served, upstream: socket.socket) -> None:
    port = upstream.getsockname()[1]
    answer, (descriptor,) = reply(served.ask("two.example", port))
    assert answer == {"ok": True, "address": f"127.0.0.1:{port}"}
    connection = socket.socket(fileno=descriptor)
    assert connection.getblocking() is False or connection.gettimeout() is None
    connection.setblocking(True)
    says(upstream, b"hello")
    assert drain(connection) == "hello"


def test_nobody_waits_for_a_slow_name(served: Served, upstream: socket.socket) -> None:
    port = upstream.getsockname()[1]
    slow = served.ask("slow.example", port)
    for _ in range(5):
        answer, (descriptor,) = reply(served.ask("two.example", port))
        assert answer["ok"]
        socket.socket(fileno=descriptor).close()
    released.set()
    answer, (descriptor,) = reply(slow)
    assert answer["ok"]
    socket.socket(fileno=descriptor).close()


def test_many_at_once(served: Served, upstream: socket.socket) -> None:
    port = upstream.getsockname()[1]
    clients = [served.ask("two.example", port) for _ in range(100)]
    for client in clients:
        answer, descriptors = reply(client)
        assert answer["ok"]
        socket.socket(fileno=descriptors[0]).close()


def test_errors(served: Served) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        answer, descriptors = reply(served.ask("two.example", port))
    assert (answer["ok"], answer["error"], descriptors) == (False, "ECONNREFUSED", [])
    assert reply(served.ask("nope.example", 1))[0]["error"] == "EAI_NONAME"
    for host in ("localhost", "127.0.0.1", "::1"):
        assert reply(served.ask(host, 1))[0]["error"] == "EACCES"


@pytest.mark.parametrize("code", [errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL])
def test_a_machine_without_ipv6_says_what_an_address_of_ipv4_answers(
    served: Served, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Whether the kernel has none of it, or it is only switched off."""

    class Socket(socket.socket):
        def __init__(self, family: int = -1, *arguments: Any, **options: Any) -> None:
            if family == socket.AF_INET6 and code == errno.EAFNOSUPPORT:
                raise OSError(code, "Address family not supported by protocol")
            super().__init__(family, *arguments, **options)

        def connect_ex(self, address: Any) -> int:
            return code if self.family == socket.AF_INET6 else super().connect_ex(address)

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        monkeypatch.setattr(socket, "socket", Socket)
        for name in ("two.example", "owt.example"):
            answer, _ = reply(served.ask(name, port))
            assert answer["error"] == "ECONNREFUSED"
            assert answer["message"].startswith(f"127.0.0.1:{port}: ")


def test_a_timeout_covers_the_name(served: Served, upstream: socket.socket) -> None:
    answer, _ = reply(served.ask("slow.example", upstream.getsockname()[1], 0.05))
    assert answer["error"] == "ETIMEDOUT"


def test_a_client_that_goes_away(served: Served, upstream: socket.socket) -> None:
    port = upstream.getsockname()[1]
    for data in (b"", b'{"connect": ["slow.example", 1]}'):
        served.send(data).close()
    released.set()
    answer, (descriptor,) = reply(served.ask("two.example", port))
    assert answer["ok"]
    socket.socket(fileno=descriptor).close()


@pytest.mark.parametrize(
    "data",
    [
        b"x",
        b"{}",
        b"[]",
        b'{"connect": ["h"]}',
        b'{"connect": ["", 1]}',
        b'{"connect": ["h", 0]}',
        b'{"connect": ["h", true]}',
        b'{"connect": ["h", 1], "timeout": 0}',
        b'{"connect": ["h\\u0000", 1]}',
        b"[" * 5000,
    ],
)
def test_bad_requests(served: Served, data: bytes) -> None:
    assert reply(served.send(data))[0]["error"] == "EBADMSG"


@given(st.binary(max_size=200) | st.from_regex(rb'\{"connect": \[.*\]\}', fullmatch=True))
def test_any_bytes_are_a_request_or_an_error(data: bytes) -> None:
    try:
        host, port, timeout = parse_request(data)
    except DialError as error:
        refused = error.code
    else:
        refused = ""
        assert host
        assert 0 < port < 65536
        assert 0 < timeout <= 60
    assert refused in ("", "EBADMSG")


def test_the_machine_by_its_name() -> None:
    assert broker.resolve("host.podweave.internal", 5)[0] == (socket.AF_INET, ("127.0.0.1", 5))
    assert broker.refuse("127.8.9.1") is not None
