"""The files store: whole records, full files, crashes and full disks."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from podweave.helpers.journal import Journal
from podweave.helpers.logs.delivery.batches import Batch, Piece
from podweave.helpers.logs.delivery.origin import Origin
from podweave.helpers.logs.stores import files
from podweave.helpers.logs.stores.files import FilesStore, Settings
from podweave.helpers.logs.stores.interface import DELIVERED, Context, Outcome
from podweave.helpers.loop import Loop


class Shop:
    """A store and what it has said of each batch."""

    def __init__(self, directory: Path, file_limit: int = 1000, format: str = "json") -> None:
        self.directory = directory
        self.settings = Settings(str(directory), format=format, file_limit=file_limit)
        self.outcomes: list[Outcome] = []
        self.loop = Loop()
        self.journal = Journal("sidecar", "ship", fd=os.open(os.devnull, os.O_WRONLY))
        self.store = self.open()

    def open(self) -> FilesStore:
        origin = Origin({"namespace": "shop", "pod": {"name": "orders-1", "uid": "5f1c"}})
        context = Context(self.loop, self.journal, origin, name="files", state="/nowhere")
        return files.open(self.settings, context)

    def write(self, data: bytes, raw: bool = False) -> Outcome:
        piece = Piece(data, "/var/log/a.log", "1-1-0", 0, 1767225600.0)
        batch = Batch([piece], Origin({}), raw=raw, read_at=0.0)
        self.store.send(batch, self.outcomes.append)
        return self.outcomes[-1]

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
