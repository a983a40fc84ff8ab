"""Whatever is done to the files, in whatever pieces it is read: every line, in order, once a life.

What a truncation takes away before it is read nobody can give back, so before each truncation the
model reads to the end.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sidecar.following import Following

LINE_LIMIT = 2048

actions = st.one_of(
    st.tuples(st.just("append"), st.binary(max_size=300)),
    st.tuples(st.just("append"), st.integers(1, 6000).map(lambda size: b"x" * size)),
    st.tuples(st.just("turn"), st.integers(1, 5000)),
    st.tuples(st.just("rename"), st.none()),
    st.tuples(st.just("truncate"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)


class Model:
    """The one log, whatever file it is in now, and what was read of it."""

    def __init__(self, folder: Path) -> None:
        self.following = Following(folder, line_limit=LINE_LIMIT)
        self.current = b""
        self.wanted: list[bytes] = []
        self.found: list[bytes] = []
        self.rotations = 0
        self.marks = 0

    def append(self, data: bytes) -> None:
        if not self.current and data:
            # Beginnings that differ are what tells a file from its successor; so do logs.
            self.marks += 1
            data = b"%d:" % self.marks + data
        self.current += data
        self.following.append("a.log", data)

    def turn(self, max_bytes: int) -> None:
        for chunk in self.following.chunks(max_bytes):
            assert chunk.data.endswith(b"\n")
            self.found += chunk.data[:-1].split(b"\n")
            self.following.tail.acknowledge(chunk)

    def quiet(self) -> None:
        idle = 0
        while idle < 6:
            before = len(self.found)
            self.turn(1 << 20)
            moved = len(self.found) > before or self.following.tail.next_poll() == 0.0
            idle = 0 if moved else idle + 1

    def ended(self) -> None:
        """Its content is what it will ever be, and read: lines, and what is after the last one."""
        *lines, rest = self.current.split(b"\n")
        self.wanted += lines
        self.current = b""
        if rest:
            self.wanted.append(rest)

    def rename(self) -> None:
        if self.current:
            self.rotations += 1
            self.following.chunks(0)  # a file that comes and goes between two looks is never seen
            path = self.following.folder
            # Out of the pattern's sight.
            (path / "a.log").rename(path / f"old.{self.rotations}")
            self.quiet()
            self.ended()

    def truncate(self) -> None:
        if self.current:
            self.append(b"\n")
            self.quiet()
            self.following.write("a.log", b"")
            self.ended()

    def finish(self) -> None:
        self.following.tail.finish()
        self.quiet()
        assert self.following.tail.finished
        self.ended()
        self.following.tail.close()


@settings(max_examples=300, deadline=None)
@given(st.lists(actions, max_size=25))
def test_every_line_in_order(steps: list[tuple[str, bytes | int | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model = Model(Path(folder))
        for action, value in steps:
            if action == "append":
                assert isinstance(value, bytes)
                model.append(value)
            elif action == "turn":
                assert isinstance(value, int)
                model.turn(value)
            elif action == "rename":
                model.rename()
            elif action == "truncate":
                model.truncate()
            else:
                model.following.restart()
        model.finish()
        assert model.found == [line[:LINE_LIMIT] for line in model.wanted]
