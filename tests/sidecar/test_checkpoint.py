"""The checkpoint survives everything, and nothing that is wrong with it stops the program."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.journal import Journal
from podweave.helpers.logs.checkpoint import Checkpoint
from podweave.helpers.logs.followed_file import matches
from podweave.helpers.logs.refusals import why
from tests.sidecar.following import Following

ENTRIES = [{"path": "/var/log/a.log", "inode": 1, "offset": 5}]


def journal_of(path: Path) -> Journal:
    return Journal("sidecar", "ship", os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))


def test_what_is_saved_is_there_after_a_restart(tmp_path: Path) -> None:
    checkpoint = Checkpoint(str(tmp_path / "state"))
    assert checkpoint.entries("a") == []
    assert checkpoint.save({"a": ENTRIES, "b": []})
    again = Checkpoint(str(tmp_path / "state"))
    assert again.entries("a") == ENTRIES
    assert os.listdir(tmp_path / "state") == ["checkpoint.json"]


def test_a_damaged_checkpoint_is_set_aside_loudly(tmp_path: Path) -> None:
    for garbage in (b"", b"{", b"[]", b'{"version":2}', b'{"version":1,"sections":{"a":3}}'):
        path = tmp_path / "checkpoint.json"
        path.write_bytes(garbage)
        said = tmp_path / "said"
        said.unlink(missing_ok=True)
        assert Checkpoint(str(tmp_path), journal_of(said)).entries("a") == []
        assert json.loads(said.read_text())["event.action"] == "checkpoint.damaged"
        assert (tmp_path / "checkpoint.json.damaged").read_bytes() == garbage
        assert not path.exists()


@given(st.binary(max_size=200))
def test_no_bytes_in_a_checkpoint_are_a_crash(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "checkpoint.json").write_bytes(data)
        checkpoint = Checkpoint(folder)
        assert isinstance(checkpoint.entries("a"), list)
        assert checkpoint.save({"a": ENTRIES})


odd_values = st.one_of(
    st.none(),
    st.integers(-2, 2000),
    st.text(max_size=3),
    st.lists(st.integers(-2, 2000) | st.text(max_size=3), max_size=3),
)
odd_entries = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("path", "device", "generation", "head", "tail", "offset", "gone"), odd_values
    ),
)
SOUND = {
    "path": "/a.log",
    "device": 1,
    "generation": 0,
    "head": [1, "0"],
    "tail": [1, "0"],
    "offset": 1,
}


@given(st.lists(odd_entries, max_size=4))
def test_no_entry_is_a_crash(found: list[dict[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        following = Following(Path(folder))
        following.append("a.log", b"line\n")
        inode = (Path(folder) / "a.log").stat().st_ino
        following.tail.close()
        following.tail = following.start([{**SOUND, "inode": inode, **entry} for entry in found])
        assert following.lines() == [b"line"]
        json.dumps(following.tail.entries())
        following.tail.close()


def test_a_state_directory_that_cannot_be_written_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"a file where the directory should be")
    said = tmp_path / "said"
    checkpoint = Checkpoint(str(tmp_path / "state"), journal_of(said))
    for _ in range(3):
        assert not checkpoint.save({})
    assert checkpoint.failures == 3
    assert not checkpoint.writable
    events = [json.loads(line)["event.action"] for line in said.read_text().splitlines()]
    assert events.count("checkpoint.unwritable") == 1
    (tmp_path / "state").unlink()
    assert checkpoint.save({})
    assert checkpoint.writable


def test_entries_of_files_long_gone_are_forgotten(tmp_path: Path) -> None:
    old = {**SOUND, "path": "/x", "inode": 1, "gone": 1_000_000}
    young = {**SOUND, "path": "/y", "inode": 2}
    following = Following(tmp_path)
    following.tail = following.start([old, young])
    assert [entry["path"] for entry in following.tail.entries()] == ["/y"]


def test_an_entry_matches_only_a_file_with_its_bytes(tmp_path: Path) -> None:
    following = Following(tmp_path)
    following.append("a.log", b"x" * 2000 + b"\nend\n")
    following.lines()
    (entry,) = following.tail.entries()
    path = tmp_path / "a.log"
    for change, same in ((None, True), (0, False), (2000, False), (1500, True)):
        data = bytearray(path.read_bytes())
        if change is not None:
            data[change] ^= 1
        copy = tmp_path / "copy"
        copy.write_bytes(data)
        descriptor = os.open(copy, os.O_RDONLY)
        assert (matches(entry, descriptor) is not None) is same
        os.close(descriptor)
    following.tail.close()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM])
def test_who_was_refused_is_said(number: int) -> None:
    words = why(OSError(number, "no"))
    assert words == f"no: this runs as user {os.geteuid()}, group {os.getegid()}"
    assert why(OSError(errno.ENOSPC, "no space")) == "no space"
