"""Real servers that tests start for themselves, each in a folder of its own."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol, TypeVar

import pytest


class Server(Protocol):
    def close(self) -> None: ...


Kind = TypeVar("Kind", bound=Server)


@contextlib.contextmanager
def temporary(program: str, package: str, start: Callable[[Path], Kind]) -> Iterator[Kind]:
    """Runs until the end of the block. Skips where the program is not installed."""
    if shutil.which(program) is None:
        pytest.skip(f"no {program}: install {package}")
    directory = Path(tempfile.mkdtemp(prefix=f"podweave-{program}-"))
    try:
        server = start(directory)
        try:
            yield server
        finally:
            server.close()
    finally:
        shutil.rmtree(directory)
