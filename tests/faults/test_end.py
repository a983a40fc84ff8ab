"""SIGTERM while a store is down, in each way that a store can be down."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.ledgers import Ledger, ledger
from tests.faults.packed_sidecar import PackedSidecar
from tests.faults.weather import Weather
from tests.sidecar.http_peer import RESET, Received, Reply, http_peer
from tests.spilled import spilled
from tests.waiting import wait_until

LINES = [f"a 0 {number} " + "x" * 40 for number in range(2000)]
DATA = "".join(f"{line}\n" for line in LINES).encode()
DRAIN = 3.0


@pytest.fixture
def sidecar(tmp_path: Path) -> Iterator[PackedSidecar]:
    made = PackedSidecar(tmp_path, drain=DRAIN)
    yield made
    made.close()


def fill_and_end(sidecar: PackedSidecar) -> tuple[int, dict[str, dict[str, Any]]]:
    """Write, and end it as soon as it has begun; the exit code and what it said last."""
    sidecar.append("a.log", DATA)
    sidecar.start()
    sidecar.admin("/healthz")
    sidecar.append("a.log", b"a 0 2000 the last act")
    began = time.monotonic()
    code = sidecar.stop()
    # A deadline, and not a speed: what is beyond it is killed by the kubelet.
    assert time.monotonic() - began < DRAIN + 5
    return code, {event["event.action"]: event for event in sidecar.events()}


@pytest.mark.parametrize("kind", ["http", "forward"])
def test_refused_connections_spill_and_the_next_pod_delivers(
    sidecar: PackedSidecar, kind: str
) -> None:
    """All of it is on the claim within the deadline; another Pod with another name sends it."""
    volume = sidecar.folder / "volume"
    sidecar.config["spill"] = {"directory": str(volume)}
    with ledger(kind, "end") as store:
        sidecar.config["logs"][0]["stores"] = [{kind: store.config()}]
        store.down()
        code, said = fill_and_end(sidecar)
        assert code == 0
        left = said["sidecar.left_on_disk"]
        assert left["spill"].startswith(str(volume))
        assert left["spilled_bytes"] >= len(DATA)
        assert left["unread_bytes"] == 0
        # That Pod is gone with its files.
        shutil.rmtree(sidecar.log)
        sidecar.log.mkdir()
        shutil.rmtree(sidecar.folder / "state")
        sidecar.identity = {**sidecar.identity, "POD_NAME": "orders-2", "POD_UID": "77aa"}
        store.calm()
        _delivered_by_the_next(sidecar, store, volume)


def _delivered_by_the_next(sidecar: PackedSidecar, store: Ledger, volume: Path) -> None:
    sidecar.start()
    wait_until(lambda: "a 0 2000 the last act" in store.stored(), 30, "the last line")
    wait_until(lambda: not spilled(volume), 30, "the spill is empty")
    assert sidecar.stop() == 0
    assert list(dict.fromkeys(store.stored())) == [*LINES, "a 0 2000 the last act"]


@pytest.mark.parametrize(
    ("way", "spill"),
    [
        ("silent", True),
        ("silent", False),
        ("never accepts", True),
        ("429 for an hour", True),
        ("503", False),
        ("reset", False),
    ],
)
def test_however_it_is_down_the_end_is_in_time(
    sidecar: PackedSidecar, way: str, *, spill: bool
) -> None:
    """With a spill all is safe there; without, it is said what is left, and what waits."""
    volume = sidecar.folder / "volume"
    if spill:
        sidecar.config["spill"] = {"directory": str(volume)}
    taken: list[str] = []
    up = False

    def answer(received: Received) -> Any:
        if up:
            taken.extend(row["message"] for row in received.rows)
            return Reply(200)
        if way == "503":
            return Reply(503, "down")
        if way == "429 for an hour":
            return Reply(429, "later", Retry_After="3600")
        return RESET

    with http_peer(answer) as peer:
        weather = Weather(peer.port, way, ("stall",) if way == "silent" else ("reset",))
        if way == "silent":
            weather.storm()
        url = f"http://127.0.0.1:{weather.port}"
        if way == "never accepts":
            # TEST-NET-1: nobody is there, and nobody says so.
            url = "http://192.0.2.1:80"
        sidecar.config["logs"][0]["stores"] = [{"http": {"url": url}}]
        try:
            code, said = fill_and_end(sidecar)
            if spill:
                assert code == 0, said
                assert said["sidecar.left_on_disk"]["spilled_bytes"] >= len(DATA)
            else:
                assert code == 1
                left = said["sidecar.undelivered"]
                waits = left["unread_bytes"] + left["unacknowledged_bytes"]
                assert waits >= len(DATA)
                assert left["reason"]
            if way == "never accepts":
                return
            up = True
            weather.calm()
            sidecar.config["drain"] = 30.0
            sidecar.start()
            sidecar.admin("/healthz")
            assert sidecar.stop() == 0
            assert list(dict.fromkeys(taken)) == [*LINES, "a 0 2000 the last act"]
        finally:
            weather.close()


def test_one_store_of_three_is_down(sidecar: PackedSidecar) -> None:
    """The others get everything, the end is in time, and the spill holds the one's alone."""
    volume = sidecar.folder / "volume"
    sidecar.config["spill"] = {"directory": str(volume)}
    with ledger("http", "a") as up, ledger("forward", "b") as down, ledger("files", "c") as files:
        sidecar.config["logs"][0]["stores"] = [
            {store.kind: store.config()} for store in (up, down, files)
        ]
        down.down()
        code, said = fill_and_end(sidecar)
        assert code == 0
        assert said["sidecar.left_on_disk"]["store"] == "forward"
        wanted = [*LINES, "a 0 2000 the last act"]
        assert up.taken == wanted
        assert files.stored() == wanted
        (place,) = {path.parent for path in volume.rglob("*.frames")}
        down.calm()
        sidecar.start()
        wait_until(lambda: not place.exists() or not list(place.glob("*.frames")), 30, "it is sent")
        assert sidecar.stop() == 0
        assert down.taken == wanted
        assert up.taken == wanted


def test_killed_while_it_ends(sidecar: PackedSidecar) -> None:
    """The deadline was too long for the kubelet: kill -9 in the middle of the drain."""
    sidecar.config["drain"] = 60.0
    with ledger("http", "killed") as store:
        sidecar.config["logs"][0]["stores"] = [{"http": store.config()}]
        store.down()
        sidecar.append("a.log", DATA)
        sidecar.start()
        sidecar.admin("/healthz")
        assert sidecar.process is not None
        sidecar.process.send_signal(signal.SIGTERM)
        wait_until(
            lambda: any(e["event.action"] == "sidecar.draining" for e in sidecar.events()),
            20,
            "it drains",
        )
        sidecar.stop(signal.SIGKILL)
        store.calm()
        sidecar.start()
        sidecar.admin("/healthz")
        assert sidecar.stop() == 0
        assert list(dict.fromkeys(store.taken)) == LINES
