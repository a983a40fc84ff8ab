"""Debian's logrotate, in the ways that people have it rotate."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sidecar.following import Following
from tests.waiting import wait_until

LOGROTATE = shutil.which("logrotate", path="/usr/sbin:/usr/bin:/sbin:/bin")
pytestmark = pytest.mark.skipif(LOGROTATE is None, reason="logrotate isn't installed")

DATED = "dateext\n dateformat -%Y%m%d-%s"
WAYS = {
    "rename": "create",
    "rename, made by the application": "nocreate",
    "copytruncate": "copytruncate",
    "compressed": "create\n compress",
    "compressed later": "create\n compress\n delaycompress",
    "by date": f"create\n {DATED}",
    "by date, compressed": f"create\n compress\n {DATED}",
    "copytruncate, compressed": "copytruncate\n compress",
    "copytruncate, by date, compressed": f"copytruncate\n compress\n {DATED}",
    "moved away": "create\n olddir old\n createolddir 755",
}


class Rotated:
    """An application that writes numbered lines, and reopens its file as SIGHUP would have it."""

    def __init__(self, folder: Path, way: str) -> None:
        self.following = Following(folder, "app.log*")
        self.log = folder / "app.log"
        self.log.touch()
        self.config = folder.parent / "rotate.conf"
        self.state = folder.parent / "rotate.state"
        self.config.write_text(
            f'"{self.log}" {{\n rotate 20\n missingok\n notifempty\n {way}\n}}\n'
        )
        self.config.chmod(0o600)
        self.count = 0
        self.rotated = 0
        self.writer = self.log.open("ab", buffering=0)

    def write(self, lines: int) -> None:
        for _ in range(lines):
            self.count += 1
            self.writer.write(b"line %06d\n" % self.count)

    def rotate(self) -> None:
        assert LOGROTATE is not None
        # A name by date is taken for a second.
        if "dateext" in self.config.read_text():
            wait_until(lambda: int(time.time()) > self.rotated, 10, "the next second")
            self.rotated = int(time.time())
        command = [LOGROTATE, "-f", "-s", str(self.state), str(self.config)]

        def done() -> bool:
            # Names by date have seconds: within one there is no second rotation.
            return subprocess.run(command, check=False, timeout=60).returncode == 0

        wait_until(done, 20, "logrotate has rotated")

    def reopen(self) -> None:
        self.writer.close()
        self.writer = self.log.open("ab", buffering=0)

    def wanted(self) -> list[bytes]:
        return [b"line %06d" % (number + 1) for number in range(self.count)]


@pytest.fixture
def rotated(tmp_path: Path) -> Iterator[Callable[[str], Rotated]]:
    made: list[Rotated] = []

    def make(way: str) -> Rotated:
        (tmp_path / "log").mkdir(mode=0o755)
        made.append(Rotated(tmp_path / "log", WAYS[way]))
        return made[0]

    yield make
    for app in made:
        app.writer.close()
        app.following.tail.close()


@pytest.mark.parametrize("way", WAYS)
def test_every_line_once(rotated: Callable[[str], Rotated], way: str) -> None:
    app = rotated(way)
    found: list[bytes] = []
    for _ in range(2 if "date" in way else 5):
        app.write(100)
        found += app.following.lines(turns=1)
        app.write(50)
        if "copytruncate" in way:
            # What is written between the last look and the truncation nobody can give back.
            found += app.following.lines(turns=1)
        app.rotate()
        app.write(20)  # it is slow to notice
        if "copytruncate" not in way:
            app.reopen()
    app.writer.close()
    app.following.tail.finish()
    found += app.following.lines(turns=20)
    assert app.following.tail.finished
    assert sorted(found) == app.wanted()


@pytest.mark.parametrize("way", ["compressed", "by date, compressed", "rename"])
def test_rotated_while_nobody_looked(rotated: Callable[[str], Rotated], way: str) -> None:
    app = rotated(way)
    found: list[bytes] = []
    for _ in range(2 if "date" in way else 4):
        app.write(100)
        app.following.clock.now += 1
        (chunk,) = app.following.tail.read(600)
        found += chunk.texts()
        app.following.tail.acknowledge(chunk)
        entries = app.following.tail.entries()
        app.following.tail.close()
        app.rotate()
        app.reopen()
        app.following.tail = app.following.start(entries)
        found += app.following.lines(turns=12)
    assert sorted(found) == app.wanted()
