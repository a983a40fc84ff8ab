"""MySQL through the ambassador, with a real MariaDB at the other end."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.mariadb import MariaDb, connect, mariadb
from tests.ambassador.secrets import Secret
from tests.ambassador.upstreams import read_all
from tests.ports import free_port
from tests.waiting import wait_until

PASSWORD = "s3cret of stage"


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDb]:
    with mariadb() as server:
        server.execute(
            "CREATE DATABASE orders_stage",
            "CREATE TABLE orders_stage.orders (id INT PRIMARY KEY, text VARCHAR(100))",
            "INSERT INTO orders_stage.orders VALUES (1, 'tea'), (2, 'rice')",
            f"CREATE USER stage@localhost IDENTIFIED BY '{PASSWORD}'",
            "GRANT ALL ON orders_stage.* TO stage@localhost",
            f"CREATE USER secured@localhost IDENTIFIED BY '{PASSWORD}' REQUIRE SSL",
            "GRANT ALL ON orders_stage.* TO secured@localhost",
        )
        yield server


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    return Secret(tmp_path / "secret", "stage", PASSWORD)


def begin(start: Start, profile: dict[str, Any], timeout: float = 5.0, **more: Any) -> Ambassador:
    settings = {"protocol": "mysql", "connect_timeout": timeout}
    return start(settings=settings, stage=profile, **more)


def through(ambassador: Ambassador, *login: str, **more: Any) -> Any:
    user, password = login or ("app", "whatever the app was built with")
    return connect(ambassador.address()[1], user, password, **more)


def rows(connection: Any, statement: str = "SELECT text FROM orders ORDER BY id") -> Any:
    cursor = connection.cursor()
    cursor.execute(statement)
    return cursor.fetchall()


def test_the_application_logs_in_with_whatever_it_has(
    start: Start, server: MariaDb, secret: Secret
) -> None:
    ambassador = begin(
        start,
        {
            "upstreams": [server.config],
            "credentials": secret.config,
            "database": "orders_stage",
        },
    )
    for login in (("app", "old"), ("root", ""), ("somebody", "x" * 200)):
        with through(ambassador, *login, database="the_apps_own_name") as connection:
            assert rows(connection) == (("tea",), ("rice",))
            assert rows(connection, "SELECT CURRENT_USER()") == (("stage@localhost",),)


def test_the_upstream_wants_tls_and_the_application_knows_none(
    start: Start, server: MariaDb, tmp_path: Path
) -> None:
    secret = Secret(tmp_path / "secret", "secured", PASSWORD)
    tls = {
        "mode": "verify-full",
        "ca": str(server.authority.file),
        "server_name": "db.example",
    }
    profile = {
        "upstreams": [server.config],
        "credentials": secret.config,
        "database": "orders_stage",
        "tls": tls,
    }
    ambassador = begin(start, profile)
    with through(ambassador) as connection:
        assert rows(connection) == (("tea",), ("rice",))
        ((_, cipher),) = rows(connection, "SHOW STATUS LIKE 'Ssl_cipher'")
        assert cipher


def test_tls_alone_leaves_the_login_to_the_application(start: Start, server: MariaDb) -> None:
    profile = {"upstreams": [server.config], "tls": {"mode": "require"}}
    ambassador = begin(start, profile)
    with through(ambassador, "secured", PASSWORD, database="orders_stage") as connection:
        assert rows(connection) == (("tea",), ("rice",))
    with pytest.raises(pymysql.err.OperationalError, match="Access denied for user 'secured'"):
        through(ambassador, "secured", "wrong")


def test_without_tls_and_login_everything_passes(start: Start, server: MariaDb) -> None:
    ambassador = begin(start, {"upstreams": [server.config]})
    with through(ambassador, "stage", PASSWORD, database="orders_stage") as connection:
        assert rows(connection) == (("tea",), ("rice",))


def test_the_client_program_of_mariadb(start: Start, server: MariaDb, secret: Secret) -> None:
    client = shutil.which("mariadb")
    assert client is not None
    ambassador = begin(start, {"upstreams": [server.config], "credentials": secret.config})
    host, port = ambassador.address()
    done = subprocess.run(
        [
            *(client, "--no-defaults", "-h", host, "-P", str(port), "-uapp", "-pold", "-N", "-B"),
            *("orders_stage", "-e", "SELECT text FROM orders ORDER BY id"),
        ],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.stdout == "tea\nrice\n", done.stderr


def test_a_megabyte_row_and_a_local_file_pass_at_once(
    start: Start, server: MariaDb, secret: Secret, tmp_path: Path
) -> None:
    ambassador = begin(
        start,
        {"upstreams": [server.config], "credentials": secret.config, "database": "orders_stage"},
    )
    lines = tmp_path / "lines.txt"
    lines.write_text("".join(f"{number}\tline {number}\n" for number in range(100, 20_100)))
    with through(ambassador, "app", "old", local_infile=True) as connection:
        ((text,),) = rows(connection, "SELECT REPEAT('x', 1000000)")
        assert text == "x" * 1_000_000
        # A row longer than the start-up's limit goes in, too, and what follows it is understood.
        ((length,),) = rows(connection, f"SELECT LENGTH('{'y' * 500_000}')")
        assert length == 500_000
        cursor = connection.cursor()
        cursor.execute("CREATE TEMPORARY TABLE loaded (id INT, text VARCHAR(100))")
        cursor.execute(f"LOAD DATA LOCAL INFILE '{lines}' INTO TABLE loaded")
        assert rows(connection, "SELECT COUNT(*), MAX(id) FROM loaded") == ((20_000, 20_099),)


def change_user(connection: Any, user: str, database: str) -> None:
    """COM_CHANGE_USER, as connection pools send it; PyMySQL has no method for it."""
    auth = b"\x14" + b"A" * 20
    payload = user.encode() + b"\0" + auth + database.encode() + b"\0" + b"\x2d\x00"
    payload += b"mysql_native_password\0"
    if connection.client_flag & (1 << 20):
        payload += b"\0"
    connection._execute_command(0x11, payload)
    answer = connection._read_packet()
    assert answer.is_ok_packet()


def test_a_pool_that_changes_the_user(start: Start, server: MariaDb, secret: Secret) -> None:
    ambassador = begin(
        start,
        {"upstreams": [server.config], "credentials": secret.config, "database": "orders_stage"},
    )
    with through(ambassador) as connection:
        rows(connection, "SET @kept = 1")
        for _ in range(3):
            change_user(connection, "another_user_of_the_app", "orders")
            assert rows(connection, "SELECT @kept, CURRENT_USER()") == ((None, "stage@localhost"),)
            rows(connection, "SET @kept = 1")
        assert rows(connection) == (("tea",), ("rice",))


def test_a_secret_that_has_changed_is_read_again(
    start: Start, server: MariaDb, secret: Secret
) -> None:
    server.execute(
        "CREATE USER rotating@localhost IDENTIFIED BY 'first'",
        "GRANT ALL ON orders_stage.* TO rotating@localhost",
    )
    secret.username.write_text("rotating\n")
    secret.password.write_text("first\n")
    ambassador = begin(start, {"upstreams": [server.config], "credentials": secret.config})
    with through(ambassador, database="orders_stage") as connection:
        assert rows(connection) == (("tea",), ("rice",))
    server.execute("ALTER USER rotating@localhost IDENTIFIED BY 'second'")
    with pytest.raises(pymysql.err.OperationalError) as refused:
        through(ambassador, database="orders_stage")
    assert refused.value.args[0] == 1045
    assert "refuses the login of the profile's Secret" in refused.value.args[1]
    secret.password.write_text("second\n")
    with through(ambassador, database="orders_stage") as connection:
        assert rows(connection) == (("tea",), ("rice",))


def test_the_error_says_what_is_wrong(start: Start, server: MariaDb, secret: Secret) -> None:
    nobody = free_port()
    wrong = {
        "mode": "verify-full",
        "ca": str(server.authority.file),
        "server_name": "other.example",
    }
    ambassador = begin(
        start,
        {"upstreams": [["127.0.0.1", nobody, 1]], "credentials": secret.config},
        timeout=1.0,
        unresolvable={"upstreams": [["no-such-host.invalid", 3306, 1]]},
        secretless={
            "upstreams": [server.config],
            "credentials": {"username": "/nonexistent/username", "password": "/nonexistent/p"},
        },
        wrong_name={"upstreams": [server.config], "credentials": secret.config, "tls": wrong},
        no_database={
            "upstreams": [server.config],
            "credentials": secret.config,
            "database": "no_such_database",
        },
    )
    for profile, number, words in (
        ("stage", 1429, f"127.0.0.1:{nobody}"),
        ("unresolvable", 1429, "no-such-host.invalid"),
        ("secretless", 1429, "/nonexistent/username"),
        ("wrong_name", 1429, "the certificate is not for other.example"),
        ("no_database", 1044, "no_such_database"),
    ):
        ambassador.switch(profile)
        with pytest.raises(pymysql.err.OperationalError) as refused:
            through(ambassador)
        assert refused.value.args[0] == number, profile
        assert words in refused.value.args[1], profile


def test_a_login_that_nobody_here_knows(start: Start, server: MariaDb, secret: Secret) -> None:
    """MariaDB's ed25519 would take the arithmetic of that curve."""
    server.execute(
        "INSTALL SONAME 'auth_ed25519'",
        f"CREATE USER curved@localhost IDENTIFIED VIA ed25519 USING PASSWORD('{PASSWORD}')",
    )
    secret.username.write_text("curved")
    ambassador = begin(start, {"upstreams": [server.config], "credentials": secret.config})
    words = "client_ed25519, which the ambassador doesn't know: let the account have mysql_native"
    with pytest.raises(pymysql.err.OperationalError, match=words):
        through(ambassador)


def test_mariadbs_own_client_shows_what_is_wrong(start: Start) -> None:
    """It takes an ERR with one of the clients' own numbers, 2003 say, for a malformed packet."""
    client = shutil.which("mariadb")
    if client is None:
        pytest.skip("no mariadb: install mariadb-client")
    ambassador = begin(start, {"upstreams": [["no-such-host.invalid", 3306, 1]]}, timeout=0.2)
    host, port = ambassador.address()
    result = subprocess.run(
        [client, "--no-defaults", "-h", host, "-P", str(port), "-u", "app", "-e", "SELECT 1"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert result.returncode == 1
    assert "can't connect to the database: no-such-host.invalid" in result.stderr


def test_pain_11_a_server_that_speaks_first_is_not_waited_for(
    start: Start, server: MariaDb, secret: Secret
) -> None:
    """The client says nothing before the greeting: a proxy that sniffs would wait for it."""
    ambassador = begin(start, {"upstreams": [server.config], "credentials": secret.config})
    with ambassador.dial() as client:
        greeting = client.recv(4096)
        assert greeting[4] == 10
        assert b"MariaDB" in greeting


def test_what_clients_do_wrong_is_not_the_servers_fault(
    start: Start, server: MariaDb, secret: Secret
) -> None:
    """Or five clients that hang up, or ask for a database that isn't there, would eject it."""
    ambassador = begin(start, {"upstreams": [server.config], "credentials": secret.config})
    with ambassador.dial() as client:
        assert client.recv(4096)
    wait_until(lambda: ambassador.metric("podweave_ambassador_clients_gone_total") == 1, 20, "gone")
    with ambassador.dial() as client:
        client.sendall(b"\xff" * 100)
        assert b"#08S01the client: " in read_all(client)
    with pytest.raises(pymysql.err.OperationalError, match="no_such_database"):
        through(ambassador, database="no_such_database")
    _, metrics = ambassador.admin("GET", "/metrics")
    assert "podweave_ambassador_dial_failures_total{" not in metrics
    assert 'podweave_ambassador_upstream_up{profile="stage"' in metrics


def test_a_full_server_is_asked_again_until_there_is_room(
    start: Start, server: MariaDb, secret: Secret
) -> None:
    server.execute(
        "CREATE USER single@localhost IDENTIFIED BY 'one' WITH MAX_USER_CONNECTIONS 1",
        "GRANT ALL ON orders_stage.* TO single@localhost",
    )
    secret.username.write_text("single")
    secret.password.write_text("one")
    ambassador = begin(
        start, {"upstreams": [server.config], "credentials": secret.config}, timeout=0.5
    )
    first = through(ambassador)
    with pytest.raises(pymysql.err.OperationalError, match=r"max_user_connections"):
        through(ambassador)
    first.close()
    wait_until(lambda: ambassador.metric("podweave_ambassador_connections_open") == 0, 5, "closed")
    with through(ambassador) as connection:
        assert rows(connection, "SELECT 1") == ((1,),)
