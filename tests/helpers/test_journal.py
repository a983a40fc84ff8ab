"""The journal: one JSON object a line, and never a reason to wait."""

from __future__ import annotations

import json
import os

from podweave.helpers.journal import Journal


def test_an_event_is_a_line_of_json() -> None:
    reader, writer = os.pipe()
    journal = Journal("ambassador", "orders-db", writer)
    journal.warning("upstream-failing", upstream="db:5432", text='two\nlines "quoted" 한국')
    os.close(writer)
    with open(reader, "rb") as stream:
        lines = stream.read().splitlines()
    assert len(lines) == 1
    record = json.loads(lines[0])
    assert record.pop("@timestamp")[-1] == "Z"
    assert record == {
        "log.level": "warning",
        "event.action": "upstream-failing",
        "service.name": "orders-db",
        "service.type": "podweave-ambassador",
        "upstream": "db:5432",
        "text": 'two\nlines "quoted" 한국',
    }


def test_a_reader_that_stalls_loses_lines_and_stops_nobody() -> None:
    reader, writer = os.pipe()
    journal = Journal("ambassador", "orders-db", writer)
    for number in range(5000):
        journal.info("noise", number=number)
    assert journal.dropped > 0
    lost = journal.dropped
    seen = os.read(reader, 1 << 20).splitlines()
    assert len(seen) + lost == 5000
    assert all(json.loads(line) for line in seen)
    journal.info("after")
    assert json.loads(os.read(reader, 1 << 20))["dropped_lines"] == lost
    assert journal.dropped == 0
    os.close(reader)
    journal.info("to nobody")
    assert journal.dropped == 1
    os.close(writer)


def test_long_fields_are_cut_so_that_a_line_fits_into_a_pipe() -> None:
    reader, writer = os.pipe()
    Journal("ambassador", "orders-db", writer).error("long", message="x" * 100_000)
    record = json.loads(os.read(reader, 1 << 20))
    assert record["message"] == "x" * 256 + "…"
    os.close(reader)
    os.close(writer)
