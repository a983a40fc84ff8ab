"""MySQL 8 itself at the other end: caching_sha2_password as its own server has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.mysql_server import HOME, MySql, mysql
from tests.ambassador.secrets import Secret
from tests.ambassador.test_mysql import begin, change_user, rows, through

PASSWORD = "s3cret of stage"
PLUGINS = ("caching_sha2_password", "sha256_password", "mysql_native_password")


@pytest.fixture(scope="module")
def server() -> Iterator[MySql]:
    if not HOME.exists():
        pytest.skip("needs $PODWEAVE_PEERS/mysql, which scripts/peers makes")
    with mysql() as server:
        server.execute(
            "CREATE DATABASE orders_stage",
            "CREATE TABLE orders_stage.orders (id INT PRIMARY KEY, text VARCHAR(100))",
            "INSERT INTO orders_stage.orders VALUES (1, 'tea'), (2, 'rice')",
        )
        for plugin in PLUGINS:
            for name, more in ((plugin, ""), (f"tls_{plugin}", " REQUIRE SSL")):
                user = f"'{name[:32]}'@localhost"
                server.execute(
                    f"CREATE USER {user} IDENTIFIED WITH {plugin} BY '{PASSWORD}'{more}",
                    f"GRANT ALL ON orders_stage.* TO {user}",
                )
        yield server


@pytest.fixture
def secret(tmp_path: Path) -> Secret:
    return Secret(tmp_path / "secret", "caching_sha2_password", PASSWORD)


def stage(server: MySql, secret: Secret, **more: Any) -> dict[str, Any]:
    return {
        "upstreams": [server.config],
        "credentials": secret.config,
        "database": "orders_stage",
        **more,
    }


def who(ambassador: Ambassador) -> str:
    with through(ambassador, "app", "whatever") as connection:
        assert rows(connection) == (("tea",), ("rice",))
        ((user,),) = rows(connection, "SELECT CURRENT_USER()")
        return str(user)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_secrets_login_in_full_and_from_the_servers_memory(
    start: Start, server: MySql, secret: Secret, plugin: str
) -> None:
    """Without TLS a password that it wants to see is encrypted with the server's key."""
    server.execute("FLUSH PRIVILEGES")
    secret.username.write_text(plugin)
    ambassador = begin(start, stage(server, secret))
    for _ in range(3):
        assert who(ambassador) == f"{plugin}@localhost"


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_secrets_login_over_tls(
    start: Start, server: MySql, secret: Secret, plugin: str
) -> None:
    server.execute("FLUSH PRIVILEGES")
    secret.username.write_text(f"tls_{plugin}"[:32])
    tls = {
        "mode": "verify-full",
        "ca": str(server.authority.file),
        "server_name": "db.example",
    }
    ambassador = begin(start, stage(server, secret, tls=tls))
    for _ in range(3):
        assert who(ambassador).startswith("tls_")


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_pool_that_changes_the_user(
    start: Start, server: MySql, secret: Secret, plugin: str
) -> None:
    server.execute("FLUSH PRIVILEGES")
    secret.username.write_text(plugin)
    ambassador = begin(start, stage(server, secret))
    with through(ambassador) as connection:
        for _ in range(3):
            rows(connection, "SET @kept = 1")
            change_user(connection, "another_user_of_the_app", "orders")
            expected = ((None, f"{plugin}@localhost"),)
            assert rows(connection, "SELECT @kept, CURRENT_USER()") == expected


def test_a_wrong_password_and_its_rotation(start: Start, server: MySql, secret: Secret) -> None:
    secret.password.write_text("yesterday's")
    ambassador = begin(start, stage(server, secret))
    with pytest.raises(pymysql.err.OperationalError, match="refuses the login of the profile's"):
        through(ambassador)
    secret.password.write_text(PASSWORD)
    assert who(ambassador) == "caching_sha2_password@localhost"


def test_the_applications_own_login_without_tls(start: Start, server: MySql) -> None:
    server.execute("FLUSH PRIVILEGES")
    ambassador = begin(start, {"upstreams": [server.config]})
    for plugin in PLUGINS:
        for _ in range(2):
            with through(ambassador, plugin, PASSWORD, database="orders_stage") as connection:
                assert rows(connection) == (("tea",), ("rice",))


def test_the_applications_own_login_over_tls(start: Start, server: MySql) -> None:
    """As long as the server knows the password; then it is said what is missing."""
    user = "tls_caching_sha2_password"
    ambassador = begin(start, {"upstreams": [server.config], "tls": {"mode": "require"}})
    server.execute("FLUSH PRIVILEGES")
    with pytest.raises(pymysql.err.OperationalError, match="wants the password in full"):
        through(ambassador, user, PASSWORD)
    pymysql.connect(
        host="127.0.0.1",
        port=server.port,
        user=user,
        password=PASSWORD,
        ssl={"ca": str(server.authority.file)},
    ).close()
    with through(ambassador, user, PASSWORD, database="orders_stage") as connection:
        assert rows(connection) == (("tea",), ("rice",))


def test_a_silent_client_is_not_the_servers_fault(
    start: Start, server: MySql, secret: Secret
) -> None:
    """The server lets go of it after its own connect_timeout, here two seconds."""
    server.execute("SET GLOBAL connect_timeout = 2")
    ambassador = begin(start, stage(server, secret))
    with ambassador.dial() as client:
        while client.recv(4096):
            pass
    assert "dial_failures_total{" not in ambassador.admin("GET", "/metrics")[1]
    assert who(ambassador) == "caching_sha2_password@localhost"
