"""Each row of the mission is tried as root and as an ordinary user."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.installations import Installation, installed


@pytest.fixture(params=["root", "user"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    with installed(request.param) as installation:
        yield installation
