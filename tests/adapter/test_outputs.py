"""The outputs: whole rows, segments, and nothing lost when the other side fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podweave.helpers.logs.outputs.path import PathOutput
from podweave.helpers.logs.outputs.spool import SpoolOutput

ROW = b'{"@timestamp":"2026-11-23T02:16:56.000Z","message":"%d"}\n'


def segments(folder: Path) -> dict[str, bytes]:
    return {path.name[:16].lstrip("0"): path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_spool_begins_the_next_segment_when_one_is_full(tmp_path: Path) -> None:
    spool = SpoolOutput(str(tmp_path / "spool"), segment=100)
    for number in range(5):
        spool.write(ROW % number)
    spool.close()
    assert spool.pending == 0
    assert segments(tmp_path / "spool") == {
        "1": ROW % 0 + ROW % 1,
        "2": ROW % 2 + ROW % 3,
        "3": ROW % 4,
    }


def test_a_spool_that_starts_again_leaves_what_is_torn(tmp_path: Path) -> None:
    (tmp_path / "0000000000000041.ndjson").write_bytes(ROW % 1 + b'{"@times')
    (tmp_path / "something else.ndjson").write_bytes(b"")
    spool = SpoolOutput(str(tmp_path))
    spool.write(ROW % 2)
    spool.close()
    assert segments(tmp_path)["41"] == ROW % 1 + b'{"@times'
    assert segments(tmp_path)["42"] == ROW % 2


def test_a_spool_never_goes_back_to_a_number(tmp_path: Path) -> None:
    spool = SpoolOutput(str(tmp_path), segment=10)
    spool.write(ROW % 1)
    spool.write(ROW % 2)
    for path in tmp_path.iterdir():
        path.unlink()
    spool.write(ROW % 3)
    spool.close()
    assert list(segments(tmp_path)) == ["3"]


def test_a_spool_is_full_until_its_reader_has_deleted(tmp_path: Path) -> None:
    now = [0.0]
    spool = SpoolOutput(str(tmp_path), segment=100, limit=150, clock=lambda: now[0])
    spool.write(ROW % 1)
    assert not spool.full()
    spool.write(ROW % 2)
    spool.write(ROW % 3)
    assert spool.full()
    (tmp_path / "0000000000000001.ndjson").unlink()
    now[0] += 1
    assert not spool.full()
    spool.close()
    assert SpoolOutput(str(tmp_path), limit=50).full()


def test_a_path_is_appended_to_and_made_with_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.ndjson"
    for number in range(2):
        output = PathOutput(str(path))
        output.write(ROW % number)
        output.close()
    assert path.read_bytes() == ROW % 0 + ROW % 1


@pytest.mark.parametrize(
    ("torn", "kept"),
    [(b'{"@timestamp":"20', b""), (b"somebody else's", b"somebody else's\n"), (b"", b"")],
)
def test_a_torn_row_of_an_earlier_life_is_taken_away(
    tmp_path: Path, torn: bytes, kept: bytes
) -> None:
    path = tmp_path / "out.ndjson"
    path.write_bytes(ROW % 1 + torn)
    output = PathOutput(str(path))
    output.write(ROW % 2)
    output.close()
    assert path.read_bytes() == ROW % 1 + kept + ROW % 2


def test_what_can_not_be_written_is_kept_and_tried_again(tmp_path: Path) -> None:
    blocker = tmp_path / "directory"
    blocker.write_bytes(b"")  # a file where the directory should be
    output = PathOutput(str(blocker / "out.ndjson"))
    spool = SpoolOutput(str(blocker / "spool"))
    for one in (output, spool):
        one.write(ROW % 1)
        one.write(ROW % 2)
        assert one.pending == 2 * len(ROW % 1)
        assert one.failures
    blocker.unlink()
    for one in (output, spool):
        one.pump()
        assert one.pending == 0
        one.close()
    assert (blocker / "out.ndjson").read_bytes() == ROW % 1 + ROW % 2
    assert segments(blocker / "spool") == {"1": ROW % 1 + ROW % 2}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_keeps_the_rows() -> None:
    output = PathOutput("/dev/full")
    output.write(ROW % 1)
    assert output.pending == len(ROW % 1)
    output.close()
