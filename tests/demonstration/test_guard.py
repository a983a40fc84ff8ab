"""What a demonstration started ends with it, whichever of its processes is killed."""

from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import wait_until

SCRIPT = """
import os, subprocess, sys, time
from pathlib import Path
from podweave.cli.demonstration.guard import guarded

place = Path(sys.argv[1])

def work():
    # As a Pod's supervisor, which leaves the process tree.
    trap = "trap '' INT TERM;" if sys.argv[2] == "stubborn" else ""
    script = trap + "echo $$ > daemon.new; mv daemon.new daemon; exec sleep 1000"
    subprocess.run(["setsid", "-f", "sh", "-c", script], cwd=place)
    while not (place / "daemon").exists():
        time.sleep(0.01)
    child = subprocess.Popen(["sleep", "1000"])
    (place / "begun.new").write_text(f"{os.getpid()} {child.pid} {(place / 'daemon').read_text()}")
    (place / "begun.new").rename(place / "begun")
    if sys.argv[2] == "long":
        child.wait()
    if sys.argv[2] == "wrong":
        raise ValueError("something is wrong")
    return 3

def tidy():
    with (place / "tidied").open("a") as file:
        file.write("tidied")

sys.exit(guarded(work, tidy))
"""


def has_ended(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


class Guarded:
    def __init__(self, place: Path, how: str) -> None:
        self.place = place
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(place), how],
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        wait_until((place / "begun").exists, 30, "the work has begun")
        self.worker, *self.started = map(int, (place / "begun").read_text().split())

    def end(self) -> int:
        """Its exit code, once nothing of it is left and it has tidied up, once."""
        code = self.process.wait(30)
        for pid in (self.worker, *self.started):
            wait_until(functools.partial(has_ended, pid), 30, f"{pid} ends")
        assert (self.place / "tidied").read_text() == "tidied"
        return code


@pytest.fixture
def long(tmp_path: Path) -> Iterator[Guarded]:
    guarded = Guarded(tmp_path, "long")
    yield guarded
    assert guarded.process.stderr is not None
    guarded.process.stderr.close()


def test_the_result_of_the_work_is_the_exit_code(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, "short")
    assert guarded.process.communicate()[1] == b""
    assert guarded.end() == 3


def test_an_error_is_told(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, "wrong")
    assert b"ValueError: something is wrong" in guarded.process.communicate()[1]
    assert guarded.end() == 1


def test_control_c_reaches_everyone_and_is_told_once(long: Guarded) -> None:
    os.killpg(long.process.pid, signal.SIGINT)
    assert long.end() == -signal.SIGINT


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_signal_changes_nothing(long: Guarded, number: signal.Signals) -> None:
    long.process.send_signal(number)
    long.process.send_signal(number)
    assert long.end() == -number


def test_what_minds_no_signal_is_killed(tmp_path: Path) -> None:
    guarded = Guarded(tmp_path, "stubborn")
    guarded.process.communicate()
    assert guarded.end() == 3


def test_the_guard_is_killed(long: Guarded) -> None:
    long.process.kill()
    assert long.end() == -signal.SIGKILL


def test_the_worker_is_killed(long: Guarded) -> None:
    os.kill(long.worker, signal.SIGKILL)
    assert long.end() == 1
