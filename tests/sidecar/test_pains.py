"""One test for each of the pains that users of log shippers have, named after it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.sidecar.following import Following
from tests.sidecar.shipping import Sidecar
from tests.waiting import wait_until

# Reading: the joiner, rotation, copytruncate, identity, polling


def test_pain_02_a_half_joined_record_is_delivered_at_exit(sidecar: Sidecar) -> None:
    """The multi-line joiner's last record is lost when the shipper ends."""
    # Longer than the test: only the end completes the record.
    sidecar.config["logs"][0]["multiline"] = {"rule": "auto", "flush": 60}
    sidecar.start()
    trace = "2026-11-23 ERROR fails\njava.lang.Error: no\n\tat shop.Main.main(Main.java:1)"
    sidecar.append("a.log", f"2026-11-23 INFO begins\n{trace}".encode())
    sidecar.wait_for(["2026-11-23 INFO begins"])
    assert sidecar.stop() == 0
    assert sidecar.messages() == ["2026-11-23 INFO begins", trace]


def test_pain_03_a_rotated_file_is_read_to_its_end(following: Following) -> None:
    """A file that is renamed or deleted with bytes unread is dropped."""
    lines = [b"line %d" % number for number in range(50_000)]
    following.append("a.log", b"\n".join(lines[:40_000]) + b"\n")
    found = [text for chunk in following.chunks(64 << 10) for text in chunk.texts()]
    writer = (following.folder / "a.log").open("ab", buffering=0)
    (following.folder / "a.log").rename(following.folder / "gone")
    (following.folder / "gone").unlink()
    following.append("a.log", b"new\n")
    writer.write(b"\n".join(lines[40_000:]) + b"\n")
    found += following.lines(turns=20)
    writer.close()
    assert [line for line in found if line != b"new"] == lines
    assert b"new" in found


def test_pain_04_copytruncate_neither_stalls_nor_repeats(following: Following) -> None:
    """After a truncation nothing is read until the old size is reached, or all of it again."""
    found: list[bytes] = []
    wanted: list[bytes] = []
    for number in range(1, 20):
        # Sometimes shorter, sometimes longer than what was there before.
        said = [b"%d: %d" % (number, line) for line in range(number * 7 % 11 + 1)]
        following.append("a.log", b"\n".join(said) + b"\n")
        wanted += said
        found += following.lines(turns=2)
        copy = (following.folder / "a.log").read_bytes()
        (following.folder / f"a.log.{number}").write_bytes(copy)
        following.write("a.log", b"")
    found += following.lines(turns=12)
    assert found == wanted
    assert following.tail.counters["lost_bytes"] == 0


def test_pain_05_inodes_used_again_and_files_that_begin_alike(following: Following) -> None:
    """An inode that is used again, or an equal fingerprint, makes a new file an old one."""
    banner = b"#Version: 1.0 of the same long header\n" * 50
    for name in ("a.log", "b.log", "c.log"):
        following.append(name, banner + name.encode() + b"\n")
    found = following.lines(turns=12)
    assert [line for line in found if not line.startswith(b"#")] == [b"a.log", b"b.log", b"c.log"]
    for number in range(20):
        path = following.folder / "a.log"
        inode = path.stat().st_ino
        path.unlink()
        following.restart()
        path.write_bytes(banner + b"again %d\n" % number)
        if path.stat().st_ino != inode:
            continue
        assert b"again %d" % number in following.lines(turns=12)
        break
    else:
        pytest.skip("this file system doesn't use an inode again soon")


def test_pain_10_quiet_files_cost_nothing_and_are_heard_at_once(sidecar: Sidecar) -> None:
    """Watches cost memory and run out; polling costs processor time or is late."""
    for number in range(100):
        sidecar.append(f"{number}.log", b"first\n")
    sidecar.start()
    wait_until(lambda: len(sidecar.messages()) == 100, 30, "all first lines")
    assert sidecar.process is not None
    process = Path(f"/proc/{sidecar.process.pid}")
    # A directory is watched, not a file in it; and looks are a second apart.
    hinted = [os.readlink(each) for each in (process / "fd").iterdir()]
    assert hinted.count(str(sidecar.log)) <= 1
    assert not any("inotify" in each for each in hinted)
    sidecar.append("7.log", b"second\n")
    wait_until(lambda: len(sidecar.messages()) == 101, 30, "the second line")
    assert sidecar.stop() == 0
