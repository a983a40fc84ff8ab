"""psql, pgbench and pg8000, unaware, with a real PostgreSQL server at the other end."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.ambassador.certificates import Authority
from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.postgres_clients import (
    environment,
    profile,
    psql,
    psql_command,
    start_with,
)
from tests.ambassador.postgres_server import CHANGED, PASSWORD, PostgresServer
from tests.ambassador.secrets import Secret
from tests.ambassador.upstreams import silent, upstream
from tests.ports import free_port
from tests.waiting import wait_until


@pytest.fixture
def server(postgres_server: PostgresServer) -> PostgresServer:
    return postgres_server


WHO = "SELECT current_user, current_database(), ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


@pytest.mark.parametrize("sslmode", ["disable", "prefer"])
@pytest.mark.parametrize(
    "user", ["tls_user", "scram_user", "ascii_user", "md5_user", "clear_user", "trusted"]
)
def test_the_secrets_login_over_tls(
    start: Start, server: PostgresServer, authority: Authority, tmp_path: Path,
    user: str, sslmode: str,
) -> None:  # fmt: skip
    password = "plain" if user == "ascii_user" else PASSWORD
    secret = Secret(tmp_path / "secret", user, password)
    tls = {"mode": "verify-full", "ca": str(authority.file)}
    settings = profile(server, tls=tls, credentials=secret.config, database="orders_stage")
    ambassador = start_with(start, dev=settings)
    assert psql(ambassador, WHO, PGSSLMODE=sslmode) == f"{user}|orders_stage|t"


@pytest.mark.parametrize("user", ["scram_user", "md5_user", "clear_user", "trusted"])
def test_the_secrets_login_without_tls(
    start: Start, server: PostgresServer, tmp_path: Path, user: str
) -> None:
    secret = Secret(tmp_path / "secret", f"{user}\n", f"{PASSWORD}\n")
    ambassador = start_with(start, dev=profile(server, credentials=secret.config))
    assert psql(ambassador, WHO) == f"{user}|orders|f"
    # The database's name defaults to the application's own user, not to the Secret's.
    assert psql(ambassador, WHO, database="") == f"{user}|app|f"


def test_a_client_certificate_is_a_login(
    start: Start, server: PostgresServer, authority: Authority, tmp_path: Path
) -> None:
    # The common name is what the server compares.
    issued = authority.issue_for("cert_user", stem="cert_user")
    tls = {"mode": "verify-full", "ca": str(authority.file)}
    tls |= {"certificate": str(issued[0]), "key": str(issued[1])}
    ambassador = start_with(start, dev=profile(server, tls=tls))
    assert psql(ambassador, WHO, user="cert_user") == "cert_user|orders|t"


@pytest.mark.parametrize("tls", [None, {"mode": "require"}])
def test_the_applications_own_login_is_passed_on(
    start: Start, server: PostgresServer, tls: dict[str, str] | None
) -> None:
    ambassador = start_with(start, dev=profile(server, **({"tls": tls} if tls else {})))
    secured = "t" if tls else "f"
    for user in ("scram_user", "md5_user", "clear_user", "trusted"):
        assert psql(ambassador, WHO, user=user, PGPASSWORD=PASSWORD) == f"{user}|orders|{secured}"
    wrong = psql(ambassador, WHO, user="scram_user", PGPASSWORD="wrong", fails=True)
    assert 'password authentication failed for user "scram_user"' in wrong
    assert ambassador.metric(
        "podweave_ambassador_upstream_up", profile="dev", upstream=f"127.0.0.1:{server.port}"
    )


def test_errors_of_the_server_reach_the_application(
    start: Start, server: PostgresServer, tmp_path: Path
) -> None:
    secret = Secret(tmp_path / "secret", "scram_user", "wrong")
    ambassador = start_with(start, dev=profile(server, credentials=secret.config))
    told = psql(ambassador, WHO, fails=True)
    assert 'password authentication failed for user "scram_user"' in told
    assert "with the Secret's login" in told
    assert ambassador.event("client-refused")["reason"] == "SQLSTATE_28P01"
    secret.write("scram_user", PASSWORD)
    assert 'database "nowhere" does not exist' in psql(
        ambassador, WHO, database="nowhere", fails=True
    )


def test_copy_both_ways(
    start: Start, server: PostgresServer, authority: Authority, tmp_path: Path
) -> None:
    secret = Secret(tmp_path / "secret", "trusted", "")
    tls = {"mode": "verify-full", "ca": str(authority.file)}
    ambassador = start_with(start, dev=profile(server, tls=tls, credentials=secret.config))
    rows = "".join(f"{number}\t{'x' * (number % 97)}\n" for number in range(200_000))
    (tmp_path / "in").write_text(rows)
    sql = "CREATE TEMP TABLE t (number int, text text);"
    script = f"""{sql}
\\copy t from '{tmp_path}/in'
\\copy (SELECT * FROM t ORDER BY number) to '{tmp_path}/out'
"""
    result = subprocess.run(
        psql_command(ambassador), input=script, capture_output=True, text=True, timeout=100,
        check=False, env=environment(),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out").read_text() == rows


def test_pgbench_with_new_and_kept_connections(
    start: Start, server: PostgresServer, authority: Authority, tmp_path: Path
) -> None:
    secret = Secret(tmp_path / "secret", "trusted", "")
    tls = {"mode": "require"}
    ambassador = start_with(start, dev=profile(server, tls=tls, credentials=secret.config))
    host, port = ambassador.address()
    common = [str(server.bin / "pgbench"), "-h", host, "-p", str(port), "-U", "app"]

    def run(*arguments: str) -> str:
        result = subprocess.run(
            [*common, *arguments, "orders"], capture_output=True, text=True, timeout=100,
            check=False, env=environment(),
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.stdout

    run("-i", "-q", "-s", "1")
    assert "number of failed transactions: 0 " in run(
        "-S", "-c", "4", "-t", "200", "-M", "prepared"
    )
    assert "number of failed transactions: 0 " in run("-S", "-C", "-c", "4", "-t", "25")


def test_a_cancel_request_reaches_the_server_that_runs_the_query(
    start: Start, server: PostgresServer, other_postgres_server: PostgresServer, tmp_path: Path
) -> None:
    """Also after a switch to another profile."""
    secret = Secret(tmp_path / "secret", "trusted", "")
    ambassador = start_with(
        start,
        dev=profile(server, tls={"mode": "require"}, credentials=secret.config),
        qa=profile(other_postgres_server, credentials=secret.config),
    )
    process = subprocess.Popen(
        psql_command(ambassador, "-c", "SELECT pg_sleep(60)"),
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"
    wait_until(lambda: server.administer(running) == "1", 20, "the query runs")
    assert ambassador.switch("qa")[0] == 200
    assert psql(ambassador, "SHOW cluster_name") == "other"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert "canceling statement due to user request" in errors


def test_replication_passes(start: Start, server: PostgresServer, tmp_path: Path) -> None:
    secret = Secret(tmp_path / "secret", "trusted", "")
    ambassador = start_with(start, dev=profile(server, credentials=secret.config))
    host, port = ambassador.address()
    result = subprocess.run(
        ["psql", "-X", "-A", "-t", f"host={host} port={port} user=app replication=true",
         "-c", "IDENTIFY_SYSTEM"],
        capture_output=True, text=True, timeout=30, check=False, env=environment(),
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert server.administer("SELECT system_identifier FROM pg_control_system()") in result.stdout


def test_options_and_other_parameters_are_kept(
    start: Start, server: PostgresServer, tmp_path: Path
) -> None:
    secret = Secret(tmp_path / "secret", "trusted", "")
    ambassador = start_with(start, dev=profile(server, credentials=secret.config))
    asked = psql(
        ambassador,
        "SELECT current_setting('statement_timeout'), current_setting('application_name')",
        PGOPTIONS="-c statement_timeout=4711",
        PGAPPNAME="orders",
    )
    assert asked == "4711ms|orders"


def refusal(ambassador: Ambassador) -> str:
    return psql(ambassador, "SELECT 1", fails=True)


def test_what_is_wrong_is_said_in_the_protocols_own_words(
    start: Start, server: PostgresServer, authority: Authority, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path / "stranger")
    secret = Secret(tmp_path / "secret", "scram_user", PASSWORD)
    missing = {"username": "/nonexistent/username", "password": "/nonexistent/password"}
    with upstream(silent) as slow:
        ambassador = start_with(
            start,
            connect_timeout=1.0,
            refusing=profile(["127.0.0.1", free_port(), 1]),
            unresolvable=profile(["nowhere.invalid", 5432, 1]),
            slow=profile(slow.config),
            slow_tls=profile(slow.config, tls={"mode": "require"}),
            untrusted=profile(server, tls={"mode": "verify-full", "ca": str(stranger.file)}),
            no_secret=profile(server, credentials=missing),
            fine=profile(server, credentials=secret.config),
        )
        for name, words in (
            ("refusing", "Connection refused"),
            ("unresolvable", "nowhere.invalid"),
            ("slow", "has not answered"),
            ("slow_tls", "has not answered"),
            ("untrusted", "certificate not accepted"),
            ("no_secret", "/nonexistent/password"),
        ):
            ambassador.switch(name)
            told = refusal(ambassador)
            assert "FATAL" in told
            assert words in told
        ambassador.switch("fine")
        assert psql(ambassador, "SELECT 1") == "1"


def test_a_held_client_follows_a_switch(start: Start, server: PostgresServer) -> None:
    with upstream(silent) as slow:
        ambassador = start_with(start, slow=profile(slow.config), dev=profile(server))
        process = subprocess.Popen(
            psql_command(ambassador, "-c", "SELECT 'through'", user="trusted"),
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        wait_until(lambda: slow.connections, 20, "the silent server is connected")
        ambassador.switch("dev")
        output, _ = process.communicate(timeout=30)
        assert output.strip() == "through"


def test_a_server_that_is_starting_is_waited_for(start: Start, server: PostgresServer) -> None:
    from podweave.helpers.wire.postgres import error_response

    refusals: list[int] = []

    def not_now(connection: socket.socket) -> None:
        connection.recv(1000)
        refusals.append(1)
        connection.sendall(error_response("57P03", "the database system is starting up"))
        connection.close()

    with upstream(not_now) as starting:
        upstreams = [[*starting.config, 0], [*server.config, 1]]
        ambassador = start_with(
            start, connect_timeout=10.0, dev={"upstreams": upstreams, "ejection": {"failures": 3}}
        )
        assert psql(ambassador, "SHOW cluster_name", user="trusted") == "main"
        assert len(refusals) >= 3


def test_a_changed_secret_counts_from_the_next_connection_on(
    start: Start, server: PostgresServer, tmp_path: Path
) -> None:
    secret = Secret(tmp_path / "secret", "rotated", PASSWORD)
    ambassador = start_with(start, dev=profile(server, credentials=secret.config))
    for password in (PASSWORD, CHANGED, PASSWORD):
        server.administer(f"ALTER ROLE rotated PASSWORD '{password}'")
        secret.write("rotated", password)
        assert psql(ambassador, "SELECT current_user") == "rotated"


def test_direct_tls_from_the_application_is_answered_with_an_alert(
    start: Start, server: PostgresServer
) -> None:
    import ssl

    ambassador = start_with(start, dev=profile(server))
    context = ssl.create_default_context()
    with ambassador.dial() as client, pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
        context.wrap_socket(client, server_hostname="localhost")


def test_many_clients_at_once_log_in_quickly(
    start: Start, server: PostgresServer, tmp_path: Path
) -> None:
    pg8000 = pytest.importorskip("pg8000.native")
    secret = Secret(tmp_path / "secret", "scram_user", PASSWORD)
    ambassador = start_with(start, dev=profile(server, credentials=secret.config))
    host, port = ambassador.address()
    answers: list[int] = []

    def ask(number: int) -> None:
        connection = pg8000.Connection("app", host=host, port=port, database="orders")
        answers.append(connection.run("SELECT :n::int", n=number)[0][0])
        connection.close()

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == list(range(40))
    assert ambassador.rss_kib() <= 16 * 1024
