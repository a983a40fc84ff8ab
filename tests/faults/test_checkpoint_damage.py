"""A checkpoint that a disk, a hand or another version left behind: it never stops the logs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.ledgers import Http, ledger
from tests.faults.packed_sidecar import PackedSidecar
from tests.waiting import wait_until

LINES = [f"line {number}" for number in range(500)]


@pytest.fixture
def store() -> Iterator[Http]:
    with ledger("http", "checkpoint") as made:
        assert isinstance(made, Http)
        yield made


@pytest.fixture
def sidecar(tmp_path: Path, store: Http) -> Iterator[PackedSidecar]:
    """It has delivered LINES, and was stopped."""
    made = PackedSidecar(tmp_path)
    made.config["logs"][0]["stores"] = [{"http": store.config()}]
    made.append("a.log", "".join(f"{line}\n" for line in LINES).encode())
    made.start()
    made.admin("/healthz")
    assert made.stop() == 0
    assert store.taken == LINES
    store.taken.clear()
    yield made
    made.close()


def of_version(version: object) -> Callable[[bytes], bytes]:
    return lambda data: json.dumps({**json.loads(data), "version": version}).encode()


def with_entries(change: dict[str, Any]) -> Callable[[bytes], bytes]:
    def changed(data: bytes) -> bytes:
        checkpoint = json.loads(data)
        for entries in checkpoint["sections"].values():
            for entry in entries:
                entry.update(change)
        return json.dumps(checkpoint).encode()

    return changed


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[: len(data) // 2], id="half"),
        pytest.param(lambda data: bytes(len(data)), id="zeros"),
        pytest.param(lambda data: b"[" * 100_000, id="deep"),
        pytest.param(lambda data: b'{"version":1,"sections":{"a":[7]}}', id="no entries"),
        pytest.param(of_version(2), id="newer"),
    ],
)
def test_it_is_set_aside_and_all_is_read_again(
    sidecar: PackedSidecar, store: Http, damage: Callable[[bytes], bytes]
) -> None:
    """It says so, keeps what was there for whoever looks into it, and loses nothing."""
    file = sidecar.folder / "state" / "checkpoint.json"
    damaged = damage(file.read_bytes())
    file.write_bytes(damaged)
    sidecar.append("a.log", b"more\n")
    sidecar.start()
    sidecar.admin("/healthz")
    assert sidecar.stop() == 0
    assert store.taken == [*LINES, "more"]
    (said,) = [e for e in sidecar.events() if e["event.action"] == "checkpoint.damaged"]
    assert said["path"] == str(file)
    assert file.with_name("checkpoint.json.damaged").read_bytes() == damaged
    store.taken.clear()
    sidecar.start()
    sidecar.admin("/healthz")
    assert sidecar.stop() == 0
    assert store.taken == []


@pytest.mark.parametrize(
    "change",
    [
        {"offset": -1},
        {"offset": 10**6},
        {"offset": 1.5},
        {"offset": True},
        {"head": [1 << 40, "x"]},
        {"tail": "x"},
        {"spots": [[-4096], "0"]},
        {"path": "a\0b"},
        {"version": []},
        {"gone": "yesterday"},
        {"archive": "x"},
    ],
)
def test_an_entry_that_makes_no_sense_loses_nothing(
    sidecar: PackedSidecar, store: Http, change: dict[str, Any]
) -> None:
    """Whatever it says, the new line comes, and the sidecar runs."""
    file = sidecar.folder / "state" / "checkpoint.json"
    file.write_bytes(with_entries(change)(file.read_bytes()))
    sidecar.append("a.log", b"more\n")
    sidecar.start()
    sidecar.admin("/healthz")
    assert sidecar.stop() == 0
    assert store.taken in (["more"], [*LINES, "more"])


def test_a_directory_in_its_place(sidecar: PackedSidecar, store: Http) -> None:
    """It can't be read and can't be saved: said, and the logs go on."""
    file = sidecar.folder / "state" / "checkpoint.json"
    file.unlink()
    (file / "in it").mkdir(parents=True)
    sidecar.append("a.log", b"more\n")
    sidecar.start()
    wait_until(lambda: store.taken == [*LINES, "more"], 30, "all of it")
    sidecar.stop()
    names = {event["event.action"] for event in sidecar.events()}
    assert {"checkpoint.unreadable", "checkpoint.unwritable"} <= names


def test_the_state_directory_is_gone_while_it_runs(sidecar: PackedSidecar, store: Http) -> None:
    """It is made again."""
    sidecar.start()
    sidecar.admin("/healthz")
    shutil.rmtree(sidecar.folder / "state")
    sidecar.append("a.log", b"more\n")
    wait_until(lambda: store.taken == ["more"], 30, "the new line")
    assert sidecar.stop() == 0
    store.taken.clear()
    sidecar.start()
    sidecar.admin("/healthz")
    assert sidecar.stop() == 0
    assert store.taken == []
