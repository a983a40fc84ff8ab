"""The kernel's hints: quiet files are looked at seldom, and a new line is seen at once."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from podweave.helpers.logs.hints import Hints
from podweave.helpers.logs.rest import RESTING
from podweave.helpers.logs.tail import Tail
from podweave.helpers.loop import Loop


class Watched:
    """A Tail on a loop, as a program runs it."""

    def __init__(self, folder: Path, pattern: str = "*.log") -> None:
        self.folder = folder
        self.loop = Loop()
        self.hints = Hints(self.loop)
        self.tail = Tail([str(folder / pattern)], hints=self.hints)
        self.woken = 0
        self.tail.wake = self._wake
        self.lines: list[bytes] = []

    def _wake(self) -> None:
        self.woken += 1

    def turn(self) -> None:
        for chunk in self.tail.read(1 << 20):
            self.lines += chunk.texts()
            self.tail.acknowledge(chunk)

    def rest(self) -> None:
        """Take turns until only a hint, or a second, brings the next."""
        deadline = time.monotonic() + 10
        while (wait := self.tail.next_poll()) < RESTING:
            assert time.monotonic() < deadline
            self.loop.step(wait)
            self.turn()

    def wait_for_hint(self) -> None:
        before = self.woken
        deadline = time.monotonic() + 10
        while self.woken == before:
            assert time.monotonic() < deadline
            self.loop.step(0.5)

    def close(self) -> None:
        self.tail.close()
        self.hints.close()
        self.loop.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    try:
        if made.hints.arm(made, [str(tmp_path)]) is None:
            pytest.skip("this kernel has no dnotify")
    except OSError as error:
        pytest.skip(errno.errorcode[error.errno or 0])
    yield made
    made.close()


def test_a_line_in_a_quiet_file_wakes_the_program(watched: Watched) -> None:
    (watched.folder / "a.log").write_bytes(b"one\n")
    watched.turn()
    watched.rest()
    with (watched.folder / "a.log").open("ab") as file:
        file.write(b"two\n")
    watched.wait_for_hint()
    watched.turn()
    assert watched.lines == [b"one", b"two"]


def test_a_new_file_wakes_it_too_and_each_rest_is_followed_by_another(watched: Watched) -> None:
    for number in range(3):
        watched.turn()
        watched.rest()
        (watched.folder / f"{number}.log").write_bytes(b"%d\n" % number)
        watched.wait_for_hint()
        watched.turn()
    assert watched.lines == [b"0", b"1", b"2"]


def test_many_writes_are_one_hint(watched: Watched) -> None:
    watched.turn()
    watched.rest()
    with (watched.folder / "a.log").open("ab", buffering=0) as file:
        for _ in range(1000):
            file.write(b"x\n")
    watched.wait_for_hint()
    watched.loop.step(0.05)
    assert watched.woken == 1
    watched.turn()
    assert len(watched.lines) == 1000


def test_behind_a_link_into_another_folder(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "real").write_bytes(b"one\n")
    (tmp_path / "here" / "a.log").symlink_to(tmp_path / "there" / "real")
    watched = Watched(tmp_path / "here")
    watched.turn()
    watched.rest()
    with (tmp_path / "there" / "real").open("ab") as file:
        file.write(b"two\n")
    watched.wait_for_hint()
    watched.turn()
    assert watched.lines == [b"one", b"two"]
    watched.close()


def test_a_folder_that_is_not_there_is_looked_for_often(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "later")
    watched.turn()
    watched.tail._grew -= 60
    assert watched.tail.next_poll() < RESTING
    watched.close()


def test_a_folder_that_goes_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    watched = Watched(folder)
    watched.turn()
    watched.rest()
    folder.rmdir()
    # The folder that was watched is gone, and with it whoever could hint.
    watched.tail._next_scan = 0.0
    watched.turn()
    assert watched.tail.next_poll() < RESTING
    folder.mkdir()
    watched.tail._next_scan = 0.0
    watched.turn()
    watched.rest()
    (folder / "a.log").write_bytes(b"back\n")
    watched.wait_for_hint()
    watched.turn()
    assert watched.lines == [b"back"]
    watched.close()


def test_a_file_system_without_hints_is_found_out(watched: Watched) -> None:
    (watched.folder / "a.log").write_bytes(b"one\n")
    watched.turn()
    watched.rest()
    # What another machine writes comes without one.
    watched.hints.close()
    with (watched.folder / "a.log").open("ab") as file:
        file.write(b"two\n")
    later = time.time() + 5
    os.utime(watched.folder / "a.log", (later, later))
    watched.tail._next_scan = 0.0
    real = time.time_ns
    try:
        time.time_ns = lambda: real() + 10_000_000_000
        watched.turn()
    finally:
        time.time_ns = real
    assert watched.lines == [b"one", b"two"]
    watched.tail._grew -= 60
    assert watched.tail.next_poll() < RESTING
    assert watched.tail.next_poll() < RESTING
