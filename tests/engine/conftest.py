"""The engine's tests run as root and, where `installation` is asked for, as a user as well."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from bench.podman_environment import Podman
from tests.engine.podman_machine import podman_machine, podman_user
from tests.installations import Installation, installed


@pytest.fixture(params=["root", "user"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    with installed(request.param) as installation:
        yield installation


@pytest.fixture
def one() -> Iterator[Installation]:
    """Where the kind of user makes no difference: root if it can be, for speed."""
    with installed("root" if os.geteuid() == 0 else "user") as installation:
        yield installation


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    with podman_machine() as made:
        yield made


@pytest.fixture
def user(podman: Podman) -> Iterator[Installation]:
    with podman_user(podman) as made:
        yield made
