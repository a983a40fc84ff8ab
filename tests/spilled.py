"""What a sidecar has put on the disk."""

from __future__ import annotations

import glob
from pathlib import Path


def spilled(folder: Path) -> list[str]:
    """The files of a spill anywhere below. Folders may go meanwhile, which stops Path.rglob."""
    return glob.glob("**/*.frames", root_dir=folder, recursive=True, include_hidden=True)
