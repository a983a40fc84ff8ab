"""Reading an adapter's spool: in order, once, and what is done with is deleted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from podweave.helpers.logs.spool_reader import SpoolReader
from tests.sidecar.following import Clock


class Spool:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.reader = self.start([])

    def start(self, entries: list[dict[str, Any]]) -> SpoolReader:
        return SpoolReader(str(self.folder), entries, clock=self.clock)

    def restart(self) -> None:
        entries = self.reader.entries()
        self.reader.close()
        self.reader = self.start(entries)

    def append(self, number: int, data: bytes) -> None:
        self.folder.mkdir(exist_ok=True)
        with (self.folder / f"{number:016d}.ndjson").open("ab") as file:
            file.write(data)

    def lines(self, turns: int = 3) -> list[bytes]:
        found: list[bytes] = []
        for _ in range(turns):
            self.clock.now += 0.3
            for chunk in self.reader.read(1 << 20):
                found += chunk.data.splitlines()
                self.reader.acknowledge(chunk)
        return found

    def segments(self) -> list[int]:
        return sorted(int(path.name[:16]) for path in self.folder.iterdir())


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def test_segments_are_read_in_order_and_deleted_when_acknowledged(spool: Spool) -> None:
    assert spool.lines() == []
    spool.append(1, b"{}\n[]\n")
    assert spool.lines() == [b"{}", b"[]"]
    spool.append(1, b"1\n")
    spool.append(2, b"2\n")
    spool.append(10, b"3\n")
    assert spool.lines() == [b"1", b"2", b"3"]
    spool.reader.entries()
    assert spool.segments() == [10]


def test_nothing_is_deleted_before_it_is_acknowledged(spool: Spool) -> None:
    spool.append(1, b"1\n")
    spool.append(2, b"2\n")
    chunks = spool.reader.read(1 << 20)
    spool.reader.entries()
    assert spool.segments() == [1, 2]
    spool.reader.acknowledge(chunks[1])
    (entry,) = spool.reader.entries()
    assert (entry["segment"], entry["offset"]) == (1, 0)
    assert spool.segments() == [1, 2]
    spool.reader.acknowledge(chunks[0])
    (entry,) = spool.reader.entries()
    assert (entry["segment"], entry["offset"]) == (2, 2)
    assert spool.segments() == [2]


def test_a_restart_goes_on_where_the_checkpoint_says(spool: Spool) -> None:
    spool.append(1, b"1\n")
    spool.append(2, b"2\n3\n")
    assert spool.lines() == [b"1", b"2", b"3"]
    spool.append(2, b"4\n")
    spool.reader.read(1 << 20)
    spool.restart()
    assert spool.lines() == [b"4"]


def test_a_crash_between_deletion_and_checkpoint(spool: Spool) -> None:
    spool.append(1, b"1\n")
    assert spool.lines() == [b"1"]
    before = spool.reader.entries()
    spool.append(2, b"2\n")
    assert spool.lines() == [b"2"]
    spool.reader.entries()
    assert spool.segments() == [2]
    spool.reader.close()
    spool.reader = spool.start(before)
    assert spool.lines() == [b"2"]


def test_a_spool_that_was_replaced_is_read_from_its_beginning(spool: Spool) -> None:
    spool.append(7, b"old\n")
    assert spool.lines() == [b"old"]
    entries = spool.reader.entries()
    spool.reader.close()
    for number in spool.segments():
        (spool.folder / f"{number:016d}.ndjson").unlink()
    spool.append(1, b"new\n")
    spool.append(7, b"also new\n")
    spool.reader = spool.start(entries)
    assert spool.lines() == [b"new", b"also new"]


def test_a_torn_line_of_a_killed_writer_is_passed_over(spool: Spool) -> None:
    spool.append(1, b'{"whole":1}\n{"to')
    assert spool.lines() == [b'{"whole":1}']
    spool.append(2, b'{"torn":1}\n')
    assert spool.lines() == [b'{"torn":1}']
    assert spool.reader.counters["torn_lines"] == 1


def test_a_record_longer_than_a_read(spool: Spool) -> None:
    record = b'"' + b"x" * 3_000_000 + b'"'
    spool.append(1, b"1\n" + record + b"\n2\n")
    assert spool.lines() == [b"1", record, b"2"]


def test_it_finishes_when_the_writer_is_gone(spool: Spool) -> None:
    spool.append(1, b"1\n")
    with (spool.folder / f"{1:016d}.ndjson").open("ab", buffering=0) as writer:
        spool.lines()
        spool.reader.finish()
        for _ in range(5):
            writer.write(b"more\n")
            assert spool.lines(turns=1) == [b"more"]
            assert not spool.reader.finished
        writer.write(b"last\n")
    assert spool.lines() == [b"last"]
    assert spool.reader.finished


def test_an_absent_spool_finishes_at_once(spool: Spool) -> None:
    spool.reader.finish()
    assert spool.lines(turns=1) == []
    assert spool.reader.finished


def test_unread_bytes_are_known(spool: Spool) -> None:
    assert spool.reader.unread_bytes() == 0
    spool.append(1, b"12\n")
    spool.append(2, b"34\n")
    assert spool.reader.unread_bytes() == 6
    spool.lines()
    assert spool.reader.unread_bytes() == 0


def test_other_names_are_left_alone(spool: Spool) -> None:
    spool.append(1, b"1\n")
    (spool.folder / "notes.txt").write_text("x\n")
    assert spool.lines() == [b"1"]
    assert (spool.folder / "notes.txt").exists()
    assert os.listdir(spool.folder) != []
