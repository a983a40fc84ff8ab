"""Files that were compressed after rotation: read on where they were, nothing twice."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.logs.gzip_reader import GzipReader
from podweave.helpers.logs.tail import Tail
from tests.sidecar.following import Clock, Following


def compress(following: Following, name: str, packed: str = "") -> None:
    """As gzip does it."""
    path = following.folder / name
    (following.folder / (packed or f"{name}.gz")).write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def stopped(following: Following) -> list[dict[str, object]]:
    entries = following.tail.entries()
    following.tail.close()
    return entries


def test_compressed_while_it_is_held_open(following: Following) -> None:
    following.append("a.log", b"one\n")
    assert following.lines() == [b"one"]
    following.append("a.log", b"two\n")
    (following.folder / "a.log").rename(following.folder / "a.log.1")
    compress(following, "a.log.1")
    following.append("a.log", b"three\n")
    assert sorted(following.lines(turns=8)) == [b"three", b"two"]


@pytest.mark.parametrize("packed", ["a.log.1.gz", "a.log-20261123.gz", "a-2026-11-23.log.gz"])
def test_half_read_rotated_and_compressed_while_nobody_looked(
    following: Following, packed: str
) -> None:
    following.append("a.log", b"one\ntwo\n" * 1000)
    following.tail.acknowledge(following.chunks(4096)[0])
    following.restart()
    done = following.tail.entries()[0]["offset"]
    entries = stopped(following)
    following.append("a.log", b"three\nunfinished")
    compress(following, "a.log", packed)
    following.append("a.log", b"new\n")
    following.tail = following.start(entries)
    found = following.lines(turns=12)
    old = (b"one\ntwo\n" * 1000)[done:].split(b"\n")[:-1]
    assert [line for line in found if line != b"new"] == [*old, b"three", b"unfinished"]
    assert b"new" in found
    following.restart()
    assert following.lines() == []


def test_its_records_keep_their_names(following: Following) -> None:
    following.append("a.log", b"one\n")
    (chunk,) = following.chunks()
    identity = chunk.file.identity
    following.tail.acknowledge(chunk)
    following.append("a.log", b"two\n")
    entries = stopped(following)
    compress(following, "a.log")
    following.tail = following.start(entries)
    chunks = [chunk for _ in range(6) for chunk in following.chunks()]
    assert [(chunk.file.identity, *chunk.records()) for chunk in chunks] == [
        (identity, (4, b"two"))
    ]


def test_killed_while_it_reads_a_compressed_file(following: Following) -> None:
    lines = [b"line %d" % number for number in range(20_000)]
    following.append("a.log", b"\n".join(lines) + b"\n")
    found: list[bytes] = []
    for chunk in following.chunks(30_000):
        found += chunk.texts()
        following.tail.acknowledge(chunk)
    entries = stopped(following)
    compress(following, "a.log")
    following.tail = following.start(entries)
    for _ in range(10):
        for _ in range(5):
            for chunk in following.chunks(30_000):
                found += chunk.texts()
                following.tail.acknowledge(chunk)
        following.restart()
    assert found == lines


def test_one_that_was_never_seen_is_passed_over_by_a_pattern_of_plain_files(
    following: Following,
) -> None:
    following.append("old.log", b"never seen\n")
    compress(following, "old.log")
    assert following.lines() == []


def test_one_that_was_never_seen_is_read_once_if_a_pattern_says_so(tmp_path: Path) -> None:
    following = Following(tmp_path, "*.gz")
    following.append("old.log", b"never seen\nlast")
    compress(following, "old.log")
    assert following.lines() == [b"never seen", b"last"]
    following.restart()
    assert following.lines() == []
    (tmp_path / "old.log.gz").rename(tmp_path / "old.log.2.gz")
    assert following.lines() == []
    following.restart()
    assert following.lines() == []
    following.tail.close()


def test_what_was_followed_is_not_read_again_compressed(tmp_path: Path) -> None:
    following = Following(tmp_path, "*[gz]")
    following.append("a.log", b"one\n")
    following.tail.close()
    following.pattern = "*.gz"
    from podweave.helpers.logs.tail import Tail

    def start(entries: list[dict[str, object]]) -> Tail:
        patterns = [str(tmp_path / "*.log"), str(tmp_path / "*.gz")]
        return Tail(patterns, entries, clock=following.clock)

    following.start = start  # type: ignore[method-assign]
    following.tail = start([])
    assert following.lines() == [b"one"]
    compress(following, "a.log")
    following.append("a.log", b"two\n")
    assert following.lines(turns=8) == [b"two"]
    following.restart()
    assert following.lines() == []
    following.tail.close()


def test_killed_before_any_of_what_was_compressed_was_acknowledged(tmp_path: Path) -> None:
    """The compressed file is all that there is then."""
    patterns = [f"{tmp_path}/*.log", f"{tmp_path}/*.gz"]
    path = tmp_path / "a.log"
    path.write_bytes(b"one\ntwo\n")
    clock = Clock()
    tail = Tail(patterns, clock=clock)
    (chunk,) = tail.read(1 << 20)
    assert chunk.data == b"one\ntwo\n"
    (tmp_path / "a.log.1.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    for _ in range(9):
        clock.now += 0.5
        assert tail.read(1 << 20) == []
    # It is under way still, and now there is kill -9.
    entries = tail.entries()
    tail.close()
    tail = Tail(patterns, entries, clock=clock)
    assert b"".join(chunk.data for chunk in tail.read(1 << 20)) == b"one\ntwo\n"
    tail.close()


def test_a_damaged_one_says_so_and_stops_nothing(tmp_path: Path) -> None:
    following = Following(tmp_path, "*")
    following.pattern = "*.gz"
    following.tail.close()
    following.tail = following.start([])
    (tmp_path / "bad.gz").write_bytes(b"not gzip at all")
    data = gzip.compress(b"cut off in the middle\n" * 1000)
    (tmp_path / "cut.gz").write_bytes(data[:-20])
    found = following.lines()
    assert set(found) == {b"cut off in the middle"}
    assert following.tail.unreadable() == 1
    (tmp_path / "cut.gz").write_bytes(data)
    found += following.lines()
    assert len(found) == 1000
    following.tail.finish()
    following.lines(turns=6)
    assert following.tail.finished
    following.tail.close()


@given(st.lists(st.binary(max_size=300), max_size=4), st.lists(st.integers(0, 1500), max_size=8))
def test_places_in_it_are_places_in_what_was_compressed(
    members: list[bytes], offsets: list[int]
) -> None:
    import tempfile

    whole = b"".join(members)
    with tempfile.TemporaryFile() as file:
        file.write(b"".join(map(gzip.compress, members)) or gzip.compress(b""))
        file.flush()
        reader = GzipReader(file.fileno())
        for offset in offsets:
            assert reader.read_at(50, offset) == whole[offset : offset + 50]
