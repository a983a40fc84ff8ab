"""The two halves of the broker protocol meet: the engine's server and the ambassador."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from podweave.engines.local.setup import broker
from podweave.engines.local.setup.dialling import DialServer
from tests.ambassador.conftest import Start
from tests.ambassador.upstreams import named, upstream


@pytest.fixture
def broker_path(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "broker.sock")
    mine, its = socket.socketpair()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener, mine, its:
        listener.bind(path)
        listener.listen(64)
        server = DialServer(listener, names=broker.resolve, refuse=broker.refuse, lifeline=its)
        thread = threading.Thread(target=server.run)
        thread.start()
        yield path
        mine.shutdown(socket.SHUT_RDWR)
        thread.join(20)
        assert not thread.is_alive()


def test_the_machine_is_reached_by_its_name(start: Start, broker_path: str) -> None:
    environment = {**os.environ, "PODWEAVE_BROKER": broker_path}
    with upstream(named(b"machine")) as server:
        ambassador = start(
            environment=environment, dev=[["host.podweave.internal", server.port, 1]]
        )
        with contextlib.ExitStack() as stack:
            clients = [stack.enter_context(ambassador.dial()) for _ in range(100)]
            for client in clients:
                assert client.recv(100) == b"machine\n"


def test_its_refusals_are_named(start: Start, broker_path: str) -> None:
    environment = {**os.environ, "PODWEAVE_BROKER": broker_path}
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ambassador = start(
        environment=environment,
        settings={"connect_timeout": 0.3},
        dev=[["host.podweave.internal", port, 1]],
    )
    with ambassador.dial() as client, pytest.raises(ConnectionResetError):
        client.recv(1)
    refused = ambassador.event("client-refused")
    assert refused["reason"] == "ECONNREFUSED"
    assert refused["message"].startswith(f"connect to host.podweave.internal:{port}: ")
