"""The HTTP client: connections kept and lost, faults of servers, TLS and proxies."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from podweave.helpers.dialing.choice import connector
from podweave.helpers.dialing.tls import TlsOptions
from podweave.helpers.http_client.client import HttpClient
from podweave.helpers.http_client.connection import Answer
from podweave.helpers.http_client.errors import HttpError
from podweave.helpers.loop import Loop
from podweave.helpers.wire.urls import Url, parse
from tests.helpers.driving import drive
from tests.ports import free_port
from tests.sidecar.http_peer import HALF, NONSENSE, RESET, STALL, Fault, HttpPeer, Reply, http_peer

_clients: list[HttpClient] = []


@pytest.fixture(autouse=True)
def closed_clients(loop: Loop) -> Iterator[None]:
    yield
    while _clients:
        _clients.pop().close()


class Asking:
    """A client, and requests that are driven to their end."""

    def __init__(self, loop: Loop, url: str, **options: object) -> None:
        self.loop = loop
        self.client = HttpClient(loop, connector(loop), parse(url), **options)  # type: ignore[arg-type]
        _clients.append(self.client)

    def ask(
        self, content: list[bytes] | None = None, *, method: str = "POST", timeout: float = 10
    ) -> Answer | HttpError:
        results: list[Answer | HttpError] = []
        self.client.request(method, "/x", [], content or [], timeout, results.append)
        drive(self.loop, lambda: results, 20, "a result")
        (result,) = results
        return result

    def answer(self, content: list[bytes] | None = None, *, method: str = "POST") -> Answer:
        result = self.ask(content, method=method)
        assert isinstance(result, Answer), result
        return result

    def error(self, content: list[bytes] | None = None, *, timeout: float = 10) -> HttpError:
        result = self.ask(content, timeout=timeout)
        assert isinstance(result, HttpError), result.content
        return result


@pytest.fixture
def echo() -> Iterator[HttpPeer]:
    with http_peer(lambda received: Reply(200, received.content)) as peer:
        yield peer


class Script:
    """A server whose connections each run a function, in turn, in threads."""

    def __init__(self, *parts: Callable[[socket.socket], object]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, args=(parts,))
        self._thread.start()

    def _run(self, parts: tuple[Callable[[socket.socket], object], ...]) -> None:
        self._listener.settimeout(20)
        for part in parts:
            sock, _ = self._listener.accept()
            with sock:
                sock.settimeout(20)
                part(sock)

    def __enter__(self) -> Script:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(20)
        self._listener.close()
        assert not self._thread.is_alive()


def head(sock: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        assert more, data
        data += more
    return data


def says(*parts: bytes) -> Callable[[socket.socket], object]:
    """Reads a request's head, and sends the parts."""

    def part(sock: socket.socket) -> None:
        head(sock)
        for data in parts:
            sock.sendall(data)

    return part


def test_content_in_pieces_goes_over_one_connection_that_is_kept(
    loop: Loop, echo: HttpPeer
) -> None:
    asking = Asking(loop, echo.url)
    for number in range(5):
        answer = asking.answer([b"a" * number, b"", b"bc"])
        assert (answer.status, answer.content) == (200, b"a" * number + b"bc")
    assert asking.client.opened == 1
    assert echo.received[0].fields["host"] == f"127.0.0.1:{echo.port}"
    assert asking.client.sent_bytes > sum(range(5)) + 10


def test_a_large_request_and_a_large_answer(loop: Loop, echo: HttpPeer) -> None:
    pieces = [bytes([number]) * 300_000 for number in range(30)]
    asking = Asking(loop, echo.url)
    assert asking.answer(pieces).content == b"".join(pieces)


def test_requests_at_once_have_connections_of_their_own(loop: Loop, echo: HttpPeer) -> None:
    asking = Asking(loop, echo.url)
    results: list[Answer | HttpError] = []
    for number in range(6):
        asking.client.request("POST", "/", [], [b"%d" % number], 10, results.append)
    drive(loop, lambda: len(results) == 6, 20, "all results")
    contents = {result.content for result in results if isinstance(result, Answer)}
    assert contents == {b"0", b"1", b"2", b"3", b"4", b"5"}
    asking.answer([b"x"])
    assert asking.client.opened == 6


@pytest.mark.parametrize(
    ("fault", "reason"), [(RESET, "ECONNRESET"), (HALF, "ECONNRESET"), (NONSENSE, "EPROTO")]
)
def test_a_fault_is_an_error_and_the_next_request_works(
    loop: Loop, fault: Fault, reason: str
) -> None:
    replies: list[Reply | Fault] = [fault, Reply(200, b"ok")]
    with http_peer(lambda received: replies.pop(0)) as peer:
        asking = Asking(loop, peer.url)
        error = asking.error([b"x"])
        assert (error.reason, error.unsent) == (reason, False)
        assert asking.answer([b"x"]).content == b"ok"


def test_a_stalled_answer_is_not_waited_for_for_ever(loop: Loop) -> None:
    with http_peer(lambda received: STALL) as peer:
        error = Asking(loop, peer.url).error([b"x"], timeout=0.3)
    assert error.reason == "ETIMEDOUT"
    assert "no answer" in error.message


def test_a_server_that_takes_nothing_is_not_waited_for_for_ever(loop: Loop) -> None:
    done = threading.Event()
    with Script(lambda sock: done.wait(20)) as script:
        error = Asking(loop, script.url).error([b"x" * (32 << 20)], timeout=0.5)
        done.set()
    assert error.reason == "ETIMEDOUT"
    assert "not taken" in error.message


def test_nobody_listens(loop: Loop) -> None:
    error = Asking(loop, f"http://127.0.0.1:{free_port()}").error([b"x"])
    assert (error.reason, error.unsent) == ("ECONNREFUSED", True)


def test_a_connection_that_the_server_closed_meanwhile_is_opened_anew(loop: Loop) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with Script(says(ok), says(ok)) as script:
        asking = Asking(loop, script.url)
        assert asking.answer([b"x"]).content == b"ok"
        # Without a turn of the loop between: the close is found by sending.
        assert asking.answer([b"y"]).content == b"ok"
    assert asking.client.opened == 2


def test_an_idle_connection_that_is_closed_is_forgotten(loop: Loop) -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with Script(says(ok)) as script:
        asking = Asking(loop, script.url)
        asking.answer([b"x"])
        drive(loop, lambda: not asking.client._idle, 10, "the connection is forgotten")


def test_an_answer_before_the_request_is_sent_counts(loop: Loop) -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"

    def part(sock: socket.socket) -> None:
        head(sock)
        sock.sendall(refusal)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(1 << 20):
            pass

    with Script(part) as script:
        answer = Asking(loop, script.url).answer([b"x" * (16 << 20)])
    assert (answer.status, answer.content) == (413, b"big")


@pytest.mark.parametrize(
    "response",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nabcde",
        b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde",
    ],
)
def test_every_way_of_framing_an_answer(loop: Loop, response: bytes) -> None:
    with Script(says(*[response[at : at + 7] for at in range(0, len(response), 7)])) as script:
        assert Asking(loop, script.url).answer([b"x"]).content == b"abcde"


def test_an_answer_without_end_is_cut_off(loop: Loop) -> None:
    start = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    with Script(says(start, b"x" * 5000)) as script:
        error = Asking(loop, script.url, answer_limit=4000).error([b"x"])
    assert error.reason == "E2BIG"


def test_a_field_with_a_line_end_is_not_sent(loop: Loop, echo: HttpPeer) -> None:
    client = Asking(loop, echo.url).client
    with pytest.raises(ValueError, match="line end"):
        client.request("POST", "/", [("X", "a\r\nEvil: 1")], [], 5, lambda result: None)
    assert echo.received == []


def test_nothing_is_called_after_close(loop: Loop) -> None:
    with http_peer(lambda received: STALL) as peer:
        asking = Asking(loop, peer.url)
        results: list[object] = []
        asking.client.request("POST", "/", [], [b"x"], 0.2, results.append)
        drive(loop, lambda: peer.received, 10, "the request is there")
        asking.client.close()
        late: list[int] = []
        loop.call_later(0.3, lambda: late.append(1))
        drive(loop, lambda: late, 10, "the time is over")
    assert results == []


# TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.crt"
    authority.cert_pem.write_to_path(path)
    return str(path)


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def test_tls_is_verified_and_kept(loop: Loop, authority: trustme.CA, ca_file: str) -> None:
    context = server_context(authority, "127.0.0.1")
    with http_peer(lambda received: Reply(200, received.content), context) as peer:
        asking = Asking(loop, peer.url, tls=TlsOptions("verify-full", ca=ca_file))
        content = b"x" * 3_000_000
        for _ in range(3):
            assert asking.answer([content]).content == content
        assert asking.client.opened == 1


def test_a_certificate_for_somebody_else_is_refused(
    loop: Loop, authority: trustme.CA, ca_file: str
) -> None:
    context = server_context(authority, "other.example")
    with http_peer(lambda received: Reply(200), context) as peer:
        error = Asking(loop, peer.url, tls=TlsOptions("verify-full", ca=ca_file)).error([b"x"])
        assert (error.reason, error.unsent) == ("TLS_VERIFY", True)
        assert peer.received == []


# Proxies


class Proxy:
    """CONNECT, and requests with a whole URL; both end at `target`, whoever was asked for."""

    def __init__(self, target: int, status: bytes = b"200 Connection established") -> None:
        self.heads: list[bytes] = []
        self._status = status
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(20)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        client, _ = self._listener.accept()
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            asked = head(client)
            self.heads.append(asked)
            if asked.startswith(b"CONNECT"):
                client.sendall(b"HTTP/1.1 " + self._status + b"\r\n\r\n")
                if not self._status.startswith(b"200"):
                    return
            else:
                server.sendall(asked)
            back = threading.Thread(target=_copy, args=(server, client))
            back.start()
            _copy(client, server)
            back.join(20)

    def close(self) -> None:
        self._thread.join(20)
        self._listener.close()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def proxy_url(port: int) -> Url:
    return parse(f"http://me:p%40ss@127.0.0.1:{port}")


def test_plain_requests_go_to_the_proxy_with_their_whole_url(loop: Loop, echo: HttpPeer) -> None:
    proxy = Proxy(echo.port)
    asking = Asking(loop, "http://logs.example:9200", proxy=proxy_url(proxy.port))
    assert asking.answer([b"hello"]).content == b"hello"
    asking.client.close()
    proxy.close()
    assert proxy.heads[0].startswith(b"POST http://logs.example:9200/x HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==\r\n" in proxy.heads[0]
    assert echo.received[0].fields["host"] == "logs.example:9200"


def test_tls_goes_through_a_tunnel(loop: Loop, authority: trustme.CA, ca_file: str) -> None:
    context = server_context(authority, "logs.example")
    with http_peer(lambda received: Reply(200, received.content), context) as peer:
        proxy = Proxy(peer.port)
        tls = TlsOptions("verify-full", ca=ca_file)
        asking = Asking(loop, "https://logs.example", tls=tls, proxy=proxy_url(proxy.port))
        assert asking.answer([b"hello"]).content == b"hello"
        asking.client.close()
        proxy.close()
        assert proxy.heads[0].startswith(b"CONNECT logs.example:443 HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic" in proxy.heads[0]
        assert "proxy-authorization" not in peer.received[0].fields


def test_a_proxy_that_refuses_is_named(loop: Loop, echo: HttpPeer) -> None:
    proxy = Proxy(echo.port, b"407 Proxy Authentication Required")
    tls = TlsOptions("verify-full")
    error = Asking(loop, "https://logs.example", tls=tls, proxy=proxy_url(proxy.port)).error([b"x"])
    proxy.close()
    assert "the proxy refuses CONNECT: 407" in error.message
    assert error.unsent


def test_gzip_goes_as_it_is(loop: Loop, echo: HttpPeer) -> None:
    packed = gzip.compress(b"x" * 1000)
    assert Asking(loop, echo.url).answer([packed]).content == packed
