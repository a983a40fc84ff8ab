"""The admin endpoint: what it serves, and that nobody on loopback can hurt the helper by it."""

from __future__ import annotations

import http.client
import random
import socket
from collections.abc import Iterator

import pytest

from podweave.helpers import admin as admin_module
from podweave.helpers.admin import CONNECTION_LIMIT, CONTENT_LIMIT, Admin, Answer
from podweave.helpers.loop import Loop
from tests.helpers.driving import running
from tests.waiting import wait_until


@pytest.fixture(params=["127.0.0.1", "::1"])
def admin(request: pytest.FixtureRequest) -> Iterator[Admin]:
    loop = Loop()
    big = b"x" * 3_000_000
    admin = Admin(
        loop,
        (request.param, 0),
        {
            "GET /metrics": lambda content: Answer(200, b"m 1\n", "text/plain; version=0.0.4"),
            "GET /big": lambda content: Answer(200, big),
            "POST /echo": lambda content: Answer(200, content),
        },
    )
    with running(loop):
        yield admin
    admin.close()
    loop.close()


def ask(
    admin: Admin, method: str, path: str, content: bytes = b"", **headers: str
) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection(*admin.address, timeout=20)
    try:
        connection.request(method, path, content, headers)
        response = connection.getresponse()
        response.content = response.read()  # type: ignore[attr-defined]
        return response
    finally:
        connection.close()


def exchange(admin: Admin, data: bytes) -> bytes:
    """Send `data`, shut down the output, and read until the end."""
    with socket.create_connection(admin.address, timeout=20) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            return b""
        received = b""
        while True:
            try:
                part = sock.recv(65536)
            except ConnectionResetError:
                return received
            if not part:
                return received
            received += part


def test_health_and_metrics(admin: Admin) -> None:
    assert ask(admin, "GET", "/healthz").status == 200
    response = ask(admin, "GET", "/metrics?x=1")
    assert (response.status, response.content) == (200, b"m 1\n")  # type: ignore[attr-defined]
    assert response.getheader("Content-Type") == "text/plain; version=0.0.4"


def test_head_is_get_without_the_content(admin: Admin) -> None:
    response = ask(admin, "HEAD", "/metrics")
    assert response.getheader("Content-Length") == "4"
    assert response.content == b""  # type: ignore[attr-defined]


def test_what_is_not_there(admin: Admin) -> None:
    response = ask(admin, "GET", "/nothing")
    assert response.status == 404
    assert b"/echo, /healthz, /metrics" in response.content.replace(b"/big, ", b"")  # type: ignore[attr-defined]
    response = ask(admin, "GET", "/echo")
    assert (response.status, response.getheader("Allow")) == (405, "POST")
    response = ask(admin, "DELETE", "/metrics")
    assert (response.status, response.getheader("Allow")) == (405, "GET, HEAD")


def test_content_is_bounded(admin: Admin) -> None:
    content = random.Random(1).randbytes(CONTENT_LIMIT)
    assert ask(admin, "POST", "/echo", content).content == content  # type: ignore[attr-defined]
    assert ask(admin, "POST", "/echo", content + b"x").status == 413


def test_connections_are_kept_and_pipelining_is_answered_in_order(admin: Admin) -> None:
    requests = b"".join(
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n%04d" % number
        for number in range(2000)
    )
    answers = exchange(admin, requests)
    assert answers.count(b"HTTP/1.1 200 OK") == 2000
    bodies = [part.partition(b"\r\n\r\n")[2] for part in answers.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"%04d" % number for number in range(2000)]


def test_a_client_that_waits_for_100_continue_gets_it(admin: Admin) -> None:
    with socket.create_connection(admin.address, timeout=20) as sock:
        sock.sendall(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
            b"Content-Length: 2\r\nConnection: close\r\n\r\n"
        )
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"ok")
        stream = sock.makefile("rb")
        assert stream.read().endswith(b"\r\n\r\nok")
        stream.close()


def test_web_pages_give_no_commands(admin: Admin) -> None:
    assert ask(admin, "POST", "/echo", b"x", Origin="http://evil.example").status == 403


def test_a_big_answer_to_a_slow_reader(admin: Admin) -> None:
    with socket.socket(socket.AF_INET6 if ":" in admin.address[0] else socket.AF_INET) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(20)
        sock.connect(admin.address)
        sock.sendall(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = 0
        while part := sock.recv(4096):
            received += len(part)
    assert received > 3_000_000


def test_garbage_is_answered_or_dropped_and_hurts_nobody(admin: Admin) -> None:
    generator = random.Random(2)
    for size in (1, 10, 100, 20_000):
        for _ in range(5):
            answer = exchange(admin, generator.randbytes(size))
            assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
    assert ask(admin, "GET", "/healthz").status == 200


def test_silent_connections_do_not_keep_a_probe_out(admin: Admin) -> None:
    silent = [socket.create_connection(admin.address) for _ in range(3 * CONNECTION_LIMIT)]
    for sock in silent:
        try:
            sock.sendall(b"GET / HTTP/1.1\r\n")
        except OSError:
            continue
    for _ in range(5):
        assert ask(admin, "GET", "/healthz").status == 200
    for sock in silent:
        sock.close()


def test_a_slow_request_has_a_deadline_that_bytes_do_not_move(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(admin_module, "REQUEST_SECONDS", 0.3)
    loop = Loop()
    admin = Admin(loop, ("127.0.0.1", 0), {})
    with running(loop), socket.create_connection(admin.address, timeout=20) as sock:

        def dropped() -> bool:
            try:
                sock.sendall(b"x")
            except OSError:
                return True
            return False

        wait_until(dropped, 20, "the connection is dropped while bytes trickle in")
    admin.close()
    loop.close()


def test_a_taken_address_is_an_error(admin: Admin) -> None:
    loop = Loop()
    with pytest.raises(OSError, match="in use"):
        Admin(loop, admin.address, {})
    loop.close()
