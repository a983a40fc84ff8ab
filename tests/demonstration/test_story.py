"""The demonstration holds what it says: it checks each chapter itself and fails otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_the_whole_story_is_true_and_leaves_nothing_behind(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    for above in tmp_path.parents[:2]:
        # Where root calls, the databases run as nobody, and have to get here.
        above.chmod(above.stat().st_mode | 0o011)
    result = subprocess.run(
        [sys.executable, "-m", "podweave", "demo"],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 failed" in result.stdout
    assert "gives back the original file, byte for byte" in result.stdout
    assert list(tmp_path.iterdir()) == []
