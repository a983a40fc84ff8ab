"""An application that logs, as a process of its own: numbered lines, and every kind of rotation.

    python -S application.py FOLDER SEED NAME=ROTATION... [torn]

A line is "NAME SEGMENT NUMBER PADDING"; a segment is what was written between two rotations. It
goes on until FOLDER/stop is there, then ends each file with a line that has no newline, and says
how many lines each segment has, as JSON.

rename        a.log becomes a.log.1, and a.log is made anew
copytruncate  a.log is copied to a.log.1 and truncated, in between nothing is written
date          a.1.log, a.2.log, and so on: the old one is just left
compress      like rename, and the file rotated before that is compressed and deleted
"""

import gzip
import json
import os
import random
import shutil
import sys
import time

MOST_LINES = 5000
ROTATE_AFTER = (20, 300)


class Log:
    def __init__(self, folder: str, name: str, rotation: str, chance: random.Random) -> None:
        self.name = name
        self.rotation = rotation
        self.chance = chance
        self.segments = [0]
        self.until = chance.randint(*ROTATE_AFTER)
        self.path = os.path.join(folder, f"{name}.log")
        self.folder = folder
        self.file = -1
        self.rest = b""
        self.rotated: list[str] = []
        self.open()

    def open(self) -> None:
        if self.rotation == "date":
            self.path = os.path.join(self.folder, f"{self.name}.{len(self.segments)}.log")
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def line(self) -> bytes:
        number = self.segments[-1]
        self.segments[-1] += 1
        size = self.chance.randrange(60)
        if self.chance.random() < 0.003:
            size = self.chance.randrange(20_000)
        return b"%s %d %d %s" % (
            self.name.encode(),
            len(self.segments) - 1,
            number,
            ("한" * (size % 5)).encode() + b"x" * size,
        )

    def step(self, torn: bool) -> None:
        data = self.rest
        for _ in range(self.chance.randrange(1, 30)):
            data += self.line() + b"\n"
        cut = self.chance.randrange(1, len(data)) if torn and self.chance.random() < 0.5 else 0
        self.rest = data[len(data) - cut :] if cut else b""
        os.write(self.file, data[: len(data) - cut])
        if self.segments[-1] >= self.until and not self.rest:
            self.rotate()

    def rotate(self) -> None:
        aside = f"{self.path}.{len(self.segments)}"
        if self.rotation == "copytruncate":
            shutil.copyfile(self.path, aside)
            os.ftruncate(self.file, 0)
        else:
            if self.rotation != "date":
                os.rename(self.path, aside)
            os.close(self.file)
        if self.rotation == "compress":
            self.rotated.append(aside)
            if len(self.rotated) > 1:
                compress(self.rotated.pop(0))
        self.segments.append(0)
        self.until = self.chance.randint(*ROTATE_AFTER)
        if self.rotation != "copytruncate":
            self.open()

    def finish(self) -> None:
        os.write(self.file, self.rest + self.line())
        os.close(self.file)


def compress(path: str) -> None:
    with open(path, "rb") as file:
        data = gzip.compress(file.read(), 1)
    with open(path + ".part", "wb") as file:
        file.write(data)
    os.rename(path + ".part", path + ".gz")
    os.unlink(path)


def main(folder: str, seed: str, *names: str) -> None:
    chance = random.Random(seed)
    logs = [
        Log(folder, name[:1], name[2:], random.Random(f"{seed} {name}"))
        for name in names
        if "=" in name
    ]
    torn = "torn" in names
    stop = os.path.join(folder, "stop")
    while not os.path.exists(stop):
        if sum(sum(log.segments) for log in logs) < MOST_LINES:
            chance.choice(logs).step(torn)
        time.sleep(0.004)
    for log in logs:
        log.finish()
    print(json.dumps({log.name: log.segments for log in logs}))


if __name__ == "__main__":
    main(*sys.argv[1:])
