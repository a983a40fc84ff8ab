"""Full disks: of the store, the spill and the checkpoint. What can't be put there comes later."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disks import small_disk
from tests.faults.ledgers import Files, Http, ledger
from tests.faults.packed_sidecar import PackedSidecar
from tests.waiting import wait_until

LINES = [f"a 0 {number} " + "x" * 150 for number in range(6000)]
DATA = "".join(f"{line}\n" for line in LINES).encode()


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[PackedSidecar]:
    made = PackedSidecar(tmp_path, drain=10.0)
    yield made
    made.close()


def said(sidecar: PackedSidecar, event: str, times: int = 1) -> bool:
    found = [each for each in sidecar.events() if each["event.action"] == event]
    return len(found) >= times


def test_the_spills_disk_is_full(sidecar: PackedSidecar) -> None:
    """What doesn't fit waits in its file; when there is room and the store is back, all comes."""
    place = sidecar.folder / "volume"
    with ledger("http", "full") as store, small_disk(place, "640k") as disk:
        sidecar.config["logs"][0]["stores"] = [{"http": store.config()}]
        sidecar.config["spill"] = {"directory": str(place), "after": 0.0}
        store.down()
        sidecar.append("a.log", DATA)
        sidecar.start()
        wait_until(lambda: said(sidecar, "spill.failed"), 20, "the disk is full")
        sidecar.stop(signal.SIGKILL)
        sidecar.start()
        wait_until(lambda: said(sidecar, "spill.failed", 2), 20, "the disk is still full")
        disk.resize("16m")
        store.calm()
        last = LINES[-1]
        wait_until(lambda: last in store.taken[-200:], 30, "the last line")
        assert sidecar.stop() == 0
        assert list(dict.fromkeys(store.taken)) == LINES
        assert not list(place.rglob("*.frames"))


def test_the_end_comes_while_the_spills_disk_is_full(sidecar: PackedSidecar) -> None:
    """It says what is left and where, ends in time, and the next life goes on from there."""
    place = sidecar.folder / "volume"
    sidecar.config["drain"] = 4.0
    with ledger("http", "full") as store, small_disk(place, "640k"):
        sidecar.config["logs"][0]["stores"] = [{"http": store.config()}]
        sidecar.config["spill"] = {"directory": str(place), "after": 0.0}
        store.down()
        sidecar.append("a.log", DATA)
        sidecar.start()
        wait_until(lambda: said(sidecar, "spill.failed"), 20, "the disk is full")
        assert sidecar.stop() == 1
        (left,) = [
            event for event in sidecar.events() if event["event.action"] == "sidecar.undelivered"
        ]
        assert left["spill"].startswith(str(place))
        assert 0 < left["spilled_bytes"] < 640 << 10
        missing = left["unread_bytes"] + left["unacknowledged_bytes"]
        assert len(DATA) - (640 << 10) <= missing <= len(DATA)
        store.calm()
        sidecar.config["drain"] = 30.0
        sidecar.start()
        sidecar.admin("/healthz")
        assert sidecar.stop() == 0
        assert list(dict.fromkeys(store.taken)) == LINES


def test_the_checkpoints_disk_is_full(sidecar: PackedSidecar) -> None:
    """Logs go on, it is said once, and after a kill lines come twice and none is lost."""
    state = sidecar.folder / "state"
    with ledger("http", "full") as store, small_disk(state, "64k") as disk:
        (state / "in the way").write_bytes(bytes(disk.free_bytes()))
        assert disk.free_bytes() == 0
        sidecar.config["logs"][0]["stores"] = [{"http": store.config()}]
        sidecar.append("a.log", DATA)
        sidecar.start()
        last = LINES[-1]
        wait_until(lambda: last in store.taken[-200:], 30, "the last line")
        wait_until(lambda: said(sidecar, "checkpoint.unwritable"), 20, "it is said")
        sidecar.stop(signal.SIGKILL)
        assert store.taken == LINES
        (state / "in the way").unlink()
        sidecar.append("a.log", b"a 0 6000 more\n")
        sidecar.start()
        wait_until(lambda: store.taken[-1] == "a 0 6000 more", 30, "the new line")
        assert sidecar.stop() == 0
        assert list(dict.fromkeys(store.taken)) == [*LINES, "a 0 6000 more"]
        count = len(store.taken)
        sidecar.start()
        sidecar.admin("/healthz")
        assert sidecar.stop() == 0
        assert len(store.taken) == count


def test_the_stores_disk_is_full_while_files_are_packed(sidecar: PackedSidecar) -> None:
    """There is no room for a packed file beside its original, nor for the next lines."""
    with ledger("files", "full") as store:
        assert isinstance(store, Files)
        place = Path(store.config()["directory"])
        with small_disk(place, "512k") as disk:
            sidecar.config["logs"][0]["stores"] = [{"files": store.config()}]
            sidecar.append("a.log", DATA)
            sidecar.start()
            wait_until(lambda: said(sidecar, "store.failed"), 20, "the disk is full")
            sidecar.stop(signal.SIGKILL)
            sidecar.start()
            wait_until(lambda: said(sidecar, "store.failed", 2), 20, "the disk is still full")
            disk.resize("16m")
            sidecar.admin("/healthz")
            assert sidecar.stop() == 0
            assert list(dict.fromkeys(store.stored())) == LINES


def test_an_unwritable_place_for_dead_letters_loses_none(sidecar: PackedSidecar) -> None:
    """A refused record that can't be set aside is sent again, until it can be."""
    from tests.sidecar.http_peer import Fault, Received, Reply

    place = sidecar.folder / "letters"
    with ledger("http", "full") as store, small_disk(place, "64k") as disk:
        assert isinstance(store, Http)
        (place / "in the way").write_bytes(bytes(disk.free_bytes()))
        take = store.take

        def refuse(received: Received) -> Reply | Fault:
            if any("a 0 7 " in row["message"] for row in received.rows):
                return Reply(400, "I don't like it")
            return take(received)

        store.take = refuse  # type: ignore[method-assign]
        sidecar.config["logs"][0]["stores"] = [{"http": store.config()}]
        sidecar.config["dead_letters"] = {"directory": str(place)}
        lines = LINES[:20]
        sidecar.append("a.log", "".join(f"{line}\n" for line in lines).encode())
        sidecar.start()
        wait_until(lambda: lines[6] in store.taken, 20, "those before it")
        wait_until(lambda: said(sidecar, "dead_letters.failed"), 20, "it is said")
        sidecar.stop(signal.SIGKILL)
        (place / "in the way").unlink()
        sidecar.start()
        wait_until(lambda: lines[-1] in store.taken, 20, "those after it")
        assert sidecar.stop() == 0
        letters = "".join(path.read_text() for path in place.rglob("*.ndjson"))
        assert "a 0 7 " in letters
        assert list(dict.fromkeys(store.taken)) == [*lines[:7], *lines[8:]]
