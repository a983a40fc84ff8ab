"""Rotation of every kind loses nothing, and gives nothing twice where the files can tell."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from podweave.helpers.logs.events import Events
from podweave.helpers.logs.file_ends import HELD_QUIET
from podweave.helpers.logs.reading import Reading
from tests.sidecar.following import Following


def rename(following: Following, old: str, new: str) -> None:
    (following.folder / old).rename(following.folder / new)


def test_renamed_and_followed_under_its_new_name_is_not_read_twice(following: Following) -> None:
    following.append("a.log", b"one\n")
    assert following.lines() == [b"one"]
    rename(following, "a.log", "a.log.1")
    following.append("a.log.1", b"late\n")
    following.append("a.log", b"new\n")
    assert following.lines() == [b"late", b"new"]


def test_renamed_out_of_sight_is_read_to_its_end(tmp_path: Path) -> None:
    following = Following(tmp_path, "a.log")
    with (tmp_path / "a.log").open("ab", buffering=0) as writer:
        writer.write(b"one\n")
        assert following.lines() == [b"one"]
        rename(following, "a.log", "old")
        for _ in range(3):
            writer.write(b"after\n")
            assert following.lines() == [b"after"]
        following.clock.now += 3600
        assert following.lines() == []
        writer.write(b"the application was slow to notice")
        following.append("a.log", b"new\n")
    assert sorted(following.lines()) == [b"new", b"the application was slow to notice"]
    assert following.tail.files() == 1


def test_deleted_with_bytes_unread_is_read_to_its_end(following: Following) -> None:
    following.append("a.log", b"one\n")
    following.lines()
    following.append("a.log", b"unread\n" * 10_000)
    (following.folder / "a.log").unlink()
    assert following.lines() == [b"unread"] * 10_000
    assert following.tail.files() == 0


def test_the_old_file_is_read_before_the_new_one_at_its_place(following: Following) -> None:
    following.append("a.log", b"old\n" * 50_000)
    following.chunks(4096)
    rename(following, "a.log", "b.log.1")
    following.append("a.log", b"new\n")
    lines = following.lines(turns=10)
    assert lines[-1] == b"new"
    assert lines.count(b"new") == 1


def test_several_rotations_between_two_looks(following: Following) -> None:
    following.append("a.log", b"1\n")
    following.lines()
    rename(following, "a.log", "a.log.2")
    following.append("a.log", b"2\n")
    rename(following, "a.log", "a.log.1")
    following.append("a.log", b"3\n")
    assert sorted(following.lines()) == [b"2", b"3"]


def test_copytruncate(following: Following) -> None:
    following.append("a.log", b"one\ntwo\n")
    following.lines()
    following.write("a.log", b"")
    following.append("a.log", b"3\n")
    assert following.lines() == [b"3"]


def test_a_hole_that_its_file_system_has_written_out_is_left_out_as_well(
    following: Following,
) -> None:
    following.append("a.log", b"\0" * 3_000_000 + b"one\ntwo\n")
    assert following.lines(turns=20) == [b"one", b"two"]
    assert following.tail.counters["cut_bytes"] == 0
    following.append("a.log", b"\0of a line's own\n")
    assert following.lines() == [b"\0of a line's own"]


def test_rewritten_longer_than_the_old_offset_between_two_looks(following: Following) -> None:
    following.append("a.log", b"one\n")
    following.lines()
    following.write("a.log", b"quite another beginning\nand more\n")
    assert following.lines() == [b"quite another beginning", b"and more"]
    assert following.tail.counters["truncated_files"] == 1


def test_rewritten_to_the_same_length(following: Following) -> None:
    following.append("a.log", b"one\n")
    following.lines()
    following.write("a.log", b"two\n")
    assert following.lines() == [b"two"]


def test_what_a_truncation_takes_away_is_counted(following: Following) -> None:
    following.append("a.log", b"one\n")
    following.lines()
    following.append("a.log", b"never read\n")
    following.clock.now += 1
    following.tail.read(0)
    following.write("a.log", b"x\n")
    assert following.lines() == [b"x"]
    assert following.tail.counters["lost_bytes"] == len(b"never read\n")


def test_a_hole_left_by_copytruncate_under_a_writer_without_append(following: Following) -> None:
    path = following.folder / "a.log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.write(descriptor, b"x" * 99_999 + b"\n")
    assert len(following.lines()) == 1
    os.truncate(path, 0)
    following.lines()
    os.write(descriptor, b"after the hole\n")
    assert following.lines(turns=8) == [b"after the hole"]
    os.write(descriptor, b"more\n")
    os.close(descriptor)
    assert following.lines() == [b"more"]


def test_holes_night_after_night_are_no_losses(following: Following) -> None:
    path = following.folder / "a.log"
    with path.open("wb", buffering=0) as writer:
        writer.write(b"line\n" * 1000)
        following.lines()
        for night in range(3):
            os.truncate(path, 0)
            writer.write(f"first of {night}\n".encode())
            writer.write(b"another\n" * 1000)
            assert following.lines() == [f"first of {night}".encode(), *[b"another"] * 1000]
    assert following.tail.counters["truncated_files"] == 3
    assert following.tail.counters["lost_bytes"] == 0


def test_an_acknowledgement_from_before_a_truncation_moves_nothing(following: Following) -> None:
    following.append("a.log", b"old content\n")
    (old,) = following.chunks()
    following.write("a.log", b"new\n")
    (new,) = [*following.chunks(), *following.chunks()]
    following.tail.acknowledge(old)
    assert all(entry["offset"] == 0 for entry in following.tail.entries())
    following.tail.acknowledge(new)
    (entry,) = following.tail.entries()
    assert entry["offset"] == 4
    assert old.file.ended
    assert not new.file.ended
    assert old.file.identity != new.file.identity


def test_an_inode_that_is_used_again_is_another_file(following: Following) -> None:
    following.append("a.log", b"one\n")
    assert following.lines() == [b"one"]
    entries = following.tail.entries()
    # What the file system does when it uses an inode again, made certain: same inode, other bytes.
    following.tail.close()
    following.write("a.log", b"another file, same inode\n")
    following.tail = following.start(entries)
    assert following.lines() == [b"another file, same inode"]


def test_an_inode_freed_and_used_again_while_running(following: Following) -> None:
    chance = random.Random(1)
    for number in range(50):
        line = b"%d\n" % number * 3
        following.append("a.log", line)
        assert following.lines(turns=2) == [b"%d" % number] * 3
        (following.folder / "a.log").unlink()
        following.lines(turns=chance.randrange(4))
    following.lines()
    assert following.tail.entries() == []


def test_restart_after_rename_goes_on_in_the_renamed_file(following: Following) -> None:
    following.append("a.log", b"one\n")
    following.lines()
    with following.away():
        following.append("a.log", b"two\n")
        rename(following, "a.log", "a.log.1")
        following.append("a.log", b"three\n")
    assert sorted(following.lines()) == [b"three", b"two"]


def test_renamed_out_of_sight_while_nobody_followed(tmp_path: Path) -> None:
    following = Following(tmp_path, "a.log")
    following.append("a.log", b"one\n")
    following.lines()
    with following.away():
        following.append("a.log", b"two\n")
        rename(following, "a.log", "a.log.1")
        following.append("a.log", b"three\n")
        following.append("another", b"not followed\n")
    assert following.lines() == [b"two", b"three"]
    assert following.tail.files() == 1
    following.restart()
    assert following.lines() == []


def test_restart_gives_only_what_was_not_acknowledged(following: Following) -> None:
    following.append("a.log", b"one\n")
    following.lines()
    following.append("a.log", b"two\n")
    assert [chunk.data for chunk in following.chunks()] == [b"two\n"]
    following.restart()
    assert following.lines() == [b"two"]


def test_restart_while_shrunken(following: Following) -> None:
    following.append("a.log", b"one\ntwo\n")
    following.lines()
    with following.away():
        following.write("a.log", b"3\n")
    assert following.lines() == [b"3"]


def test_a_deleted_file_leaves_the_checkpoint_once_acknowledged(following: Following) -> None:
    following.append("a.log", b"one\n")
    (chunk,) = following.chunks()
    (following.folder / "a.log").unlink()
    assert following.lines() == []
    assert following.tail.files() == 0
    following.tail.acknowledge(chunk)
    assert following.tail.entries() == []


def test_a_file_that_is_away_for_a_while_is_not_read_again(tmp_path: Path) -> None:
    following = Following(tmp_path, "*.log")
    following.append("a.log", b"one\n")
    following.lines()
    rename(following, "a.log", "elsewhere")
    following.lines()
    assert following.tail.files() == 0
    following.restart()
    rename(following, "elsewhere", "a.log")
    following.append("a.log", b"two\n")
    assert following.lines() == [b"two"]


def test_acknowledgements_out_of_order_move_nothing_past_a_gap(following: Following) -> None:
    following.append("a.log", b"one\n")
    first = following.chunks()[0]
    following.append("a.log", b"two\n")
    second = following.chunks()[0]
    following.tail.acknowledge(second)
    assert all(entry["offset"] == 0 for entry in following.tail.entries())
    following.tail.acknowledge(first)
    assert following.tail.entries()[0]["offset"] == 8


def test_compressed_files_are_passed_over(following: Following) -> None:
    following.append("a.log.1.gz", b"\x1f\x8b not lines\n")
    assert following.lines() == []


def copy(following: Following, old: str, new: str) -> None:
    (following.folder / new).write_bytes((following.folder / old).read_bytes())


def test_the_copy_of_copytruncate_is_not_read_twice(following: Following) -> None:
    following.append("a.log", b"one\ntwo\n")
    following.lines()
    copy(following, "a.log", "a.log.1")
    following.write("a.log", b"")
    following.append("a.log", b"three\n")
    assert following.lines() == [b"three"]


def test_the_copy_of_copytruncate_gives_what_was_cut_away_unread(following: Following) -> None:
    following.append("a.log", b"one\n")
    following.lines()
    following.append("a.log", b"unread\n")
    copy(following, "a.log", "a.log.1")
    assert following.lines(turns=1) == [b"unread"]
    following.append("a.log", b"unread as well\n")
    copy(following, "a.log", "a.log.1")
    following.write("a.log", b"three\n")
    assert sorted(following.lines()) == [b"three", b"unread as well"]


def test_a_file_that_begins_like_another_is_read_after_a_moment(following: Following) -> None:
    following.append("a.log", b"started\n")
    following.lines()
    following.append("a.log.audit", b"started\n")
    assert following.lines(turns=20) == [b"started"]


def test_a_file_like_a_truncated_one_up_to_its_offset_only_in_the_first_bytes(
    following: Following,
) -> None:
    following.append("a.log", b"started\none\n")
    following.lines()
    following.append("a.log.1", b"started\nsomething else\n")
    following.write("a.log", b"two\n")
    assert sorted(following.lines(turns=12)) == [b"something else", b"started", b"two"]


def test_silent_writers_of_rotated_files_hold_only_so_many(tmp_path: Path) -> None:
    following = Following(tmp_path, "a.log")
    writers = []
    for number in range(HELD_QUIET + 10):
        writers.append((tmp_path / "a.log").open("ab", buffering=0))
        writers[-1].write(b"%d\n" % number)
        assert following.lines(turns=1) == [b"%d" % number]
        rename(following, "a.log", f"a.log.{number}")
        following.lines(turns=1)
    assert following.tail.files() == HELD_QUIET + 10
    following.clock.now += 60
    following.lines(turns=1)
    assert following.tail.files() == HELD_QUIET
    writers[-1].write(b"still heard\n")
    assert following.lines(turns=2) == [b"still heard"]
    for writer in writers:
        writer.close()


def make_unreadable(path: Path) -> int:
    """Reads of the open file fail: its descriptor becomes one that only names it (O_PATH)."""
    links = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]
    (descriptor,) = [int(link.name) for link in links if link.exists() and link.samefile(path)]
    _put(os.open(path, os.O_PATH), descriptor)
    return descriptor


def make_readable(descriptor: int) -> None:
    _put(os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY), descriptor)


def _put(fresh: int, descriptor: int) -> None:
    os.dup2(fresh, descriptor)
    os.close(fresh)


def test_what_cannot_be_read_for_a_while_is_not_let_go(following: Following) -> None:
    following.append("a.log", b"one\nunfinished")
    assert following.lines() == [b"one"]
    descriptor = make_unreadable(following.folder / "a.log")
    (following.folder / "a.log").unlink()
    following.lines()
    following.clock.now += 3600
    assert following.lines() == []
    assert following.tail.unread_bytes() == len(b"unfinished")
    assert following.tail.unreadable() == 1
    make_readable(descriptor)
    assert following.lines() == [b"unfinished"]
    assert following.tail.counters["unreadable_bytes"] == 0
    assert following.tail.files() == 0


def test_so_many_that_cannot_be_read_are_held_and_the_rest_is_counted_as_lost(
    following: Following,
) -> None:
    for number in range(HELD_QUIET + 2):
        name = f"{number}.log"
        following.append(name, b"unfinished")
        following.lines()
        make_unreadable(following.folder / name)
        (following.folder / name).unlink()
    following.lines()
    assert following.tail.files() == HELD_QUIET + 2
    following.clock.now += 3600
    following.lines()
    assert following.tail.files() == HELD_QUIET
    assert following.tail.counters["unreadable_bytes"] == 2 * len(b"unfinished")


def test_a_folder_that_is_away_for_a_moment_is_not_read_again(tmp_path: Path) -> None:
    following = Following(tmp_path / "logs")
    (tmp_path / "logs").mkdir()
    following.append("a.log", b"one\n")
    assert following.lines() == [b"one"]
    (tmp_path / "logs").rename(tmp_path / "away")
    following.lines(turns=8)
    assert following.tail.files() == 0
    (tmp_path / "away").rename(tmp_path / "logs")
    following.append("a.log", b"two\n")
    assert following.lines() == [b"two"]


def test_rewritten_with_the_same_beginning_and_the_same_bytes_before_the_offset(
    following: Following,
) -> None:
    banner = b"Shop 1.7 is starting, hello\n" * 40
    quiet = b"still alive and well\n" * 400
    orders = b"".join(b"order %04d\n" % number for number in range(800))
    following.append("a.log", banner + orders + quiet)
    following.lines()
    following.write("a.log", banner + orders[::-1] + b"\n" + quiet + b"and more\n")
    assert b"9970 redro" in following.lines()
    assert following.tail.counters["truncated_files"] == 1


def test_the_samples_go_into_the_checkpoint(following: Following) -> None:
    banner = b"Shop 1.7 is starting, hello\n" * 40
    # The sample ends at 4096.
    early = b"x" * (4096 - len(banner) - 20) + b"\n"
    quiet = b"still alive and well\n" * 400
    following.append("a.log", banner + early + b"order 1\n" + quiet)
    following.lines()
    with following.away(), (following.folder / "a.log").open("r+b") as file:
        file.write(banner + early + b"order 2\n" + quiet + b"and more\n")
    assert b"order 2" in following.lines()


def test_another_version_of_the_inode_is_another_file(following: Following) -> None:
    following.append("a.log", b"one\n")
    following.lines()
    (entry,) = following.tail.entries()
    if "version" not in entry:
        pytest.skip("this file system tells no version")
    following.tail.close()
    # As if it had been deleted, and a file with the same bytes had got its inode.
    following.tail = following.start([{**entry, "version": entry["version"] ^ 1}])
    assert following.lines() == [b"one"]


def test_renamed_out_of_sight_before_it_was_read(tmp_path: Path) -> None:
    following = Following(tmp_path, "a.log")
    following.append("a.log", b"one\n")
    following.clock.now += 1
    following.tail.read(0)
    if not following.tail.entries():
        pytest.skip("this file system tells no version of an inode")
    with following.away():
        rename(following, "a.log", "elsewhere")
    assert following.lines() == [b"one"]
    following.tail.close()


def test_rewritten_while_an_event_waits_for_its_end(tmp_path: Path) -> None:
    following = Following(tmp_path, reading=Reading("auto", events=Events("auto", flush=60)))
    following.append("a.log", b"one\ntwo\n")
    assert following.lines() == [b"one"]
    following.tail.finish()
    following.lines(turns=1)
    # As long as before: only the bytes before the offset tell.
    following.write("a.log", b"eno\nowt\n")
    assert following.lines(turns=16) == [b"eno", b"owt"]
    assert following.tail.finished
    following.tail.close()


@pytest.mark.parametrize("pattern", ["a.log", "a.log*"])
def test_what_copytruncate_cut_away_is_read_from_the_copy(tmp_path: Path, pattern: str) -> None:
    following = Following(tmp_path, pattern)
    lines = [b"line %d" % number for number in range(30_000)]
    following.append("a.log", b"\n".join(lines) + b"\n")
    first = following.chunks(20_000)
    found = [text for chunk in first for text in chunk.texts()]
    (tmp_path / "a.log.other").write_bytes(b"line 0\nbut another file, and longer" * 20_000)
    copy(following, "a.log", "a.log-20261123")
    following.write("a.log", b"new\n")
    # What was read isn't safe yet: to go on in the copy would let a restart jump over it.
    early = {text for chunk in following.chunks() for text in chunk.texts()}
    assert not early & set(lines[1:])
    for chunk in first:
        following.tail.acknowledge(chunk)
    found += [line for line in following.lines(turns=12) if line.startswith(b"line")]
    if pattern == "a.log":
        assert found == lines
    assert set(found) >= set(lines)
    assert following.tail.counters["truncated_files"] == 1
    assert following.tail.counters["lost_bytes"] == 0
    following.tail.close()


def test_no_sample_is_taken_of_a_hole(following: Following) -> None:
    path = following.folder / "a.log"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    os.pwrite(descriptor, b"behind the hole\n" * 600, 70_000)
    found = following.lines(turns=8)
    for _ in range(5):
        os.pwrite(descriptor, b"more\n" * 4000, path.stat().st_size)
        found += following.lines(turns=8)
    os.close(descriptor)
    assert found == [b"behind the hole"] * 600 + [b"more"] * 20_000
    assert following.tail.counters["truncated_files"] == 0


@pytest.mark.parametrize("pattern", ["*.log*", "a.log"])
def test_copied_and_truncated_while_nobody_followed(tmp_path: Path, pattern: str) -> None:
    """What was read of the original isn't read again in the copy, whose records keep the names of
    the original's; what wasn't is read, whether or not the pattern says so."""
    following = Following(tmp_path, pattern)
    following.append("a.log", b"one\ntwo\n")
    (chunk,) = following.chunks()
    following.tail.acknowledge(chunk)
    following.append("a.log", b"three\n")
    with following.away():
        copy(following, "a.log", "a.log.1")
        following.write("a.log", b"four\n")
    chunks = [*following.chunks(), *following.chunks()]
    assert [chunk.data for chunk in chunks] == [b"three\n", b"four\n"]
    assert chunks[0].file.identity == chunk.file.identity
    assert chunks[1].file.identity != chunk.file.identity
    # Killed then: both are known, and have the names that they had.
    following.tail.acknowledge(chunks[1])
    following.restart()
    (again,) = [*following.chunks(), *following.chunks()]
    assert (again.data, again.offset) == (b"three\n", chunks[0].offset)
    assert again.file.identity == chunk.file.identity
    following.tail.acknowledge(again)
    following.append("a.log", b"five\n")
    (last,) = following.chunks()
    assert (last.data, last.file.identity) == (b"five\n", chunks[1].file.identity)
    following.tail.close()


def test_a_new_generation_never_has_the_name_of_a_copy(following: Following) -> None:
    following.append("a.log", b"one\n")
    following.lines()
    copy(following, "a.log", "a.log.1")
    following.write("a.log", b"")
    following.lines()
    following.append("a.log.1", b"late\n")
    following.append("a.log", b"first of the new\n")
    late, first = sorted(following.chunks(), key=lambda chunk: chunk.data, reverse=True)
    assert late.file.identity != first.file.identity
    # Nothing of the new content is acknowledged: its entry says nothing of it.
    following.tail.acknowledge(late)
    entries = [entry for entry in following.tail.entries() if entry["offset"]]
    following.tail.close()
    following.tail = following.start(entries)
    (again,) = following.chunks()
    assert (again.data, again.file.identity) == (first.data, first.file.identity)


def test_another_file_beside_one_that_was_truncated_is_read(following: Following) -> None:
    following.append("a.log", b"started\nthis\n")
    following.lines()
    following.append("a.log.old", b"started\nthat\nand more\n")
    with following.away():
        following.write("a.log", b"")
    assert following.lines(turns=20) == [b"started", b"that", b"and more"]


def test_a_file_that_is_still_there_has_no_copies(following: Following) -> None:
    following.append("a.log", b"started\n")
    following.lines()
    with following.away():
        following.append("a.log.audit", b"started\n")
    assert following.lines(turns=20) == [b"started"]
