"""The log sidecar as a process: what it ships, how it ends, what it tells."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.sidecar_program import check
from tests.sidecar.shipping import Sidecar
from tests.waiting import wait_until


def test_lines_arrive_with_where_they_came_from(sidecar: Sidecar) -> None:
    sidecar.start()
    sidecar.append("a.log", b"hello\n")
    sidecar.wait_for(["hello"])
    (record,) = sidecar.records()
    assert record["log"]["file"]["path"] == str(sidecar.log / "a.log")
    assert record["kubernetes"] == {
        "namespace": "shop",
        "pod": {"name": "orders-1", "uid": "5f1c"},
    }
    assert sidecar.stop() == 0


def test_the_last_line_written_before_the_writers_exit_arrives(sidecar: Sidecar) -> None:
    for number in range(10):
        sidecar.start()
        assert sidecar.admin("/healthz") == "ok\n"
        # The application's last act, and the end of its Pod right after it.
        script = f"printf 'the last act {number}' >> {sidecar.log}/{number}.log"
        subprocess.run(["/bin/sh", "-c", script], check=True)
        assert sidecar.stop() == 0
        assert sidecar.messages()[-1] == f"the last act {number}"
    assert len(sidecar.messages()) == 10


def test_a_path_that_nothing_came_to_is_named(tmp_path: Path) -> None:
    stores = [{"files": {"directory": str(tmp_path / "store")}}]
    paths = [str(tmp_path / "log" / name) for name in ("a.log", "b.lgo", "none/*.log")]
    sidecar = Sidecar(tmp_path, logs=[{"from": [path], "stores": stores} for path in paths])
    sidecar.append("a.log", b"")
    sidecar.start()
    sidecar.admin("/healthz")
    assert sidecar.stop() == 0
    events = [event for event in sidecar.events() if event["event.action"] == "log.nothing_found"]
    assert [event["source"] for event in events] == paths[1:]


def test_a_file_that_could_not_be_read_is_no_good_end(sidecar: Sidecar) -> None:
    circle = sidecar.log / "circle.log"
    circle.symlink_to(circle)
    sidecar.start()
    sidecar.append("a.log", b"one\n")
    sidecar.wait_for(["one"])
    assert sidecar.stop() == 1
    events = {event["event.action"]: event for event in sidecar.events()}
    assert events["log.unreadable"]["message"].startswith("Too many levels of symbolic links")
    assert events["sidecar.unread"]["paths"] == [str(circle)]


def test_what_two_stores_cannot_be_sent_is_said_once(tmp_path: Path) -> None:
    stores = [{"files": {"directory": str(tmp_path / name)}} for name in ("one", "two")]
    sidecar = Sidecar(tmp_path, logs=[{"from": [f"{tmp_path}/log/*.log"], "stores": stores}])
    circle = sidecar.log / "circle.log"
    circle.symlink_to(circle)
    for times in (1, 2):  # once in each life
        sidecar.start()
        sidecar.admin("/healthz")
        assert sidecar.stop() == 1
        actions = [event["event.action"] for event in sidecar.events()]
        assert actions.count("log.unreadable") == times


def test_copytruncate_that_loses_nothing_is_no_warning(sidecar: Sidecar) -> None:
    sidecar.start()
    sidecar.append("a.log", b"one\n")
    sidecar.wait_for(["one"])
    (sidecar.log / "a.log").write_bytes(b"")
    wait_until(lambda: "log.truncated" in sidecar.said.read_text(), 20, "word of it")
    sidecar.append("a.log", b"two\n")
    sidecar.wait_for(["one", "two"])
    assert sidecar.stop() == 0
    said = [json.loads(line) for line in sidecar.said.read_text().splitlines()]
    (truncated,) = [event for event in said if event["event.action"] == "log.truncated"]
    assert (truncated["log.level"], truncated["bytes_lost"]) == ("info", 0)


def test_what_it_writes_itself_is_not_shipped(tmp_path: Path) -> None:
    stores = [{"files": {"directory": str(tmp_path / "store"), "file_bytes": 1024}}]
    sidecar = Sidecar(tmp_path, logs=[{"from": [f"{tmp_path}/**/*.ndjson"], "stores": stores}])
    (tmp_path / "application.ndjson").write_text("one\n" * 100)
    other = tmp_path / "store" / "shop" / "orders-2"
    other.mkdir(parents=True)
    (other / "20260102T030405Z-1.ndjson").write_text("{}\n")
    sidecar.start()
    wait_until(lambda: len(sidecar.messages()) >= 100, 20, "the lines")
    with (tmp_path / "application.ndjson").open("a") as application:
        application.write("the last\n")
    assert sidecar.stop() == 0
    paths = {record["log"]["file"]["path"] for record in sidecar.records()}
    assert paths == {str(tmp_path / "application.ndjson")}
    assert sidecar.messages() == [*["one"] * 100, "the last"]


def test_a_backlog_is_delivered_at_the_end_of_the_pod(sidecar: Sidecar) -> None:
    lines = [f"{number} " + "x" * 100 for number in range(100_000)]
    sidecar.append("a.log", "".join(f"{line}\n" for line in lines).encode())
    sidecar.start()
    sidecar.admin("/healthz")
    assert sidecar.stop() == 0
    assert sidecar.messages() == lines


def test_it_reads_on_while_the_application_still_writes(sidecar: Sidecar) -> None:
    sidecar.start()
    sidecar.admin("/healthz")
    writer = subprocess.Popen(
        ["/bin/sh", "-c", f"exec >> {sidecar.log}/a.log; echo begun; read line; echo $line"],
        stdin=subprocess.PIPE,
    )
    sidecar.wait_for(["begun"])
    assert sidecar.process is not None
    sidecar.process.send_signal(signal.SIGTERM)
    wait_until(
        lambda: any(event["event.action"] == "sidecar.draining" for event in sidecar.events()),
        10,
        "it drains",
    )
    writer.communicate(b"late\n")
    assert sidecar.process.wait(timeout=30) == 0
    sidecar.process = None
    assert sidecar.messages() == ["begun", "late"]


def test_what_cannot_be_delivered_in_time_is_said_and_not_forgotten(tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path, drain=0.5)
    sidecar.store.write_text("in the way of the store's directory")
    sidecar.append("a.log", b"one\ntwo\n")
    sidecar.start()
    sidecar.admin("/healthz")
    assert sidecar.stop() == 1
    (event,) = [
        event for event in sidecar.events() if event["event.action"] == "sidecar.undelivered"
    ]
    assert event["unacknowledged_bytes"] == 8
    sidecar.store.unlink()
    sidecar.start()
    sidecar.wait_for(["one", "two"])
    assert sidecar.stop() == 0
    assert sidecar.messages() == ["one", "two"]


def test_a_store_that_says_nothing_is_named_at_the_end(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        sidecar = Sidecar(tmp_path, drain=0.5)
        sidecar.config["logs"][0]["stores"] = [{"http": {"url": url}}]
        sidecar.append("a.log", b"one\n")
        sidecar.start()
        connection, _ = silent.accept()
        with connection:
            assert sidecar.stop() == 1
    (undelivered,) = [
        event for event in sidecar.events() if event["event.action"] == "sidecar.undelivered"
    ]
    assert re.fullmatch(r"no answer for [\d.]+ s to what was sent", undelivered["reason"])


def test_metrics_say_what_is_read_delivered_and_waiting(sidecar: Sidecar) -> None:
    sidecar.store.write_text("in the way of the store's directory")
    sidecar.append("a.log", b"one\ntwo\n")
    sidecar.start()

    def metric(name: str) -> float:
        for line in sidecar.admin("/metrics").splitlines():
            if line.startswith(name):
                return float(line.rpartition(" ")[2])
        raise AssertionError(name)

    wait_until(lambda: metric("podweave_logs_retries_total") >= 1, 10, "a retry")
    assert metric("podweave_logs_unacknowledged_bytes") == 8
    assert metric("podweave_logs_oldest_unacknowledged_seconds") > 0
    assert metric("podweave_logs_delivered_records_total") == 0
    sidecar.store.unlink()
    wait_until(lambda: metric("podweave_logs_delivered_records_total") == 2, 20, "delivery")
    assert metric("podweave_logs_unacknowledged_bytes") == 0
    assert metric("podweave_logs_oldest_unacknowledged_seconds") == 0
    assert metric("podweave_logs_read_bytes_total") == 8
    assert metric("podweave_logs_checkpoint_writable") == 1


def test_garbage_in_the_checkpoint_is_no_crash_and_loses_nothing(sidecar: Sidecar) -> None:
    (sidecar.folder / "state").mkdir()
    (sidecar.folder / "state" / "checkpoint.json").write_bytes(os.urandom(100))
    sidecar.append("a.log", b"one\n")
    sidecar.start()
    sidecar.wait_for(["one"])
    assert sidecar.stop() == 0
    assert "checkpoint.damaged" in [event["event.action"] for event in sidecar.events()]


def test_a_spool_passes_byte_for_byte_and_is_freed(sidecar: Sidecar) -> None:
    spool = sidecar.folder / "spool"
    sidecar.config["logs"] = [
        {"spool": str(spool), "stores": [{"files": {"directory": str(sidecar.store)}}]}
    ]
    spool.mkdir()
    lines = b"".join(b'{ "message" : "%d" }\n' % number for number in range(1000))
    for number in range(1, 6):
        (spool / f"{number:016d}.ndjson").write_bytes(lines)
    sidecar.start()
    wait_until(lambda: len(list(spool.iterdir())) == 1, 20, "the spool is freed")
    assert sidecar.stop() == 0
    assert b"".join(path.read_bytes() for path in sidecar.files()) == lines * 5


def test_memory_stays_flat_with_a_backlog(sidecar: Sidecar) -> None:
    line = b'127.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "GET /x HTTP/1.1" 200 123 "-" "curl"\n'
    size = 0
    with (sidecar.log / "a.log").open("wb") as file:
        while size < 60 << 20:
            size += file.write(line * 10_000)
    sidecar.start()
    wanted = f'podweave_logs_read_bytes_total{{source="{sidecar.log}/*.log",store="files"}} {size}'
    wait_until(lambda: wanted in sidecar.admin("/metrics"), 60, "all is read")
    assert sidecar.resident_bytes("VmHWM") < 24 << 20
    assert sidecar.resident_bytes() < 20 << 20
    assert sidecar.stop() == 0


def test_only_a_small_part_of_the_standard_library_is_loaded() -> None:
    script = (
        "import sys; before = set(sys.modules);"
        "import podweave.helpers.logs.sidecar_program;"
        "print(*sorted(name for name in set(sys.modules) - before if '.' not in name))"
    )
    source = str(Path(__file__).parents[2] / "src")
    result = subprocess.run(
        [sys.executable, "-S", "-c", script],
        env={"PYTHONPATH": source},
        check=True,
        capture_output=True,
        text=True,
    )
    heavy = {"typing", "dataclasses", "logging", "asyncio", "ssl", "http", "urllib", "email"}
    assert not heavy & set(result.stdout.split())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logs": []}, "logs: is empty"),
        ({"logs": [{"from": [], "stores": []}]}, "logs[0].from: is empty"),
        ({"logs": [{"from": ["x"], "stores": []}]}, "logs[0].from[0]: must be an absolute path"),
        ({"logs": [{"from": ["/x"]}]}, "logs[0]: lacks the key 'stores'"),
        (
            {"logs": [{"from": ["/x"], "stores": [{"files": {"directory": "/y", "gzip": True}}]}]},
            "logs[0].stores[0].files.gzip: is not a known key",
        ),
        (
            {"logs": [{"from": ["/x"], "spool": "/y", "stores": [{"files": {"directory": "/y"}}]}]},
            "logs[0].from: is not a known key",
        ),
        ({"drain": -1}, "drain: is -1; must be between 0"),
        ({"typo": 1}, "typo: is not a known key"),
    ],
)
def test_a_wrong_configuration_is_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    config = json.loads(json.dumps({**Sidecar(tmp_path).config, **change}))
    with pytest.raises(ConfigurationError) as caught:
        check(config)
    assert str(caught.value).startswith(message)


def test_several_stores_take_one_spool_each_at_its_own_pace(sidecar: Sidecar) -> None:
    spool = sidecar.folder / "spool"
    other = sidecar.folder / "other"
    other.write_text("in the way of the second store")
    stores = [{"files": {"directory": str(each)}} for each in (sidecar.store, other)]
    sidecar.config["logs"] = [{"spool": str(spool), "stores": stores}]
    spool.mkdir()
    lines = [b'{"message":"%d"}\n' % number for number in range(5000)]
    for number in range(1, 6):
        part = lines[(number - 1) * 1000 : number * 1000]
        (spool / f"{number:016d}.ndjson").write_bytes(b"".join(part))
    sidecar.start()
    wait_until(lambda: len(sidecar.records()) == 5000, 20, "the first store has all of it")
    assert len(list(spool.iterdir())) == 5
    assert 'store="files-2"' in sidecar.admin("/metrics")
    sidecar.stop(signal.SIGKILL)
    other.unlink()
    sidecar.start()
    wait_until(lambda: len(list(spool.iterdir())) == 1, 20, "the spool is freed")
    assert sidecar.stop() == 0
    # The kill may have come before the checkpoint.
    first = b"".join(path.read_bytes() for path in sidecar.files()).splitlines(keepends=True)
    assert list(dict.fromkeys(first)) == lines
    (file,) = (other / "shop" / "orders-1").iterdir()
    assert file.read_bytes() == b"".join(lines)


def test_every_metric_that_is_documented_is_there(sidecar: Sidecar) -> None:
    page = Path(__file__).parents[2] / "docs" / "stores.md"
    rows = [line for line in page.read_text().splitlines() if line.startswith("| `podweave_logs_")]
    names = [
        name.replace("…", "podweave_logs").partition("{")[0]
        for row in rows
        for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    ]
    assert len(names) > 15
    sidecar.append("a.log", b"one\n")
    sidecar.start()
    sidecar.wait_for(["one"])
    said = sidecar.admin("/metrics")
    assert [name for name in names if f"# TYPE {name} " not in said] == []
    assert sidecar.stop() == 0
