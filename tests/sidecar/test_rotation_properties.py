"""Any schedule of writing, rotation, compression, kills and clock jumps: every line, in order."""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.helpers.configuration import Section
from podweave.helpers.logs.reading import Reading, configure
from tests.sidecar.following import Following

actions = st.sampled_from(
    [
        *("write", "write", "write", "write more", "turn", "turn", "look", "restart"),
        *("rename", "rename out of sight", "copytruncate", "compress", "compress while down"),
        *("copytruncate while down", "delete", "jump"),
    ]
)
readings = st.sampled_from(
    [
        {},
        {"multiline": {"rule": "start", "regex": "^line", "flush": 0.5}},
        {"encoding": "cp949"},
    ]
)


class Application:
    """Writes numbered lines into app.log, and rotates it in every way."""

    def __init__(self, folder: Path, reading: Reading) -> None:
        self.following = Following(folder, "app.log*", reading=reading)
        self.folder = folder
        self.log = folder / "app.log"
        self.number = 0
        self.rotations = 0
        self.found: list[bytes] = []
        self.names: dict[bytes, set[tuple[str, int]]] = {}
        """Under which names a line came, for stores that keep records apart by them."""

    def write(self, lines: int) -> None:
        with self.log.open("ab") as file:
            for _ in range(lines):
                self.number += 1
                file.write(f"line {self.number:05} 주문\n".encode("cp949"))

    def turn(self, max_bytes: int = 900) -> None:
        for chunk in self.following.chunks(max_bytes):
            self.found += chunk.texts()
            for place, text in chunk.records():
                self.names.setdefault(text, set()).add((chunk.file.identity, place))
            self.following.tail.acknowledge(chunk)

    def quiet(self) -> None:
        for _ in range(40):
            self.turn(1 << 20)

    def rotated(self, name: str = "app.log.{}") -> Path:
        self.rotations += 1
        path = self.folder / name.format(self.rotations)
        self.log.rename(path)
        return path

    def compress(self, path: Path) -> None:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()

    def do(self, action: str) -> None:
        if action == "write":
            self.write(3)
        elif action == "write more":
            self.write(200)
        elif action == "turn":
            self.turn()
        elif action == "look":
            self.following.clock.now += 0.25
            self.following.tail.read(0)
        elif action == "restart":
            self.following.restart()
        elif action == "jump":
            self.following.clock.now += 1e6
        elif self.log.exists():
            self.rotate(action)

    def rotate(self, action: str) -> None:
        if "while down" not in action:
            # What comes and goes between two looks is never seen.
            self.do("look")
        if action == "rename":
            self.rotated()
        elif action == "rename out of sight":
            self.rotated("old.{}")
        elif action == "delete":
            self.log.unlink()
            # Deleted while nobody holds it, it is lost: so hold it to its end.
            self.quiet()
        elif action == "compress":
            self.compress(self.rotated())
            self.quiet()
        elif action == "copytruncate":
            self.quiet()
            self.rotations += 1
            (self.folder / f"app.log.{self.rotations}").write_bytes(self.log.read_bytes())
            self.log.write_bytes(b"")
        elif action == "copytruncate while down":
            self.turn()
            self.rotations += 1
            with self.following.away():
                (self.folder / f"app.log.{self.rotations}").write_bytes(self.log.read_bytes())
                self.log.write_bytes(b"")
        else:
            self.turn()
            first = self.log.read_bytes().decode("cp949").partition("\n")[0].encode()
            with self.following.away():
                # Of a file that was never read nobody knows that a compressed one continues it.
                if first in self.found:
                    self.compress(self.rotated())


@settings(max_examples=120, deadline=None)
@given(readings, st.lists(actions, max_size=25))
def test_every_line_at_least_once(config: dict[str, object], steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        app = Application(Path(folder), configure(Section(config)))
        for step in steps:
            app.do(step)
        app.quiet()
        app.following.tail.finish()
        app.quiet()
        assert app.following.tail.finished
        app.following.tail.close()
        wanted = [f"line {number + 1:05} 주문".encode() for number in range(app.number)]
        assert sorted(set(app.found)) == wanted
        # Nothing but a copy that could be anybody's may come twice.
        if "copytruncate" not in steps:
            assert len(app.found) == len(wanted)
            assert all(len(names) == 1 for names in app.names.values())
