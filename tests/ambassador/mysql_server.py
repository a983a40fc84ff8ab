"""A real MySQL 8, where $PODWEAVE_PEERS/mysql is one (see scripts/peers)."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pymysql

from tests.ambassador.certificates import Authority
from tests.ambassador.mariadb import ROOT_PASSWORD, connect
from tests.ports import free_port
from tests.waiting import wait_until

HOME = Path(os.environ.get("PODWEAVE_PEERS", "/nonexistent")) / "mysql"


class MySql:
    """Runs on 127.0.0.1 until `close`."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.config: list[object] = ["127.0.0.1", self.port, 1]
        self.authority = Authority(directory / "authority")
        # The OpenSSL that it is built with agrees on no curve.
        certificate, key = self.authority.issue("db.example", "127.0.0.1", rsa=True)
        user = getpass.getuser() if os.geteuid() else "root"
        self._directory = directory
        self._command = [
            *(str(HOME / "bin" / "mysqld"), "--no-defaults", f"--basedir={HOME}"),
            *(f"--datadir={directory}/data", f"--user={user}", "--innodb-buffer-pool-size=16M"),
        ]
        self._options = [
            *("--bind-address=127.0.0.1", f"--port={self.port}", "--skip-log-bin", "--mysqlx=OFF"),
            *(
                f"--socket={directory}/socket",
                f"--pid-file={directory}/pid",
                f"--ssl-cert={certificate}",
                f"--ssl-key={key}",
            ),
        ]
        self._run("--initialize-insecure")
        self.start()
        with connect(self.port, "root", "") as root:
            root.cursor().execute(f"ALTER USER root@localhost IDENTIFIED BY '{ROOT_PASSWORD}'")

    def start(self) -> None:
        with self._said() as said:
            self.process = subprocess.Popen(
                [*self._command, *self._options], stdout=said, stderr=said
            )
        try:
            wait_until(self._answers, 120, "MySQL answers")
        except BaseException:
            self.close()
            raise

    def execute(self, *statements: str) -> None:
        with connect(self.port, "root", ROOT_PASSWORD) as connection:
            for statement in statements:
                connection.cursor().execute(statement)
            connection.commit()

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()

    def _run(self, *options: str) -> None:
        with self._said() as said:
            subprocess.run([*self._command, *options], check=True, stdout=said, stderr=said)

    def _said(self) -> IO[bytes]:
        return (self._directory / "said").open("ab")

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self._directory / "said").read_text()
        try:
            connect(self.port, "nobody", "").close()
        except pymysql.err.OperationalError as error:
            return bool(error.args[0] == 1045)
        return True


@contextlib.contextmanager
def mysql() -> Iterator[MySql]:
    directory = Path(tempfile.mkdtemp(prefix="podweave-mysqld-"))
    try:
        server = MySql(directory)
        try:
            yield server
        finally:
            server.close()
    finally:
        shutil.rmtree(directory)
