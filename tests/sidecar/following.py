"""What the tests of following files share: a folder of logs, a clock, a Tail on both."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podweave.helpers.logs.chunks import Chunk
from podweave.helpers.logs.reading import Reading
from podweave.helpers.logs.tail import Tail


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Following:
    """A Tail on `*.log*` of a folder; `lines()` reads and acknowledges."""

    def __init__(self, folder: Path, pattern: str = "*.log*", **options: Any) -> None:
        self.folder = folder
        self.pattern = pattern
        self.options = options
        if "line_limit" in options:
            options["reading"] = Reading(line_limit=options.pop("line_limit"))
        self.clock = Clock()
        self.tail = self.start([])

    def start(self, entries: list[dict[str, Any]]) -> Tail:
        pattern = str(self.folder / self.pattern)
        return Tail([pattern], entries, clock=self.clock, **self.options)

    def restart(self) -> None:
        """As after kill -9: only the checkpoint is left."""
        with self.away():
            pass

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        """What happens while nobody follows."""
        entries = self.tail.entries()
        self.tail.close()
        yield
        self.tail = self.start(entries)

    def chunks(self, max_bytes: int = 1 << 20) -> list[Chunk]:
        """One turn after a while."""
        self.clock.now += 0.25
        return self.tail.read(max_bytes)

    def lines(self, turns: int = 4) -> list[bytes]:
        found: list[bytes] = []
        for _ in range(turns):
            for chunk in self.chunks():
                found += chunk.data.split(b"\n")[:-1]
                self.tail.acknowledge(chunk)
        return found

    def append(self, name: str, data: bytes) -> None:
        with (self.folder / name).open("ab") as file:
            file.write(data)

    def write(self, name: str, data: bytes) -> None:
        """Truncate and write, as `>` does."""
        with (self.folder / name).open("wb") as file:
            file.write(data)


@pytest.fixture
def following(tmp_path: Path) -> Iterator[Following]:
    made = Following(tmp_path)
    yield made
    made.tail.close()
