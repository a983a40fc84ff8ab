"""psql in front of an ambassador, and the ambassador's configuration for PostgreSQL."""

from __future__ import annotations

import os
import subprocess
from typing import Any

from tests.ambassador.conftest import Ambassador, Start
from tests.ambassador.postgres_server import PostgresServer


def profile(server: PostgresServer | list[object], **more: Any) -> dict[str, Any]:
    config = server.config if isinstance(server, PostgresServer) else server
    return {"upstreams": [config], **more}


def start_with(start: Start, *, connect_timeout: float = 5.0, **profiles: Any) -> Ambassador:
    settings = {
        "protocol": "postgres",
        "profiles": profiles,
        "profile": next(iter(profiles)),
        "connect_timeout": connect_timeout,
    }
    return start(settings=settings, **{name: [] for name in profiles})


def psql_command(
    ambassador: Ambassador, *arguments: str, user: str = "app", database: str = "orders"
) -> list[str]:
    host, port = ambassador.address()
    return ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", host, "-p", str(port),
            "-U", user, *(["-d", database] if database else []), *arguments]  # fmt: skip


def environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", **more}


def psql(
    ambassador: Ambassador,
    sql: str,
    *,
    user: str = "app",
    database: str = "orders",
    fails: bool = False,
    **variables: str,
) -> str:
    """What psql prints; with `fails` its errors."""
    result = subprocess.run(
        psql_command(ambassador, "-c", sql, user=user, database=database),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment(**variables),
    )
    assert (result.returncode != 0) == fails, result.stderr
    return (result.stderr if fails else result.stdout).strip()
