"""kill -9 at any moment, with rotation running: every line at least once, in order per file."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sidecar.shipping import Sidecar
from tests.waiting import wait_until

ROUNDS = 30

# Numbers its lines; rotates by rename every few thousand, the old ones stay in the pattern's sight.
WRITER = """\
import os, random, sys, time
folder, name, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
chance = random.Random(seed)
path = os.path.join(folder, name + ".log")
number = 0
while not os.path.exists(os.path.join(folder, "stop")):
    with open(path, "ab", buffering=0) as log:
        for _ in range(chance.randrange(10, 60)):
            lines = b""
            for _ in range(chance.randrange(1, 60)):
                lines += b"%s %d %s\\n" % (name.encode(), number, b"x" * chance.randrange(60))
                number += 1
            cut = chance.randrange(len(lines))
            log.write(lines[:cut])
            log.write(lines[cut:])
            time.sleep(0.004)
    os.rename(path, path[:-4] + ".%d.log" % number)
with open(path, "ab") as log:
    log.write(b"%s %d last" % (name.encode(), number))
print(number + 1)
"""


@pytest.mark.parametrize("seed", [1])
def test_kill_9_with_rotation_running_loses_nothing(sidecar: Sidecar, seed: int) -> None:
    chance = random.Random(seed)
    names = ("a", "b")
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(sidecar.log), name, str(seed)],
            stdout=subprocess.PIPE,
        )
        for name in names
    ]
    for _ in range(ROUNDS):
        sidecar.start()
        sidecar.live_for(chance.uniform(0.05, 0.4))
        assert sidecar.stop(signal.SIGKILL) == -signal.SIGKILL
    (sidecar.log / "stop").touch()
    written = {
        name: int(writer.communicate()[0]) for name, writer in zip(names, writers, strict=True)
    }
    sidecar.start()
    sidecar.admin("/healthz")
    assert sidecar.stop() == 0

    first: dict[str, int] = {}
    messages = sidecar.messages()
    for place, message in enumerate(messages):
        first.setdefault(message, place)
    lines = 0
    for path in sidecar.log.glob("*.log"):
        places = [first[line] for line in path.read_text().splitlines()]  # KeyError: line lost
        assert places == sorted(places), f"order in {path.name}"
        lines += len(places)
    assert lines == sum(written.values())
    assert len(first) == lines
    print(f"{lines} lines, {len(messages) - lines} of them twice")


def test_copytruncate_while_it_runs(sidecar: Sidecar) -> None:
    sidecar.start()
    wanted = []
    for number in range(20):
        sidecar.append("a.log", b"%d\n" % number)
        wanted.append(str(number))
        sidecar.wait_for(wanted)
        os.truncate(sidecar.log / "a.log", 0)
    assert sidecar.stop() == 0


def test_disk_full_loses_nothing(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to mount a small file system")
    sidecar = Sidecar(tmp_path)
    sidecar.store.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(sidecar.store)], check=True
    )
    try:
        lines = [f"{number} " + "x" * 200 for number in range(6000)]
        sidecar.append("a.log", "".join(f"{line}\n" for line in lines).encode())
        sidecar.start()
        wanted = "podweave_logs_retries_total"

        def retried() -> bool:
            values = [
                float(line.rpartition(" ")[2])
                for line in sidecar.admin("/metrics").splitlines()
                if line.startswith(wanted)
            ]
            return bool(values) and values[0] >= 2

        wait_until(retried, 20, "the disk is full")
        # What is there is whole, and a kill changes nothing about it.
        assert sidecar.messages() == lines[: len(sidecar.messages())]
        sidecar.stop(signal.SIGKILL)
        subprocess.run(["mount", "-o", "remount,size=16m", str(sidecar.store)], check=True)
        sidecar.start()
        sidecar.admin("/healthz")
        assert sidecar.stop() == 0
        assert list(dict.fromkeys(sidecar.messages())) == lines
    finally:
        if sidecar.process is not None:
            sidecar.stop(signal.SIGKILL)
        subprocess.run(["umount", str(sidecar.store)], check=True)
