"""A real MariaDB server for tests, and what clients ask of it."""

from __future__ import annotations

import getpass
import os
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pymysql

from tests.ambassador.certificates import Authority
from tests.ambassador.servers import temporary
from tests.ports import free_port
from tests.waiting import wait_until

ROOT_PASSWORD = "root-of-the-test"


class MariaDb:
    """Runs on 127.0.0.1 until `close`. TLS with a certificate for db.example."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.authority = Authority(directory / "authority")
        certificate, key = self.authority.issue("db.example", "127.0.0.1")
        data = directory / "data"
        user = getpass.getuser() if os.geteuid() else "root"
        subprocess.run(
            [
                *("mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={user}"),
                *("--auth-root-authentication-method=normal", "--skip-test-db"),
            ],
            check=True,
            capture_output=True,
        )
        self.process = subprocess.Popen(
            [
                *("mariadbd", "--no-defaults", f"--datadir={data}", f"--user={user}"),
                *("--bind-address=127.0.0.1", f"--port={self.port}", "--skip-log-bin"),
                *(f"--socket={directory}/socket", f"--ssl-cert={certificate}", f"--ssl-key={key}"),
                *("--innodb-buffer-pool-size=16M", "--max-connections=40", "--local-infile=1"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.config: list[object] = ["127.0.0.1", self.port, 1]
        try:
            wait_until(self._answers, 60, "MariaDB answers")
        except BaseException:
            self.close()
            raise

    def execute(self, *statements: str) -> None:
        with connect(self.port, "root", ROOT_PASSWORD) as connection:
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()

    def _answers(self) -> bool:
        assert self.process.poll() is None, "MariaDB ended"
        try:
            with connect(self.port, "root", "") as connection:
                connection.cursor().execute(
                    f"ALTER USER root@localhost IDENTIFIED BY '{ROOT_PASSWORD}'"
                )
        except pymysql.err.OperationalError:
            return False
        return True


def connect(port: int, user: str, password: str, **more: Any) -> pymysql.connections.Connection:
    return pymysql.connect(
        host="127.0.0.1", port=port, user=user, password=password, connect_timeout=20, **more
    )


def mariadb() -> AbstractContextManager[MariaDb]:
    return temporary("mariadbd", "mariadb-server", MariaDb)
