"""The demonstration holds what it says: it checks each chapter itself and fails otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """Where root calls, the databases run as nobody and have to get here. pytest's own folders
    don't serve: the next pytest to start closes them to others."""
    with tempfile.TemporaryDirectory(prefix="podweave-story-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_the_whole_story_is_true_and_leaves_nothing_behind(place: Path) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "podweave", "demo"],
        env={**os.environ, "TMPDIR": str(place)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 failed" in result.stdout
    assert "gives back the original file, byte for byte" in result.stdout
    assert list(place.iterdir()) == []
