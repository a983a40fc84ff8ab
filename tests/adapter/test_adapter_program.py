"""The adapter as a process: files in, rows out, and nothing lost at any end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapter.adapting import Adapter
from tests.helpers.log_programs import SOURCE
from tests.waiting import wait_until

NGINX = (
    b'192.0.2.7 - - [23/Nov/2026:02:16:56 +0000] "GET /orders/%d HTTP/1.1" 200 512 "-" "curl/8.5"\n'
)
PYTHON = b"2026-11-23 02:16:56,789 INFO shop.orders: placed %d\n"
MEBIBYTE = 1 << 20


@pytest.fixture
def adapter(tmp_path: Path) -> Iterator[Adapter]:
    one = Adapter(tmp_path)
    yield one
    one.close()


def test_lines_of_two_formats_become_records_of_one_schema(adapter: Adapter) -> None:
    adapter.append("access.log", NGINX % 1)
    adapter.start()
    adapter.wait_for(["GET /orders/1 HTTP/1.1"])
    adapter.append("app.log", PYTHON % 2)
    adapter.wait_for(["GET /orders/1 HTTP/1.1", "placed 2"])
    access, app = adapter.rows()
    assert access["http"]["response"]["status_code"] == 200
    assert access["log"]["file"]["path"].endswith("/log/access.log")
    assert app["@timestamp"] == "2026-11-23T02:16:56.789Z"
    assert app["log"] == {
        "level": "info",
        "logger": "shop.orders",
        "file": {"path": str(adapter.log / "app.log")},
    }
    assert app["kubernetes"] == {"namespace": "shop", "pod": {"name": "orders-7d9f8b6c5-x2x7q"}}
    assert app["service"] == {"name": "orders"}
    assert adapter.stop() == 0


CRI = b"2026-11-23T02:16:5%d.000000001Z %s %s %s\n"


def test_the_lines_inside_of_a_container_runtimes_file(adapter: Adapter) -> None:
    begun, ended = (NGINX % 3)[:40], (NGINX % 3)[40:].rstrip()
    adapter.append("0.log", CRI % (0, b"stdout", b"F", (NGINX % 1).rstrip()))
    adapter.append("0.log", CRI % (1, b"stderr", b"F", b"plainly said"))
    adapter.start()
    first = ["GET /orders/1 HTTP/1.1", "plainly said"]
    adapter.wait_for(first)
    # What isn't whole is read again after a kill.
    adapter.append("0.log", CRI % (2, b"stdout", b"P", begun))
    adapter.append("0.log", CRI % (2, b"stderr", b"F", b"plain again"))
    adapter.wait_for([*first, "plain again"])
    adapter.stop(signal.SIGKILL)
    adapter.append("0.log", CRI % (3, b"stdout", b"F", ended))
    adapter.start()
    wait_until(lambda: "GET /orders/3 HTTP/1.1" in adapter.messages(), 20, "the whole line")
    assert adapter.stop() == 0
    rows = {row["message"]: row for row in adapter.rows()}
    assert set(rows) == {*first, "plain again", "GET /orders/3 HTTP/1.1"}
    assert rows[first[0]]["labels"]["stream"] == "stdout"
    assert rows[first[1]]["@timestamp"] == "2026-11-23T02:16:51.000000001Z"
    assert rows[first[1]]["event"]["dataset"] == "cri"


def test_a_trace_waits_for_its_lines_and_comes_when_it_is_quiet(adapter: Adapter) -> None:
    adapter.start()
    adapter.append("app.log", b"2026-11-23 02:16:56,789 ERROR shop: failed\n")
    adapter.append("app.log", b"Traceback (most recent call last):\n")
    adapter.append("app.log", b'  File "shop.py", line 3, in f\nValueError: no stock\n')
    adapter.wait_for(["failed"])
    assert adapter.rows()[0]["error"]["type"] == "ValueError"


def test_the_last_line_comes_out_at_sigterm_even_without_its_newline(adapter: Adapter) -> None:
    adapter.start()
    adapter.append("app.log", PYTHON % 1)
    adapter.wait_for(["placed 1"])
    adapter.append("app.log", PYTHON % 2 + (PYTHON % 3).rstrip())
    assert adapter.stop() == 0
    assert adapter.messages() == ["placed 1", "placed 2", "placed 3"]


def test_a_restart_goes_on_where_it_stopped(adapter: Adapter) -> None:
    adapter.start()
    adapter.append("app.log", PYTHON % 1)
    adapter.wait_for(["placed 1"])
    assert adapter.stop() == 0
    adapter.append("app.log", PYTHON % 2)
    adapter.start()
    adapter.wait_for(["placed 1", "placed 2"])
    assert adapter.stop() == 0
    assert adapter.messages() == ["placed 1", "placed 2"]


def test_rotation_of_the_input_loses_nothing(adapter: Adapter) -> None:
    adapter.start()
    expected = []
    for generation in range(5):
        for number in range(100):
            adapter.append("app.log", PYTHON % (generation * 100 + number))
            expected.append(f"placed {generation * 100 + number}")
            if number == 0:  # the file must have been seen before it goes
                adapter.wait_for(expected)
        (adapter.log / "app.log").rename(adapter.log / f"app.log.{generation}")
    adapter.append("app.log", PYTHON % 500)
    adapter.wait_for([*expected, "placed 500"])


def test_the_output_is_opened_anew_when_it_is_rotated_away(adapter: Adapter) -> None:
    adapter.start()
    adapter.append("app.log", PYTHON % 1)
    adapter.wait_for(["placed 1"])
    adapter.out.rename(adapter.folder / "old.ndjson")
    adapter.append("app.log", PYTHON % 2)
    adapter.wait_for(["placed 2"])


def test_standard_output_carries_whole_rows_through_a_slow_pipe(tmp_path: Path) -> None:
    adapter = Adapter(tmp_path, to=[{"stdout": True}])
    adapter.append("app.log", b"".join(PYTHON % number for number in range(20_000)))
    reader, writer = os.pipe()
    adapter.start(stdout=writer)
    os.close(writer)
    assert adapter.process is not None
    with open(reader, "rb") as pipe:
        rows = [json.loads(pipe.readline()) for _ in range(1000)]
        # With the pipe full and nobody reading, the endpoint answers, and SIGTERM is heard.
        assert adapter.admin("/healthz") == "ok\n"
        adapter.process.send_signal(signal.SIGTERM)
        rows += [json.loads(line) for line in pipe]
    assert adapter.process.wait(60) == 0
    assert [row["message"] for row in rows] == [f"placed {number}" for number in range(20_000)]


def test_nobody_reading_standard_output_is_an_error(tmp_path: Path) -> None:
    adapter = Adapter(tmp_path, to=[{"stdout": True}])
    reader, writer = os.pipe()
    os.close(reader)
    adapter.append("app.log", PYTHON % 1)
    adapter.start(stdout=writer)
    os.close(writer)
    assert adapter.process is not None
    assert adapter.process.wait(20) == 1
    assert "nobody reads" in adapter.events()[-2]["message"]


def test_several_outputs_get_the_same(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    adapter = Adapter(tmp_path, to=[{"path": str(tmp_path / "out.ndjson")}, {"spool": str(spool)}])
    adapter.append("app.log", PYTHON % 1 + PYTHON % 2)
    adapter.start()
    adapter.wait_for(["placed 1", "placed 2"])
    assert adapter.stop() == 0
    (segment,) = spool.iterdir()
    assert segment.name == "0000000000000001.ndjson"
    assert segment.read_bytes() == adapter.out.read_bytes()


def test_a_full_spool_stops_the_reading_and_not_the_application(tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    (spool / "0000000000000007.ndjson").write_bytes(b"{}\n" * (65 * MEBIBYTE // 3))
    adapter = Adapter(tmp_path, to=[{"spool": str(spool)}])
    adapter.append("app.log", PYTHON % 1)
    adapter.start()
    try:
        source = f'{{source="spool:{spool}#0"}}'
        wait_until(
            lambda: f"podweave_adapter_files{source} 1\n" in adapter.admin("/metrics"),
            10,
            "the file is open",
        )
        assert adapter.metric("podweave_adapter_read_bytes_total" + source) == 0
        (spool / "0000000000000007.ndjson").unlink()
        wait_until(lambda: list(spool.iterdir()), 10, "the next segment")
        assert adapter.stop() == 0
        (segment,) = spool.iterdir()
        assert json.loads(segment.read_bytes())["message"] == "placed 1"
    finally:
        if adapter.process is not None:
            adapter.process.kill()
            adapter.process.wait()


def test_health_and_metrics(adapter: Adapter) -> None:
    adapter.append("app.log", PYTHON % 1 + b"what is this\n" + PYTHON % 2)
    adapter.start()
    adapter.wait_for(["placed 1", "what is this", "placed 2"])
    assert adapter.admin("/healthz") == "ok\n"
    source = f'{{source="path:{adapter.out}#0"}}'
    assert adapter.metric('podweave_adapter_events_total{format="python"}') == 2
    assert adapter.metric("podweave_adapter_unread_lines_total") == 1
    assert adapter.metric("podweave_adapter_checkpoint_writable") == 1
    size = (adapter.log / "app.log").stat().st_size
    assert adapter.metric("podweave_adapter_read_bytes_total" + source) == size
    assert adapter.metric("podweave_adapter_unread_bytes" + source) == 0
    written = f'podweave_adapter_written_bytes_total{{output="path:{adapter.out}"}}'
    assert adapter.metric(written) == adapter.out.stat().st_size


def _wait_for_growth(adapter: Adapter, before: int) -> None:
    wait_until(lambda: adapter.lines() > before, 20, "rows")


def test_kill_at_any_moment_loses_no_event(adapter: Adapter) -> None:
    chance = random.Random(7)
    expected = []
    number = 0
    for _ in range(8):
        adapter.start()
        assert adapter.process is not None
        for _ in range(chance.randrange(1, 6)):
            burst = chance.choice((1, 10, 3000))
            before = adapter.lines()
            adapter.append("app.log", b"".join(PYTHON % n for n in range(number, number + burst)))
            expected += [f"placed {n}" for n in range(number, number + burst)]
            number += burst
            if chance.random() < 0.7:
                _wait_for_growth(adapter, before)
        adapter.stop(signal.SIGKILL)
    adapter.start()
    wait_until(lambda: adapter.messages()[-1:] == expected[-1:], 20, "the last event")
    assert adapter.stop() == 0
    found = adapter.messages()
    assert set(found) == set(expected)
    # What comes again comes from an earlier place on, in order: no event overtakes another.
    seen = -1
    position = {message: index for index, message in enumerate(expected)}
    for message in found:
        assert position[message] <= seen + 1
        seen = max(seen, position[message])


def test_memory_stays_small_under_load(adapter: Adapter) -> None:
    lines = b"".join(NGINX % number for number in range(100_000))
    adapter.append("access.log", lines)
    adapter.append("app.log", b"".join(PYTHON % number for number in range(100_000)))
    adapter.start()
    wait_until(lambda: adapter.lines() == 200_000, 60, "all rows")
    assert adapter.resident_bytes("VmHWM") <= 20 * MEBIBYTE


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"format": "nginks"}, "logs[0].format"),
        ({"format": {"regex": "("}}, "logs[0].format.regex"),
        ({"format": {"glob": "x"}}, "logs[0].format"),
        ({"schema": "xml"}, "logs[0].schema"),
        ({"from": []}, "logs[0].from"),
        ({"from": ["relative.log"]}, "logs[0].from[0]"),
        ({"to": []}, "logs[0].to"),
        ({"to": [{"stdout": False}]}, "logs[0].to[0].stdout"),
        ({"to": [{"path": "x"}]}, "logs[0].to[0].path"),
        ({"to": [{"stdout": True}, {"stdout": True}]}, "logs[0].to"),
        ({"from": ["/a/**/*.log"], "to": [{"path": "/a/b/c/out.log"}]}, "logs[0].to"),
        ({"more": 1}, "logs[0].more"),
    ],
)
def test_a_wrong_configuration_is_refused_with_its_place(
    tmp_path: Path, change: dict[str, Any], path: str
) -> None:
    adapter = Adapter(tmp_path, **change)
    file = tmp_path / "config.json"
    file.write_text(json.dumps(adapter.config))
    done = subprocess.run(
        [sys.executable, "-S", "-m", "podweave.helpers", "adapter", str(file)],
        env={"PYTHONPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert f"{path}: " in done.stderr


def test_zone_steps_and_schema_of_the_configuration(tmp_path: Path) -> None:
    one = Adapter(
        tmp_path,
        schema="gelf",
        time_zone="CET-1CEST,M3.5.0,M10.5.0/3",
        steps=[
            {"keep": {"level": {"atLeast": "info"}}},
            {"mask": {"kinds": ["cards", "residentNumbers"], "with": "#"}},
            {"add": {"team": "shop"}},
        ],
    )
    line = b"2026-11-23 02:16:56,789 %s shop: %s\n"
    try:
        one.append("app.log", line % (b"DEBUG", b"not this") + line % (b"INFO", b"900101-1234567"))
        one.start()
        wait_until(lambda: one.lines() == 1, 20, "a record")
        assert one.stop() == 0
    finally:
        one.close()
    (row,) = one.rows()
    assert row["timestamp"] == 1795400216.789 - 3600
    assert row["short_message"] == "900101-#"
    assert row["_team"] == "shop"
    assert (row["level"], row["_level_name"]) == (6, "info")
