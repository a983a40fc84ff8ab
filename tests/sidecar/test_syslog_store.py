"""The syslog store, with a real rsyslog at the other end."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podweave.helpers.configuration import ConfigurationError
from podweave.helpers.logs.delivery.batches import JOINT
from podweave.helpers.loop import Loop
from podweave.helpers.wire import syslog
from tests.helpers.driving import drive
from tests.sidecar.rsyslog import Rsyslog, rsyslog
from tests.sidecar.storing import Storing, configured, is_delivered, is_failed, piece

DATA = (
    '[podweave@32473 namespace="shop" pod="orders-1" uid="5f1c" node="node-a" '
    'file="/var/log/a.log"]'
)
LINES = [b"first line", b'with "quotes", ] and \\', "한글 로그".encode(), b"", b"x" * 30_000]


@pytest.fixture
def server() -> Iterator[Rsyslog]:
    with rsyslog() as server:
        yield server


def open_store(loop: Loop, folder: Path, port: int, **config: object) -> Storing:
    return Storing(loop, folder, "syslog", address=f"127.0.0.1:{port}", **config)


@pytest.mark.parametrize("framing", ["octet_counting", "newline"])
def test_lines_over_tcp(loop: Loop, tmp_path: Path, server: Rsyslog, framing: str) -> None:
    store = open_store(loop, tmp_path, server.port, framing=framing)
    assert is_delivered(store.send(store.raw(*LINES)))
    assert is_delivered(store.send(store.raw(b"second batch", offset=40_000)))
    messages = server.messages(len(LINES) + 1)
    assert [message["message"].encode() for message in messages] == [*LINES, b"second batch"]
    first = messages[0]
    assert first["priority"] == str(16 * 8 + 6)
    assert first["host"] == "orders-1"
    assert first["application"] == "orders"
    assert first["time"] == "2026-01-02T03:04:05.250000Z"
    assert first["data"] == DATA
    store.close()


def test_a_stack_trace_stays_one_message(loop: Loop, tmp_path: Path, server: Rsyslog) -> None:
    trace = b"java.lang.Error: no\n\tat Shop.buy(Shop.java:7)\n\tat Shop.main"
    cases = (("octet_counting", "\n"), ("newline", "#012"))
    for count, (framing, newline) in enumerate(cases, 1):
        store = open_store(loop, tmp_path, server.port, framing=framing)
        joined = piece([trace.replace(b"\n", JOINT), b"behind"], 0, "/var/log/a.log")
        joined.joined = True
        assert is_delivered(store.send(store.batch([joined], raw=True)))
        found = [message["message"] for message in server.messages(2 * count)]
        assert found[-2:] == [trace.decode().replace("\n", newline), "behind"]
        store.close()


def test_over_tls(loop: Loop, tmp_path: Path, server: Rsyslog) -> None:
    tls = {"mode": "verify-full", "ca": str(server.authority.file), "server_name": "logs.example"}
    store = open_store(loop, tmp_path, server.tls_port, tls=tls)
    assert is_delivered(store.send(store.raw(*LINES)))
    assert [each["message"].encode() for each in server.messages(len(LINES))] == LINES
    store.close()
    wrong = open_store(loop, tmp_path, server.tls_port, tls=tls | {"server_name": "other.example"})
    outcome = wrong.send(wrong.raw(b"never"))
    assert is_failed(outcome)
    assert "not for other.example" in outcome.reason
    wrong.close()


def test_over_udp(loop: Loop, tmp_path: Path, server: Rsyslog) -> None:
    store = open_store(loop, tmp_path, server.udp_port, transport="udp")
    outcome = store.send(store.raw(b"a datagram", b"y" * 70_000, b"another"))
    assert [number for number, _ in outcome.rejected] == [1]
    assert "longer than a datagram" in outcome.rejected[0][1]
    found = {message["message"] for message in server.messages(2)}
    assert found == {"a datagram", "another"}
    store.close()


def test_records_bring_their_time_and_level(loop: Loop, tmp_path: Path, server: Rsyslog) -> None:
    store = open_store(
        loop, tmp_path, server.port, facility="daemon", app_name="shop", host_name="till 7"
    )
    records: list[dict[str, Any]] = [
        {
            "@timestamp": "2026-11-23T02:16:56.123456789Z",
            "log": {"level": "error"},
            "message": "no",
        },
        {"@timestamp": "2026-11-23T02:16:57Z", "message": "without a level"},
    ]
    assert is_delivered(store.send(store.records(*records)))
    first, second = server.messages(2)
    assert (first["priority"], second["priority"]) == (str(3 * 8 + 3), str(3 * 8 + 6))
    assert first["time"] == "2026-11-23T02:16:56.123456Z"
    assert first["host"] == "till_7"
    assert first["application"] == "shop"
    assert first["message"].startswith('{"@timestamp":"2026-11-23T02:16:56.123456789Z"')
    store.close()


def test_a_server_that_went_is_dialled_again(loop: Loop, tmp_path: Path, server: Rsyslog) -> None:
    store = open_store(loop, tmp_path, server.port)
    assert is_delivered(store.send(store.raw(b"one")))
    server.messages(1)
    server.stop()
    drive(loop, lambda: not store.store._link.connected, 10, "the end is seen")  # type: ignore[attr-defined]
    outcome = store.send(store.raw(b"two"))
    assert is_failed(outcome)
    assert "Connection refused" in outcome.reason
    server.start()
    assert is_delivered(store.send(store.raw(b"two")))
    assert [message["message"] for message in server.messages(2)] == ["one", "two"]
    store.close()


def test_what_nobody_has_read_is_not_delivered(loop: Loop, tmp_path: Path) -> None:
    """A server that takes nothing: the batch comes again when the time is over."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        store = open_store(loop, tmp_path, listener.getsockname()[1], timeout=0.3)
        outcome = store.send(store.raw(*[b"z" * 10_000] * 2000))
        assert is_failed(outcome)
        assert "no answer within 0.3 s" in outcome.reason
        store.close()


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"address": "logs.example"}, "must be HOST:PORT"),
        ({"address": "logs.example:0"}, "port 0"),
        ({"address": "::1:514"}, "must be HOST:PORT"),
        ({"address": "a:514", "facility": "local9"}, "is 'local9'; must be one of kern"),
        ({"address": "a:514", "transport": "udp", "tls": {"mode": "require"}}, "is for tcp"),
        ({"address": "a:514", "adress": "b"}, "adress"),
    ],
)
def test_wrong_configuration(config: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        configured("syslog", **config)


@given(st.text(), st.integers(1, 60))
def test_a_field_is_printable_whatever_it_is_made_of(text: str, most: int) -> None:
    field = syslog.field(text, most)
    assert 1 <= len(field) <= most
    assert all(33 <= byte <= 126 for byte in field)


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (b"2026-11-23T02:16:56Z", b"2026-11-23T02:16:56Z"),
        (b"2026-11-23T02:16:56.123456789+09:00", b"2026-11-23T02:16:56.123456+09:00"),
        (b"2026-11-23T02:16:56.5-03:30", b"2026-11-23T02:16:56.5-03:30"),
        (b"2026-11-23 02:16:56Z", b"-"),
        (b"2026-11-23T02:16:56.5", b"-"),
        (b"", b"-"),
    ],
)
def test_times_as_syslog_takes_them(time: bytes, expected: bytes) -> None:
    assert syslog.timestamp(time) == expected
