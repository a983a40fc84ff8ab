"""The wall clock jumps, by years and back: nothing waits for it, and nothing is forgotten."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.ledgers import Http, ledger
from tests.faults.packed_sidecar import PackedSidecar
from tests.helpers.processes import archive
from tests.spilled import spilled
from tests.waiting import wait_until

YEAR = 365 * 86400
# The clock is what a file says, beside the real one, for all that is loaded after it.
LAUNCHER = """\
import os, sys, time
file, archive = sys.argv[1:3]
real, real_ns = time.time, time.time_ns
def offset():
    with open(file) as said:
        return int(said.read() or "0")
time.time = lambda: real() + offset()
time.time_ns = lambda: real_ns() + offset() * 10**9
sys.argv = [archive, *sys.argv[3:]]
sys.path.insert(0, archive)
from podweave.helpers.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


class TimedSidecar(PackedSidecar):
    """Its wall clock goes wrong when told so."""

    def start(self, stdout: int | None = None) -> None:
        file = self.folder / "sidecar.json"
        file.write_text(json.dumps(self.config))
        command = [sys.executable, "-I", "-S", "-c", LAUNCHER]
        with self.said.open("ab") as said:
            self.process = subprocess.Popen(
                [*command, str(self.folder / "offset"), archive(), "sidecar", str(file)],
                env={"PATH": os.environ["PATH"], **self.identity},
                stdin=subprocess.DEVNULL,
                stderr=said,
            )

    def jump(self, seconds: int) -> None:
        new = self.folder / "offset.new"
        new.write_text(str(seconds))
        new.rename(self.folder / "offset")


@pytest.fixture
def store() -> Iterator[Http]:
    with ledger("http", "clock") as made:
        assert isinstance(made, Http)
        yield made


@pytest.fixture
def sidecar(tmp_path: Path, store: Http) -> Iterator[TimedSidecar]:
    made = TimedSidecar(tmp_path, spill={"directory": str(tmp_path / "volume"), "after": 0.0})
    files = {"directory": str(made.store), "file_bytes": 4096, "compression": "gzip"}
    stores = [{"http": store.config()}, {"files": files}]
    made.config["logs"][0]["stores"] = stores
    made.jump(0)
    yield made
    made.close()


def test_the_clock_jumps_while_it_runs(sidecar: TimedSidecar, store: Http) -> None:
    sidecar.start()
    wanted = []
    for number, jump in enumerate((0, 10 * YEAR, -10 * YEAR, 3600, -3600, 40 * YEAR, -50 * YEAR)):
        sidecar.jump(jump)
        for name in ("a", "b"):
            message = f"{name} {number} {'x' * 900}"
            sidecar.append(f"{name}.log", f"{message}\n".encode())
            wanted.append(message)
            wait_until(lambda message=message: message in store.taken, 30, message)  # type: ignore[misc]
        if number % 2:
            # A store that fails, and the spill with it, must not wait for the wall clock either.
            store.down()
            message = f"a {number} spilled"
            sidecar.append("a.log", f"{message}\n".encode())
            wanted.append(message)
            volume = sidecar.folder / "volume"
            wait_until(lambda volume=volume: spilled(volume), 30, "a spill")  # type: ignore[misc]
            store.calm()
            wait_until(lambda message=message: message in store.taken, 30, message)  # type: ignore[misc]
        sidecar.admin("/metrics")
        # Rotated, so that what is remembered of files is judged by this clock, too.
        (sidecar.log / "b.log").rename(sidecar.log / f"b{number}.log")
    assert sidecar.stop() == 0
    assert list(dict.fromkeys(store.taken)) == wanted
    assert len(store.taken) == len(wanted)


@pytest.mark.parametrize("jump", [20 * YEAR, -20 * YEAR, -56 * YEAR])
def test_the_clock_is_another_in_the_next_life(
    sidecar: TimedSidecar, store: Http, jump: int
) -> None:
    """The checkpoint's files are known, however old it seems to be."""
    sidecar.start()
    sidecar.append("a.log", b"one\n")
    sidecar.append("gone.log", b"two\n")
    wait_until(lambda: set(store.taken) == {"one", "two"}, 30, "both")
    gone = sidecar.log / "gone.log"
    gone.rename(sidecar.folder / "gone.log")
    assert sidecar.stop() == 0
    sidecar.jump(jump)
    sidecar.start()
    sidecar.append("a.log", b"three\n")
    wait_until(lambda: "three" in store.taken, 30, "three")
    (sidecar.folder / "gone.log").rename(gone)
    sidecar.append("gone.log", b"four\n")
    wait_until(lambda: "four" in store.taken, 30, "four")
    assert sidecar.stop() == 0
    assert sorted(store.taken) == ["four", "one", "three", "two"]
