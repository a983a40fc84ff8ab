"""Each row of the mission is tried as root and as an ordinary user."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.installations import Installation


@pytest.fixture(params=["root", "user"])
def installation(request: pytest.FixtureRequest) -> Iterator[Installation]:
    user: str = request.param
    if user == "root" and os.geteuid() != 0:
        pytest.skip("needs root")
    directory = Path(tempfile.mkdtemp(prefix="podweave-row-"))
    directory.chmod(0o755)
    made = Installation(user, directory)
    try:
        yield made
    finally:
        try:
            made.close()
        finally:
            shutil.rmtree(directory, ignore_errors=True)
