"""The CRI log files: what is written is read back, line by line, over rotation and restarts."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from podweave.engines.local.client.log_reading import LogReader
from podweave.engines.local.records import log_path
from podweave.engines.local.supervision.output import (
    PIECE,
    ContainerOutput,
    LogFile,
    Stream,
    set_aside,
)
from podweave.engines.log_files import in_order

RECORD = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) [FP] [^\n]*\n")


def directory(path: Path) -> Path:
    (path / "logs").mkdir(exist_ok=True)
    return path


def texts(path: Path, name: str = "app", *, former: bool = False) -> list[bytes]:
    with contextlib.closing(LogReader(str(path), name, former=former)) as reader:
        return [line.text for line in reader.read()]


@settings(max_examples=60, deadline=None)
@given(chunks=st.lists(st.binary(max_size=200) | st.just(b"x" * (PIECE + 7)), max_size=20))
def test_any_bytes_come_back_line_by_line(chunks: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = directory(Path(name))
        log = LogFile(log_path(name, "app"))
        stream = Stream("stdout", log)
        for chunk in chunks:
            stream.feed(chunk)
        stream.end()
        log.close()
        whole = b"".join(chunks)
        lines = whole.split(b"\n")
        if not lines[-1]:
            lines.pop()
        assert texts(path) == lines
        records = Path(log_path(name, "app")).read_bytes()
        assert RECORD.sub(b"", records) == b""


def test_a_full_disk_costs_lines_not_the_pod(tmp_path: Path) -> None:
    directory(tmp_path)
    log = LogFile(log_path(str(tmp_path), "app"))
    stream = Stream("stdout", log)
    stream.feed(b"before\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # A limit of the file's size is refused in the middle of a write, as by a disk getting full.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        stream.feed(b"a" * 80 + b"\nlost\n")
        stream.feed(b"lost\n" * 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    stream.feed(b"after\n")
    log.close()
    lost = b"podweave: 22 lines were lost here, the disk was full"
    assert texts(tmp_path) == [b"before", lost, b"after"]


def test_a_long_line_is_kept_in_pieces_marked_as_such(tmp_path: Path) -> None:
    directory(tmp_path)
    log = LogFile(log_path(str(tmp_path), "app"))
    Stream("stdout", log).feed(b"a" * (2 * PIECE + 5) + b"\n")
    log.close()
    marks = [line.split()[2] for line in Path(log.path).read_bytes().splitlines()]
    assert marks == [b"P", b"P", b"F"]
    assert texts(tmp_path) == [b"a" * (2 * PIECE + 5)]


def test_files_are_rotated_and_the_oldest_dropped(tmp_path: Path) -> None:
    directory(tmp_path)
    log = LogFile(log_path(str(tmp_path), "app"), max_bytes=1000, max_files=3)
    stream = Stream("stdout", log)
    for number in range(100):
        stream.feed(b"line %d\n" % number)
    log.close()
    assert sorted(os.listdir(tmp_path / "logs")) == ["app.log", "app.log.1", "app.log.2"]
    assert all(
        (tmp_path / "logs" / name).stat().st_size <= 1000 for name in os.listdir(tmp_path / "logs")
    )
    kept = texts(tmp_path)
    assert kept == [b"line %d" % number for number in range(100 - len(kept), 100)]
    assert len(kept) > 30


def test_a_reader_follows_over_rotation_without_loss(tmp_path: Path) -> None:
    directory(tmp_path)
    log = LogFile(log_path(str(tmp_path), "app"), max_bytes=1000, max_files=3)
    stream = Stream("stdout", log)
    reader = LogReader(str(tmp_path), "app")
    read: list[bytes] = []
    for number in range(200):
        stream.feed(b"line %d\n" % number)
        read += [line.text for line in reader.read()]
    assert read == [b"line %d" % number for number in range(200)]
    reader.close()
    log.close()


def test_a_new_run_sets_the_output_of_the_one_before_aside(tmp_path: Path) -> None:
    directory(tmp_path)
    path = log_path(str(tmp_path), "app")
    for run in range(3):
        if run:
            set_aside(path)
        log = LogFile(path)
        Stream("stdout", log).feed(b"run %d\n" % run)
        log.close()
    assert texts(tmp_path) == [b"run 2"]
    assert texts(tmp_path, former=True) == [b"run 1"]


def test_several_containers_are_read_in_the_order_of_time(tmp_path: Path) -> None:
    directory(tmp_path)
    logs = [LogFile(log_path(str(tmp_path), name)) for name in ("a", "b")]
    streams = [Stream("stdout", log) for log in logs]
    for number in range(10):
        streams[number % 2].feed(b"%d\n" % number)
    readers = [LogReader(str(tmp_path), name) for name in ("a", "b")]
    assert [line.text for line in in_order(readers)] == [b"%d" % number for number in range(10)]
    for log in logs:
        log.close()
    for reader in readers:
        reader.close()


def test_the_end_of_the_output_and_its_last_line_are_seen(tmp_path: Path) -> None:
    directory(tmp_path)
    log = LogFile(log_path(str(tmp_path), "app"))
    output = ContainerOutput(log)
    os.write(output.stdout, b"no newline")
    output.close_writers()
    reader = next(iter(output.readers))
    assert output.read(reader)
    assert not output.read(reader)
    for each in list(output.readers):
        output.finish(each)
    log.close()
    assert texts(tmp_path) == [b"no newline"]
