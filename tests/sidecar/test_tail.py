"""Following files: appearing, growing, vanishing, and lines of every kind."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from tests.sidecar.following import Following


def test_lines_come_out_in_order_and_once(following: Following) -> None:
    following.append("a.log", b"one\ntwo\n")
    assert following.lines() == [b"one", b"two"]
    following.append("a.log", b"three\n")
    assert following.lines() == [b"three"]
    assert following.lines() == []


def test_a_file_is_read_from_its_beginning_also_when_it_comes_later(following: Following) -> None:
    assert following.lines() == []
    following.append("later.log", b"first\n")
    assert following.lines() == [b"first"]


def test_a_directory_that_is_not_there_yet(tmp_path: Path) -> None:
    following = Following(tmp_path, "deep/**/*.log")
    assert following.lines() == []
    (tmp_path / "deep" / "er").mkdir(parents=True)
    following.append("deep/er/a.log", b"found\n")
    following.append("deep/b.log", b"too\n")
    assert sorted(following.lines()) == [b"found", b"too"]


def test_an_unfinished_line_waits_for_its_end(following: Following) -> None:
    following.append("a.log", b"whole\nunfin")
    assert following.lines() == [b"whole"]
    following.append("a.log", b"ished\n")
    assert following.lines() == [b"unfinished"]


def test_crlf_and_nul_bytes_within_lines_stay(following: Following) -> None:
    following.append("a.log", b"dos\r\nbi\0nary\n\xff\xfe\n\n")
    assert following.lines() == [b"dos\r", b"bi\0nary", b"\xff\xfe", b""]


def test_the_last_line_without_newline_is_delivered_at_the_end_of_the_pod(
    following: Following,
) -> None:
    following.append("a.log", b"first\nlast")
    assert following.lines() == [b"first"]
    following.tail.finish()
    assert following.lines(turns=8) == [b"last"]
    assert following.tail.finished


def test_finishing_waits_for_a_writer_that_still_writes(following: Following) -> None:
    with (following.folder / "a.log").open("ab", buffering=0) as writer:
        following.tail.finish()
        for number in range(8):
            writer.write(b"%d\n" % number)
            assert following.lines(turns=2) == [b"%d" % number]
            assert not following.tail.finished
        writer.write(b"the last act")
    assert following.lines(turns=8) == [b"the last act"]
    assert following.tail.finished


def test_what_comes_after_finish_was_asked_for_is_still_found(following: Following) -> None:
    following.lines()
    following.tail.finish()
    following.append("late.log", b"written by a preStop hook")
    assert following.lines(turns=8) == [b"written by a preStop hook"]


def test_nothing_to_read_finishes_at_once(following: Following) -> None:
    following.tail.finish()
    assert following.lines(turns=1) == []
    assert following.tail.finished


def test_a_long_line_is_given_whole_up_to_the_limit(tmp_path: Path) -> None:
    following = Following(tmp_path, line_limit=4096)
    following.append("a.log", b"x" * 4096 + b"\n" + b"y" * 4097 + b"\nshort\n" + b"z" * 3 + b"\n")
    assert following.lines(turns=10) == [b"x" * 4096, b"y" * 4096, b"short", b"zzz"]
    assert following.tail.counters["long_lines"] == 1
    assert following.tail.counters["cut_bytes"] == 1


def test_a_line_of_many_reads_that_grows_slowly(tmp_path: Path) -> None:
    following = Following(tmp_path, line_limit=10_000)
    for _ in range(30):
        following.append("a.log", b"x" * 1000)
        assert following.lines(turns=1) == []
    following.append("a.log", b"\nnext\n")
    assert following.lines(turns=10) == [b"x" * 10_000, b"next"]
    assert following.tail.counters["cut_bytes"] == 20_000


def test_a_line_over_the_limit_survives_a_restart_in_its_middle(tmp_path: Path) -> None:
    following = Following(tmp_path, line_limit=2000)
    following.append("a.log", b"first\n" + b"x" * 9000)
    assert following.lines() == [b"first"]
    following.restart()
    following.append("a.log", b"x\nlast\n")
    assert following.lines(turns=12) == [b"x" * 2000, b"last"]


def test_an_unreadable_file_is_counted_and_tried_again(tmp_path: Path) -> None:
    following = Following(tmp_path)
    # A link to itself can't be opened by anybody, root included.
    (tmp_path / "a.log").symlink_to("a.log")
    assert following.lines() == []
    assert following.tail.unreadable() == 1
    (tmp_path / "a.log").unlink()
    following.append("a.log", b"readable\n")
    assert following.lines() == [b"readable"]
    assert following.tail.unreadable() == 0


def test_a_symbolic_link_and_its_file_are_one(following: Following) -> None:
    following.append("today.log", b"one\n")
    (following.folder / "current.log").symlink_to("today.log")
    assert following.lines() == [b"one"]
    following.append("current.log", b"two\n")
    assert following.lines() == [b"two"]


def test_a_link_that_is_pointed_elsewhere_leads_to_the_new_file(tmp_path: Path) -> None:
    following = Following(tmp_path, "current.log")
    following.append("monday.txt", b"one\n")
    (tmp_path / "current.log").symlink_to("monday.txt")
    assert following.lines() == [b"one"]
    following.append("monday.txt", b"late\n")
    following.append("tuesday.txt", b"two\n")
    (tmp_path / "new").symlink_to("tuesday.txt")
    (tmp_path / "new").replace(tmp_path / "current.log")
    assert following.lines() == [b"late", b"two"]


def test_no_file_keeps_the_others_from_being_read(following: Following) -> None:
    following.append("big.log", b"x" * 99 + b"\n")
    for _ in range(7):
        following.append("big.log", (b"x" * 99 + b"\n") * 1000)
    following.append("small.log", b"me too\n")
    paths = [Path(chunk.file.path).name for chunk in following.chunks(300_000)]
    assert set(paths) == {"big.log", "small.log"}


def test_reads_stay_within_what_is_asked_for(following: Following) -> None:
    following.append("a.log", b"0123456789\n" * 100_000)
    total = 0
    while chunks := following.chunks(20_000):
        size = sum(len(chunk.data) for chunk in chunks)
        assert size <= 20_000
        assert all(chunk.data.endswith(b"\n") for chunk in chunks)
        total += size
    assert total == 1_100_000


def test_pace_is_fast_after_growth_and_slow_when_quiet(following: Following) -> None:
    following.append("a.log", b"one\n" * 10_000)
    following.chunks(8192)
    assert following.tail.next_poll() == 0.0
    following.lines()
    assert following.tail.next_poll() < 0.2
    following.clock.now += 60
    assert following.tail.next_poll() == 0.2


def test_unread_bytes_are_known(following: Following) -> None:
    following.append("a.log", b"one\ntwo\n")
    following.clock.now += 1
    assert following.tail.read(0) == []
    assert following.tail.unread_bytes() == 8
    following.lines()
    assert following.tail.unread_bytes() == 0


def test_a_file_rotated_away_while_nothing_may_be_read_is_not_lost(following: Following) -> None:
    following.append("a.log", b"one\n")
    following.clock.now += 1
    following.tail.read(0)
    (following.folder / "a.log").unlink()
    assert following.lines() == [b"one"]


def test_descriptors_are_given_back(following: Following) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    before = open_files()
    for number in range(20):
        following.append(f"{number}.log", b"x\n")
    assert len(following.lines()) == 20
    assert open_files() == before + 20
    for path in following.folder.iterdir():
        path.unlink()
    following.lines()
    assert open_files() == before


def test_more_files_than_may_be_open_are_read_when_there_is_room(following: Following) -> None:
    for number in range(20):
        following.append(f"{number}.log", b"x\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = {int(name) for name in os.listdir("/proc/self/fd")}
    free = [number for number in range(len(used) + 8) if number not in used]
    resource.setrlimit(resource.RLIMIT_NOFILE, (free[7], hard))
    try:
        some = following.lines()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert 0 < len(some) < 20
    assert len(some) + len(following.lines()) == 20
