"""One test for each of the pains that users of log shippers have, named after it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.sidecar_program import check
from tests.sidecar.bulk_cluster import Cluster
from tests.sidecar.following import Following
from tests.sidecar.http_peer import HALF, RESET, STALL, Fault, Received, Reply, http_peer
from tests.sidecar.receiver import OK, receiving
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


# Delivery: the end of the Pod, dead letters, memory, configuration


def test_pain_01_it_reads_on_while_the_application_still_writes(sidecar: Sidecar) -> None:
    """The shipper stops reading at SIGTERM, and the application's last words are lost."""
    sidecar.start()
    script = (
        f"exec >> {sidecar.log}/a.log; echo begun; read line;"
        " i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo $i; sleep 0.05; done; printf 'last words'"
    )
    writer = subprocess.Popen(["/bin/sh", "-c", script], stdin=subprocess.PIPE)
    sidecar.wait_for(["begun"])
    assert sidecar.process is not None
    sidecar.process.send_signal(signal.SIGTERM)
    draining = "sidecar.draining"
    wait_until(
        lambda: draining in [event["event.action"] for event in sidecar.events()], 20, draining
    )
    writer.communicate(b"go on\n")
    assert sidecar.process.wait(30) == 0
    sidecar.process = None
    assert sidecar.messages() == ["begun", *map(str, range(1, 21)), "last words"]


def test_pain_08_only_the_bad_record_is_set_aside_and_can_be_sent_again(sidecar: Sidecar) -> None:
    """One record that the store refuses costs a whole chunk, without a word about why."""
    mended = False

    def answer(records: list[dict[str, Any]]) -> Reply:
        bad = not mended and any(record["message"] == "line 77" for record in records)
        return Reply(400, "field [n] is no number") if bad else OK

    with receiving() as receiver:
        receiver.answer = answer
        sidecar.config["logs"][0]["stores"] = [receiver.store]
        lines = [f"line {number}" for number in range(200)]
        sidecar.append("a.log", "".join(f"{line}\n" for line in lines).encode())
        sidecar.start()
        good = [line for line in lines if line != "line 77"]
        wait_until(lambda: receiver.messages() == good, 30, "all but one")
        wait_until(lambda: sidecar.admin("/dead-letters").count("line 77") == 1, 30, "the letter")
        (kept,) = json.loads(sidecar.admin("/dead-letters")).values()
        assert kept["records"] == 1
        assert any("field [n] is no number" in reason for reason in kept["reasons"])
        mended = True
        assert json.loads(sidecar.admin("/replay", b"http")) == {"http": 1}
        wait_until(lambda: receiver.messages() == [*good, "line 77"], 30, "the last one")
        record = receiver.records[-1]
        assert record["log"]["file"]["path"] == str(sidecar.log / "a.log")
        assert record["kubernetes"]["pod"]["name"] == "orders-1"
        empty = '"records": 0'
        wait_until(lambda: empty in sidecar.admin("/dead-letters"), 30, "no letters")
        assert sidecar.stop() == 0


def test_pain_09_memory_stays_within_its_budget_on_a_backlog(sidecar: Sidecar) -> None:
    """A backlog, and a store that doesn't answer, end in an out-of-memory kill."""
    line = b"x" * 99 + b"\n"
    with receiving() as receiver, (sidecar.log / "a.log").open("wb") as file:
        for _ in range(60):
            file.write(line * 10_000)
        file.flush()
        receiver.resume.clear()
        stalled, other = receiver.store, {"files": {"directory": str(sidecar.store)}}
        sidecar.config["logs"][0]["stores"] = [stalled, other]
        sidecar.start()
        # The store that works gets everything, though the other one takes nothing.
        labels = f'{{source="{sidecar.log}/*.log",store="files"}}'
        name = f"podweave_logs_delivered_records_total{labels}"
        wait_until(lambda: sidecar.metric(name) == 600_000, 60, "all of it in the files")
        assert sidecar.resident_bytes("VmHWM") < 48 << 20
        waiting = f'podweave_logs_unacknowledged_bytes{{source="{sidecar.log}/*.log",store="http"}}'
        assert 0 < sidecar.metric(waiting) <= 8 << 20
        sidecar.stop(signal.SIGKILL)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"bacth": {"records": 10}}, "logs[0].stores[0].http.bacth"),
        ({"batch": {"record": 10}}, "logs[0].stores[0].http.batch.record"),
        ({"compression": "gzpi"}, "logs[0].stores[0].http.compression"),
        ({"timeout": "5s"}, "logs[0].stores[0].http.timeout"),
    ],
)
def test_pain_11_a_typo_is_an_error_with_its_place(
    sidecar: Sidecar, change: dict[str, Any], place: str
) -> None:
    """Unknown keys are ignored, and what was meant silently isn't done."""
    store = {"url": "http://127.0.0.1:1/", **change}
    sidecar.config["logs"][0]["stores"] = [{"http": store}]
    with pytest.raises(ConfigurationError) as caught:
        check(sidecar.config)
    assert caught.value.path == place
    sidecar.start()
    assert sidecar.process is not None
    assert sidecar.process.wait(20) == 2
    sidecar.process = None
    assert (
        sidecar.said.read_text()
        .splitlines()[-1]
        .startswith(f"{sidecar.folder}/sidecar.json: {place}: ")
    )


def test_pain_12_termination_does_not_hang_on_a_store_that_is_down(tmp_path: Path) -> None:
    """The store is down: termination hangs until the kill, and what wasn't delivered is gone."""
    sidecar = Sidecar(tmp_path, drain=6.0, spill={"directory": str(tmp_path / "volume")})
    lines = [f"line {number}" for number in range(1000)]
    with receiving() as receiver:
        receiver.answer = lambda records: Reply(503, "down")
        sidecar.config["logs"][0]["stores"] = [receiver.store]
        sidecar.append("a.log", "".join(f"{line}\n" for line in lines).encode())
        sidecar.start()
        wait_until(lambda: receiver.requests > 0, 30, "it has tried")
        sidecar.append("a.log", b"the last act")
        assert sidecar.stop() == 0
        (left,) = [
            event for event in sidecar.events() if event["event.action"] == "sidecar.left_on_disk"
        ]
        assert left["spill"].startswith(str(tmp_path / "volume"))
        assert left["spilled_bytes"] > 8000
        assert "503" in left["reason"]
        # The Pod and its files are gone; another one mounts the volume.
        (sidecar.log / "a.log").unlink()
        shutil.rmtree(tmp_path / "state")
        sidecar.identity = {**sidecar.identity, "POD_NAME": "orders-2", "POD_UID": "77aa"}
        receiver.answer = lambda records: OK
        sidecar.start()
        wait_until(lambda: receiver.messages() == [*lines, "the last act"], 30, "all of it")
        names = {record["kubernetes"]["pod"]["name"] for record in receiver.records}
        assert names == {"orders-1"}
        assert sidecar.stop() == 0
        assert not list((tmp_path / "volume").rglob("*.frames"))


def test_pain_12_without_a_volume_it_says_what_is_left_and_where(tmp_path: Path) -> None:
    """The same, with nowhere to put it: said loudly, and still after the checkpoint."""
    sidecar = Sidecar(tmp_path, drain=3.0)
    with receiving() as receiver:
        receiver.answer = lambda records: Reply(503, "down")
        sidecar.config["logs"][0]["stores"] = [receiver.store]
        sidecar.append("a.log", b"one\ntwo\n")
        sidecar.start()
        wait_until(lambda: receiver.requests > 0, 30, "it has tried")
        assert sidecar.stop() == 1
        (left,) = [
            event for event in sidecar.events() if event["event.action"] == "sidecar.undelivered"
        ]
        assert left["unacknowledged_bytes"] == 8
        assert left["source"] == str(sidecar.log / "*.log")
        receiver.answer = lambda records: OK
        sidecar.start()
        wait_until(lambda: receiver.messages() == ["one", "two"], 30, "it goes on")
        assert sidecar.stop() == 0


# Stores: every item of an answer, and every record once


def elasticsearch_of(sidecar: Sidecar, url: str) -> None:
    store = {"elasticsearch": {"urls": [url], "index": "logs", "timeout": 1}}
    sidecar.config["logs"][0]["stores"] = [store]


def test_pain_06_an_answer_of_200_hides_no_rejected_item(sidecar: Sidecar) -> None:
    """The answer to a bulk request is 200, and items in it are errors that nobody reads."""
    cluster = Cluster()
    lines = [f"line {number}" for number in range(100)]
    cluster.item_faults = {
        lines[7]: [(429, "es_rejected_execution_exception")] * 3,
        lines[8]: [(503, "unavailable_shards_exception")],
        lines[9]: [(400, "document_parsing_exception")] * 10,
    }
    with http_peer(cluster.answer) as peer:
        elasticsearch_of(sidecar, peer.url)
        sidecar.append("a.log", "".join(f"{line}\n" for line in lines).encode())
        sidecar.start()
        wait_until(lambda: len(cluster.documents) == 99, 60, "all that it takes are stored")
        assert sidecar.stop() == 0
    assert sorted(cluster.messages()) == sorted(line for line in lines if line != lines[9])
    # Only what failed came again: 100, then two, then one and one more.
    assert [len(received.rows) // 2 for received in peer.received] == [100, 2, 1, 1]


def test_pain_07_what_is_sent_again_is_stored_once(sidecar: Sidecar) -> None:
    """Acknowledgements that are lost, and a shipper that is killed, make duplicates."""
    cluster = Cluster()
    faults: list[Reply | Fault] = [RESET, HALF, Reply(503), STALL]
    losing = iter(faults)

    def answer(received: Received) -> Reply | Fault:
        stored = cluster.answer(received)
        # It is stored, and nobody is told so.
        return next(losing, stored)

    lines = [f"line {number % 50}" for number in range(500)]
    with http_peer(answer) as peer:
        elasticsearch_of(sidecar, peer.url)
        sidecar.append("a.log", "".join(f"{line}\n" for line in lines).encode())
        sidecar.start()
        wait_until(lambda: len(peer.received) > len(faults), 30, "an answer that arrives")
        sidecar.stop(signal.SIGKILL)
        (sidecar.folder / "state" / "checkpoint.json").unlink(missing_ok=True)
        sidecar.append("a.log", b"the last\n")
        sidecar.start()
        wait_until(lambda: "the last" in cluster.messages(), 60, "the last line")
        assert sidecar.stop() == 0
    assert cluster.messages() == [*lines, "the last"]
    assert len(peer.received) > len(faults) + 1
