"""What users of other localhost proxies complain of, one test for each."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

import pytest

from tests.ambassador.certificates import Authority
from tests.ambassador.conftest import Start
from tests.ambassador.postgres_clients import profile, psql, start_with
from tests.ambassador.postgres_server import CHANGED, PASSWORD, PostgresServer
from tests.ambassador.secrets import Secret
from tests.ambassador.upstreams import upstream


def test_pain_07_rotated_credentials(
    start: Start, postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Read at each dial; and where the rotation comes in between, read again and tried again."""
    secret = Secret(tmp_path / "secret", "rotated", PASSWORD)
    dials: list[int] = []

    def rotate_while_logging_in(connection: socket.socket) -> None:
        first = connection.recv(65536)
        dials.append(1)
        if len(dials) == 2:
            postgres_server.administer(f"ALTER ROLE rotated PASSWORD '{CHANGED}'")
            secret.write("rotated", CHANGED)
        with socket.create_connection(("127.0.0.1", postgres_server.port)) as server:
            server.sendall(first)
            back = threading.Thread(target=copy, args=(server, connection))
            back.start()
            copy(connection, server)
            back.join(20)

    try:
        with upstream(rotate_while_logging_in) as front:
            settings = profile(front.config, credentials=secret.config)
            ambassador = start_with(start, dev=settings)
            assert psql(ambassador, "SELECT current_user") == "rotated"
            assert psql(ambassador, "SELECT current_user") == "rotated"
            # The second one logged in twice: with the old password, and at once with the new.
            assert len(dials) == 3
            secret.write("rotated", "wrong")
            assert "password authentication failed" in psql(ambassador, "SELECT 1", fails=True)
            assert len(dials) == 4
    finally:
        postgres_server.administer(f"ALTER ROLE rotated PASSWORD '{PASSWORD}'")


def copy(source: socket.socket, to: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
        to.shutdown(socket.SHUT_WR)


def test_pain_08_plaintext_application_and_a_server_that_insists_on_tls(
    start: Start, postgres_server: PostgresServer, authority: Authority, tmp_path: Path
) -> None:
    direct = profile(postgres_server)
    tls = {"mode": "verify-full", "ca": str(authority.file)}
    ambassador = start_with(start, plain=direct, secured=profile(postgres_server, tls=tls))
    query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"

    def ask(fails: bool = False) -> str:
        plain = {"PGPASSWORD": PASSWORD, "PGSSLMODE": "disable"}
        return psql(ambassador, query, user="tls_user", fails=fails, **plain)

    # The server turns a client without TLS away; the ambassador does the upgrade for it.
    assert "rejects connection" in ask(fails=True)
    ambassador.switch("secured")
    assert ask() == "t"


@pytest.mark.parametrize("password", ["", "not the one that counts"])
def test_pain_09_modern_authentication_that_the_application_does_not_know(
    start: Start, postgres_server: PostgresServer, tmp_path: Path, password: str
) -> None:
    """Two legs: to the application the proxy is a server that asks nothing, to the server it
    proves by SCRAM that it knows the password, and has the server prove the same."""
    secret = Secret(tmp_path / "secret", "scram_user", PASSWORD)
    settings = profile(postgres_server, tls={"mode": "require"}, credentials=secret.config)
    ambassador = start_with(start, dev=settings)
    assert psql(ambassador, "SELECT current_user", PGPASSWORD=password) == "scram_user"
