"""The application speaks plaintext, the upstream TLS."""

from __future__ import annotations

import contextlib
import hashlib
import random
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ambassador.certificates import Authority, replace
from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.upstreams import Serve, echo, echoed, named, read_all, silent, upstream
from tests.waiting import wait_until


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


def over_tls(
    context: ssl.SSLContext, serve: Callable[[ssl.SSLSocket], None] | Serve
) -> Callable[[socket.socket], None]:
    def run(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            serve(secured)

    return run


def tls_echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def profile(
    server: Any, mode: str, authority: Authority | None = None, **more: Any
) -> dict[str, Any]:
    tls = {"mode": mode, **more}
    if authority is not None:
        tls["ca"] = str(authority.file)
    return {"upstreams": [server.config], "tls": tls}


def start_with(start: Start, **profiles: Any) -> Ambassador:
    return start(settings={"connect_timeout": 2.0}, **profiles)


def test_an_application_without_tls_reaches_a_server_with(
    start: Start, authority: Authority
) -> None:
    with upstream(over_tls(authority.server_context("127.0.0.1"), tls_echo)) as server:
        for mode, ca in (("require", None), ("require", authority), ("verify-full", authority)):
            ambassador = start_with(start, dev=profile(server, mode, ca))
            with ambassador.dial() as client:
                assert echoed(client, b"hello")
                assert ambassador.metric("podweave_ambassador_connections_open", profile="dev") == 1


def test_a_server_may_speak_first_over_tls(start: Start, authority: Authority) -> None:
    serve = over_tls(authority.server_context("127.0.0.1"), named(b"220 mail"))
    with upstream(serve) as server:
        ambassador = start_with(start, dev=profile(server, "verify-full", authority))
        with ambassador.dial() as client:
            assert client.recv(100) == b"220 mail\n"


def refused_because(ambassador: Ambassador) -> str:
    # The reset may come before the dial has returned.
    with contextlib.suppress(ConnectionResetError), ambassador.dial() as client:
        assert client.recv(1) == b""
        pytest.fail("an orderly end instead of a reset")
    return str(ambassador.event("client-refused")["message"])


def test_a_certificate_of_somebody_else_is_refused(
    start: Start, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger")
    with upstream(over_tls(stranger.server_context("127.0.0.1"), tls_echo)) as server:
        for mode in ("require", "verify-full"):
            ambassador = start_with(start, dev=profile(server, mode, authority))
            assert "certificate not accepted" in refused_because(ambassador)
        # The system's authorities know nothing of this one either.
        ambassador = start_with(start, dev=profile(server, "verify-full"))
        assert "certificate not accepted" in refused_because(ambassador)
        assert ambassador.metric(
            "podweave_ambassador_dial_failures_total", profile="dev", upstream=server_label(server),
            reason="TLS_VERIFY",
        )  # fmt: skip


def server_label(server: Any) -> str:
    return f"{server.host}:{server.port}"


def test_a_certificate_for_another_name_is_refused_by_verify_full_only(
    start: Start, authority: Authority
) -> None:
    seen: list[str | None] = []
    context = authority.server_context("db.example")
    context.sni_callback = lambda sock, name, context: seen.append(name)
    with upstream(over_tls(context, tls_echo)) as server:
        ambassador = start_with(start, dev=profile(server, "verify-full", authority))
        assert "127.0.0.1" in refused_because(ambassador)
        wrong = profile(server, "verify-full", authority, server_name="other.example")
        assert "not for other.example" in refused_because(start_with(start, dev=wrong))
        named = profile(server, "verify-full", authority, server_name="db.example")
        loose = profile(server, "require", authority)
        for settings in (named, loose):
            with start_with(start, dev=settings).dial() as client:
                assert echoed(client, b"hello")
    assert seen == [None, "other.example", "db.example", None]


def test_a_client_certificate_is_shown(start: Start, authority: Authority, tmp_path: Path) -> None:
    clients = Authority(tmp_path / "clients")
    certificate, key = clients.issue("app@example.org", stem="client")
    context = authority.server_context("127.0.0.1", clients=clients)
    with upstream(over_tls(context, tls_echo)) as server:
        shown = profile(
            server, "verify-full", authority, certificate=str(certificate), key=str(key)
        )
        with start_with(start, dev=shown).dial() as client:
            assert echoed(client, b"hello")
        with start_with(start, dev=profile(server, "verify-full", authority)).dial() as client:
            client.sendall(b"hello")
            with pytest.raises(ConnectionResetError):
                read_all(client)


def test_changed_certificates_count_from_the_next_connection_on(
    start: Start, authority: Authority, tmp_path: Path
) -> None:
    mounted = tmp_path / "mounted.crt"
    stranger = Authority(tmp_path / "stranger")
    mounted.write_bytes(stranger.file.read_bytes())
    with upstream(over_tls(authority.server_context("127.0.0.1"), tls_echo)) as server:
        settings = profile(server, "verify-full")
        settings["tls"]["ca"] = str(mounted)
        ambassador = start_with(start, dev=settings)
        assert "certificate not accepted" in refused_because(ambassador)
        replace(mounted, authority.file)
        with ambassador.dial() as client:
            assert echoed(client, b"hello")


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_a_ca_that_cannot_be_read_is_named(
    start: Start, authority: Authority, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "mounted.crt"
    if content is not None:
        file.write_text(content)
    with upstream(over_tls(authority.server_context("127.0.0.1"), tls_echo)) as server:
        settings = profile(server, "verify-full")
        settings["tls"]["ca"] = str(file)
        ambassador = start_with(start, dev=settings)
        assert str(file) in refused_because(ambassador)
        replace(file, authority.file)
        with ambassador.dial() as client:
            assert echoed(client, b"hello")


def test_a_server_without_tls_is_refused(start: Start) -> None:
    with upstream(named(b"220 no TLS here")) as server:
        ambassador = start_with(start, dev=profile(server, "require"))
        assert "TLS handshake failed" in refused_because(ambassador)


def test_a_handshake_that_is_never_answered_ends_at_the_deadline(start: Start) -> None:
    with upstream(silent) as server:
        ambassador = start_with(start, dev=profile(server, "require"))
        assert "no answer to the TLS handshake" in refused_because(ambassador)


def test_half_close_by_the_client_over_tls(start: Start, authority: Authority) -> None:
    def answer_at_the_end(connection: socket.socket) -> None:
        request = read_all(connection)
        connection.sendall(b"%d bytes" % len(request))

    context = authority.server_context("127.0.0.1")
    with upstream(over_tls(context, answer_at_the_end)) as server:
        ambassador = start_with(start, dev=profile(server, "require"))
        with ambassador.dial() as client:
            client.sendall(b"x" * 1_000_000)
            client.shutdown(socket.SHUT_WR)
            # This server hangs up without close_notify, as many do after the client's.
            assert read_all(client) == b"1000000 bytes"
        wait_until(
            lambda: ambassador.metric("podweave_ambassador_connections_open", profile="dev") == 0,
            20,
            "the connection is closed",
        )


def test_an_end_with_close_notify_is_orderly_and_one_without_is_not(
    start: Start, authority: Authority
) -> None:
    orderly = threading.Event()

    def serve(connection: Any) -> None:
        connection.recv(100)
        connection.sendall(b"the answer")
        if orderly.is_set():
            connection.unwrap()
        connection.shutdown(socket.SHUT_RDWR)

    with upstream(over_tls(authority.server_context("127.0.0.1"), serve)) as server:
        ambassador = start_with(start, dev=profile(server, "require"))
        with ambassador.dial() as client:
            client.sendall(b"question")
            assert client.recv(100) == b"the answer"
            with pytest.raises(ConnectionResetError):
                client.recv(100)
        orderly.set()
        with ambassador.dial() as client:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            assert read_all(client) == b"the answer"


def test_large_transfers_both_ways_at_once_are_exact_over_tls(
    start: Start, authority: Authority
) -> None:
    size = 16 << 20
    data = random.Random(3).randbytes(size)
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        left = size
        while left:
            chunk = connection.recv(65536)
            connection.sendall(chunk)
            left -= len(chunk)
        done.wait(30)

    with upstream(over_tls(authority.server_context("127.0.0.1"), serve)) as server:
        ambassador = start_with(start, dev=profile(server, "require"))
        with ambassador.dial() as client:
            sender = threading.Thread(target=client.sendall, args=(data,))
            sender.start()
            received = hashlib.sha256()
            count = 0
            while count < size:
                chunk = client.recv(65536)
                assert chunk
                received.update(chunk)
                count += len(chunk)
            sender.join(30)
            done.set()
        assert received.digest() == hashlib.sha256(data).digest()


def test_a_switch_between_profiles_with_and_without_tls(start: Start, authority: Authority) -> None:
    context = authority.server_context("127.0.0.1")
    with upstream(echo) as plain, upstream(over_tls(context, tls_echo)) as secured:
        ambassador = start_with(
            start,
            dev={"upstreams": [plain.config]},
            stage=profile(secured, "verify-full", authority),
        )
        for name in ("stage", "dev", "stage"):
            assert ambassador.switch(name)[0] == 200
            with ambassador.dial() as client:
                assert echoed(client, b"hello")
        assert len(secured.connections) == 2


def test_idle_memory_with_tls(start: Start, authority: Authority) -> None:
    with upstream(over_tls(authority.server_context("127.0.0.1"), tls_echo)) as server:
        ambassador = start_with(start, dev=profile(server, "verify-full", authority))
        with ambassador.dial() as client:
            assert echoed(client, b"hello")
            assert ambassador.rss_kib() <= 22 * 1024


def test_memory_of_connections_with_tls_goes_with_them(start: Start, authority: Authority) -> None:
    """Also of those that lived for long and had long answers: OpenSSL's memory is nothing that
    Python's search for circles counts."""
    size = 60_000
    with upstream(over_tls(authority.server_context("127.0.0.1"), tls_echo)) as server:
        ambassador = start_with(start, dev=profile(server, "require"))
        before = ambassador.open_descriptors()
        sizes = []
        for _ in range(4):
            with contextlib.ExitStack() as stack:
                clients = [stack.enter_context(ambassador.dial()) for _ in range(100)]
                for client in clients:
                    client.sendall(b"x" * size)
                    received = 0
                    while received < size:
                        received += len(client.recv(65536))
            wait_until(lambda: ambassador.open_descriptors() <= before, 20, "all is closed")
            sizes.append(ambassador.rss_kib())
        # What is left behind by a hundred would be 4 MB a round.
        assert sizes[-1] - sizes[0] < 4 * 1024
