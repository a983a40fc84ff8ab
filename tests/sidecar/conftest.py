"""Fixtures of the log sidecar's tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from podweave.helpers.loop import Loop
from tests.sidecar.following import following
from tests.sidecar.http_peer import FaultyServer, HttpPeer, http_peer
from tests.sidecar.shipping import Sidecar

# Servers that take minutes to build are no part of the ordinary tests: see scripts/peers.
collect_ignore = [] if os.environ.get("PODWEAVE_PEERS") else ["test_real_stores.py"]

__all__ = ["following"]


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[Sidecar]:
    made = Sidecar(tmp_path)
    yield made
    made.close()


@pytest.fixture
def server() -> FaultyServer:
    """What a store sends to; the tests of a store have one that speaks its protocol."""
    return FaultyServer()


@pytest.fixture
def peer(server: FaultyServer) -> Iterator[HttpPeer]:
    with http_peer(server.answer) as peer:
        yield peer
