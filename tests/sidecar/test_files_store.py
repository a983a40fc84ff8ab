"""The files store: whole records, full files, crashes and full disks."""

from __future__ import annotations

import gzip
import json
import os
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podweave.helpers.journal import Journal
from podweave.helpers.logs.delivery.batches import Batch, Piece
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.stores import files, files_archive
from podweave.helpers.logs.stores.files import FilesStore, Settings
from podweave.helpers.logs.stores.interface import DELIVERED, Context, Outcome
from podweave.helpers.loop import Loop
from tests.sidecar.following import Clock


class Shop:
    """A store and what it has said of each batch."""

    def __init__(self, directory: Path, file_limit: int = 1000, **settings: Any) -> None:
        self.directory = directory
        self.settings = Settings(str(directory), file_limit=file_limit, **settings)
        self.outcomes: list[Outcome] = []
        self.clock = Clock()
        self.loop = Loop(self.clock)
        self.journal = Journal("sidecar", "ship", fd=os.open(os.devnull, os.O_WRONLY))
        self.store = self.open()

    def open(self) -> FilesStore:
        origin = Origin({"namespace": "shop", "pod": {"name": "orders-1", "uid": "5f1c"}})
        context = Context(self.loop, self.journal, origin, name="files", state="/nowhere")
        return files.make(self.settings, context)

    def write(self, data: bytes, raw: bool = False) -> Outcome:
        piece = Piece(data, "/var/log/a.log", "1-1-0", 0, 1767225600.0)
        batch = Batch([piece], Origin({}), raw=raw, read_at=0.0)
        self.store.send(batch, self.outcomes.append)
        return self.outcomes[-1]

    def settle(self) -> None:
        """Sync, and give the loop what it has to do in the background."""
        assert self.store.sync()
        for _ in range(50):
            self.loop.step(0)
            self.clock.now += 0.1

    def files(self) -> list[Path]:
        return sorted((self.directory / "shop" / "orders-1").iterdir())

    def content(self) -> bytes:
        return b"".join(path.read_bytes() for path in self.files())


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "store")
    yield made
    made.store.close()


def test_records_of_a_spool_pass_byte_for_byte(shop: Shop) -> None:
    data = b'{ "odd" :  "spacing",  "n":1.0 }\n'
    assert shop.write(data) is DELIVERED
    assert shop.content() == data


def test_raw_lines_are_wrapped(shop: Shop) -> None:
    shop.write(b"one\ntwo\n", raw=True)
    records = [json.loads(line) for line in shop.content().splitlines()]
    assert [record["message"] for record in records] == ["one", "two"]
    assert shop.store.sent_bytes == len(shop.content())


def test_lines_are_left_alone_where_that_is_asked_for(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "store", format="raw")
    shop.write(b"one \xff\n", raw=True)
    assert shop.content() == b"one \xff\n"
    shop.store.close()


def test_a_full_file_is_followed_by_the_next(shop: Shop) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        shop.write(b"x" * 399 + b"\n")
    assert [path.stat().st_size for path in shop.files()] == [800] * 5
    assert shop.store.sync()
    assert len(os.listdir("/proc/self/fd")) <= before + 1


def test_a_restart_goes_on_with_the_last_file(shop: Shop) -> None:
    shop.write(b"one\n")
    shop.store.close()
    shop.store = shop.open()
    shop.write(b"two\n")
    (path,) = shop.files()
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_half_written_record_is_cut_off_after_a_crash(shop: Shop) -> None:
    shop.write(b"one\n")
    shop.store.close()
    with shop.files()[0].open("ab") as file:
        file.write(b'{"half":' + b"x" * 100_000)
    shop.store = shop.open()
    shop.write(b"two\n")
    assert shop.content() == b"one\ntwo\n"


def test_a_file_that_is_half_a_record_becomes_empty(shop: Shop) -> None:
    shop.write(b"one\n")
    shop.store.close()
    (path,) = shop.files()
    path.write_bytes(b"half")
    shop.store = shop.open()
    shop.write(b"two\n")
    assert shop.content() == b"two\n"


def test_a_restart_after_many_files_of_one_second(shop: Shop) -> None:
    for number in range(25):
        shop.write(b"%0399d\n" % number)
    newest = max(shop.files(), key=lambda path: files_archive.age_of(path.name))
    shop.store.close()
    shop.store = shop.open()
    shop.write(b"more\n")
    assert newest.read_bytes().endswith(b"more\n")


def test_two_programs_do_not_write_into_one_file(shop: Shop) -> None:
    other = Shop(shop.directory)
    shop.write(b"one\n")
    other.write(b"two\n")
    shop.write(b"three\n")
    assert sorted(path.read_bytes() for path in shop.files()) == [b"one\nthree\n", b"two\n"]
    other.store.close()


def test_a_deleted_file_is_not_written_to(shop: Shop) -> None:
    shop.write(b"one\n")
    shop.files()[0].unlink()
    shop.write(b"two\n")
    assert shop.content() == b"two\n"


def test_a_directory_that_cannot_be_made_is_a_failure_until_it_can(shop: Shop) -> None:
    shop.directory.write_text("in the way")
    outcome = shop.write(b"one\n")
    assert outcome.again is None
    assert not outcome.divide
    assert "File exists" in outcome.reason or "Not a directory" in outcome.reason
    shop.directory.unlink()
    assert shop.write(b"one\n") is DELIVERED
    assert shop.content() == b"one\n"


def test_a_write_that_fails_in_its_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "store", file_limit=1 << 20)
    shop.write(b"one\n")
    # The kernel writes up to the limit, then refuses: what a disk does when it becomes full.
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        assert shop.write(b"x" * 9999 + b"\n").again is None
        assert shop.content() == b"one\n"
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert shop.write(b"x" * 9999 + b"\n") is DELIVERED
    assert shop.content() == b"one\n" + b"x" * 9999 + b"\n"
    shop.store.close()


def test_closed_files_are_packed(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "store", compression="gzip")
    lines = [b"%0399d\n" % number for number in range(9)]
    for line in lines:
        shop.write(line)
    shop.settle()
    packed = [path for path in shop.files() if path.name.endswith(".gz")]
    assert len(packed) == 4
    assert b"".join(gzip.decompress(path.read_bytes()) for path in packed) == b"".join(lines[:8])
    (current,) = [path for path in shop.files() if path.name.endswith(".ndjson")]
    assert current.read_bytes() == lines[8]
    shop.store.close()


def test_files_of_an_earlier_life_are_packed_too(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "store")
    for number in range(5):
        shop.write(b"%0399d\n" % number)
    shop.store.close()
    shop.settings.compression = "gzip"
    shop.store = shop.open()
    shop.write(b"more\n")
    shop.settle()
    assert [path.suffix for path in shop.files()] == [".gz", ".gz", ".ndjson"]
    shop.store.close()


def test_packing_that_was_cut_short_begins_anew(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "store", compression="gzip")
    for number in range(3):
        shop.write(b"%0399d\n" % number)
    assert shop.store.sync()
    shop.store.close()
    shop.store = shop.open()
    shop.write(b"more\n")
    shop.settle()
    assert [path.suffix for path in shop.files()] == [".gz", ".ndjson"]
    shop.store.close()


def test_a_file_of_another_program_is_not_packed(tmp_path: Path) -> None:
    other = Shop(tmp_path / "store")
    other.write(b"other\n")
    shop = Shop(tmp_path / "store", compression="gzip")
    for number in range(3):
        shop.write(b"%0399d\n" % number)
    shop.settle()
    other.write(b"goes on\n")
    assert b"other\ngoes on\n" in [path.read_bytes() for path in shop.files()]
    shop.store.close()
    other.store.close()


def test_a_file_ends_with_its_age(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "store", file_seconds=60.0)
    shop.write(b"one\n")
    shop.clock.now += 61
    shop.loop.step(0)
    shop.write(b"two\n")
    assert [path.read_bytes() for path in shop.files()] == [b"one\n", b"two\n"]
    shop.store.close()


def test_the_oldest_files_are_deleted(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "store", keep_bytes=2500)
    for number in range(20):
        shop.write(b"%0399d\n" % number)
        assert shop.store.sync()
    assert sum(path.stat().st_size for path in shop.files()) <= 2500 + 800
    kept = sorted(int(line) for path in shop.files() for line in path.read_bytes().split())
    assert kept == list(range(kept[0], 20))
    shop.store.close()


def test_files_that_are_too_old_are_deleted(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "store", keep_seconds=1000.0)
    for number in range(3):
        shop.write(b"%0399d\n" % number)
    shop.settle()
    old, current = shop.files()
    os.utime(old, (0, time.time() - 2000))
    shop.clock.now += 1000
    shop.loop.step(0)
    assert shop.files() == [current]
    shop.store.close()
