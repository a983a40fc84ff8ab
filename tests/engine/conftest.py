"""The engine's tests run as root and, where `installation` is asked for, as a user as well."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installations import Installation


def _installation(user: str) -> Iterator[Installation]:
    if user == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    directory = Path(tempfile.mkdtemp(prefix="podweave-engine-"))
    directory.chmod(0o755)
    made = Installation(user, directory)
    try:
        yield made
    finally:
        try:
            made.close()
        finally:
            shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(params=["root", "user"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    yield from _installation(request.param)


@pytest.fixture
def one() -> Iterator[Installation]:
    """Where the kind of user makes no difference: root if it can be, for speed."""
    yield from _installation("root" if os.geteuid() == 0 else "user")
