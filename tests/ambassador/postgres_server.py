"""A real PostgreSQL server for the tests, with TLS and every way to ask for a password."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ambassador.certificates import Authority
from tests.ports import free_port
from tests.waiting import wait_until

PASSWORD = "s3cr3t, p=ä"
CHANGED = "another one"

HBA = """\
local     all         all                  trust
hostssl   all         tls_user    all      scram-sha-256
hostssl   all         cert_user   all      cert
hostnossl all         tls_user    all      reject
host      all         scram_user  all      scram-sha-256
host      all         ascii_user  all      scram-sha-256
host      all         md5_user    all      md5
host      all         clear_user  all      password
host      all         trusted     all      trust
host      replication trusted     all      trust
host      all         rotated     all      scram-sha-256
"""

ROLES = f"""\
CREATE ROLE trusted SUPERUSER LOGIN REPLICATION;
CREATE ROLE cert_user LOGIN;
CREATE ROLE tls_user LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE scram_user LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE ascii_user LOGIN PASSWORD 'plain';
CREATE ROLE clear_user LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE rotated LOGIN PASSWORD '{PASSWORD}';
SET password_encryption = 'md5';
CREATE ROLE md5_user LOGIN PASSWORD '{PASSWORD}';
CREATE DATABASE orders;
CREATE DATABASE orders_stage;
CREATE DATABASE app;
"""


def binaries() -> Path | None:
    for directory in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (directory / "initdb").exists():
            return directory
    found = shutil.which("initdb")
    return Path(found).parent if found else None


class PostgresServer:
    """`name` is what `SHOW cluster_name` says: who has answered."""

    def __init__(self, directory: Path, authority: Authority, name: str) -> None:
        found = binaries()
        assert found is not None
        self.bin = found
        self.name = name
        self.port = free_port()
        self.directory = directory
        self._data = directory / "data"
        self._process: subprocess.Popen[bytes] | None = None
        directory.chmod(0o755)
        certificate, key = authority.issue("localhost", "127.0.0.1", stem=name)
        if os.geteuid() == 0:
            shutil.chown(directory, "postgres", "postgres")
        self._run("initdb", "--no-sync", "-A", "trust", "-U", "postgres", "-E", "UTF8",
                  "--locale=C.UTF-8", "-D", str(self._data))  # fmt: skip
        for file in (certificate, key, authority.file):
            copy = self._data / file.name
            shutil.copy(file, copy)
            copy.chmod(0o600)
            if os.geteuid() == 0:
                shutil.chown(copy, "postgres", "postgres")
        (self._data / "pg_hba.conf").write_text(HBA)
        with (self._data / "postgresql.conf").open("a") as stream:
            stream.write(f"""
listen_addresses = '127.0.0.1'
port = {self.port}
unix_socket_directories = '{directory}'
cluster_name = '{name}'
ssl = on
ssl_cert_file = '{certificate.name}'
ssl_key_file = '{key.name}'
ssl_ca_file = '{authority.file.name}'
fsync = off
max_wal_senders = 4
shared_buffers = 16MB
""")
        self.start()
        self.administer(ROLES)

    @property
    def config(self) -> list[object]:
        return ["127.0.0.1", self.port, 1]

    def start(self) -> None:
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self.bin / "postgres"), "-D", str(self._data)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                **_as_postgres(),
            )

        def ready() -> bool:
            command = [str(self.bin / "pg_isready"), "-q", "-h", str(self.directory)]
            return subprocess.run([*command, "-p", str(self.port)], check=False).returncode == 0

        wait_until(ready, 60, "the server accepts connections")

    def administer(self, sql: str) -> str:
        """Run statements as the superuser, on the server's own socket."""
        result = subprocess.run(
            [str(self.bin / "psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1",
             "-h", str(self.directory), "-p", str(self.port), "-U", "postgres", "postgres"],
            input=sql, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert result.returncode == 0, result.stderr
        return result.stdout.strip()

    def close(self) -> None:
        if self._process is not None:
            # Fast shutdown: without waiting for clients.
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(20)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self.bin / program), *arguments],
            **_as_postgres(),
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
            cwd="/",
        )


def _as_postgres() -> dict[str, Any]:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


@contextlib.contextmanager
def postgres(authority: Authority, name: str = "main") -> Iterator[PostgresServer]:
    if binaries() is None:
        pytest.skip("no PostgreSQL server is installed")
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("root runs no PostgreSQL server, and there is no user postgres")
    with tempfile.TemporaryDirectory(prefix="podweave-postgres-") as directory:
        server = PostgresServer(Path(directory), authority, name)
        try:
            yield server
        finally:
            server.close()
