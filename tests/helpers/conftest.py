"""What the tests of the helpers' own pieces share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from podweave.helpers.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()
