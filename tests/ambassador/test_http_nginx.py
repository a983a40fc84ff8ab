"""The ambassador in front of a real nginx: what is smuggled, and what any day brings."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.http_peers import Client
from tests.ambassador.nginx_server import Nginx, nginx
from tests.ambassador.test_http_differential import REFUSED, SMUGGLED, TAKEN, passed_on
from tests.ports import free_port
from tests.waiting import wait_until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Nginx]:
    with nginx(tmp_path / "nginx") as running:
        yield running


def begin(start: Start, server: Nginx, **profile: Any) -> Ambassador:
    profile = {"upstreams": [["127.0.0.1", server.port, 1]], **profile}
    return start(dev=profile, settings={"protocol": "http"})


def test_nothing_is_smuggled(start: Start, server: Nginx) -> None:
    """Each ambiguous request, with another one in its content: refused, and nginx sees neither."""
    ambassador = begin(start, server)
    for data in REFUSED:
        with ambassador.dial() as sock:
            client = Client(sock)
            client.send(data + SMUGGLED)
            received = b""
            sock.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while part := sock.recv(65536):
                    received += part
        statuses = [line[9:12] for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
        assert len(statuses) <= 1, (data, received)
        assert not statuses or statuses[0] in (b"400", b"501", b"505"), (data, received)
    with ambassador.dial() as sock:
        assert Client(sock).get("/after").status == 200
    wait_until(lambda: any("/after" in line for line in server.seen), 10, "nginx has logged")
    assert not any("smuggled" in line for line in server.seen)


def test_what_is_taken_nginx_reads_as_the_ambassador_does(start: Start, server: Nginx) -> None:
    ambassador = begin(start, server)
    expected = []
    for number, data in enumerate(TAKEN):
        taken = passed_on(data)
        assert taken is not None
        with ambassador.dial() as sock:
            client = Client(sock)
            # Not what follows it in the corpus: a second request would be one, too.
            client.send(data[: taken[1].used])
            got = client.read(taken[1].method)
            assert got.status < 600
            client.sock.close()
            expected.append((number, taken[1]))
    wait_until(lambda: len(server.seen) >= len(expected), 10, "nginx has logged")
    for line, (number, read) in zip(server.seen, expected, strict=True):
        method, target, _, host = line.split(" ")
        if read.target == b"*":
            # nginx knows no such target: it answers 400.
            continue
        assert method == read.method.decode(), TAKEN[number]
        assert target in (read.target.decode(), "-"), TAKEN[number]
        assert host == f"127.0.0.1:{server.port}"


def test_a_pipelined_second_request_is_a_request_of_its_own(start: Start, server: Nginx) -> None:
    ambassador = begin(start, server)
    with ambassador.dial() as sock:
        client = Client(sock)
        client.send(b"POST /one HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + SMUGGLED)
        assert client.read().body == b"POST /one\n"
        assert client.read().body == b"GET /smuggled\n"


def test_files_large_and_small_and_ranges_and_conditions(start: Start, server: Nginx) -> None:
    content = os.urandom(5_000_000)
    (server.files / "large").write_bytes(content)
    (server.files / "text").write_bytes(b"hello " * 1000)
    ambassador = begin(start, server)
    with ambassador.dial() as sock:
        client = Client(sock)
        got = client.get("/files/large")
        assert got.body == content
        part = client.get("/files/large", Range="bytes=100-199")
        assert (part.status, part.body) == (206, content[100:200])
        unchanged = client.get("/files/large", **{"If-None-Match": got.headers["etag"]})
        assert (unchanged.status, unchanged.body) == (304, b"")
        zipped = client.get("/files/text", **{"Accept-Encoding": "gzip"})
        assert zipped.headers["transfer-encoding"] == "chunked"
        assert gzip.decompress(zipped.body) == b"hello " * 1000
        head = client.ask(b"HEAD /files/large HTTP/1.1\r\nHost: a\r\n\r\n")
        assert head.headers["content-length"] == str(len(content))
        assert client.get("/files/none").status == 404
        for host in ("localhost:8080", "other:1"):
            moved = client.ask(f"GET /redirect HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            assert moved.headers["location"] == f"http://{host}/elsewhere"


def test_over_tls(start: Start, server: Nginx) -> None:
    (server.files / "large").write_bytes(content := os.urandom(3_000_000))
    tls = {"mode": "verify-full", "ca": str(server.authority.file)}
    upstreams = [["127.0.0.1", server.tls_port, 1]]
    ambassador = begin(start, server, upstreams=upstreams, tls=tls)
    with ambassador.dial() as sock:
        client = Client(sock)
        for _ in range(20):
            assert client.get("/a").body == b"GET /a\n"
        assert client.get("/files/large").body == content
        body = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000
        assert client.ask(body).status == 200
    received = ambassador.metric("podweave_ambassador_relayed_bytes_total", to="client")
    sent = ambassador.metric("podweave_ambassador_relayed_bytes_total", to="upstream")
    assert received > 3_000_000
    assert sent > 1000, "nginx answers the upload before it has read all of it"


def test_a_certificate_that_isnt_accepted(start: Start, server: Nginx) -> None:
    tls = {"mode": "verify-full", "ca": str(server.authority.file), "server_name": "db.example"}
    upstreams = [["127.0.0.1", server.tls_port, 1]]
    ambassador = begin(start, server, upstreams=upstreams, tls=tls)
    with ambassador.dial() as sock:
        client = Client(sock)
        got = client.get()
        assert got.status == 502
        assert b"the certificate is not for db.example" in got.body
        assert "tls_certificate_error" in got.headers["proxy-status"]


def test_a_server_that_ends_its_connections_often(start: Start, tmp_path: Path) -> None:
    """nginx closes each connection after three requests; clients see none of that."""
    with nginx(tmp_path / "often", keepalive_requests=3) as server:
        ambassador = begin(start, server)
        failed: list[int] = []

        def run(method: bytes) -> None:
            with ambassador.dial() as sock:
                client = Client(sock)
                for number in range(200):
                    head = b"%b /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
                    got = client.ask(head % (method, number))
                    if (got.status, got.body) != (200, b"%b /%d\n" % (method, number)):
                        failed.append(got.status)

        threads = [threading.Thread(target=run, args=(method,))
                   for method in (b"GET", b"POST", b"PUT", b"GET")]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert failed == []


def test_routes_lead_to_groups(start: Start, server: Nginx, tmp_path: Path) -> None:
    with nginx(tmp_path / "search") as search:
        http = {
            "groups": {"search": {"upstreams": [["127.0.0.1", search.port, 1]]}},
            "routes": [
                {"path": "/search", "headers": {"X-Canary": "*"}, "group": "search"},
                {"path": "/search", "group": "search", "rewrite_path": "/v2", "host": "s.example"},
                {"path": "/old", "rewrite_path": "/new", "host": "keep"},
            ],
            "response_headers": {"remove": ["Server"], "set": {"X-By": "podweave"}},
        }
        ambassador = begin(start, server, http=http)
        with ambassador.dial() as sock:
            client = Client(sock)
            assert client.get("/search/x?y").body == b"GET /v2/x?y\n"
            assert client.get("/search/x", **{"X-Canary": "1"}).body == b"GET /search/x\n"
            assert client.get("/old").body == b"GET /new\n"
            got = client.get("/other")
            assert got.body == b"GET /other\n"
            assert got.headers["x-by"] == "podweave"
            assert "server" not in got.headers
        wait_until(lambda: len(search.seen) == 2 and len(server.seen) == 2, 10, "all is logged")
        assert [line.split(" ")[3] for line in search.seen] == [
            "s.example", f"127.0.0.1:{search.port}",
        ]  # fmt: skip
        assert [line.split(" ")[3] for line in server.seen] == [
            "localhost:8080", f"127.0.0.1:{server.port}",
        ]  # fmt: skip


def test_several_upstreams_share_by_weight(start: Start, server: Nginx, tmp_path: Path) -> None:
    with nginx(tmp_path / "other") as other:
        upstreams = [["127.0.0.1", server.port, 3], ["127.0.0.1", other.port, 1]]
        ambassador = begin(start, server, upstreams=upstreams)
        with ambassador.dial() as sock:
            client = Client(sock)
            for _ in range(80):
                assert client.get().status == 200
        wait_until(lambda: len(server.seen) + len(other.seen) == 80, 10, "all is logged")
        assert 50 <= len(server.seen) <= 70
        other.close()
        with ambassador.dial() as sock:
            client = Client(sock)
            assert {client.get().status for _ in range(40)} == {200}


def test_a_thousand_connections_cost_little(start: Start, server: Nginx) -> None:
    ambassador = begin(start, server)
    with contextlib.ExitStack() as stack:
        clients = [Client(stack.enter_context(ambassador.dial())) for _ in range(1000)]
        for client in clients:
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert {client.read().status for client in clients} == {200}
        assert ambassador.rss_kib() <= 28 * 1024


def test_the_upstreams_of_groups_are_checked_and_seen(
    start: Start, server: Nginx, tmp_path: Path
) -> None:
    nobody: list[object] = ["127.0.0.1", free_port(), 1]
    http = {
        "groups": {"search": {"upstreams": [nobody, ["127.0.0.1", server.port, 1]]}},
        "routes": [{"path": "/search", "group": "search"}],
    }
    check = {"interval": 0.05, "timeout": 1.0, "unhealthy_after": 1, "healthy_after": 1}
    ambassador = begin(start, server, http=http, health_check=check)
    down = ambassador.event("upstream-down")
    assert down["upstream"] == f"127.0.0.1:{nobody[1]}"
    state = json.loads(ambassador.admin("GET", "/state")[1])
    assert len(state["upstreams"]) == 3
    with ambassador.dial() as sock:
        client = Client(sock)
        assert {client.get("/search").status for _ in range(20)} == {200}
