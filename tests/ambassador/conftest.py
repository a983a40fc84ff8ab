"""An ambassador process for a test, and clients of it."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ambassador.certificates import Authority
from tests.ambassador.configurations import configuration
from tests.ambassador.http_peers import Client, ending
from tests.ambassador.postgres_server import PostgresServer, postgres
from tests.ambassador.upstreams import Serve, upstream
from tests.helpers.processes import HelperProcess

# A server that isn't to be had as a package: see scripts/peers.
collect_ignore = [] if os.environ.get("PODWEAVE_PEERS") else ["test_mysql_server.py"]


class Ambassador(HelperProcess):
    """A running ambassador."""

    def address(self, index: int = 0) -> tuple[str, int]:
        host, _, port = self.event("listening")["addresses"][index].rpartition(":")
        return host.strip("[]"), int(port)

    def dial(self, index: int = 0) -> socket.socket:
        return socket.create_connection(self.address(index), timeout=30)

    def switch(self, profile: str) -> tuple[int, str]:
        return self.admin("POST", "/profile", profile.encode())


Start = Callable[..., Ambassador]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start an ambassador: `start(dev=[upstream.config], settings={"connect_timeout": 1.0})`.

    A profile is a list of upstreams, or all of it.
    """
    with contextlib.ExitStack() as stack:

        def start(
            *,
            environment: dict[str, str] | None = None,
            prefix: tuple[str, ...] = (),
            settings: dict[str, Any] | None = None,
            **profiles: list[list[object]] | dict[str, Any],
        ) -> Ambassador:
            config = configuration(
                {
                    name: {"upstreams": given} if isinstance(given, list) else given
                    for name, given in profiles.items()
                },
                listen=[["127.0.0.1", 0], ["::1", 0]],
            )
            config |= settings or {}
            process = Ambassador(config, tmp_path, environment=environment, prefix=prefix)
            stack.enter_context(process)
            process.event("listening")
            return process

        yield start


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who has signed the certificates of the servers below."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def postgres_server(authority: Authority) -> Iterator[PostgresServer]:
    with postgres(authority) as running:
        yield running


@pytest.fixture(scope="session")
def other_postgres_server(authority: Authority) -> Iterator[PostgresServer]:
    with postgres(authority, "other") as running:
        yield running


@pytest.fixture
def http(start: Start) -> Iterator[Any]:
    """`http(serve, {...}) -> (Client, Upstream, Ambassador)`: one upstream, and the policy."""
    with contextlib.ExitStack() as stack:

        def begin(serve: Serve, policy: dict[str, Any] | None = None, **settings: Any) -> Any:
            server = stack.enter_context(upstream(ending(serve)))
            profile = {"upstreams": [server.config], **({"http": policy} if policy else {})}
            ambassador = start(
                dev=[server.config],
                settings={"protocol": "http", "profiles": {"dev": profile}, **settings},
            )
            client = Client(stack.enter_context(ambassador.dial()))
            return client, server, ambassador

        yield begin
